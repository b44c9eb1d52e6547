"""Ctrl-C while a server, a tool or a worker keeps a command waiting: real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import psutil
import pytest

from tests.app.conftest import Emer
from tests.fixtures.command_line import environment, swaps
from tests.fixtures.evals import datasets
from tests.fixtures.packages import needs
from tests.fixtures.paths import MODULES
from tests.fixtures.servers.faults import Fault, faulty

pytestmark = [needs("langchain_openai", "huggingface_hub"), pytest.mark.slow]

SOON = 1.5
"""Seconds until the process has ended: 1 is promised, the rest is for a busy machine."""
EMER = ("-m", "emer.app")
EVAL = ("-c", "from emer.evals.cli import main; main()")
TOOLS = swaps("face=Smile", "prosody=none", "scene=none", "speech=none")


def interrupted(
    words: list[str],
    is_time: Callable[[subprocess.Popen[str]], object],
    program: tuple[str, ...] = EMER,
    **more: str,
) -> tuple[int, float, str]:
    """Run a program, press Ctrl-C once it is time; code, seconds and last line."""
    with subprocess.Popen(
        [sys.executable, *program, *words], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, cwd=MODULES, env=environment(**more),
    ) as process:  # fmt: skip
        try:
            assert is_time(process)
            process.send_signal(signal.SIGINT)
            began = time.monotonic()
            _, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, time.monotonic() - began, errors.strip().splitlines()[-1]


def asking(
    fault: Fault, words: list[str], program: tuple[str, ...] = EMER, **more: str
) -> tuple[int, float, str]:
    """As `interrupted`, once a server with this fault, "{url}" in the words, is asked."""
    with faulty(fault) as server:
        line = [word.replace("{url}", server.url) for word in words]
        variables = {name: value.replace("{url}", server.url) for name, value in more.items()}
        return interrupted(line, lambda _: server.asked.wait(90), program, **variables)


def waited(happens: Callable[[], bool]) -> bool:
    """Wait until something happens, and tell whether it did within 90 s."""
    until = time.monotonic() + 90
    while not (done := happens()) and time.monotonic() < until:
        Event().wait(0.02)
    return done


def last_event() -> str:
    """Return the last line of the one trace."""
    (trace,) = (Path(os.environ["EMER_HOME"]) / "traces").glob("*.jsonl")
    return trace.read_text().splitlines()[-1]


@pytest.mark.parametrize("fault", ["silent", "header_drip", "pings", "empty_tokens"])
def test_a_model_call_ends_at_once(clip: Path, fault: Fault) -> None:
    code, seconds, message = asking(fault, ["ask", str(clip), *TOOLS, "--llm", "tiny@{url}/v1"])
    assert (code, message) == (130, "emer: interrupted") and seconds < SOON
    assert '"interrupted"' in last_event()


@pytest.mark.parametrize("fault", ["silent", "pings"])
@pytest.mark.parametrize("command", ["review last --accept", "trace whatif last --without face"])
def test_a_later_model_call_ends_at_once(
    ask: Emer, monkeypatch: pytest.MonkeyPatch, fault: Fault, command: str
) -> None:
    """The run paused with the rules; the model of the environment reasons on."""
    with faulty(fault) as server:
        model = ("--llm", f"tiny@{server.url}/v1", "--llm-when", "always")
        assert ask("--review", *model).exit_code == 0 and not server.asked.is_set()
        code, seconds, message = interrupted(command.split(), lambda _: server.asked.wait(90))
    assert (code, message) == (130, "emer: interrupted") and seconds < SOON
    assert ('"interrupted"' in last_event()) == command.startswith("review")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_benchmark_ends_at_once(tmp_path: Path, workers: str) -> None:
    words = ["run", "oracle:masked", "--llm", "tiny@{url}/v1", "--llm-when", "always"]
    folder = datasets.write_folder(tmp_path)
    options = ["--workers", workers, "--data", str(folder), "--out", str(tmp_path / "out")]
    code, seconds, message = asking("silent", [*words, *options], EVAL)
    assert code == 130 and message.startswith("emer-eval: interrupted") and seconds < SOON


@pytest.mark.parametrize("slot", ["face", "scene", "prosody", "speech"])
def test_a_tool_ends_at_once(demo_clip: Path, slot: str) -> None:
    """Ctrl-C in native code, or while a large package is imported."""
    others = {"face", "scene", "prosody", "speech"} - {slot}
    off = [word for other in sorted(others) for word in ("--tool", f"{other}=none")]
    folder = Path(os.environ["EMER_HOME"]) / "traces"

    def is_at_work() -> bool:
        return any('"tool_started"' in path.read_text() for path in folder.glob("*.jsonl"))

    words = ["ask", str(demo_clip), *off]
    code, seconds, message = interrupted(words, lambda _: waited(is_at_work))
    assert (code, message) == (130, "emer: interrupted") and seconds < SOON
    assert '"interrupted"' in last_event()


STOPPED = """
import os, signal, sys
if "emer.tools.media.probe_worker" in sys.orig_argv:
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_a_worker_that_hangs_ends_with_its_parent(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(STOPPED)
    workers: list[psutil.Process] = []

    def is_stopped(process: subprocess.Popen[str]) -> bool:
        def found() -> bool:
            workers[:] = psutil.Process(process.pid).children()
            return any(worker.status() == psutil.STATUS_STOPPED for worker in workers)

        return waited(found)

    paths = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))
    words = ["ask", str(clip), *TOOLS]
    code, seconds, message = interrupted(words, is_stopped, PYTHONPATH=paths)
    assert (code, message) == (130, "emer: interrupted") and seconds < SOON
    # A killed one that init has not reaped yet is a zombie.
    assert all(not w.is_running() or w.status() == psutil.STATUS_ZOMBIE for w in workers)


@pytest.mark.parametrize("fault", ["silent", "drip"])
@pytest.mark.parametrize("name", ["face-landmarker", "faster-whisper-tiny"])
def test_a_download_ends_at_once_and_leaves_nothing(
    fault: Fault, name: str, tmp_path: Path
) -> None:
    weights = tmp_path / "weights"
    code, seconds, message = asking(
        fault, ["models", "pull", name, "--mirror", "{url}"], EMER_WEIGHTS=str(weights)
    )
    assert (code, message) == (130, "emer: interrupted") and seconds < SOON
    assert [path for path in weights.rglob("*") if path.is_file()] == []


def test_a_vision_endpoint_ends_at_once() -> None:
    words = ["doctor", "--profile", "models"]
    variables = {"EMER_TOOLS__CAPTION__USE": "vision-api", "EMER_VISION_URL": "{url}/v1"}
    code, seconds, message = asking("drip", words, **variables, EMER_VISION_MODEL="m")
    assert (code, message) == (130, "emer: interrupted") and seconds < SOON
