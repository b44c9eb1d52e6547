"""How long whole runs take: tools side by side, a second question, the real-time factor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from emer.evals.measure import Measure, Neighbours, at_most, in_turn, seconds
from emer.graphs.ask import Answer, ask
from emer.graphs.events import Event, NothingObserved, ToolFinished, ToolStarted
from emer.graphs.settings import DEFAULT, OFF, Settings, load_settings
from emer.tools.clip import Clip

ROUNDS = 3


def measure_running(path: Path) -> list[Measure]:
    """Return the measures of whole runs of the embedded profile on a clip.

    Each tool alone and all of them together take turns, and the least of the rounds counts:
    wall-clock time on a machine that others use too can only be too long. Each run has a
    store of its own, so nothing is remembered; a first run of all loads packages and is not
    counted.
    """
    _explain(path)
    settings, runs = load_settings(), _Runs(path)
    works: dict[str, Callable[[], float]] = {
        slot: partial(runs.alone, _only(settings, slot)) for slot in settings.chosen
    }
    neighbours = Neighbours()
    found = in_turn({**works, "together": runs.together}, ROUNDS)
    alone, together = {slot: min(found[slot]) for slot in works}, min(found["together"])
    slot = max(alone, key=lambda name: alone[name])
    usual = median(found["together"]) / median(found[slot])
    whole, length = min(runs.whole), Clip.open(path).duration
    beside = f"least of {ROUNDS}; others took {neighbours.share:.0%} of the machine"
    return [
        at_most("all tools side by side : the slowest alone", together / alone[slot], "x", 1.2,
                f"{together:.2f} s : {alone[slot]:.2f} s ({slot}), {beside}; medians "
                f"{usual:.2f} x; one after another {sum(alone.values()):.2f} s"),
        at_most("explaining a clip : the clip's length", whole / length, "x", 1.0,
                f"{whole:.2f} s : {length:.2f} s, once imports are done; {beside}"),
        at_most("second question on the same clip", min(runs.second), "s", 0.3,
                f"opening the file included; least of {ROUNDS}"),
        at_most("tools run by the second question", runs.run_again, "calls", 0,
                "from the ledger"),
    ]  # fmt: skip


class _Runs:
    """Runs of one clip, and what is noted of them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.whole: list[float] = []
        """Seconds of each run with all tools."""
        self.second: list[float] = []
        """Seconds of each second question."""
        self.run_again = 0
        """Tools that the second questions ran."""

    def alone(self, tools: Mapping[str, str]) -> float:
        """Return how long these tools take."""
        return _observing(_explain(self._path, tools))

    def together(self) -> float:
        """Return how long all tools take, and ask a second question afterwards."""
        with TemporaryDirectory() as home:
            events = _explain(self._path, home=home)
            second: list[Event] = []
            took = seconds(lambda: _ask(self._path, "Is the person angry?", home, second))
        self.whole.append(events[-1].at)
        self.second.append(took)
        self.run_again += len([e for e in second if isinstance(e, ToolStarted) and not e.cached])
        return _observing(events)


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
