"""The `rules` reasoner: lexicon, evidence fusion, labels, follow-ups, explanation."""

from emer.agents.rules.reasoner import Rules

__all__ = ["Rules"]
