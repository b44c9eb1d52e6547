"""Location and fingerprint of model weights on this machine.

Weights are searched in our folder, then in the cache of their own library. A download leaves
a receipt (`received.json`) with the URL, the revision and each file's size and sha256, so that
damage is found later even where no checksum is published.
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
from emer.tools.weights.catalogue import Weights, is_repository, of_repository, of_tool

State = Literal["here", "elsewhere", "unfinished", "absent"]

AUTO = "auto"
RECEIPT = "received.json"
PART, WHEELS = ".part", ".wheels"
UNFINISHED = (PART, WHEELS)
"""Ends of the folders beside weights in which downloads are kept until they are whole."""
CONVERTED = "model.bin"
"""Weights in CTranslate2's format, which transformers cannot load."""
FORMATS = (
    ("model.safetensors.index.json", "*.safetensors"),
    ("pytorch_model.bin.index.json", "pytorch_model*.bin"),
)
"""Index of the shards and file pattern of each format that transformers loads."""
PIECE = 1 << 16
PIECES = 64


class Need(Record):
    """The weights that a tool is to load."""

    model: str
    """Their name, for people and for the source of clues."""
    path: Path
    fingerprint: str
    gigabytes: float
    """Size of the files."""
    name: str | None = None
    """Their name in the catalogue."""


class File(Record):
    bytes: int
    sha256: str


class Receipt(Record):
    """What was downloaded, from where, and what it was checked against."""

    address: str
    """The URL, or the repository."""
    revision: str | None = None
    checked: str
    """The source of the checksums, in words."""
    files: Mapping[str, File]


class Location(Record):
    state: State
    path: Path

    @property
    def usable(self) -> bool:
        return self.state in ("here", "elsewhere")


def find(tool: str, model: str = AUTO) -> Need:
    """Weights that the `model` argument of a tool means.

    "auto" is the strongest on this machine. Otherwise a name of the catalogue, a downloaded
    repository ORG/NAME of Hugging Face, or a file or folder. `ToolMissing` carries the command
    that downloads what is absent; `ConfigError` lists the known models.
    """
    known = of_tool(tool)
    if model == AUTO:
        usable = (weights for weights in known if locate(weights).usable)
        suggested = next((weights for weights in known if weights.suggested), known[0])
        return _need_of(tool, next(usable, suggested))
    for weights in known:
        if model in weights.names:
            return _need_of(tool, weights)
    path = Path(model).expanduser()
    if path.exists():
        _check_form(tool, path)
        return _need(model=path.name, path=path)
    repository, _, revision = model.partition("@")
    if is_repository(repository):
        return _need_of(tool, of_repository(repository, revision or None))
    names = ", ".join(weights.model for weights in known)
    raise ConfigError(f"{tool} has no model {model!r}; known: {names}; or a file or folder")


def locate(weights: Weights) -> Location:
    """State and path of weights; only file names are read."""
    ours = target(weights)
    if _is_whole(weights, ours):
        return Location(state="here", path=ours)
    for place in _library_caches(weights):
        if _is_whole(weights, place):
            return Location(state="elsewhere", path=place)
    begun = any(ours.with_name(f"{ours.name}{end}").exists() for end in UNFINISHED)
    return Location(state="unfinished" if begun else "absent", path=ours)


def target(weights: Weights) -> Path:
    """File or folder of weights under our weights folder."""
    folder = machine().weights
    if weights.path is not None:
        return folder / weights.path
    return folder / "hub" / str(weights.repository).replace("/", "--")


@contextmanager
def loading(tool: str, need: Need) -> Iterator[None]:
    """Turn a library's error, but for want of memory, into `WeightsBroken`."""
    try:
        yield
    except EmerError:
        raise
    except Exception as error:  # each library and format has errors of its own
        if is_out_of_memory(error):
            raise
        kind = ""
        if isinstance(error, OSError | EOFError):
            kind = "damaged or cut short: "
        elif isinstance(error, LookupError | AttributeError | TypeError):
            kind = "no weights of the kind that it loads: "
        cause = kind + shorten(f"{type(error).__name__}: {error}", 200, placeholder=" ...")
        fix = (
            f"check it with: emer models verify {need.name}" if need.name else "give other weights"
        )
        raise WeightsBroken(tool, need.path, cause, fix) from error


def fingerprint(path: Path) -> str:
    """16 hex digits that change when a file or folder of weights is exchanged.

    Size and 64 pieces of 64 KB of each file are read: milliseconds, enough to notice other
    weights but no forgery (`emer models verify` reads everything).
    """
    marks = tuple((str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in _files(path))
    return _fingerprint(marks)


def receipt(path: Path) -> Receipt | None:
    """Receipt of a download, None where there is none that can be read."""
    try:
        return Receipt.model_validate_json(_receipt_file(path).read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError):
        return None


def write_receipt(received: Receipt, path: Path) -> None:
    """Write the receipt of weights beside their file, or in their folder."""
    _receipt_file(path).write_text(received.model_dump_json(indent=1), encoding="utf-8")


def _receipt_file(path: Path) -> Path:
    if path.suffix and not path.is_dir():
        return path.with_name(f"{path.name}.{RECEIPT}")
    return path / RECEIPT


def _need_of(tool: str, weights: Weights) -> Need:
    location = locate(weights)
    if not location.usable:
        unfinished = ", of which a part is here" if location.state == "unfinished" else ""
        what = f"the weights {weights.name} ({weights.size}{unfinished})"
        raise ToolMissing(tool, what, weights.pull)
    return _need(model=weights.model, path=location.path, name=weights.name)


def _need(model: str, path: Path, name: str | None = None) -> Need:
    size = sum(file.stat().st_size for file in _files(path))
    return Need(
        model=model,
        path=path.resolve(),
        fingerprint=fingerprint(path),
        gigabytes=size / 1e9,
        name=name,
    )


def _check_form(tool: str, path: Path) -> None:
    """Raise `ConfigError` unless the tool can load the user's file or folder."""
    known = of_tool(tool)
    if any(weights.path is not None for weights in known):
        if not path.is_file():
            raise ConfigError(f"{tool}.model: {path} is a folder; {tool} takes a file of weights")
        return
    if not path.is_dir():
        raise ConfigError(f"{tool}.model: {path} is a file; {tool} takes a folder of weights")
    converted = any(CONVERTED in weights.files for weights in known)
    lacking = _lacks(path, ["config.json", CONVERTED] if converted else ["config.json"])
    if lacking is not None:
        raise ConfigError(f"{tool}.model: {path} is no folder for {tool}: it has no {lacking}")


def _is_whole(weights: Weights, path: Path) -> bool:
    """True if all files are there; a repository's by its receipt, else by their names."""
    if weights.path is not None:
        known = receipt(path)
        arrived = known.files.get(path.name) if known is not None else None
        return path.is_file() and (arrived is None or _size(path) == arrived.bytes)
    if not path.is_dir():
        return False
    received = receipt(path)
    if received is None:
        names = [name for name in weights.files if "*" not in name]
        return _lacks(path, names or ["config.json"]) is None
    whole = bool(received.files) and all(
        _size(path / name) == file.bytes for name, file in received.files.items()
    )
    return whole and weights.revision in (None, received.revision)


def _size(file: Path) -> int | None:
    """Bytes of a file; None if there is none."""
    return file.stat().st_size if file.is_file() else None


def _lacks(folder: Path, names: Sequence[str]) -> str | None:
    """Name what a folder lacks of these files and of its weights; None if it is whole."""
    absent = next((name for name in names if not (folder / name).is_file()), None)
    if absent or CONVERTED in names or any(_has_format(folder, *entry) for entry in FORMATS):
        return absent
    return "whole weights (safetensors or .bin)"


def _has_format(folder: Path, index: str, pattern: str) -> bool:
    """True if all shards of the index are there, or, without an index, any file."""
    if not (folder / index).is_file():
        return any(folder.glob(pattern))
    try:
        shards = json.loads((folder / index).read_text(encoding="utf-8"))["weight_map"].values()
        return all((folder / shard).is_file() for shard in shards)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def _library_caches(weights: Weights) -> list[Path]:
    """Paths of the weights in the cache of their library or of Hugging Face."""
    places = [os.path.expandvars(os.path.expanduser(place)) for place in weights.elsewhere]
    paths = [Path(place) for place in places if "$" not in place]
    cache = _hub_cache()
    name = f"models--{weights.repository}".replace("/", "--")
    if weights.repository is None or not (cache / name).is_dir():
        return paths  # without the import, which takes long
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return paths
    config = try_to_load_from_cache(
        weights.repository, "config.json", cache_dir=cache, revision=weights.revision
    )
    return [*paths, Path(config).parent] if isinstance(config, str) else paths


def _hub_cache() -> Path:
    """Folder of huggingface_hub's cache, as its documentation has it."""
    given = os.environ
    home = given.get("HF_HOME", f"{given.get('XDG_CACHE_HOME', '~/.cache')}/huggingface")
    cache = given.get("HF_HUB_CACHE", given.get("HUGGINGFACE_HUB_CACHE", f"{home}/hub"))
    return Path(os.path.expandvars(os.path.expanduser(cache)))


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
    """Files that make up weights, without the receipt and the hub's notes."""
    if path.is_file():
        return [path]
    inside = sorted(path.rglob("*"))
    ours = (RECEIPT, "README.md")
    return [f for f in inside if f.is_file() and f.name not in ours and ".cache" not in f.parts]
