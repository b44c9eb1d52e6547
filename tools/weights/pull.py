"""Getting weights when somebody asks, and never otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from emer.tools.errors import ConfigError
from emer.tools.fetch import FetchFailed, Progress, Unreachable, fetch, open_client
from emer.tools.machine import is_offline
from emer.tools.weights.catalogue import Weights
from emer.tools.weights.hub import pull_repository
from emer.tools.weights.places import File, Received, record_of, target
from emer.tools.weights.verify import verify

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
