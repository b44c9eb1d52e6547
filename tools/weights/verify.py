"""Whether weights are what they should be: every byte read, against what vouches for it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from emer.tools.fetch import sha256
from emer.tools.types import Record
from emer.tools.weights.catalogue import Weights
from emer.tools.weights.places import look, received

Outcome = Literal["whole", "damaged", "unknown", "absent"]


class Verdict(Record):
    """What became of checking one set of weights."""

    name: str
    outcome: Outcome
    detail: str
    path: Path
    fix: str = ""


def verify(weights: Weights) -> Verdict:
    """Read the weights and compare; "unknown" where nothing vouches for them."""
    lying = look(weights)
    if lying.state not in ("here", "elsewhere"):
        detail = "a part of it is here" if lying.state == "unfinished" else "not on this machine"
        return _verdict(weights, "absent", detail, lying.path, fix=weights.pull)
    wanted = _wanted(weights, lying.path)
    if not wanted:
        return _verdict(weights, "unknown", "nobody published a checksum", lying.path)
    wrong = [name for name, sha in wanted.items() if not _has(lying.path, name, sha)]
    if wrong:
        detail = f"{', '.join(wrong)} differs from what vouches for it"
        return _verdict(weights, "damaged", detail, lying.path, fix=weights.pull)
    count = "1 file" if len(wanted) == 1 else f"{len(wanted)} files"
    return _verdict(weights, "whole", f"sha256 of {count} holds", lying.path)


def _wanted(weights: Weights, path: Path) -> dict[str, str]:
    """Return the sha256 of each file, as published or, where it is not, as received."""
    told = received(path)
    arrived = {name: file.sha256 for name, file in told.files.items()} if told else {}
    if weights.url is not None:
        sha = weights.sha256 or arrived.get(path.name)
        return {path.name: sha} if sha else {}
    return {**arrived, **weights.sha256s}


def _has(path: Path, name: str, wanted: str) -> bool:
    file = path / name if path.is_dir() else path
    return file.is_file() and sha256(file) == wanted


def _verdict(weights: Weights, outcome: Outcome, detail: str, path: Path, fix: str = "") -> Verdict:
    return Verdict(name=weights.name, outcome=outcome, detail=detail, path=path, fix=fix)
