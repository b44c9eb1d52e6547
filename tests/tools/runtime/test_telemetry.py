"""Libraries that report their use are told not to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.packages import needs
from tests.fixtures.paths import python_path


@pytest.mark.slow
@needs("onnxruntime")
def test_onnxruntime_starts_no_session_of_usage_events(tmp_path: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    env = {**kept, "TMPDIR": str(tmp_path), "PYTHONPATH": python_path()}
    code = "import emer.tools, onnxruntime; print(onnxruntime.__version__)"
    subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True)
    assert not list(tmp_path.iterdir()), "a session file shows that events are collected"
