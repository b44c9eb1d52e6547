"""EMER CSV files from runs: explanations, perhaps reviewed, become a dataset.

Two files as EMER-v2 is published: final-EMER-reason.csv (name, chinese, english) and
check-openset.csv (name, openset). `--data` on their folder reads them back.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from emer.agents.types import Explanation
from emer.graphs.trace.jsonl import read_trace
from emer.tools.errors import ConfigError

REASONS, LABELS = "final-EMER-reason.csv", "check-openset.csv"


@dataclass(frozen=True, slots=True)
class Explained:
    """A clip's name, its explanation, and the file that holds it."""

    name: str
    explanation: Explanation
    source: Path


def read_explained(paths: Sequence[Path]) -> list[Explained]:
    """Explanations of traces, of runs of emer-eval and of `emer ask --json`.

    `ConfigError` names a file that is none of them, a run without an end, and two
    explanations of one clip.
    """
    explanations = [explained for path in paths for explained in _read(path)]
    sources: dict[str, Path] = {}
    for explained in explanations:
        if explained.name in sources:
            raise ConfigError(
                f"{explained.source}: {explained.name} was already explained in "
                f"{sources[explained.name]}; keep one of them"
            )
        sources[explained.name] = explained.source
    if not explanations:
        raise ConfigError("there is no explanation in these files")
    return explanations


def write_dataset(explanations: Sequence[Explained], folder: Path) -> tuple[Path, Path]:
    """Write both files; `ConfigError` if one exists already or cannot be written."""
    reasons, labels = folder / REASONS, folder / LABELS
    for path in (reasons, labels):
        if path.exists():
            raise ConfigError(f"{path} is there already; choose another --to, or move it")
    texts = [(e.name, "", " ".join(s.text for s in e.explanation.sentences)) for e in explanations]
    names = [(e.name, str([x.name for x in e.explanation.labels])) for e in explanations]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(reasons, ("name", "chinese", "english"), texts)
        _write(labels, ("name", "openset"), names)
    except OSError as error:
        raise ConfigError(f"{folder} cannot be written: {error.strerror}") from error
    return reasons, labels


def _read(path: Path) -> Iterator[Explained]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    if '"event":"run"' in text.split("\n", 1)[0].replace(" ", ""):
        for record in map(json.loads, text.splitlines()[1:]):
            if record["explanation"] is not None:
                explanation = Explanation.model_validate(record["explanation"])
                yield Explained(record["name"], explanation, path)
    elif path.suffix == ".json":
        yield _from_answer(path)
    else:
        trace = read_trace(path)
        if trace.finished is None:
            raise ConfigError(
                f"{path}: the run did not come to an end, so there is nothing to keep"
            )
        yield Explained(Path(trace.header.clip.name).stem, trace.finished.explanation, path)


def _from_answer(path: Path) -> Explained:
    # what `emer ask --json` printed, perhaps edited by hand
    try:
        record = json.loads(path.read_text(encoding="utf-8-sig"))
        explanation = Explanation.model_validate(record["explanation"])
        return Explained(Path(record["clip"]["name"]).stem, explanation, path)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        cause = str(error).splitlines()[0]
        raise ConfigError(f"{path} is not what `emer ask --json` prints: {cause}") from error


def _write(path: Path, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
