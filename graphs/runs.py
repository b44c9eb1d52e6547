"""The runs in the traces folder: listing, finding and comparing them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import JsonValue, ValidationError

from emer.agents.types import Hypothesis, StopReason
from emer.graphs.events import (
    EVENT,
    Decided,
    Event,
    Failed,
    Finished,
    Header,
    Interrupted,
    Paused,
    RunStarted,
)
from emer.graphs.trace import Trace
from emer.tools.errors import ConfigError
from emer.tools.types import Clue, Record

Ending = Literal["finished", "paused", "interrupted", "failed", "unfinished"]

LAST = "last"
_TAIL_BYTES = 256 * 1024
"""How much of a trace's end is read to find its last event."""


class RunCard(Record):
    """A run in one line."""

    run_id: str
    started: str
    clip: str
    question: str
    labels: tuple[str, ...] = ()
    stop_reason: StopReason | None = None
    state: Ending
    seconds: float | None = None
    path: Path


class Change(Record):
    """Something that differs; None where one side has no such thing."""

    key: str
    a: str | None
    b: str | None


class Diff(Record):
    """What differs between two runs: what was chosen, seen, concluded and written."""

    settings: tuple[Change, ...] = ()
    tools: tuple[Change, ...] = ()
    clues_only_a: tuple[Clue, ...] = ()
    clues_only_b: tuple[Clue, ...] = ()
    labels: tuple[Change, ...] = ()
    probabilities: tuple[Change, ...] = ()
    sentences_only_a: tuple[str, ...] = ()
    sentences_only_b: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not any(value for _, value in self)


def list_runs(traces: Path) -> tuple[RunCard, ...]:
    """Return a card of every run in the folder, the newest first; other files are skipped."""
    cards = (_card(path) for path in _files(traces))
    return tuple(card for card in cards if card is not None)


def find_run(traces: Path, name: str) -> Path:
    """Return the trace called "last", by run id, by a prefix of one only, or by path.

    `ConfigError` says what there is instead.
    """
    given = Path(name)
    if given.suffix == ".jsonl" and given.is_file():
        return given
    files = _files(traces)
    if not files:
        raise ConfigError(f"there are no runs in {traces} yet")
    if name == LAST:
        return files[0]
    found = [path for path in files if name and path.stem.startswith(name)]
    exact = [path for path in found if path.stem == name]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if found:
        few = ", ".join(path.stem for path in found[:3])
        raise ConfigError(f"{name!r} could be {len(found)} runs: {few}{_more(len(found) - 3)}")
    raise ConfigError(f"no run is called {name!r}; the last one is {files[0].stem}")


def diff(a: Trace, b: Trace) -> Diff:
    """Return what differs between two runs."""
    clues_a, clues_b = ({clue.id: clue for clue in trace.clues} for trace in (a, b))
    written_a, written_b = _sentences(a), _sentences(b)
    return Diff(
        settings=_changes(_flat(a.header.settings), _flat(b.header.settings)),
        tools=_changes(_tools(a.header), _tools(b.header)),
        clues_only_a=tuple(clue for id, clue in clues_a.items() if id not in clues_b),
        clues_only_b=tuple(clue for id, clue in clues_b.items() if id not in clues_a),
        labels=_changes(_labels(a), _labels(b)),
        probabilities=_changes(_probabilities(a), _probabilities(b)),
        sentences_only_a=tuple(text for text in written_a if text not in written_b),
        sentences_only_b=tuple(text for text in written_b if text not in written_a),
    )


def _files(traces: Path) -> list[Path]:
    """Return the folder's traces, the newest first: run ids begin with the time."""
    return sorted(traces.glob("*.jsonl"), key=lambda path: path.stem, reverse=True)


def _more(rest: int) -> str:
    return f" and {rest} more" if rest > 0 else ""


def _card(path: Path) -> RunCard | None:
    """Return the card from a trace's first two lines and its last; None if it is none."""
    try:
        first = list(_head(path))
        last = _last(path)
    except OSError:
        return None
    if not first or not isinstance(first[0], Header):
        return None
    header = first[0]
    question = next((e.question for e in first if isinstance(e, RunStarted)), "")
    done = last if isinstance(last, Finished) else None
    return RunCard(
        run_id=header.run_id,
        started=header.started,
        clip=header.clip.name,
        question=question,
        labels=tuple(label.name for label in done.explanation.labels) if done else (),
        stop_reason=done.stop_reason if done else None,
        state=_ending(last),
        seconds=last.seconds
        if isinstance(last, Finished | Paused | Interrupted | Failed)
        else None,
        path=path,
    )


def _ending(last: Event | None) -> Ending:
    if isinstance(last, Finished | Paused | Interrupted | Failed):
        return last.event
    return "unfinished"


def _head(path: Path) -> Iterator[Event]:
    with path.open("rb") as file:
        for _ in range(2):
            event = _read(file.readline())
            if event is not None:
                yield event


def _last(path: Path) -> Event | None:
    with path.open("rb") as file:
        file.seek(-min(_TAIL_BYTES, file.seek(0, os.SEEK_END)), os.SEEK_END)
        whole = file.read().split(b"\n")[:-1]
    return _read(whole[-1]) if whole else None


def _read(line: bytes) -> Event | None:
    try:
        return EVENT.validate_json(line)
    except ValidationError:
        return None


def _changes(a: Mapping[str, str], b: Mapping[str, str]) -> tuple[Change, ...]:
    keys = sorted({*a, *b})
    return tuple(
        Change(key=key, a=a.get(key), b=b.get(key)) for key in keys if a.get(key) != b.get(key)
    )


def _flat(value: JsonValue, key: str = "") -> dict[str, str]:
    """Return nested settings as "budget.rounds": "3"."""
    if not isinstance(value, dict):
        return {key: str(value)}
    inner = (_flat(part, f"{key}.{name}" if key else name) for name, part in value.items())
    return {name: text for found in inner for name, text in found.items()}


def _tools(header: Header) -> dict[str, str]:
    return {slot: _named(source.model_dump(mode="json")) for slot, source in header.tools.items()}


def _named(source: Mapping[str, JsonValue]) -> str:
    params = source["params"]
    told = (
        ", ".join(f"{k}={v}" for k, v in sorted(params.items())) if isinstance(params, dict) else ""
    )
    model = f" with {source['model']}" if source["model"] else ""
    return f"{source['tool']} {source['version']}{model}" + (f" ({told})" if told else "")


def _labels(trace: Trace) -> dict[str, str]:
    written = trace.explanation
    return {label.name: label.band for label in written.labels} if written else {}


def _probabilities(trace: Trace) -> dict[str, str]:
    return {h.label: f"{h.probability:.2f}" for h in _hypotheses(trace.events)}


def _hypotheses(events: Iterable[Event]) -> tuple[Hypothesis, ...]:
    """Return where the reasoner stood in the end."""
    stands = [event.hypotheses for event in events if isinstance(event, Decided)]
    return stands[-1] if stands else ()


def _sentences(trace: Trace) -> tuple[str, ...]:
    written = trace.explanation
    return tuple(sentence.text for sentence in written.sentences) if written else ()
