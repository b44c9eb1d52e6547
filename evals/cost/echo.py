"""A chat model that answers as the rules would, in the form each task wants.

It stands in for a language model where only cost is measured: what it says is as long as an
explanation is, and nothing of it is the model's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from emer.agents.llm.messages import MOST_ASKS
from emer.agents.rules.reasoner import Rules
from emer.agents.types import Decision, Inquiry
from emer.graphs.settings import DEFAULT
from emer.tools.tool import ToolCard
from emer.tools.types import Clue

_CLUES = re.compile(r"<clues>\n(.*)\n</clues>", re.S)
_TASK = re.compile(r"^Task: (\w+)\.", re.M)


class Echo:
    """Replies to the messages of one clip's run; it reads of them what a model would."""

    def __init__(
        self, clues: Mapping[str, Clue], tools: Sequence[ToolCard], duration: float
    ) -> None:
        """Take all clues that the run may come to know, by id, and what may be asked."""
        self._clues, self._tools, self._duration = dict(clues), tuple(tools), duration
        self._rules = Rules()

    def __call__(self, messages: Sequence[Any]) -> dict[str, Any]:
        """Return the reply to the task at the end of the messages."""
        task = _TASK.search(str(messages[-1].content))
        inquiry = self._inquiry(str(messages[1].content))
        decision = self._rules.decide(inquiry)
        match task.group(1) if task else "":
            case "decide":
                return _decided(decision)
            case "plan":
                asks = decision.asks[:MOST_ASKS]
                return {"asks": [_look(ask.model_dump()) for ask in asks]}
            case _:
                return self._written(inquiry, decision)

    def _inquiry(self, told: str) -> Inquiry:
        found = _CLUES.search(told)
        ids = [json.loads(line)["id"] for line in found.group(1).split("\n")] if found else []
        return Inquiry(
            question=DEFAULT,
            clues=tuple(self._clues[id] for id in ids),
            tools=self._tools,
            duration=self._duration,
        )

    def _written(self, inquiry: Inquiry, decision: Decision) -> dict[str, Any]:
        explanation = self._rules.explain(inquiry, decision)
        return {
            "sentences": [s.model_dump(mode="json") for s in explanation.sentences],
            "labels": [{"name": x.name, "clue_ids": x.clue_ids} for x in explanation.labels],
            "alternatives": [
                {"label": a.label, "clue_ids": a.clue_ids} for a in explanation.alternatives
            ],
        }


def _decided(decision: Decision) -> dict[str, Any]:
    candidates = [
        {"label": h.label, "supports": h.supports, "contradicts": h.contradicts}
        for h in decision.hypotheses[:5]
    ]
    return {"candidates": candidates, "settled": not decision.asks}


def _look(ask: Mapping[str, Any]) -> dict[str, Any]:
    return {"tool": ask["tool"], **ask["span"], "why": ask["why"]}
