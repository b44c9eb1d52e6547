"""The verifier: whether an explanation follows from its clues."""

from emer.agents.verification.verifier import Finding, Opinion, Verdict, strike, verify

__all__ = ["Finding", "Opinion", "Verdict", "strike", "verify"]
