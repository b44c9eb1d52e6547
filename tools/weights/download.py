"""Huggingface_hub and pooch; pinned, verified.

One file over HTTP, checked before it gets its name; a broken-off download goes on later.

What has arrived lies beside the target as NAME.part. Only when its checksum holds does it get
the target's name, so that nothing half-written is ever taken for the file.

A repository of Hugging Face at one revision, every file checked against the hub's listing.

Only what a model needs is taken: configuration, tokenizer and weights; safetensors where there
are any. Code is never taken. It arrives in FOLDER.part, which gets its name when all is whole.

Whether weights are what they should be: every byte read, against what vouches for it.

Getting weights when somebody asks, and never otherwise.

Which key may go to an address: a user's key for one host is no other host's business.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from emer.tools.errors import ConfigError, EmerError, ToolMissing
from emer.tools.runtime.device import is_offline
from emer.tools.types import Record
from emer.tools.weights.catalogue import Weights
from emer.tools.weights.locate import File, Received, look, received, record_of, target

if TYPE_CHECKING:
    import httpx


TIMEOUT = 30.0
"""Seconds without a byte after which a connection counts as broken."""

TRIES = 4
"""Connections made for one file, as long as each brings something more."""

BLOCK = 1 << 20

Progress = Callable[[int, int | None], None]
"""Told the bytes that are here, and the bytes there will be if the host says."""


class FetchFailed(EmerError):
    """A file that could not be had, or is not what it should be; nothing has its name."""


class Unreachable(FetchFailed):
    """A host to which there is no way: no network, or a host that is not there."""


def reaching(host: str, error: Exception) -> Unreachable | None:
    """Return the error for a host that could not be reached, None if that is not what failed.

    Told by name: the hub's client has an HTTP library of its own.
    """
    if type(error).__name__ not in ("ConnectError", "ConnectTimeout"):
        return None
    return Unreachable(f"{host} cannot be reached ({type(error).__name__}: {error})")


def open_client() -> httpx.Client:
    """Return an HTTP client that follows redirects and sends nothing but the request."""
    import httpx

    return httpx.Client(follow_redirects=True, timeout=TIMEOUT)


def fetch(
    client: httpx.Client,
    address: str,
    path: Path,
    wanted: str | None,
    told: Progress = lambda here, whole: None,
) -> str:
    """Get the file at `address` to `path` and return its sha256.

    `wanted` is its sha256, its git blob id (40 digits), or None where nobody publishes one.
    `FetchFailed` says what was wrong; what has arrived of an unfinished file stays for the
    next time. `OSError` when it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with _alone(part):
        if wanted is None:  # nothing would tell that two halves are not of one file
            part.unlink(missing_ok=True)
        _complete(client, address, part, told, sized=wanted is None)
        found = sha256(part)
        if wanted is not None and not holds(part, wanted):
            part.unlink()
            raise FetchFailed(
                f"{address} is not the file that is pinned ({wanted[:12]}, it is {found[:12]}); "
                "not kept"
            )
        os.replace(part, path)
    return found


def holds(path: Path, wanted: str) -> bool:
    """Tell whether a file has a checksum: a sha256, or (40 digits) a git blob id."""
    return (git_blob(path) if len(wanted) == 40 else sha256(path)) == wanted.lower()


def sha256(path: Path) -> str:
    """Return a file's sha256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def git_blob(path: Path) -> str:
    """Return the id git gives a file's content: the sha1 of its length and its bytes."""
    found = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            found.update(block)
    return found.hexdigest()


def _complete(
    client: httpx.Client, address: str, part: Path, told: Progress, *, sized: bool
) -> None:
    """Make the .part file whole, with a new connection where one broke.

    With `sized` the host must say how long the file is: nothing else tells a whole one.
    """
    import httpx

    for tried in range(1, TRIES + 1):
        before = _size(part)
        try:
            return _append(client, address, part, told, sized)
        except httpx.TransportError as error:
            if tried == TRIES or (tried > 1 and _size(part) == before):
                raise reaching(_host(address), error) or FetchFailed(
                    f"{address} broke off after {_size(part)} bytes "
                    f"({type(error).__name__}: {error}); ask again to go on from there"
                ) from error
            time.sleep(0.2 * tried)


def _host(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _append(client: httpx.Client, address: str, part: Path, told: Progress, sized: bool) -> None:
    """Append what is missing, or begin again if the host gives all of it."""
    have = _size(part)
    headers = {"Accept-Encoding": "identity"}  # a range of compressed bytes is of no use
    if have:
        headers["Range"] = f"bytes={have}-"
    with client.stream("GET", address, headers=headers) as answer:
        if answer.status_code == 416:  # nothing is missing, or the file is another one
            return
        if answer.status_code not in (200, 206):
            raise FetchFailed(f"{address} answers {answer.status_code}")
        goes_on = answer.status_code == 206 and _begins_at(answer, have)
        if answer.status_code == 206 and not goes_on:
            raise FetchFailed(f"{address} gives another part than was asked for")
        here = have if goes_on else 0
        length = answer.headers.get("content-length")
        whole = here + int(length) if length else None
        if sized and whole is None:
            raise FetchFailed(f"{address} does not say how long it is, and has no checksum")
        with part.open("ab" if goes_on else "wb") as file:
            told(here, whole)
            for chunk in answer.iter_bytes():  # as it comes: what has come is kept
                file.write(chunk)
                here += len(chunk)
                told(here, whole)


def _begins_at(answer: httpx.Response, have: int) -> bool:
    return str(answer.headers.get("content-range", "")).startswith(f"bytes {have}-")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Keep other processes from the same .part file; where the system cannot, go on."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with part.with_name(f"{part.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FetchFailed(f"{part.stem} is being got by another process") from error
        try:
            yield
        finally:
            Path(file.name).unlink(missing_ok=True)


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


SPARE = 1.05
"""How much more room than the file must be free (chosen by us)."""


def pull(
    weights: Weights, told: Progress = lambda here, whole: None, mirror: str | None = None
) -> tuple[Path, str]:
    """Get weights to their place; return it, and what they were checked against.

    Weights that are whole already are not got again. `mirror` is a host that serves what the
    original does. `ConfigError` where downloads are forbidden; `FetchFailed` says what else
    was wrong, and nothing half-written lies under the name.
    """
    there = verify(weights)
    if there.outcome == "whole":
        return there.path, f"already here: {there.detail}"
    if is_offline():
        raise ConfigError(
            f"{weights.name} is not here, and downloads are forbidden (EMER_OFFLINE); "
            f"put it at {target(weights)}"
        )
    path = target(weights)
    _require_room(weights, path)
    get = _pull_file if weights.repository is None else pull_repository
    try:
        return path, get(weights, path, told, mirror).checked
    except Unreachable as error:
        ways = f"name another host with --mirror URL, or put the weights at {path}"
        raise Unreachable(f"{error}; {ways}") from error


def _pull_file(weights: Weights, path: Path, told: Progress, mirror: str | None) -> Received:
    import httpx

    address = _mirrored(str(weights.url), mirror)
    try:
        with open_client() as client:
            sha = fetch(client, address, path, weights.sha256, told)
    except httpx.HTTPError as error:
        raise FetchFailed(f"{address}: {type(error).__name__}: {error}") from error
    pinned = f"pinned sha256 {sha[:12]}"
    found = Received(
        address=address,
        checked=pinned
        if weights.sha256
        else f"nothing: no checksum is published; it is {sha[:12]}",
        files={path.name: File(bytes=path.stat().st_size, sha256=sha)},
    )
    record_of(path).write_text(found.model_dump_json(indent=1), encoding="utf-8")
    return found


def _mirrored(url: str, mirror: str | None) -> str:
    """Return the address with another host before the same path."""
    if mirror is None:
        return url
    host, original = urlsplit(mirror), urlsplit(url)
    path = host.path.rstrip("/") + original.path
    return urlunsplit((host.scheme, host.netloc, path, original.query, ""))


def _require_room(weights: Weights, path: Path) -> None:
    there = next(folder for folder in path.parents if folder.exists())
    free, needed = shutil.disk_usage(there).free / 1e6, (weights.megabytes or 0) * SPARE
    if free < needed:
        raise ConfigError(
            f"{weights.name} needs {weights.size}, {there} has {free:.0f} MB free; "
            "set EMER_WEIGHTS to a folder on another disk"
        )


_OPENAI = ("https", "api.openai.com")


def key_for(url: str, own: str) -> str:
    """Return the key in the variable `own`, else OpenAI's for OpenAI alone; "" if there is none."""
    parts = urlsplit(url)
    names = (own, "OPENAI_API_KEY") if (parts.scheme, parts.hostname) == _OPENAI else (own,)
    return next((os.environ[name] for name in names if os.environ.get(name)), "")
