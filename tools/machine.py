"""What this process may use of the machine: device, precision, memory, weights, network.

Models are loaded once in a process and shared between its tools, so these choices are the
process's, not a tool's. They come from the settings; where nobody set them, from EMER_DEVICE,
EMER_DTYPE, EMER_MODEL_MEMORY, EMER_WEIGHTS and EMER_OFFLINE. A tool's own `device=` or `dtype=`
argument wins.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_dir
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from emer.tools.errors import ConfigError
from emer.tools.types import Record

Dtype = Literal["auto", "float32", "float16", "bfloat16"]

DEVICES = "auto, cpu, cuda, cuda:N or mps"
"""How a device may be written."""


def at_home(path: Path) -> Path:
    """Return the path with a leading ~ as the user's folder: no shell does it in a file."""
    return Path(os.path.expanduser(path))


Folder = Annotated[Path, AfterValidator(at_home)]


class Machine(Record):
    """The choices that hold for every tool of the process."""

    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """auto, cpu, cuda, cuda:N or mps; auto takes a GPU where there is one."""
    dtype: Dtype = "auto"
    """Precision of the weights; auto is 16 bit on a GPU and 32 bit on a CPU."""
    model_memory: float | None = Field(default=None, gt=0)
    """Gigabytes of models to keep on each device; None is what the device has."""
    weights: Folder = Field(default_factory=lambda: home() / "weights")
    """Folder of the weights that `emer models pull` gets."""
    offline: bool = False
    """Refuse every download, asked for or not."""


def home() -> Path:
    """Return EMER_HOME, or the user's data folder."""
    told = os.environ.get("EMER_HOME")
    return at_home(Path(told)) if told else Path(user_data_dir("emer", appauthor=False))


_SET: list[Machine] = []


def use(chosen: Machine) -> None:
    """Have the process go by these choices from now on; models already loaded stay."""
    _SET[:] = [chosen]


def machine() -> Machine:
    """Return the choices last set, or those of the environment.

    `ConfigError` names the variable that cannot be read.
    """
    return _SET[0] if _SET else from_environment()


def forget() -> None:
    """Go by the environment again."""
    _SET.clear()


def from_environment() -> Machine:
    """Return the choices that EMER_* variables make."""
    told = {name: os.environ.get(f"EMER_{name.upper()}") for name in Machine.model_fields}
    try:
        return Machine.model_validate({name: text for name, text in told.items() if text})
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = str(problem["loc"][0])
        what = hint(name) or f": {problem['msg']}"
        raise ConfigError(f"EMER_{name.upper()}={told[name]}{what}") from error


def hint(name: str) -> str:
    """Return how the value of this field is written, where that is not plain."""
    return f"; write {DEVICES}" if name == "device" else ""


def is_offline() -> bool:
    """Tell whether downloads are forbidden, here or by Hugging Face's own variable."""
    flag = os.environ.get("HF_HUB_OFFLINE", "")
    try:
        return machine().offline or bool(flag and TypeAdapter(bool).validate_python(flag))
    except ValidationError:
        return True  # set to something: rather no network than one nobody wanted
