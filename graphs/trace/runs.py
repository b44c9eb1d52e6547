"""Runs listed; model usage.

The runs in the traces folder: listing and finding them.

What a run asked of language models, and where the rules had to step in.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue, ValidationError

from emer.agents.types import Fallback, ModelCall, StopReason
from emer.graphs.trace.events import (
    EVENT,
    Event,
    Failed,
    FellBack,
    Finished,
    Header,
    Interrupted,
    ModelCalled,
    Paused,
    RunStarted,
)
from emer.graphs.trace.jsonl import Trace
from emer.tools.errors import ConfigError
from emer.tools.types import Record

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


class Usage(Record):
    """Requests to a model and what they cost."""

    requests: int = 0
    roles: dict[str, int] = Field(default_factory=dict)
    """Requests of each role."""
    unusable: int = 0
    """Requests without a reply that could be used."""
    tokens_in: int = 0
    tokens_out: int = 0
    counted: bool = True
    """Whether the model counted all its tokens; otherwise some are estimated."""
    money: float | None = None
    """In the currency of the configured prices; None where none are configured."""
    seconds: float = 0.0
    fallbacks: tuple[Fallback, ...] = ()
    """Steps that the rules took instead."""


def usage(calls: Iterable[ModelCall], fallbacks: Iterable[Fallback]) -> Usage:
    """Return what these requests come to."""
    made = tuple(calls)
    paid = [call.money for call in made if call.money is not None]
    return Usage(
        requests=len(made),
        roles=dict(Counter(call.role for call in made)),
        unusable=sum(call.outcome != "ok" for call in made),
        tokens_in=sum(call.tokens_in for call in made),
        tokens_out=sum(call.tokens_out for call in made),
        counted=all(call.counted for call in made),
        money=round(sum(paid), 9) if paid else None,
        seconds=round(sum(call.seconds for call in made), 4),
        fallbacks=tuple(fallbacks),
    )


def usage_of(trace: Trace) -> Usage:
    """Return what a run asked of language models."""
    calls = (event.call for event in trace.events if isinstance(event, ModelCalled))
    return usage(calls, (event.step for event in trace.events if isinstance(event, FellBack)))


def reasoner_of(header: Header) -> str:
    """Return who reasoned in a run: "rules", "llm (openai:gpt-4.1-mini, always)"."""
    found: JsonValue = header.settings
    chosen = found.get("reasoner") if isinstance(found, dict) else None
    told = chosen if isinstance(chosen, dict) else {}
    model = [str(told[key]) for key in ("model", "when") if told.get(key)]
    return f"{header.reasoner} ({', '.join(model)})" if model else header.reasoner
