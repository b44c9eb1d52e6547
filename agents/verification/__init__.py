"""The verifier: whether an explanation follows from its clues."""

from emer.agents.verification.verifier import Finding, Opinion, Verdict, settle, verify

__all__ = ["Finding", "Opinion", "Verdict", "settle", "verify"]
