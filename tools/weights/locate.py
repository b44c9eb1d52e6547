"""Where weights are; fingerprint; missing.

Where weights lie: in our folder, or where their own library keeps them.

What was got is written down beside it (`received.json`): the address, the revision, and each
file's size and sha256. So damage is found later, even where nobody publishes a checksum.

What a tool asks before it loads: where its weights are, or the one command that gets them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from textwrap import shorten
from typing import Literal

from pydantic import ValidationError

from emer.tools.errors import ConfigError, EmerError, ToolMissing, WeightsBroken
from emer.tools.runtime.device import is_out_of_memory, machine
from emer.tools.types import Record
from emer.tools.weights.catalogue import Weights, is_repository, named, of_repository, of_tool

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


AUTO = "auto"
PIECE = 1 << 16
PIECES = 64


class Need(Record):
    """The weights that a tool is to load."""

    model: str
    """Their name, for people and for the source of clues."""
    path: Path
    fingerprint: str
    """Tells other content from this; see `fingerprint`."""
    gigabytes: float
    """What the files take."""
    name: str | None = None
    """Their name in the catalogue."""


def find(tool: str, model: str = AUTO) -> Need:
    """Return the weights that `model` means to a tool.

    "auto" is the strongest that lies here. Otherwise a name of the catalogue, a repository
    ORG/NAME of Hugging Face that was pulled, or a file or folder. `ToolMissing` carries the
    command that gets what is absent; `ConfigError` says what could have been meant.
    """
    if model == AUTO:
        return _strongest(tool)
    for weights in of_tool(tool):
        if model in weights.names:
            return _lying(tool, weights)
    path = Path(model).expanduser()
    if path.exists():
        _check_form(tool, path)
        return _need(model=path.name, path=path)
    if is_repository(model.partition("@")[0]):
        repository, _, revision = model.partition("@")
        return _lying(tool, of_repository(repository, revision or None))
    known = ", ".join(weights.model for weights in of_tool(tool))
    raise ConfigError(f"{tool} has no model {model!r}; known: {known}; or a file or folder")


def _check_form(tool: str, path: Path) -> None:
    """Raise `ConfigError` unless a file or folder of the user's is what the tool loads."""
    known = of_tool(tool)
    if any(weights.url is not None for weights in known):
        if not path.is_file():
            raise ConfigError(f"{tool}.model: {path} is a folder; {tool} takes a file of weights")
        return
    if not path.is_dir():
        raise ConfigError(f"{tool}.model: {path} is a file; {tool} takes a folder of weights")
    lacking = lacks(path, _always(known))
    if lacking is not None:
        raise ConfigError(f"{tool}.model: {path} is no folder for {tool}: it has no {lacking}")


def _always(known: Sequence[Weights]) -> list[str]:
    """Return the files that each folder for a tool has; others may be named otherwise."""
    converted = any(CONVERTED in weights.files for weights in known)
    return ["config.json", CONVERTED] if converted else ["config.json"]


def _strongest(tool: str) -> Need:
    known = of_tool(tool)
    for weights in known:
        if look(weights).state in ("here", "elsewhere"):
            return _lying(tool, weights)
    suggested = next((weights for weights in known if weights.suggested), known[0])
    raise missing(tool, suggested)


def _lying(tool: str, weights: Weights) -> Need:
    found = look(weights)
    if found.state not in ("here", "elsewhere"):
        raise missing(tool, weights)
    return _need(model=weights.model, path=found.path, name=weights.name)


def missing(tool: str, weights: Weights) -> ToolMissing:
    """Return the error for weights that are not here."""
    unfinished = ", of which a part is here" if look(weights).state == "unfinished" else ""
    what = f"the weights {weights.name} ({weights.size}{unfinished})"
    return ToolMissing(tool, what, weights.pull)


@contextmanager
def loading(tool: str, need: Need) -> Iterator[None]:
    """Turn what a library raises over bad weights into one line with the way out.

    Want of memory, and what we raise on purpose, pass through.
    """
    try:
        yield
    except EmerError:
        raise
    except Exception as error:  # each library and format has errors of its own
        if is_out_of_memory(error):
            raise
        cause = _kind(error) + shorten(f"{type(error).__name__}: {error}", 200, placeholder=" ...")
        known = known_as(need)
        fix = f"check it with: emer models verify {known.name}" if known else "give other weights"
        raise WeightsBroken(tool, need.path, cause, fix) from error


def _kind(error: Exception) -> str:
    """Return what a library's error over weights says, where its own words do not."""
    if isinstance(error, OSError | EOFError):
        return "damaged or cut short: "
    odd = isinstance(error, LookupError | AttributeError | TypeError)
    return "no weights of the kind that it loads: " if odd else ""


def known_as(need: Need) -> Weights | None:
    """Return the catalogue's facts about weights, None for a file or folder of the user's."""
    return named(need.name) if need.name else None


def _need(model: str, path: Path, name: str | None = None) -> Need:
    files = _files(path)
    size = sum(file.stat().st_size for file in files)
    return Need(
        model=model,
        path=path.resolve(),
        fingerprint=fingerprint(path),
        gigabytes=size / 1e9,
        name=name,
    )


def fingerprint(path: Path) -> str:
    """Return 16 hex digits that change when a file or folder of weights is exchanged.

    Size and 64 pieces of 64 KB of each file are read: a swap is found in milliseconds, a
    forgery is not (`emer models verify` reads everything).
    """
    marks = tuple((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in _files(path))
    return _fingerprint(marks)


@lru_cache(maxsize=64)
def _fingerprint(marks: tuple[tuple[str, int, int], ...]) -> str:
    whole = hashlib.sha256()
    for name, size, _ in marks:
        whole.update(f"{os.path.basename(name)}:{size}:".encode())
        with open(name, "rb") as file:
            for piece in range(PIECES):  # the first begins the file, the last ends it
                file.seek(max(piece * PIECE, piece * (size - PIECE) // (PIECES - 1)))
                whole.update(file.read(PIECE))
    return whole.hexdigest()[:16]


def _files(path: Path) -> list[Path]:
    """Return the files that make up weights: not what we or the hub wrote down about them."""
    if path.is_file():
        return [path]
    inside = sorted(path.rglob("*"))
    ours = ("received.json", "README.md")
    return [f for f in inside if f.is_file() and f.name not in ours and ".cache" not in f.parts]
