"""Golden files: what `emer` and `emer-eval` print for known commands, frozen and compared.

    python tests/golden/golden.py make [--only NAME]
    python tests/golden/golden.py compare [--only NAME] [--tolerance 1e-6] [--jobs 2]

`cases.toml` lists the commands, `data/NAME.json` holds what they printed. Each case runs in a
temporary folder with an EMER_HOME of its own; both commands start from the entry points of
pyproject.toml, so that nothing here depends on a module's name. `golden_outputs` replaces what
differs between two runs of the same code (ids, times, durations, folders) by a name of its kind.
"""

from __future__ import annotations

import argparse
import difflib
import json
import math
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golden_outputs import clue_order, clue_records, normalised, unwrapped

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DATA = HERE / "data"
WIDTH = 110
TIMEOUT = 1800
"""Seconds after which a command counts as hung; a busy machine needs many times its usual."""
TOLERANCE = 1e-6
"""Largest relative difference of two numbers that count as the same."""

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
PLACE = re.compile(r"\{(\w+)(?::(\d+))?(?::(\d+))?\}")


@dataclass(frozen=True, slots=True)
class Case:
    """Commands that run one after the other in one folder."""

    name: str
    steps: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Output:
    """What one command printed: JSON where it is JSON, lines of text otherwise."""

    command: str
    exit: int
    stdout: Any
    stderr: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """Return the output as a JSON object."""
        return {
            "command": self.command,
            "exit": self.exit,
            "stdout": self.stdout,
            "stderr": list(self.stderr),
        }


def read_cases(file: Path = HERE / "cases.toml") -> list[Case]:
    """Return the cases of the file."""
    found = tomllib.loads(file.read_text(encoding="utf-8"))["case"]
    return [Case(c["name"], tuple(c["steps"]), c.get("files", {})) for c in found]


def shared_folder() -> Path:
    """Return the folder of clips and data."""
    named = os.environ.get("EMER_TEST_DATA")
    return (Path(named) if named else ROOT.parent / "shared").resolve()


# Running


def run_case(case: Case) -> list[Any]:
    """Return the normalised outputs of a case's commands."""
    with tempfile.TemporaryDirectory(prefix="golden-") as name:
        work = Path(name).resolve() / "work"
        work.mkdir()
        for file, text in case.files.items():
            (work / file).parent.mkdir(parents=True, exist_ok=True)
            (work / file).write_text(text, encoding="utf-8")
        outputs: list[Output] = []
        for step in case.steps:
            outputs.append(run_step(step, work, outputs))
        places = {
            str(work.parent / "home"): "<home>",
            str(work): "<work>",
            str(shared_folder()): "<shared>",
            str(ROOT): "<repo>",
        }
        return normalised([output.record() for output in outputs], places)


def run_step(step: str, work: Path, before: Sequence[Output]) -> Output:
    """Run one command of a case and return what it printed."""
    program, *words = (fill(word, before) for word in shlex.split(step))
    done = subprocess.run(
        [sys.executable, "-c", starter(program), *words],
        cwd=work,
        env=environment(work.parent / "home"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return Output(step, done.returncode, parsed(done.stdout), tuple(done.stderr.splitlines()))


def starter(program: str) -> str:
    """Return the Python code that an installed command runs, by pyproject.toml."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts[program].partition(":")
    return (
        f"import sys; sys.argv[0] = {program!r}; sys.path.remove('') if '' in sys.path else 0; "
        f"from {module} import {function} as main; sys.exit(main())"
    )


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a command: ours without settings of emer, and a home of its own."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("EMER_")}
    fixed = {"NO_COLOR": "1", "COLUMNS": str(WIDTH), "LANG": "C.UTF-8", "TERM": "dumb"}
    fixed |= {"EMER_BUDGET__SECONDS": "3600", "EMER_TOOL_SECONDS": "3600"}  # a busy machine, too
    fixed["HF_HUB_CACHE"] = str(home / "hub")  # auto would take weights that others left there
    return {**ours, **fixed, "EMER_HOME": str(home), "PYTHONIOENCODING": "utf-8"}


def fill(word: str, before: Sequence[Output]) -> str:
    """Return a word with {clips}, {shared}, {run:STEP} and {clue:STEP:NUMBER} filled in.

    Steps count from 1. Clues of a step count from 1 by start, modality and sentence.
    """

    def value(found: re.Match[str]) -> str:
        name, step, number = found.groups()
        if name in ("clips", "shared", "repo"):
            return {
                "clips": str(shared_folder() / "clips"),
                "shared": str(shared_folder()),
                "repo": str(ROOT),
            }[name]
        printed = before[int(step) - 1].stdout
        if name == "run":
            return str(printed["run_id"])
        return str(sorted(clue_records(printed), key=clue_order)[int(number) - 1]["id"])

    return PLACE.sub(value, word)


def parsed(text: str) -> Any:
    """Return JSON that is in a text, else the text's lines."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except ValueError:
            pass
    return unwrapped(text.splitlines())


# Files


def layout(value: Any, indent: str = "") -> str:
    """Return JSON with sorted keys, one line for what fits on one."""
    short = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if len(short) + len(indent) <= WIDTH or not isinstance(value, dict | list) or not value:
        return short
    deeper = indent + " "
    if isinstance(value, dict):
        lines = [f"{json.dumps(k)}: {layout(value[k], deeper)}" for k in sorted(value)]
        return "{\n" + ",\n".join(deeper + line for line in lines) + f"\n{indent}}}"
    if all(isinstance(item, int | float) for item in value):
        return short
    return "[\n" + ",\n".join(deeper + layout(item, deeper) for item in value) + f"\n{indent}]"


def snapped(old: Any, new: Any, tolerance: float) -> Any:
    """Return the new value, with the old one wherever it is the same within the tolerance."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {k: snapped(old[k], v, tolerance) if k in old else v for k, v in new.items()}
    if isinstance(old, list) and isinstance(new, list):
        pairs = [snapped(a, b, tolerance) for a, b in zip(old, new, strict=False)]
        return [*pairs, *new[len(pairs) :]]
    if isinstance(old, str) and isinstance(new, str):
        return old if same_text(old, new, tolerance) else new
    if is_number(old) and is_number(new):
        return old if close(old, new, tolerance) else new
    return new


def is_number(value: Any) -> bool:
    """Tell whether a value is a number, and not a truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def close(old: float, new: float, tolerance: float) -> bool:
    """Tell whether two numbers are the same within a relative tolerance."""
    return math.isclose(old, new, rel_tol=tolerance, abs_tol=tolerance * 1e-3)


def same_text(old: str, new: str, tolerance: float) -> bool:
    """Tell whether two texts are the same but for numbers within the tolerance."""
    if old == new or NUMBER.split(old) != NUMBER.split(new):
        return old == new
    pairs = zip(NUMBER.findall(old), NUMBER.findall(new), strict=True)
    return all(close(float(a), float(b), tolerance) for a, b in pairs)


def differences(old: list[Any], new: list[Any], tolerance: float = TOLERANCE) -> list[str]:
    """Return the lines of a unified diff for each command whose output changed."""
    found: list[str] = []
    commands: dict[str, list[Any]] = {}
    for step in new:
        commands.setdefault(step["command"], []).append(step)
    for step in old:
        steps = commands.get(step["command"], [])  # a command may be given twice
        now = steps.pop(0) if steps else None
        if now is None:
            found.append(f"command is gone: {step['command']}")
            continue
        before, after = layout(step), layout(snapped(step, now, tolerance))
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=2, lineterm="")
        if changed := list(lines)[2:]:
            found += [f"$ {step['command']}", *changed]
    return found + [f"command is new: {name}" for name, steps in commands.items() for _ in steps]


# Commands


def make(cases: Sequence[Case], jobs: int) -> int:
    """Write what the cases print now into the golden files."""
    DATA.mkdir(exist_ok=True)
    for case, outputs, took in carried_out(cases, jobs):
        (DATA / f"{case.name}.json").write_text(layout(outputs) + "\n", encoding="utf-8")
        print(f"made {case.name}  ({took:.0f} s)", flush=True)
    return 0


def compare(cases: Sequence[Case], jobs: int, tolerance: float) -> int:
    """Print what the cases print differently from the golden files; 1 where anything differs."""
    different = 0
    for case, outputs, took in carried_out(cases, jobs):
        file = DATA / f"{case.name}.json"
        old = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
        lines = differences(old, outputs, tolerance)
        different += bool(lines)
        print(f"{'DIFFERS' if lines else 'same'} {case.name}  ({took:.0f} s)", flush=True)
        for line in lines:
            print(f"  {line}", flush=True)
    print(f"{different} of {len(cases)} cases differ")
    return int(different > 0)


def carried_out(cases: Sequence[Case], jobs: int) -> Iterator[tuple[Case, list[Any], float]]:
    """Yield each case with its outputs and its duration in seconds, as soon as it is done."""

    def timed(case: Case) -> tuple[Case, list[Any], float]:
        began = time.monotonic()
        return case, run_case(case), time.monotonic() - began

    with ThreadPoolExecutor(jobs) as pool:
        for done in as_completed([pool.submit(timed, case) for case in cases]):
            yield done.result()


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = argparse.ArgumentParser(description="Freeze and compare what emer prints.")
    parser.add_argument("action", choices=("make", "compare"))
    parser.add_argument("--only", action="append", metavar="NAME", help="This case only.")
    parser.add_argument("--jobs", type=int, default=2, help="Cases run side by side.")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE, help="Relative, of numbers.")
    asked = parser.parse_args(words)
    cases = [case for case in read_cases() if not asked.only or case.name in asked.only]
    if not cases:
        parser.error(f"no case is named {', '.join(asked.only)}")
    if not (shared_folder() / "clips").is_dir():
        parser.error(f"there are no clips in {shared_folder()}; name their folder: EMER_TEST_DATA")
    if asked.action == "make":
        return make(cases, asked.jobs)
    return compare(cases, asked.jobs, asked.tolerance)


if __name__ == "__main__":
    sys.exit(main())
