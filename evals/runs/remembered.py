"""Answers kept from an earlier report, as long as system, code and clips are the same."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from emer.evals.data.records import Sample
from emer.evals.runs.record import RunFile, RunHeader, slug
from emer.evals.runs.runner import answer_all
from emer.evals.systems.system import Prediction, System
from emer.tools.errors import ConfigError
from emer.tools.types import digest


def answers(
    system: System, dataset: str, samples: Sequence[Sample], folder: Path | None
) -> list[Prediction]:
    """Return a system's answers, from `folder` if they are there, else made and put there.

    A folder that cannot be written costs the memory, not the answers.
    """
    if folder is None:
        return answer_all(system, samples)
    key = digest(
        [system.card.model_dump(mode="json"), *(s.model_dump(mode="json") for s in samples)]
    )
    name = slug(system.card.name)
    path = folder / f"{name}-{key[:16]}.jsonl"
    known = _read(path)
    if set(known) == {sample.name for sample in samples}:
        return [known[sample.name] for sample in samples]
    made = answer_all(system, samples)
    with suppress(OSError):
        _replace(
            path, name, made, RunHeader(system=system.card, dataset=dataset, clips=key, versions={})
        )
    return made


def _read(path: Path) -> dict[str, Prediction]:
    try:
        return RunFile(path).read()[1]
    except ConfigError:
        return {}


def _replace(path: Path, name: str, made: Sequence[Prediction], header: RunHeader) -> None:
    """Write the answers in one go, and drop those of the system's earlier versions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    lines = [record.model_dump_json() for record in (header, *made)]
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(part, path)
    for old in path.parent.glob(f"{name}-{'[0-9a-f]' * 16}.jsonl"):
        if old != path:
            old.unlink()
