"""A repository of Hugging Face at one revision, every file checked against the hub's listing.

Only what a model needs is taken: configuration, tokenizer and weights; safetensors where there
are any. Code is never taken. It arrives in FOLDER.part, which gets its name when all is whole.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from emer.tools.errors import ToolMissing
from emer.tools.fetch import FetchFailed, Progress, holds, reaching, sha256
from emer.tools.weights.catalogue import Weights
from emer.tools.weights.places import File, Received

PLAIN = ("*.json", "*.txt", "*.model", "*.jinja", "*.tiktoken")
"""Configuration and tokenizers."""

WEIGHTS = (("*.safetensors",), ("model.bin", "pytorch_model*.bin"))
"""Weights, the safest kind first; the second is read without running anything in it."""


class Listed(NamedTuple):
    """A file as the hub lists it; `checksum` is a sha256, or a git blob id of 40 digits."""

    name: str
    bytes: int
    checksum: str


class Listing(NamedTuple):
    """What a repository holds at a revision."""

    revision: str
    files: tuple[Listed, ...]


def pull_repository(
    weights: Weights, folder: Path, told: Progress, endpoint: str | None = None
) -> Received:
    """Get the files of a repository into `folder` and return what was got.

    `FetchFailed` says what was wrong; what has arrived stays for the next time.
    """
    listing = _listing(weights, endpoint)
    wanted = choose(weights, listing.files)
    part = folder.with_name(f"{folder.name}.part")
    whole = sum(file.bytes for file in wanted)
    with _watched(part, whole, told):
        _download(weights, listing.revision, wanted, part, endpoint)
    _check(weights, wanted, part)
    shutil.rmtree(part / ".cache", ignore_errors=True)  # the hub's own notes
    found = Received(
        address=str(weights.repository),
        revision=listing.revision,
        checked=_vouches(weights),
        files={f.name: File(bytes=f.bytes, sha256=sha256(part / f.name)) for f in wanted},
    )
    (part / "received.json").write_text(found.model_dump_json(indent=1), encoding="utf-8")
    _put_in_place(part, folder)
    return found


def choose(weights: Weights, listed: Sequence[Listed]) -> tuple[Listed, ...]:
    """Return the files to get: those of the catalogue, or what a model needs.

    `FetchFailed` when a file of the catalogue is not listed, or there are no weights.
    """
    if weights.files:
        for pattern in weights.files:
            if not any(fnmatch(file.name, pattern) for file in listed):
                raise FetchFailed(f"{weights.repository} has no {pattern} at its revision")
        return tuple(f for f in listed if any(fnmatch(f.name, p) for p in weights.files))
    flat = [file for file in listed if PurePosixPath(file.name).parent == PurePosixPath(".")]
    plain = [f for f in flat if any(fnmatch(f.name, p) for p in PLAIN)]
    for kind in WEIGHTS:
        if found := [f for f in flat if any(fnmatch(f.name, p) for p in kind)]:
            return (*plain, *found)
    raise FetchFailed(f"{weights.repository} holds no weights (safetensors or .bin)")


def _listing(weights: Weights, endpoint: str | None) -> Listing:
    """Return what the hub lists at the pinned revision, or now where none is pinned."""
    hub = _hub()
    api = hub.HfApi(endpoint=endpoint, token=_token(endpoint))
    with _told_on_one_line(f"{weights.repository} cannot be listed", _host(api)):
        info = api.model_info(weights.repository, revision=weights.revision, files_metadata=True)
    if weights.revision and len(weights.revision) == 40 and info.sha != weights.revision:
        raise FetchFailed(
            f"{weights.repository}: the hub gives {info.sha}, not the pinned revision"
        )
    files = []
    for file in info.siblings or ():
        checksum = file.lfs.sha256 if file.lfs else file.blob_id
        if checksum is not None and file.size is not None:
            files.append(Listed(file.rfilename, file.size, checksum))
    return Listing(str(info.sha), tuple(files))


def _token(endpoint: str | None) -> bool | None:
    """Return False for a mirror, which is told no token; None for the hub itself."""
    return None if endpoint is None else False


def _download(
    weights: Weights, revision: str, wanted: Sequence[Listed], part: Path, endpoint: str | None
) -> None:
    hub = _hub()
    broke_off = f"{weights.repository} broke off; ask again to go on from there"
    with _told_on_one_line(broke_off, _host(hub.HfApi(endpoint=endpoint))):
        hub.snapshot_download(
            weights.repository,
            revision=revision,
            local_dir=part,
            allow_patterns=[file.name for file in wanted],
            endpoint=endpoint,
            token=_token(endpoint),
            tqdm_class=_silent(),
            max_workers=4,
        )


def _check(weights: Weights, wanted: Sequence[Listed], part: Path) -> None:
    """Raise `FetchFailed` for a file that is not what is listed or pinned, and remove it."""
    for file in wanted:
        path = part / file.name
        pinned = weights.sha256s.get(file.name)
        sound = path.is_file() and holds(path, file.checksum)
        if not sound or (pinned is not None and not holds(path, pinned)):
            path.unlink(missing_ok=True)
            why = "the hub lists" if not sound else "is pinned"
            raise FetchFailed(f"{weights.repository}: {file.name} is not the file that {why}")


def _put_in_place(part: Path, folder: Path) -> None:
    """Give a whole folder its name; one that was there before goes."""
    old = folder.with_name(f"{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _vouches(weights: Weights) -> str:
    pinned = f"; pinned sha256 of {', '.join(weights.sha256s)}" if weights.sha256s else ""
    return f"the hub's listing of the revision{pinned}"


@contextmanager
def _watched(part: Path, whole: int, told: Progress) -> Iterator[None]:
    """Tell every 0.2 s how much has arrived: the hub's client has no ear for that."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            told(min(_arrived(part), whole), whole)

    watcher = threading.Thread(target=watch, name="emer-pull", daemon=True)
    watcher.start()
    try:
        yield
        told(whole, whole)
    finally:
        done.set()
        watcher.join()


def _arrived(part: Path) -> int:
    total = 0
    for file in part.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:
            continue
    return total


@contextmanager
def _told_on_one_line(what: str, host: str) -> Iterator[None]:
    """Turn whatever the hub's client raises into `FetchFailed` with its cause on one line."""
    try:
        yield
    except Exception as error:  # the hub's client has errors of its own and of its transport
        cause = " ".join(str(error).split())[:200]
        raise reaching(host, error) or FetchFailed(
            f"{what} ({type(error).__name__}: {cause})"
        ) from error


def _host(api: Any) -> str:
    return str(api.endpoint)


def _silent() -> Callable[..., Any]:
    from tqdm.auto import tqdm

    class Silent(tqdm):  # type: ignore[misc]
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **{**named, "disable": True})

    return Silent


def _hub() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise ToolMissing(
            "emer models pull", "huggingface_hub", "pip install 'emer[models]'"
        ) from error
    return huggingface_hub
