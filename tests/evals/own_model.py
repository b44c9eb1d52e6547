"""A chat model as a user would write one, to be named on the command line."""

from __future__ import annotations

from tests.evals.chat_kit import Scripted


def make() -> Scripted:
    """Return the model."""
    return Scripted(replies=['{"score": 7, "reason": "much the same"}'])
