"""What a process may use, and which device that comes down to."""

from __future__ import annotations

import pytest

from emer.tools.errors import ConfigError
from emer.tools.runtime import device
from emer.tools.runtime import device as machine
from emer.tools.runtime.device import Machine


@pytest.fixture(autouse=True)
def forgetful():
    machine.forget()
    yield
    machine.forget()


def gpus(monkeypatch: pytest.MonkeyPatch, *found: device.Device) -> None:
    """Have the machine own these accelerators."""
    monkeypatch.setattr(device, "_accelerators", lambda: found)


GPU = device.Device(name="cuda:0", what="a GPU", memory=80.0)
SECOND = device.Device(name="cuda:1", what="a GPU", memory=None)


def test_the_environment_speaks_where_nobody_set_anything(monkeypatch, tmp_path):
    monkeypatch.setenv("EMER_DEVICE", "cuda:1")
    monkeypatch.setenv("EMER_MODEL_MEMORY", "3.5")
    monkeypatch.setenv("EMER_WEIGHTS", str(tmp_path))
    found = machine.machine()
    assert (found.device, found.model_memory, found.weights) == ("cuda:1", 3.5, tmp_path)
    machine.use(Machine(device="cpu"))
    assert machine.machine().device == "cpu"


def test_the_weights_lie_in_the_home_unless_told(monkeypatch, tmp_path):
    monkeypatch.setenv("EMER_HOME", str(tmp_path))
    assert machine.machine().weights == tmp_path / "weights"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("EMER_HOME", "~/own")
    assert machine.machine().weights == tmp_path / "own" / "weights"
    monkeypatch.setenv("EMER_WEIGHTS", "~/models")
    assert machine.machine().weights == tmp_path / "models"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("EMER_DEVICE", "gpu", "EMER_DEVICE=gpu; write auto, cpu, cuda, cuda:N or mps"),
        ("EMER_MODEL_MEMORY", "-1", "EMER_MODEL_MEMORY=-1: "),
        ("EMER_OFFLINE", "perhaps", "EMER_OFFLINE=perhaps: "),
    ],
)
def test_a_variable_that_cannot_be_read_is_named(monkeypatch, name, value, said):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=said):
        machine.machine()


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch):
    gpus(monkeypatch)
    assert device.pick() == "cpu"
    gpus(monkeypatch, GPU, SECOND)
    assert device.pick() == device.pick("cuda") == "cuda:0"
    assert device.pick("cuda:1") == "cuda:1" and device.pick("cpu") == "cpu"
    machine.use(Machine(device="cpu"))
    assert device.pick() == "cpu" and device.pick("cuda") == "cuda:0"


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    gpus(monkeypatch)
    for wanted in ("cuda", "mps", "cuda:7"):
        with pytest.raises(
            ConfigError, match=f"device {wanted} is not there; this machine has cpu"
        ):
            device.pick(wanted)
    with pytest.raises(ConfigError, match="device 'tpu': write auto"):
        device.pick("tpu")


def test_precision_follows_the_device_unless_told():
    assert device.precision("cpu") == "float32" and device.precision("cuda:0") == "float16"
    assert device.precision("cpu", "bfloat16") == "bfloat16"
    machine.use(Machine(dtype="float32"))
    assert device.precision("cuda:0") == "float32"
    with pytest.raises(ConfigError, match="dtype 'int8'"):
        device.precision("cpu", "int8")


def test_the_budget_is_what_was_chosen_or_most_of_the_device(monkeypatch):
    gpus(monkeypatch, GPU, SECOND)
    assert device.budget("cuda:0") == 64.0 and device.budget("cuda:1") == float("inf")
    machine.use(Machine(model_memory=2.0))
    assert device.budget("cuda:0") == device.budget("cpu") == 2.0


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
    assert device.is_out_of_memory(error) is short
