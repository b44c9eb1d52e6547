"""A GPU without a GPU: tensors that say they are on cuda:0, with real values kept by the CPU.

What CUDA forbids is forbidden: tensors of two devices do not meet, but for a single number and
for indices, and none is read by NumPy. What runs here has moved all its inputs; whether the
kernels of a real GPU are fast, or exist, only one can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch.utils._python_dispatch import TorchDispatchMode

FAR = torch.device("cuda:0")
CPU = torch.device("cpu")

_MOVING = ("aten::to", "aten::_to_copy", "aten::copy_")
_INDEXING = ("aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_")


class Elsewhere(RuntimeError):
    """Tensors of two devices met."""


class FarTensor(torch.Tensor):
    """A tensor that says it is on the GPU."""

    held: torch.Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> FarTensor:
        made = torch.Tensor._make_wrapper_subclass(
            cls, held.shape, dtype=held.dtype, layout=held.layout, device=FAR,
            **({"strides": held.stride()} if held.layout == torch.strided else {}),
        )  # fmt: skip
        made.held = held
        return made

    def __getitem__(self, index: Any) -> FarTensor:
        """Index; torch's own way asks for CUDA's libraries before it asks us."""
        return FarTensor(self.held[_all(_held, index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        """Write; what is picked by numbers or marks is not written from another device."""
        parts = index if isinstance(index, tuple) else (index,)
        picked = any(isinstance(part, (torch.Tensor, list)) for part in parts)
        if picked and isinstance(value, torch.Tensor) and value.dim():
            _require_one_place("aten::index_put_", {"self": self, "values": value}, [])
        self.held[_all(_held, index)] = _held(value)

    def contiguous(self, memory_format: Any = torch.contiguous_format) -> FarTensor:
        """Return it in one piece."""
        whole = self.held.contiguous(memory_format=memory_format)
        return self if whole is self.held else FarTensor(whole)

    def nonzero(self) -> Any:
        """Return where it is not nothing."""
        return FarTensor(self.held.nonzero())

    def __invert__(self) -> Any:
        return torch.bitwise_not(self)

    def __int__(self) -> int:
        return int(self.held)

    def __float__(self) -> float:
        return float(self.held)

    def __index__(self) -> int:
        return int(self.held)

    def tolist(self) -> Any:
        """Return its numbers, as a tensor of any device does."""
        return self.held.tolist()

    def numpy(self, **_: Any) -> Any:
        """Raise what CUDA does."""
        raise TypeError("can't convert cuda:0 device type tensor to numpy")

    __array__ = numpy

    @staticmethod
    def of(each: Any) -> Any:
        """Return a tensor as one of the GPU's; anything else as it is."""
        return FarTensor(each) if type(each) is torch.Tensor else each

    def __repr__(self) -> str:
        return f"far {self.held!r}"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return carry_out(func, args, kwargs or {})


class FarDevice(TorchDispatchMode):
    """While it is entered, tensors can be moved to, and made on, cuda:0."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return carry_out(func, args, kwargs or {})


def carry_out(func: Any, args: Any, kwargs: Any) -> Any:
    """Do what torch asks for on the CPU, and say on which device the results are."""
    named = [argument.name for argument in func._schema.arguments]
    given = {**dict(zip(named, args, strict=False)), **kwargs}
    name, wanted = func._schema.name, given.get("device")
    tensors = [each for value in given.values() for each in _tensors(value)]
    if name not in _MOVING:
        _require_one_place(name, given, tensors)
    if wanted is not None:
        given["device"] = CPU if torch.device(wanted).type == "cuda" else wanted
    out = func(**{key: _all(_held, each) for key, each in given.items()})
    if func._schema.is_mutable and "self" in given:
        return given["self"]
    far = any(isinstance(each, FarTensor) for each in tensors)
    far = far if wanted is None else torch.device(wanted).type == "cuda"
    return _all(FarTensor.of, out) if far else out


def _all(change: Callable[[Any], Any], value: Any) -> Any:
    """Return the value, each of a list or tuple, or each bound of a slice, changed."""
    if isinstance(value, slice):
        return slice(*(change(each) for each in (value.start, value.stop, value.step)))
    if isinstance(value, (list, tuple)):
        return type(value)([_all(change, each) for each in value])
    return change(value)


def _tensors(value: Any) -> list[torch.Tensor]:
    found = value if isinstance(value, (list, tuple)) else [value]
    return [each for each in found if isinstance(each, torch.Tensor)]


def _held(each: Any) -> Any:
    """Return what the CPU computes with in place of a far tensor."""
    return each.held if isinstance(each, FarTensor) else each


def _number(each: Any) -> Any:
    """Return a single number of the GPU's as Python has it: lists may hold such."""
    return each.held.item() if isinstance(each, FarTensor) and each.dim() == 0 else each


def _require_one_place(name: str, given: Any, tensors: list[torch.Tensor]) -> None:
    """Raise `Elsewhere` where CUDA would not compute."""
    if name in _INDEXING:
        tensors = [given["self"], *([given["values"]] if "values" in given else [])]
    far = [isinstance(each, FarTensor) for each in tensors]
    here = [each for each, away in zip(tensors, far, strict=True) if not away and each.dim()]
    if any(far) and here:
        raise Elsewhere(f"{name} is given tensors on cuda:0 and on the CPU")


@contextmanager
def far_device() -> Iterator[str]:
    """Yield the name of a GPU whose work the CPU does."""
    overwrites = torch.__future__.get_overwrite_module_params_on_conversion()
    made = torch.tensor
    lifts = torch._C._only_lift_cpu_tensors()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    torch._C._set_only_lift_cpu_tensors(True)  # what lists hold is moved where it can be seen
    try:
        with (
            patch("torch.cuda._lazy_init"),
            patch("torch.tensor", lambda data, **how: made(_all(_number, data), **how)),
            patch("torch.inference_mode", torch.no_grad),  # which such tensors do not survive
            torch.no_grad(),
            FarDevice(),
        ):
            yield str(FAR)
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(overwrites)
        torch._C._set_only_lift_cpu_tensors(lifts)
