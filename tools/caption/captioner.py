"""Captioner on this machine: BLIP, Qwen-VL, SmolVLM and the like, run by transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import ClassVar

from emer.tools.caption.caption_tool import CaptionTool
from emer.tools.caption.description import Caption, VisualPrompt
from emer.tools.caption.vlm import TOOL, CaptionModel, RunOptions, has_chat
from emer.tools.errors import ConfigError, EmerError
from emer.tools.registry import register
from emer.tools.runtime import device as devices
from emer.tools.types import Param, Source
from emer.tools.weights.locate import AUTO, find
from emer.tools.weights.pretrained import require

BATCH = {"cpu": 8, "mps": 8, "cuda": 8}
"""Frames captioned at once: as many as are chosen. On a CPU a step of eight takes little more
than one of two."""


@register("captioner", slot="caption", rank=10)
class Captioner(CaptionTool):
    """Describes frames with an image-text-to-text model of transformers.

    A model with a chat template can also be asked about a span; BLIP only describes.

    Args:
        model: A repository that was pulled, a folder, or "auto".
        most, most_close, mask_subtitles, max_side: As for `CaptionTool`.
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        dtype: "auto", "float32", "bfloat16" or "float16".
        batch: Frames captioned at once; 0 chooses by device.

    """

    name: ClassVar[str] = TOOL
    description = (
        "Describes a few frames in words with a trained model, and may be asked about them."
    )

    def __init__(
        self,
        model: str = AUTO,
        most: int = 8,
        most_close: int = 4,
        mask_subtitles: str = "found",
        max_side: int = 768,
        device: str = AUTO,
        dtype: str = AUTO,
        batch: int = 0,
    ) -> None:
        """Keep the settings; nothing is loaded. `ConfigError` for what cannot be."""
        super().__init__(most, most_close, mask_subtitles, max_side)
        if batch < 0:
            raise ConfigError(f"{TOOL}.batch must be at least 0")
        devices.precision(devices.CPU, dtype)  # refuses an unknown precision at once
        self._model, self._device, self._dtype, self._batch = model, device, dtype, batch

    @property
    def source(self) -> Source:
        """Name, version, weights and what changes the result."""
        require(TOOL)
        need = find(TOOL, self._model)
        params = {**self.params, "precision": self._dtype, "weights": need.fingerprint}
        return Source(tool=TOOL, version=version("transformers"), model=need.model, params=params)

    @property
    def hardware(self) -> Mapping[str, Param]:
        """Device, precision, batch and, on a CPU, threads."""
        options = self._options()
        threads = {"threads": devices.threads()} if options.device == devices.CPU else {}
        return {
            "device": options.device, "dtype": options.dtype, "batch": options.batch, **threads,
        }  # fmt: skip

    @property
    def answers(self) -> bool:
        """Whether the model has a chat template; False while there is no model."""
        try:
            return has_chat(find(TOOL, self._model).path)
        except EmerError:
            return False

    def caption_model(self) -> CaptionModel:
        """Return the model of this tool and of all with the same settings."""
        require(TOOL)
        return CaptionModel(find(TOOL, self._model), self._options())

    def load(self) -> None:
        """Load the model now."""
        self.caption_model().load()

    def unload(self) -> None:
        """Free the model's memory."""
        self.caption_model().unload()

    def write(self, prompts: Sequence[VisualPrompt]) -> Sequence[Caption]:
        """Return what the model writes about each."""
        return self.caption_model()(prompts)

    def _options(self) -> RunOptions:
        device = devices.pick(self._device)
        precision = devices.precision(device, self._dtype)
        batch = self._batch or BATCH[device.partition(":")[0]]
        return RunOptions(device, precision, batch)
