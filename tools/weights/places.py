"""Where weights lie: in our folder, or where their own library keeps them.

What was got is written down beside it (`received.json`): the address, the revision, and each
file's size and sha256. So damage is found later, even where nobody publishes a checksum.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from emer.tools.machine import machine
from emer.tools.types import Record
from emer.tools.weights.catalogue import Weights

State = Literal["here", "elsewhere", "unfinished", "absent"]

KINDS = (
    ("model.safetensors.index.json", "*.safetensors"),
    ("pytorch_model.bin.index.json", "pytorch_model*.bin"),
)
"""How transformers names a folder's weights: the index of those in parts, and the files."""
CONVERTED = "model.bin"
"""What CTranslate2 names them; only who asks for it can load it."""


class File(Record):
    """A file as it arrived."""

    bytes: int
    sha256: str


class Received(Record):
    """What was got, from where, and what it was checked against."""

    address: str
    """The URL, or the repository."""
    revision: str | None = None
    checked: str
    """What vouches for it, in words."""
    files: Mapping[str, File]


class Lying(Record):
    """Weights as they are found: their state, and the file or folder."""

    state: State
    path: Path


def target(weights: Weights) -> Path:
    """Return the file or folder that weights have under our folder."""
    folder = machine().weights
    if weights.path is not None:
        return folder / weights.path
    return folder / "hub" / str(weights.repository).replace("/", "--")


def look(weights: Weights) -> Lying:
    """Return where weights lie, or why they cannot be used; nothing is read but names."""
    ours = target(weights)
    if _is_whole(weights, ours):
        return Lying(state="here", path=ours)
    for place in _libraries(weights):
        if _is_whole(weights, place):
            return Lying(state="elsewhere", path=place)
    part = ours.with_name(f"{ours.name}.part")
    return Lying(state="unfinished" if part.exists() else "absent", path=ours)


def received(path: Path) -> Received | None:
    """Return what is written down about weights, None where nothing or nonsense is."""
    try:
        return Received.model_validate_json(record_of(path).read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError):
        return None


def record_of(path: Path) -> Path:
    """Return the file beside (or in the folder of) weights that says what was got."""
    if path.suffix and not path.is_dir():
        return path.with_name(f"{path.name}.received.json")
    return path / "received.json"


def _is_whole(weights: Weights, path: Path) -> bool:
    """Tell whether all files are there, those of a repository by what was written down."""
    if weights.url is not None:
        return path.is_file()
    if not path.is_dir():
        return False
    told = received(path)
    if told is not None and weights.revision not in (None, told.revision):
        return False
    if told is not None:
        return bool(told.files) and all((path / name).is_file() for name in told.files)
    named = [name for name in weights.files if "*" not in name]
    return lacks(path, named or ["config.json"]) is None


def lacks(folder: Path, names: Sequence[str]) -> str | None:
    """Return what of these files, and of its weights, a folder has not; None where all is there."""
    absent = [name for name in names if not (folder / name).is_file()]
    if absent:
        return absent[0]
    whole = CONVERTED in names or any(_has_kind(folder, *kind) for kind in KINDS)
    return None if whole else "whole weights (safetensors or .bin)"


def _has_kind(folder: Path, index: str, pattern: str) -> bool:
    """Tell whether all weights of a kind are there: what its index names, or any file."""
    if not (folder / index).is_file():
        return any(folder.glob(pattern))
    try:
        parts = json.loads((folder / index).read_text(encoding="utf-8"))["weight_map"].values()
        return all((folder / part).is_file() for part in parts)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def _libraries(weights: Weights) -> list[Path]:
    """Return where the library of the weights would keep them."""
    places = [os.path.expandvars(os.path.expanduser(place)) for place in weights.elsewhere]
    found = [Path(place) for place in places if "$" not in place]
    if weights.repository is not None:
        found += _cached(weights.repository, weights.revision)
    return found


def _cached(repository: str, revision: str | None) -> list[Path]:
    """Return the snapshot of a repository in Hugging Face's own cache, if there is one."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return []
    found = try_to_load_from_cache(repository, "config.json", revision=revision)
    return [Path(found).parent] if isinstance(found, str) else []
