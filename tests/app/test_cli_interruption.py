"""Ctrl-C while a server keeps the command waiting: real processes, within a second."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fixtures.command_line import environment, swaps
from tests.fixtures.packages import needs
from tests.fixtures.paths import MODULES
from tests.fixtures.servers.faults import Fault, faulty

pytestmark = [needs("langchain_openai", "huggingface_hub"), pytest.mark.slow]

SOON = 1.0 + 2.0
"""Seconds until the process has ended: 1 promised, and 2 for a busy machine."""


def interrupted(fault: Fault, words: list[str], **more: str) -> tuple[int, float, str]:
    """Run `emer` until the server is asked, press Ctrl-C; code, seconds and last line."""
    with faulty(fault) as server:
        line = [word.replace("{url}", server.url) for word in words]
        variables = {name: value.replace("{url}", server.url) for name, value in more.items()}
        with subprocess.Popen(
            [sys.executable, "-m", "emer.app", *line], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd=MODULES, env=environment(**variables),
        ) as process:  # fmt: skip
            try:
                assert server.asked.wait(90)
                process.send_signal(signal.SIGINT)
                began = time.monotonic()
                _, errors = process.communicate(timeout=60)
            finally:
                process.kill()
        return process.returncode, time.monotonic() - began, errors.strip().splitlines()[-1]


@pytest.mark.parametrize("fault", ["silent", "header_drip", "pings", "empty_tokens"])
def test_a_model_call_ends_at_once(clip: Path, fault: Fault) -> None:
    tools = swaps("face=Smile", "prosody=none", "scene=none", "speech=none")
    words = ["ask", str(clip), *tools, "--llm", "tiny@{url}/v1"]
    code, seconds, message = interrupted(fault, words)
    assert (code, message) == (130, "emer: interrupted") and seconds < SOON
    (trace,) = (Path(os.environ["EMER_HOME"]) / "traces").glob("*.jsonl")
    assert '"interrupted"' in trace.read_text().splitlines()[-1]


@pytest.mark.parametrize("fault", ["silent", "drip"])
@pytest.mark.parametrize("name", ["face-landmarker", "faster-whisper-tiny"])
def test_a_download_ends_at_once_and_leaves_nothing(
    fault: Fault, name: str, tmp_path: Path
) -> None:
    weights = tmp_path / "weights"
    code, seconds, message = interrupted(
        fault, ["models", "pull", name, "--mirror", "{url}"], EMER_WEIGHTS=str(weights)
    )
    assert (code, message) == (130, "emer: interrupted") and seconds < SOON
    assert [path for path in weights.rglob("*") if path.is_file()] == []


def test_a_vision_endpoint_ends_at_once() -> None:
    words = ["doctor", "--profile", "models"]
    variables = {"EMER_TOOLS__CAPTION__USE": "vision-api", "EMER_VISION_URL": "{url}/v1"}
    code, seconds, message = interrupted("drip", words, **variables, EMER_VISION_MODEL="m")
    assert (code, message) == (130, "emer: interrupted") and seconds < SOON
