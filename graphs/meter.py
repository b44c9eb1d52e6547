"""Counting what language models cost in a run, and telling the trace of each call."""

from __future__ import annotations

import threading

from emer.agents.reasoner import Report
from emer.agents.types import Fallback, Recollection
from emer.graphs.events import FellBack, ModelCalled, Remembered
from emer.graphs.trace import TraceWriter


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
