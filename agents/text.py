"""An explanation as plain text, in reading order, with the ids of its clues."""

from __future__ import annotations

from collections.abc import Mapping

from emer.agents.scope import Beyond
from emer.agents.types import Explanation, StopReason
from emer.prompts.prompt import load

STOPS: Mapping[StopReason, str] = {
    "sure": "the leading reading was sure enough",
    "nothing_to_ask": "nothing that could be asked would change the answer",
    "no_new_clues": "looking closer brought nothing new",
    "rounds_spent": "the rounds it may take were spent",
    "tool_calls_spent": "the tool calls it may make were spent",
    "seconds_spent": "the time it may take was spent",
    "tokens_spent": "the tokens a model may use were spent",
    "money_spent": "the money a model may cost was spent",
    "budget": "the budget was spent",
    "no_evidence": "there was nothing to go by",
    "agreed": "everything that is seen, heard and said agrees",
    "not_shown": "nobody is there whom the question could mean",
    "paused": "it waits for a review",
    "declined": "no clip could answer the question",
}
"""Why a run stopped, in words."""


def render(explanation: Explanation) -> str:
    """Return the sentences block by block, then labels, other readings and what is missing."""
    if explanation.declined is not None:
        return refusal(explanation.declined)
    blocks = [
        " ".join(f"{s.text} {cite(s.clue_ids)}" for s in sentences)
        for sentences in explanation.by_modality.values()
    ]
    return "\n\n".join(part for part in (*blocks, _labels(explanation), _rest(explanation)) if part)


def refusal(declined: Beyond) -> str:
    """Return why a question is not answered, and what could be asked instead."""
    return load(f"declined/{declined}").text


def cite(clue_ids: tuple[str, ...]) -> str:
    """Return clue ids as they stand behind a sentence: "[f1a2b3c4d, a0b1c2d3e]"."""
    return f"[{', '.join(clue_ids)}]" if clue_ids else ""


def _labels(explanation: Explanation) -> str:
    if not explanation.labels:
        return "Labels: none; what was observed does not carry a reading."
    named = (f"{label.name} ({label.band}) {cite(label.clue_ids)}" for label in explanation.labels)
    return "Labels: " + "; ".join(named)


def _rest(explanation: Explanation) -> str:
    other = [
        f"Other reading: {a.label}. {a.would_change} {cite(a.clue_ids)}".rstrip()
        for a in explanation.alternatives
    ]
    missing = [f"Not observed ({m.modality}): {m.why}" for m in explanation.missing]
    return "\n".join((*other, *missing))
