"""Reasoners that weigh clues, and the verifier that checks their explanations."""

from emer.agents.types import Decision, Explanation, Hypothesis, Inquiry, Label, Sentence

__all__ = ["Decision", "Explanation", "Hypothesis", "Inquiry", "Label", "Sentence"]
