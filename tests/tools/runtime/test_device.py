"""Choices of the process, and the device, precision and memory that follow from them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from emer.tools.errors import ConfigError
from emer.tools.runtime.device import (
    Machine,
    choose_device,
    choose_precision,
    configure,
    is_out_of_memory,
    machine,
    memory_budget,
)


@pytest.fixture(autouse=True)
def from_the_environment() -> Iterator[None]:
    """Start and end with the choices of the environment."""
    configure(None)
    yield
    configure(None)


def gpus(monkeypatch: pytest.MonkeyPatch, *gigabytes: float) -> None:
    """Have torch report CUDA devices with these memories."""
    cards = [SimpleNamespace(name="a GPU", total_memory=1e9 * memory) for memory in gigabytes]
    cuda = SimpleNamespace(
        is_available=lambda: bool(cards),
        device_count=lambda: len(cards),
        get_device_properties=cards.__getitem__,
    )
    backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False))
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda, backends=backends))


def test_the_environment_holds_where_nothing_was_set(monkeypatch, tmp_path):
    monkeypatch.setenv("EMER_DEVICE", "cuda:1")
    monkeypatch.setenv("EMER_MODEL_MEMORY", "3.5")
    monkeypatch.setenv("EMER_WEIGHTS", str(tmp_path))
    chosen = machine()
    assert (chosen.device, chosen.model_memory, chosen.weights) == ("cuda:1", 3.5, tmp_path)
    configure(Machine(device="cpu"))
    assert machine().device == "cpu"


def test_the_weights_are_in_the_home_folder_unless_set(monkeypatch, tmp_path):
    monkeypatch.setenv("EMER_HOME", str(tmp_path))
    assert machine().weights == tmp_path / "weights"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("EMER_HOME", "~/own")
    assert machine().weights == tmp_path / "own" / "weights"
    monkeypatch.setenv("EMER_WEIGHTS", "~/models")
    assert machine().weights == tmp_path / "models"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("EMER_DEVICE", "gpu", "EMER_DEVICE=gpu; write auto, cpu, cuda, cuda:N or mps"),
        ("EMER_MODEL_MEMORY", "-1", "EMER_MODEL_MEMORY=-1: "),
        ("EMER_OFFLINE", "perhaps", "EMER_OFFLINE=perhaps: "),
    ],
)
def test_a_variable_that_cannot_be_read_is_named(monkeypatch, name, value, message):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=message):
        machine()


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch):
    gpus(monkeypatch)
    assert choose_device() == "cpu"
    gpus(monkeypatch, 80.0, 40.0)
    assert choose_device() == choose_device("cuda") == "cuda:0"
    assert choose_device("cuda:1") == "cuda:1" and choose_device("cpu") == "cpu"
    configure(Machine(device="cpu"))
    assert choose_device() == "cpu" and choose_device("cuda") == "cuda:0"


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    gpus(monkeypatch)
    for wanted in ("cuda", "mps", "cuda:7"):
        with pytest.raises(
            ConfigError, match=f"device {wanted} is not there; this machine has cpu"
        ):
            choose_device(wanted)
    with pytest.raises(ConfigError, match="device 'tpu': write auto"):
        choose_device("tpu")


def test_precision_follows_the_device_unless_set():
    assert choose_precision("cpu") == "float32" and choose_precision("cuda:0") == "float16"
    assert choose_precision("cpu", "bfloat16") == "bfloat16"
    configure(Machine(dtype="float32"))
    assert choose_precision("cuda:0") == "float32"
    with pytest.raises(ConfigError, match="dtype 'int8'"):
        choose_precision("cpu", "int8")


def test_the_budget_is_what_was_chosen_or_most_of_the_device(monkeypatch):
    gpus(monkeypatch, 80.0, 40.0)
    assert memory_budget("cuda:0") == 64.0 and memory_budget("cuda:1") == 32.0
    configure(Machine(model_memory=2.0))
    assert memory_budget("cuda:0") == memory_budget("cpu") == 2.0


def test_without_torch_a_gpu_is_reported_by_ctranslate2(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    library = SimpleNamespace(get_cuda_device_count=lambda: 1)
    monkeypatch.setitem(sys.modules, "ctranslate2", library)
    assert choose_device() == "cuda:0" and memory_budget("cuda:0") == float("inf")


@pytest.mark.parametrize(
    ("error", "short"),
    [
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"), True),
        (RuntimeError("CUDA failed with error out of memory"), True),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory"), True),
        (RuntimeError("CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"), True),
        (MemoryError(), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_want_of_memory_is_known_by_each_library_s_words(error, short):
    assert is_out_of_memory(error) is short
