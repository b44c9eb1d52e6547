"""The runs in the traces folder, and the usage of language models in a run."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Literal

from pydantic import Field, JsonValue, ValidationError

from emer.agents.types import Fallback, ModelCall, StopReason
from emer.graphs.trace import events
from emer.graphs.trace.jsonl import Trace
from emer.tools.errors import ConfigError
from emer.tools.types import Record

Ending = Literal["finished", "paused", "interrupted", "failed", "unfinished"]

LAST = "last"
RUN_ID = re.compile(r"\d{8}-\d{6}-\d{6}-[0-9a-f]{4}", re.ASCII)
STAMP = "%Y%m%d-%H%M%S-%f"
_TAIL_BYTES = 256 * 1024
"""Bytes at the end of a trace that are read to find its last event."""


class RunCard(Record):
    """Summary of a run for a list."""

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
    """Summaries of the runs in the folder, the newest first; other files are skipped."""
    return tuple(filter(None, map(_card, _files(traces))))


def find_run(traces: Path, name: str) -> Path:
    """Find a trace by "last", by run id or its unique beginning, or by path.

    `ConfigError` says what there is instead.
    """
    if name.endswith(".jsonl") and os.path.isfile(name):  # never raises, however long the name
        return Path(name)
    files = _files(traces)
    last = next((path for path in files if _card(path)), None)
    if last is None:
        raise ConfigError(f"there are no runs in {traces} yet")
    if name == LAST:
        return last
    matches = [path for path in files if name and path.stem.startswith(name)]
    exact = [path for path in matches if path.stem == name]
    if len(exact or matches) == 1:
        return (exact or matches)[0]
    if matches:
        few = ", ".join(path.stem for path in matches[:3])
        more = f" and {len(matches) - 3} more" if len(matches) > 3 else ""
        raise ConfigError(f"{name!r} could be {len(matches)} runs: {few}{more}")
    raise ConfigError(f"no run is called {name!r}; the last one is {last.stem}")


def new_run_id(traces: Path) -> str:
    """Id of a new run: its time in UTC, to the microsecond, and four random digits.

    Ids sort in the order of the runs: where the clock was set back, an id begins a microsecond
    after that of the last run in the folder.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    stems = (path.stem for path in _files(traces))
    newest = next(filter(RUN_ID.fullmatch, stems), "")
    with suppress(ValueError, OverflowError):  # digits that are no time
        now = max(now, datetime.strptime(newest[:22], STAMP) + timedelta(microseconds=1))
    return f"{now:{STAMP}}-{token_hex(2)}"


def _files(traces: Path) -> list[Path]:
    # Run ids begin with the time: the newest first.
    return sorted(traces.glob("*.jsonl"), key=lambda path: path.stem, reverse=True)


def read_head(path: Path) -> tuple[events.Header | None, events.RunStarted | None]:
    """The first two events of a trace, None for what is not there."""
    try:
        with path.open("rb") as file:
            header, second = (_read(file.readline()) for _ in range(2))
    except OSError:
        return None, None
    return (
        header if isinstance(header, events.Header) else None,
        second if isinstance(second, events.RunStarted) else None,
    )


def _card(path: Path) -> RunCard | None:
    """Summary from a trace's first two lines and its last; None if it is no trace."""
    header, second = read_head(path)
    try:
        with path.open("rb") as file:
            file.seek(-min(_TAIL_BYTES, file.seek(0, os.SEEK_END)), os.SEEK_END)
            whole = file.read().split(b"\n")[:-1]
    except OSError:
        return None
    last = _read(whole[-1]) if whole else None
    if header is None:
        return None
    done = last if isinstance(last, events.Finished) else None
    ends = events.Finished | events.Paused | events.Interrupted | events.Failed
    end = last if isinstance(last, ends) else None
    return RunCard(
        run_id=header.run_id,
        started=header.started,
        clip=header.clip.name,
        question=second.question if second else "",
        labels=tuple(label.name for label in done.explanation.labels) if done else (),
        stop_reason=done.stop_reason if done else None,
        state=end.event if end else "unfinished",
        seconds=end.seconds if end else None,
        path=path,
    )


def _read(line: bytes) -> events.Event | None:
    try:
        return events.EVENT.validate_json(line)
    except ValidationError:
        return None


class Usage(Record):
    """Requests to language models and their costs."""

    requests: int = 0
    roles: dict[str, int] = Field(default_factory=dict)
    """Requests by role."""
    unusable: int = 0
    """Requests without a usable reply; a probe's result is none."""
    tokens_in: int = 0
    tokens_out: int = 0
    counted: bool = True
    """Whether the model counted all tokens; otherwise some are estimated."""
    money: float | None = None
    """In the currency of the configured prices; None without prices."""
    seconds: float = 0.0
    fallbacks: tuple[Fallback, ...] = ()
    """Steps that the rules took because the model failed."""

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out


def usage(calls: Iterable[ModelCall], fallbacks: Iterable[Fallback]) -> Usage:
    calls = tuple(calls)
    paid = [call.money for call in calls if call.money is not None]
    return Usage(
        requests=len(calls),
        roles=dict(Counter(call.role for call in calls)),
        unusable=sum(call.outcome != "ok" for call in calls if call.role != "probe"),
        tokens_in=sum(call.tokens_in for call in calls),
        tokens_out=sum(call.tokens_out for call in calls),
        counted=all(call.counted for call in calls),
        money=round(sum(paid), 9) if paid else None,
        seconds=round(sum(call.seconds for call in calls), 4),
        fallbacks=tuple(fallbacks),
    )


def usage_of(trace: Trace) -> Usage:
    calls = (event.call for event in trace.events if isinstance(event, events.ModelCalled))
    return usage(
        calls, (event.step for event in trace.events if isinstance(event, events.FellBack))
    )


def reasoner_of(header: events.Header) -> str:
    """The reasoner of a run: "rules", "llm (openai:gpt-4.1-mini, always)"."""
    settings: JsonValue = header.settings
    reasoner = settings.get("reasoner") if isinstance(settings, dict) else None
    arguments = reasoner if isinstance(reasoner, dict) else {}
    model = [str(arguments[key]) for key in ("model", "when") if arguments.get(key)]
    return f"{header.reasoner} ({', '.join(model)})" if model else header.reasoner
