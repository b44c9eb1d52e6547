"""A captioner's steps compiled: each is then one launch, where a GPU else waits for Python.

A step of a small batch takes at least as long as reading the model's weights; a hundred small
launches take longer than that on a fast GPU. transformers compiles the step over a cache of fixed
size, which torch records as a CUDA graph. The first batch of a shape waits for that; so this is
for many clips, and asked for. No GPU was at hand to measure it on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from emer.tools.hand import Hand
from emer.tools.runtime import device
from emer.tools.runtime.cancellation import note

Item = TypeVar("Item")


class Compiler:
    """Has a model write with compiled steps, in one thread; without them once that failed."""

    def __init__(self) -> None:
        """Compile nothing yet."""
        self._hand = Hand()
        self.failed = ""
        """Why nothing is compiled any more."""

    def __call__(self, model: Any, told: Mapping[str, Any]) -> Any:
        """Return what `generate` returns."""
        return self._hand(lambda: self._generate(model, told))

    def close(self) -> None:
        """End the thread."""
        self._hand.close()

    def _generate(self, model: Any, told: Mapping[str, Any]) -> Any:
        import torch
        from torch._dynamo.exc import TorchDynamoException
        from transformers import CompileConfig

        config = CompileConfig()
        config._compile_all_devices = True  # on a CPU, too
        with torch.inference_mode(), device.current(str(model.device)):
            if not self.failed:
                try:
                    return model.generate(
                        **told, cache_implementation="static", compile_config=config
                    )
                except TorchDynamoException as error:
                    if device.is_out_of_memory(error):
                        raise
                    self.failed = " ".join(str(error).split())[:200]
                    note(f"the captioner went on without compiled steps: {self.failed}")
            return model.generate(**told)


def filled(items: Sequence[Item]) -> list[Item]:
    """Return the items with the last repeated up to a power of two: few shapes to compile."""
    wanted = 1 << (len(items) - 1).bit_length()
    return [*items, *[items[-1]] * (wanted - len(items))]
