"""How long whole runs take: tools side by side, a second question, the real-time factor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from emer.evals.measure import Measure, at_most, seconds
from emer.graphs.ask import Answer, ask
from emer.graphs.events import Event, NothingObserved, ToolFinished, ToolStarted
from emer.graphs.settings import DEFAULT, OFF, Settings, load_settings
from emer.tools.clip import Clip


def measure_running(path: Path) -> list[Measure]:
    """Return the measures of whole runs of the embedded profile on a clip.

    Each run has a store of its own, so nothing is remembered; the first run of all loads
    packages and models and is not counted.
    """
    _explain(path)
    settings = load_settings()
    alone = {slot: _observing(_explain(path, _only(settings, slot))) for slot in settings.chosen}
    slot = max(alone, key=lambda name: alone[name])
    length = Clip.open(path).duration
    with TemporaryDirectory() as home:
        events = _explain(path, home=home)
        whole = events[-1].at
        second: list[Event] = []
        took = seconds(lambda: _ask(path, "Is the person angry?", home, second))
    together = _observing(events)
    run_again = [e for e in second if isinstance(e, ToolStarted) and not e.cached]
    return [
        at_most("all tools side by side : the slowest alone", together / alone[slot], "x", 1.2,
                f"{together:.2f} s : {alone[slot]:.2f} s ({slot}); one after another "
                f"{sum(alone.values()):.2f} s"),
        at_most("explaining a clip : the clip's length", whole / length, "x", 1.0,
                f"{whole:.2f} s : {length:.2f} s, once imports are done"),
        at_most("second question on the same clip", took, "s", 0.3, "opening the file included"),
        at_most("tools run by the second question", len(run_again), "calls", 0, "from the ledger"),
    ]  # fmt: skip


def _only(settings: Settings, slot: str) -> Mapping[str, str]:
    return {other: OFF for other in settings.chosen if other != slot}


def _explain(
    path: Path, tools: Mapping[str, str] | None = None, home: str | None = None
) -> list[Event]:
    """Return the events of a run that remembers nothing, or uses the store in `home`."""
    events: list[Event] = []
    with TemporaryDirectory() as fresh:
        _ask(path, None, home or fresh, events, tools)
    return events


def _ask(
    path: Path,
    question: str | None,
    home: str,
    events: list[Event],
    tools: Mapping[str, str] | None = None,
) -> Answer:
    settings = load_settings(tools=tools).model_copy(update={"home": Path(home)})
    return ask(path, question or DEFAULT, settings=settings, listener=events.append)


def _observing(events: list[Event]) -> float:
    """Return the seconds from the first tool's start to the last one's end, first round."""
    begun = [e.at for e in events if isinstance(e, ToolStarted) and e.round == 0]
    done = [e.at for e in events if isinstance(e, ToolFinished | NothingObserved) and e.round == 0]
    return max(done) - min(begun)
