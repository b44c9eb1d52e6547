"""What the graph tests say often: settings with fake tools, and reading a run's trace."""

from __future__ import annotations

from typing import Any

from emer.graphs.ask import Answer
from emer.graphs.settings import Choice, Settings, load_settings
from emer.graphs.trace.jsonl import Trace, read_trace

FAKES = "graph_fakes:"


def fakes(reasoner: str = "Plain", *, arguments: Any = None, **slots: str) -> Settings:
    """Return settings with fake tools in these slots and nothing in the others."""
    every = {slot: "none" for slot in ("face", "scene", "prosody", "speech")}
    chosen = {slot: name if name == "none" else FAKES + name for slot, name in slots.items()}
    settings = load_settings(tools={**every, **chosen})
    thinker = Choice(use=FAKES + reasoner, **(arguments or {}))
    return settings.model_copy(update={"reasoner": thinker})


def trace_of(answer: Answer) -> Trace:
    """Return the run's trace, read back from its file."""
    assert answer.trace_path is not None
    return read_trace(answer.trace_path)


def events(answer: Answer, kind: str) -> list[Any]:
    """Return the run's events of one kind."""
    return [event for event in trace_of(answer).events if event.event == kind]
