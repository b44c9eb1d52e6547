"""Reasoners that weigh clues, and the verifier that checks their explanations."""

from typing import TYPE_CHECKING, Any

from emer.agents.types import Ask, Decision, Explanation, Hypothesis, Inquiry, Label, Sentence

if TYPE_CHECKING:
    from emer.agents.reasoner import Reasoner

__all__ = [
    "Ask",
    "Decision",
    "Explanation",
    "Hypothesis",
    "Inquiry",
    "Label",
    "Reasoner",
    "Sentence",
]


def __getattr__(name: str) -> Any:  # the contract imports the verifier and the lexicon
    if name == "Reasoner":
        from emer.agents.reasoner import Reasoner

        return Reasoner
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
