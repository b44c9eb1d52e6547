"""Live objects of a run.

Counting what language models cost in a run, and telling the trace of each call.

The live objects of a run, which never enter its state.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from emer.agents.reasoner import Reasoner, Report
from emer.agents.types import Budget, Fallback, Recollection
from emer.graphs.trace.clue_ledger import Ledger
from emer.graphs.trace.events import FellBack, ModelCalled, Remembered
from emer.graphs.trace.jsonl import TraceWriter
from emer.tools.errors import ToolMissing
from emer.tools.evidence_store import EvidenceStore
from emer.tools.media.clip import Clip
from emer.tools.tool import Tool, ToolCard, card


class Meter:
    """Adds up tokens and money; a run that is taken up again goes on from what it spent."""

    def __init__(self, trace: TraceWriter, tokens: int = 0, money: float = 0.0) -> None:
        """Start from what the run has spent so far."""
        self._trace = trace
        self._lock = threading.Lock()
        self.tokens, self.money = tokens, money
        self.notes: list[str] = []
        """Steps that the rules took instead of the model, one line each."""

    def hear(self, report: Report) -> None:
        """Count a call, or a step that fell back to the rules, and write it down."""
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
    """What the nodes work with: injected through LangGraph's `Runtime`."""

    clip: Clip
    tools: Mapping[str, Tool]
    """By slot, in the order of the first look."""
    absent: Mapping[str, ToolMissing]
    store: EvidenceStore
    reasoner: Reasoner
    trace: TraceWriter
    budget: Budget
    tool_seconds: float
    meter: Meter
    """Counts what language models cost."""
    ledger: Ledger = field(default_factory=Ledger)
    notes: list[str] = field(default_factory=list)
    """What tools noted for the user, besides their clues."""
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when the user stops the run; waiting nodes give up at once."""

    def cards(self, without: Collection[str] = ()) -> tuple[ToolCard, ...]:
        """Return what the reasoner may know of the tools, but for those slots."""
        return tuple(card(tool) for slot, tool in self.tools.items() if slot not in without)

    @property
    def seconds_left(self) -> float:
        """Seconds until the run's time is spent, never negative."""
        return max(0.0, self.budget.seconds - self.trace.seconds)
