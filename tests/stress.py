"""Whole runs of `emer ask` on damaged files, and runs that are killed at random moments.

    python tests/stress.py flips CLIP... [--n 200] [--jobs 2] [--seed 0]
    python tests/stress.py kills CLIP [--n 50] [--seed 0]

A run passes if it ends in 0, 1, 2 or 130 within 60 s and 1.5 GB, without a traceback, leaves
no process and no temporary file behind, and says one line where it refuses. After a kill the
same command in the same home must answer as if nothing had happened. Takes minutes, so that it
is no part of `make test`; results with command, n and date are in evals/LOG.md.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_SECONDS, MOST_BYTES = 60.0, 1.5e9
ENDS = (0, 1, 2, 130)
COMMAND = [sys.executable, "-c", "from emer.app.__main__ import main; main()"]
KINDS = ("bits", "bits", "head", "cut", "zeros")


@dataclass(frozen=True)
class Outcome:
    """How a run ended: exit code (None: killed for time), seconds, peak bytes, output."""

    code: int | None
    seconds: float
    peak: int
    output: str
    errors: str

    def faults(self, home: Path) -> list[str]:
        """What this run did that none may do."""
        lines = [line for line in self.errors.splitlines() if line.strip()]
        checks = {
            f"exit code {self.code}": self.code not in ENDS,
            f"took {self.seconds:.0f} s": self.seconds > MOST_SECONDS,
            f"took {self.peak / 1e9:.1f} GB": self.peak > MOST_BYTES,
            "traceback": "Traceback" in self.output + self.errors,
            f"refused in {len(lines)} lines": self.code == 2 and len(lines) != 1,
            f"left {[p.name for p in (home / 'tmp').iterdir()]}": any((home / "tmp").iterdir()),
            "left a process": _alive(home),
        }
        return [fault for fault, present in checks.items() if present]


def main() -> int:
    """Run the test that is named; 1 if a run failed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("test", choices=("flips", "kills"))
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--n", type=int)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stress-") as folder:
        return globals()[arguments.test](arguments, Path(folder))


def flips(arguments: argparse.Namespace, folder: Path) -> int:
    """Damage the clips, ask about each; print how the runs ended."""

    def one(number: int) -> tuple[str, Outcome, list[str]]:
        chance = random.Random(f"{arguments.seed}-{number}")
        clip, home = arguments.clips[number % len(arguments.clips)], folder / str(number)
        (home / "tmp").mkdir(parents=True)
        kind = chance.choice(KINDS)
        path = home / f"{kind}{clip.suffix}"
        path.write_bytes(damaged(clip.read_bytes(), kind, chance))
        outcome = ask(path, home)
        faults = outcome.faults(home)
        shutil.rmtree(home)
        return f"{number} {clip.name} {kind}", outcome, faults

    with ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(one, range(arguments.n or 200)))
    return summary(results)


def kills(arguments: argparse.Namespace, folder: Path) -> int:
    """Kill runs at random moments; the next in the same home must answer as usual."""
    chance, results = random.Random(arguments.seed), []
    clip = arguments.clips[0].resolve()
    clean = folder / "clean"
    (clean / "tmp").mkdir(parents=True)
    usual = ask(clip, clean)
    for number in range(arguments.n or 50):
        home = folder / str(number)
        (home / "tmp").mkdir(parents=True)
        process = start(clip, home)
        time.sleep(chance.uniform(0, usual.seconds))
        process.kill()  # this one alone: its children must notice
        process.communicate()
        shutil.rmtree(home / "tmp")  # what a killed process cannot remove itself
        (home / "tmp").mkdir()
        outcome = ask(clip, home)
        faults = outcome.faults(home)
        if explanation(outcome) != explanation(usual):
            faults.append("another answer")
        results.append((f"{number}", outcome, faults))
        shutil.rmtree(home)
    return summary(results)


def damaged(content: bytes, kind: str, chance: random.Random) -> bytes:
    """Content with flipped bits anywhere or in its head, cut short, or with zeros."""
    data = bytearray(content)
    if kind in ("bits", "head"):
        end = min(len(data), 4096) if kind == "head" else len(data)
        for _ in range(chance.choice((1, 8, 64, 512))):
            data[chance.randrange(end)] ^= 1 << chance.randrange(8)
    begin = chance.randrange(len(data))
    if kind == "cut":
        del data[begin:]
    if kind == "zeros":
        size = min(len(data) - begin, chance.choice((100, 10_000, 100_000)))
        data[begin : begin + size] = bytes(size)
    return bytes(data)


def start(clip: Path, home: Path) -> subprocess.Popen[str]:
    """`emer ask CLIP` in a session of its own, with its own home and temporary folder."""
    private = {"EMER_HOME": str(home / "home"), "TMPDIR": str(home / "tmp"), "NO_COLOR": "1"}
    pipe: Any = subprocess.PIPE
    return subprocess.Popen(
        [*COMMAND, "ask", str(clip)],
        env={**os.environ, **private}, stdout=pipe, stderr=pipe, text=True,
        errors="replace", start_new_session=True, cwd=home,
    )  # fmt: skip


def ask(clip: Path, home: Path) -> Outcome:
    """Run it to its end, or kill it somewhat after the limit."""
    began, process = time.monotonic(), start(clip, home)
    peak = 0
    with ThreadPoolExecutor(1) as reader:
        output = reader.submit(process.communicate)
        while not output.done():
            peak = max(peak, _resident(process.pid))
            if time.monotonic() - began > 2 * MOST_SECONDS:
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.05)
        printed, errors = output.result()
    seconds = time.monotonic() - began
    return Outcome(process.returncode, seconds, peak, printed, errors)


def explanation(outcome: Outcome) -> str:
    """The answer without id, time and path of the run."""
    return outcome.output.partition("\nrun ")[0]


def summary(results: list[tuple[str, Outcome, list[str]]]) -> int:
    """Print exit codes, extremes and every fault; 1 if there is one."""
    codes = Counter(outcome.code for _, outcome, _ in results)
    print(f"{len(results)} runs, exit codes {dict(codes)}")
    print(f"longest {max(o.seconds for _, o, _ in results):.1f} s")
    print(f"largest {max(o.peak for _, o, _ in results) / 1e9:.2f} GB")
    failed = [(name, outcome, faults) for name, outcome, faults in results if faults]
    for name, outcome, faults in failed:
        print(f"{name}: {'; '.join(faults)}\n{outcome.errors[-500:]}")
    print(f"{len(failed)} with a fault")
    return bool(failed)


def _processes(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(") ")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session:
                found.append(int(entry.name))
    return found


def _resident(session: int) -> int:
    """Bytes in memory of all processes of a session, shared pages counted in each."""
    total = 0
    for process in _processes(session):
        try:
            total += int(Path(f"/proc/{process}/statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
    return total * os.sysconf("SC_PAGE_SIZE")


def _alive(home: Path) -> bool:
    """Whether a process still runs in the home's folder."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "cwd") == str(home):
                return True
        except OSError:
            continue
    return False


if __name__ == "__main__":
    sys.exit(main())
