"""What is stored of runs and clips, and its removal: `emer forget`.

Traces, which name everything else, go last: an interrupted removal can be repeated. A run that
another process writes is left alone. Deleted rows are erased from the SQLite files.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from emer.agents.memory.exemplars import Exemplars
from emer.graphs.checkpoints import Checkpoints
from emer.graphs.components import load_exemplars
from emer.graphs.settings import Settings
from emer.graphs.trace.events import Header, RunStarted
from emer.graphs.trace.runs import RUN_ID, STAMP, find_run, read_head
from emer.tools.errors import ConfigError
from emer.tools.evidence_store import EvidenceStore
from emer.tools.media.clip_file import ClipFile
from emer.tools.runtime.private_files import private_opener
from emer.tools.text import readable
from emer.tools.types import Record

_AGE = re.compile(r"(\d{1,5})([hdw])", re.ASCII)
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
UNKNOWN = "observations of older versions"
BROKEN = "broken stores and unfinished files"
"""Kinds of which nothing says the clip; removed with whatever is."""
_REMAINS = ("*.sqlite.broken-*", "traces/.*.part", "memory/exemplars/.x*")
_READ = "{} is being read by another process and may still hold deleted words: ask again later"
_SHA256 = re.compile(r"[0-9a-f]{12,64}")

Head = tuple[Header | None, RunStarted | None]


class Part(Record):
    """A kind of what is stored: its number and bytes."""

    name: str
    count: int
    bytes: int


class Removal(Record):
    """What was removed, or would be; and what stays although it may repeat some of it."""

    dry_run: bool
    parts: tuple[Part, ...]
    remains: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of what belongs to the runs and clips that were named."""
        return sum(part.count for part in self.parts if part.name not in (UNKNOWN, BROKEN))


@dataclass(frozen=True, slots=True)
class Selection:
    """Runs to remove, and what is removed with them."""

    traces: tuple[Path, ...]
    runs: frozenset[str]
    kept: Mapping[Path, Head]
    """The first events of the traces that stay."""
    clips: frozenset[str] = frozenset()
    """Clips (sha256) of which every run is removed."""
    observed: frozenset[str] = frozenset()
    """Clips (sha256) of which the stored observations are removed."""
    names: frozenset[str] = frozenset()
    """Run ids and clip paths; a failure report with one of them is removed."""
    before: datetime | None = None
    """Earlier runs are removed, also where their trace is lost."""

    @property
    def seen(self) -> set[str]:
        """Clips of the runs that stay."""
        return {header.clip.sha256 for header, _ in self.kept.values() if header}

    @property
    def later(self) -> dict[Path, RunStarted]:
        """The traces that stay and begin with turns of removed runs."""
        return {
            path: started
            for path, (_, started) in self.kept.items()
            if started and any(self.covers(turn.run_id, turn.content) for turn in started.history)
        }

    def covers(self, run_id: str, content: str) -> bool:
        """Whether a run, of the clip with this sha256 if it is known, is to be removed."""
        if run_id in self.runs or content in self.clips:
            return True
        if self.before is None or not RUN_ID.fullmatch(run_id):
            return False
        stays = any(header.run_id == run_id for header, _ in self.kept.values() if header)
        return not stays and run_id < self.before.strftime(STAMP)


def select(settings: Settings, target: str | None, older_than: str | None) -> Selection:
    """The runs of a target (a run, a clip's path or sha256), or of an age ("30d").

    `ConfigError` for what names neither, and where a run of it is being written.
    """
    if (target is None) == (older_than is None):
        raise ConfigError("name a run or a clip, or an age such as --older-than 30d")
    heads = {path: read_head(path) for path in sorted(settings.traces.glob("*.jsonl"))}
    headers = [header for header, _ in heads.values() if header]
    before = None if older_than is None else _moment(older_than)
    clips = _clips(target, headers) if target else frozenset()
    lost = frozenset[str]()
    if before is not None:
        old = [path for path, (header, _) in heads.items() if _began(path, header) < before]
        traces = [path for path in old if not is_busy(path)]
    elif clips:
        traces = [path for path, (h, _) in heads.items() if h and h.clip.sha256 in clips]
    else:
        traces = _run(settings.traces, target or "")
        lost = frozenset() if traces else frozenset([target or ""])
    chosen = {path: heads.pop(path)[0] for path in traces}
    selection = Selection(
        traces=tuple(chosen),
        runs=lost | {header.run_id if header else path.stem for path, header in chosen.items()},
        kept=heads,
        clips=clips,
        before=before,
        observed=clips | {header.clip.sha256 for header in chosen.values() if header},
        names=frozenset(n for h in chosen.values() if h for n in (h.run_id, h.clip.path)),
    )
    for path in filter(is_busy, (*selection.traces, *selection.later)):
        raise ConfigError(f"run {path.stem} is at work in another process; stop it first")
    return selection


def remove(settings: Settings, selection: Selection, *, dry_run: bool = False) -> Removal:
    """Remove what is stored of the selection; with `dry_run` only count it.

    `ConfigError` where a file cannot be read or written; a repetition removes the rest.
    """
    home, later = settings.home, selection.later
    remains: list[str] = []
    try:
        parts = (
            _exemplars(load_exemplars(settings), selection, dry_run),
            *_observations(settings.evidence, selection, remains, dry_run),
            _checkpoints(settings.threads, selection, remains, dry_run),
            _turns(later, selection, dry_run),
            _files("failure reports", _failures(home / "failures", selection), dry_run),
            _files(BROKEN, (path for kind in _REMAINS for path in home.glob(kind)), dry_run),
            _files("traces", selection.traces, dry_run),
        )
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(f"{home}: {error}; ask again to remove the rest") from error
    if later:
        ids = ", ".join(path.stem for path in [*later][:3])
        remains.append(f"{len(later)} later runs of its thread may repeat its words: {ids}")
    others = selection.observed & selection.seen if selection.before is None else ()
    if others:
        remains.append("other runs of the clip; emer forget CLIP removes them")
    if (home / "evals").is_dir():
        remains.append(f"what emer-eval has stored of benchmark clips, in {home / 'evals'}")
    return Removal(dry_run=dry_run, parts=parts, remains=tuple(remains))


def is_busy(path: Path) -> bool:
    """Whether another process writes this trace."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:  # a file system without locks
            return False
    return False


def _moment(age: str) -> datetime:
    match = _AGE.fullmatch(age)
    if match is None:
        raise ConfigError(f"--older-than {age}: write a number and h, d or w, such as 30d")
    return datetime.now(UTC) - int(match[1]) * _UNITS[match[2]]


def _began(path: Path, header: Header | None) -> datetime:
    """When a run began; for what is no trace, when its file was written."""
    with suppress(ValueError):
        started = datetime.fromisoformat(header.started if header else "")
        return started if started.tzinfo else started.replace(tzinfo=UTC)
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _clips(target: str, headers: Iterable[Header]) -> frozenset[str]:
    """Sha256 of the clips that a path or a sha256 names; the file may be lost."""
    place = readable(os.path.abspath(target))
    real = readable(os.path.realpath(target))
    found = {h.clip.sha256 for h in headers if h.clip.path in (place, real)}
    if _SHA256.fullmatch(target):
        found |= {h.clip.sha256 for h in headers if h.clip.sha256.startswith(target)}
        found |= {target} if len(target) == 64 else set()
    if os.path.exists(target) and not target.endswith(".jsonl"):
        found.add(ClipFile(Path(target)).sha256)
    return frozenset(found)


def _run(traces: Path, name: str) -> list[Path]:
    """The trace of a run; none where only its id is left in other files."""
    try:
        path = find_run(traces, name)
    except ConfigError:
        if RUN_ID.fullmatch(name) is None:
            raise
        return [path for path in (traces / f"{name}.jsonl",) if path.is_file()]
    if path.resolve().parent != traces.resolve():
        raise ConfigError(f"{path} is not in {traces}; nothing else is stored of it here")
    return [traces / path.name]


def _exemplars(exemplars: Exemplars, selection: Selection, dry_run: bool) -> Part:
    chosen = [exemplar.key for exemplar in exemplars.all() if selection.covers(exemplar.run_id, "")]
    size = sum((exemplars.folder / f"{key}.json").stat().st_size for key in chosen)
    for key in chosen if not dry_run else ():
        exemplars.remove(key)
    return Part(name="exemplars", count=len(chosen), bytes=size)


def _observations(
    path: Path, selection: Selection, remains: list[str], dry_run: bool
) -> Iterator[Part]:
    if not path.is_file():
        return
    with closing(EvidenceStore(path)) as store:
        _check(store.note)
        old = store.clips() if selection.before else set()
        clips = (selection.observed | old) - (selection.seen if selection.before else set())
        held, unknown = store.held(clips)
        yield Part(name="observations", count=held[0], bytes=held[1])
        yield Part(name=UNKNOWN, count=unknown[0], bytes=unknown[1])
        if not dry_run and not store.remove(clips):
            remains.append(_READ.format(path))


def _checkpoints(path: Path, selection: Selection, remains: list[str], dry_run: bool) -> Part:
    count = size = 0
    if path.is_file():
        with closing(Checkpoints(path)) as checkpoints:
            _check(checkpoints.note)
            clips = selection.observed
            count, size = checkpoints.remove_runs(selection.covers, clips, dry_run=dry_run)
            if not dry_run and not checkpoints.erase_deleted():
                remains.append(_READ.format(path))
    return Part(name="states of threads", count=count, bytes=size)


def _turns(later: Mapping[Path, RunStarted], selection: Selection, dry_run: bool) -> Part:
    """Cut the turns of removed runs out of the traces of later runs of their threads."""
    count = size = 0
    for path, started in later.items():
        turns = started.history
        kept = tuple(turn for turn in turns if not selection.covers(turn.run_id, turn.content))
        header, before, *rest = path.read_bytes().split(b"\n")
        line = started.model_copy(update={"history": kept}).model_dump_json().encode()
        count, size = count + len(turns) - len(kept), size + len(before) - len(line)
        if not dry_run:
            _replace(path, b"\n".join((header, line, *rest)))
    return Part(name="turns in later runs", count=count, bytes=size)


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        with open(part, "wb", opener=private_opener) as file:
            file.write(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _failures(folder: Path, selection: Selection) -> Iterator[Path]:
    """Reports of internal failures that name a removed run or its clip, or are as old."""
    for path in folder.glob("*.txt"):
        text = path.read_text(encoding="utf-8", errors="replace")
        named = any(name in text for name in selection.names)
        if named or (selection.before and _began(path, None) < selection.before):
            yield path


def _files(name: str, paths: Iterable[Path], dry_run: bool) -> Part:
    count = size = 0
    for path in [*paths]:
        with suppress(FileNotFoundError):  # another removal was faster
            count, size = count + 1, size + path.stat().st_size
            if not dry_run:
                path.unlink()
    return Part(name=name, count=count, bytes=size)


def _check(note: str | None) -> None:
    if note:
        raise ConfigError(note)
