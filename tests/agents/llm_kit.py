"""A scripted model over the reasoner tests' clues, good replies and bad ones."""

from __future__ import annotations

import json
from typing import Any

import clue_kit as kit
from langchain_core.messages import AIMessage

from emer.agents.llm.reasoner import Llm
from emer.agents.scripted_model import Scripted, ScriptedModel
from emer.agents.types import Decision, Explanation, Fallback, Inquiry, ModelCall

MIXED = (kit.POLITE, kit.INSULT, kit.TONE)
"""Clues on which the rules are not sure."""

EMPTY = ""
REFUSAL = "I'm sorry, but I can't help with that."
MALFORMED = '{"candidates": [{"label": "angry", '
LOOPING = "and then the person smiles " * 400
OVERLONG = json.dumps({"text": [str(number) for number in range(8_000)]})
TRUNCATED = AIMessage('{"candidates": [', response_metadata={"finish_reason": "length"})

DECIDED: dict[str, Any] = {
    "candidates": [
        {"label": "angry", "supports": [kit.INSULT.id], "contradicts": [kit.POLITE.id]},
        {"label": "happy", "supports": [kit.POLITE.id]},
    ],
    "settled": True,
}
UNSETTLED: dict[str, Any] = {**DECIDED, "settled": False}
WRITTEN: dict[str, Any] = {
    "sentences": [
        {
            "block": "video",
            "text": "In the video, the person smiles clearly at 2.1-2.8 s.",
            "clue_ids": [kit.POLITE.id],
        },
        {
            "block": "therefore",
            "text": "Therefore, based on the smile in the video, the person appears happy.",
            "clue_ids": [kit.POLITE.id],
        },
    ],
    "labels": [{"name": "happy", "clue_ids": [kit.POLITE.id]}],
    "alternatives": [{"label": "angry", "clue_ids": [kit.INSULT.id]}],
}


def look(tool: str = "mesh", start: float = 1.0, end: float = 2.0) -> dict[str, Any]:
    """Return a planner's reply with one ask."""
    return {"asks": [{"tool": tool, "start": start, "end": end, "why": "it could decide"}]}


class Talk:
    """A reasoner with a scripted model, and all that it reported."""

    def __init__(self, *replies: Scripted, model: ScriptedModel | None = None, **options: Any):
        self.model = model or ScriptedModel(replies)
        self.llm = Llm(self.model, **{"when": "always", **options})
        self.calls: list[ModelCall] = []
        self.fell: list[Fallback] = []
        self.llm.report_to(self._hear)

    def _hear(self, report: ModelCall | Fallback) -> None:
        (self.calls if isinstance(report, ModelCall) else self.fell).append(report)  # type: ignore[arg-type]

    def decide(self, inquiry: Inquiry | None = None) -> Decision:
        return self.llm.decide(inquiry or kit.inquiry(*MIXED))

    def explain(self, inquiry: Inquiry | None = None) -> Explanation:
        inquiry = inquiry or kit.inquiry(*MIXED)
        return self.llm.explain(inquiry, Decision(hypotheses=()))

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [(call.role, call.outcome) for call in self.calls]

    def heard(self, request: int = -1) -> str:
        """Return all that the model was told in one request."""
        return "\n".join(str(m.content) for m in self.model.asked[request])
