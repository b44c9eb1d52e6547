"""Weights that the user has: checked, then copied or linked to their place."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory

from emer.tools.errors import ConfigError
from emer.tools.weights.catalogue import Weights
from emer.tools.weights.download import replace_folder, require_space, selection
from emer.tools.weights.locate import PART, File, Receipt, target, write_receipt
from emer.tools.weights.transfer import DownloadFailed, sha256

MOST_HEADER = 100_000_000
"""Bytes of the header of a safetensors file, the format's own limit."""
POINTER = b"version https://git-lfs"
"""Beginning of the text that git leaves in place of a large file."""


def add(weights: Weights, source: Path, *, link: bool = False) -> tuple[Path, str]:
    """Copy or link weights to their place; returns it and what was checked.

    Args:
        weights: Of the catalogue, or of a repository ORG/NAME.
        source: The user's file, or folder with the files of a repository.
        link: Leave the files where they are, with links to them.

    Raises:
        ConfigError: They are not there, of another form, cut short, or not those of the catalogue.
    """
    source, path = source.expanduser(), target(weights)
    chosen = _chosen(weights, source)
    if path.exists() and path.samefile(source):
        raise ConfigError(f"{source} is in its place already; check it: emer models verify")
    files = {name: _checked(weights, name, file) for name, file in chosen.items()}
    pinned = sorted(name for name in files if weights.pinned(name))
    checked = f"pinned sha256 of {', '.join(pinned)}" if pinned else "their form alone"
    received = Receipt(
        address=str(source.absolute()), revision=weights.revision, checked=checked, files=files
    )
    if not link:
        require_space(weights.name, path, sum(file.bytes for file in files.values()))
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(
        dir=path.parent, prefix=f"{path.name}{PART}-", ignore_cleanup_errors=True
    ) as name:
        folder = Path(name) / path.name
        folder.mkdir()
        for file, origin in chosen.items():
            _place(origin, folder / file, link)
        if weights.path is None:
            write_receipt(received, folder)
            replace_folder(folder, path)
        else:
            os.replace(folder / path.name, path)
            write_receipt(received, path)
    return path, f"{checked}; {'links to' if link else 'copied from'} {source}"


def _chosen(weights: Weights, source: Path) -> dict[str, Path]:
    """The files of weights by name; `ConfigError` where some are absent."""
    if not source.exists():
        raise ConfigError(f"there is no {source}")
    if weights.path is not None:
        if not source.is_file():
            raise ConfigError(f"{source} is a folder; {weights.name} is a file of weights")
        return {Path(weights.path).name: source}
    if not source.is_dir():
        raise ConfigError(f"{source} is a file; {weights.name} is a folder of weights")
    files = {p.relative_to(source).as_posix(): p for p in source.rglob("*") if p.is_file()}
    for pattern in weights.files or ("config.json",):
        if not any(fnmatch(name, pattern) for name in files):
            raise ConfigError(f"{source} is no folder of {weights.name}: it has no {pattern}")
    try:
        names: Iterable[str] = selection(weights, dict.fromkeys(files, 0))
    except DownloadFailed as error:
        raise ConfigError(f"{source} is no folder of {weights.name}: {error}") from error
    return {name: files[name] for name in names}


def _checked(weights: Weights, name: str, file: Path) -> File:
    """Facts of a file; `ConfigError` if it is not the pinned one, or not of its form."""
    problem = _flaw(name, file)
    if problem is not None:
        raise ConfigError(f"{file} {problem}; it is no {name} of {weights.name}")
    found, pinned = sha256(file), weights.pinned(name)
    if pinned is not None and found != pinned:
        known = f"its sha256 begins with {found[:12]}, that of {weights.name} with {pinned[:12]}"
        raise ConfigError(f"{file} is another file, or cut short: {known}")
    return File(bytes=file.stat().st_size, sha256=found)


def _flaw(name: str, file: Path) -> str | None:
    """What shows that a file is none of its form, or cut short; None if nothing does."""
    with file.open("rb") as opened:
        begin = opened.read(64)
    flaw: str | None = None
    if not begin:
        flaw = "is empty"
    elif begin.startswith(POINTER):
        flaw = "is the pointer that git leaves in place of a large file (git lfs pull)"
    elif name.endswith(".json"):
        flaw = None if _is_json(file) else "is no JSON"
    elif begin.lstrip()[:1] == b"<":
        flaw = "is a web page"
    elif name.endswith(".safetensors"):
        flaw = _flaw_of_safetensors(file, begin)
    elif name.endswith(".task") or begin.startswith(b"PK"):  # torch saves zip files, too
        flaw = None if zipfile.is_zipfile(file) else "is no whole zip file"
    return flaw


def _is_json(file: Path) -> bool:
    try:
        return isinstance(json.loads(file.read_text(encoding="utf-8")), dict | list)
    except (ValueError, RecursionError):
        return False


def _flaw_of_safetensors(file: Path, begin: bytes) -> str | None:
    """Compare the size with the header: 8 bytes of its length, then places."""
    length, size = int.from_bytes(begin[:8], "little"), file.stat().st_size
    if not 2 <= length <= min(size - 8, MOST_HEADER):
        return "is no safetensors file"
    with file.open("rb") as opened:
        opened.seek(8)
        try:
            tensors = json.loads(opened.read(length))
            ends = [each["data_offsets"][1] for n, each in tensors.items() if n != "__metadata__"]
            whole = max(map(int, ends), default=0) == size - 8 - length
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return "is no safetensors file"
    return None if whole else "is cut short"


def _place(origin: Path, goal: Path, link: bool) -> None:
    goal.parent.mkdir(parents=True, exist_ok=True)
    if link:
        goal.symlink_to(origin.resolve())
    else:
        shutil.copyfile(origin, goal)
