"""The live objects of a run, which never enter its state."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from emer.agents.reasoner import Reasoner
from emer.agents.types import Budget
from emer.graphs.ledger import Ledger
from emer.graphs.meter import Meter
from emer.graphs.trace import TraceWriter
from emer.tools.clip import Clip
from emer.tools.errors import ToolMissing
from emer.tools.evidence import EvidenceStore
from emer.tools.tool import Tool, ToolCard, card


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
