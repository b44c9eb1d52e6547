"""Live objects of a run, which never enter its state, and its model costs."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from emer.agents.reasoner import Reasoner, Report
from emer.agents.types import Budget, Fallback, Recollection
from emer.graphs.trace.clue_ledger import ClueLedger
from emer.graphs.trace.events import FellBack, ModelCalled, Remembered
from emer.graphs.trace.jsonl import TraceWriter
from emer.graphs.trace.runs import Usage
from emer.tools.errors import ToolMissing
from emer.tools.evidence_store import EvidenceStore
from emer.tools.media.clip import Clip
from emer.tools.runtime.cancellation import Call
from emer.tools.tool import Tool, ToolCard, card


class Meter:
    """Tokens and money that a run has spent, earlier sessions of it included."""

    def __init__(self, trace: TraceWriter, spent: Usage | None = None) -> None:
        self._trace = trace
        self._lock = threading.Lock()
        self.tokens = spent.tokens if spent else 0
        self.money = (spent.money or 0.0) if spent else 0.0
        self.notes: list[str] = []
        """Steps that fell back from the model to the rules, one line each."""

    def record(self, report: Report) -> None:
        """Count a model call, a fallback or a retrieval, and write it to the trace."""
        if isinstance(report, Recollection):
            self._trace.write(Remembered(recollection=report))
            return
        if isinstance(report, Fallback):
            self._trace.write(FellBack(step=report))
            note = f"the rules took the step of the {report.role}: {report.why}"
            self.notes += [note] if note not in self.notes else []
            return
        with self._lock:
            self.tokens += report.tokens_in + report.tokens_out
            self.money = round(self.money + (report.money or 0.0), 9)
        self._trace.write(ModelCalled(call=report))


@dataclass(frozen=True, slots=True)
class Context:
    """Objects that the nodes use, injected through LangGraph's `Runtime`."""

    clip: Clip
    tools: Mapping[str, Tool]
    """By slot, in the order of the first round."""
    absent: Mapping[str, ToolMissing]
    chosen: Mapping[str, str]
    """By slot that was left to "auto": why it has its tool."""
    store: EvidenceStore
    reasoner: Reasoner
    trace: TraceWriter
    budget: Budget
    tool_seconds: float
    language: Literal["auto", "en", "zh"]
    """Of the answer; "auto": that of the question."""
    meter: Meter
    ledger: ClueLedger = field(default_factory=ClueLedger)
    notes: list[str] = field(default_factory=list)
    """Notes of tools for the user, besides their clues."""
    call: Call = field(default_factory=Call)
    """Cancelled when the user stops the run; waiting nodes give up."""

    def cards(self, without: Collection[str] = ()) -> tuple[ToolCard, ...]:
        """Descriptions of the tools for the reasoner, without those of some slots."""
        return tuple(card(tool) for slot, tool in self.tools.items() if slot not in without)

    @property
    def seconds_left(self) -> float:
        """Seconds left of the time budget, never negative."""
        return max(0.0, self.budget.seconds - self.trace.seconds)
