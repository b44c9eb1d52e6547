"""An explanation as plain text, in reading order, with the ids of its clues."""

from __future__ import annotations

from emer.agents.scope import Beyond
from emer.agents.types import Explanation
from emer.prompts.prompt import load


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
