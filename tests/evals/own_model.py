"""A chat model as a user would write one, to be named on the command line."""

from __future__ import annotations

from emer.agents.scripted_model import ScriptedModel


def make() -> ScriptedModel:
    """Return the model."""
    return ScriptedModel(['{"score": 7, "reason": "much the same"}'])
