"""CUDA libraries that CTranslate2 opens by name: opened where pip puts them, else named."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emer.tools.errors import ToolMissing
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.runtime.model_pool import POOL
from emer.tools.speech.faster_whisper import require_cuda_libraries
from tests.fixtures.packages import needs

pytestmark = pytest.mark.slow

SAID = "Library {} is not found or cannot be loaded"


@pytest.mark.parametrize(
    ("file", "package"),
    [("libcublas.so.12", "nvidia-cublas-cu12"), ("cublas64_12.dll", "nvidia-cublas-cu12"),
     ("libcudnn_ops.so.9", "'nvidia-cudnn-cu12==9.*'")],
)  # fmt: skip
def test_what_is_missing_is_one_line_with_the_package_that_brings_it(file, package):
    with pytest.raises(ToolMissing) as error, require_cuda_libraries("faster-whisper"):
        raise RuntimeError(SAID.format(file))
    line = f"faster-whisper needs the CUDA library {file}: pip install {package}"
    assert str(error.value) == line


def test_any_other_failure_is_left_as_it_is():
    with (
        pytest.raises(RuntimeError, match="CUDA failed with error"),
        require_cuda_libraries("faster-whisper"),
    ):
        raise RuntimeError("CUDA failed with error out of memory")


@needs("whisper", "faster_whisper")
def test_a_look_that_needs_one_says_so(checkpoint, spoken):
    """As the library does at its first computation on a GPU, which this machine may lack."""
    tool = load_tool("faster-whisper", {"model": str(checkpoint("ctranslate"))})
    tool.load()  # type: ignore[attr-defined]
    (key,) = POOL.held()

    def lacking(*_: object) -> None:
        raise RuntimeError(SAID.format("libcublas.so.12"))

    with POOL.borrow(key, object) as model:
        model.encode = lacking
    with pytest.raises(ToolMissing, match="pip install nvidia-cublas-cu12"):
        tool.observe(Clip.open(spoken))


@pytest.mark.skipif(sys.platform != "linux", reason="the loader of Linux")
@pytest.mark.skipif(shutil.which("cc") is None, reason="no compiler makes a library here")
def test_what_pip_installed_is_found_by_its_name(tmp_path: Path):
    """In a process of its own, where nobody has opened any."""
    folder = tmp_path / "nvidia" / "cublas" / "lib"
    folder.mkdir(parents=True)
    (folder / "empty.c").touch()
    name = "libcublas.so.12"
    make = ["cc", "-shared", f"-Wl,-soname,{name}", "-o", name, "empty.c"]
    subprocess.run(make, cwd=folder, check=True)
    code = (
        "import ctypes; from emer.tools.speech.faster_whisper import open_cuda_libraries; "
        f"open_cuda_libraries(); ctypes.CDLL('{name}')"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
