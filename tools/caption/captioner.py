"""The tool `captioner`: BLIP, Qwen-VL, SmolVLM and the like by transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import ClassVar

from emer.tools.caption.caption_tool import CaptionTool
from emer.tools.caption.description import Caption, VisualPrompt
from emer.tools.caption.vlm import TOOL, caption_model, captions, has_chat
from emer.tools.errors import ConfigError, EmerError
from emer.tools.registry import register
from emer.tools.runtime.device import CPU, RunOptions, choose_precision, run_options
from emer.tools.types import Param, Source
from emer.tools.weights.locate import AUTO, Need, find
from emer.tools.weights.pretrained import require

BATCH = {"cpu": 8, "mps": 8, "cuda": 8}
"""Frames captioned at once: as many as are chosen.

On a CPU a step of eight takes little more than one of two."""


@register("captioner", slot="caption", rank=10)
@dataclass(eq=False)
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

    model: str = AUTO
    device: str = AUTO
    dtype: str = AUTO
    batch: int = 0
    name: ClassVar[str] = TOOL
    description = (
        "Describes a few frames in words with a trained model, and may be asked about them."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch < 0:
            raise ConfigError(f"{TOOL}.batch must be at least 0")
        choose_precision(CPU, self.dtype)  # refuses an unknown precision at once

    @property
    def source(self) -> Source:
        """Name, version, weights and what changes the result."""
        require(TOOL)
        need = find(TOOL, self.model)
        params = {**self.params, "precision": self.dtype, "weights": need.fingerprint}
        return Source(tool=TOOL, version=version("transformers"), model=need.model, params=params)

    @property
    def hardware(self) -> Mapping[str, Param]:
        """Device, precision, batch and, on a CPU, threads."""
        return run_options(self.device, self.dtype, self.batch, BATCH).hardware

    @property
    def answers(self) -> bool:
        """Whether the model has a chat template; False while there is no model."""
        try:
            return has_chat(find(TOOL, self.model).path)
        except EmerError:
            return False

    def load(self) -> None:
        caption_model(*self._parts()).load()

    def unload(self) -> None:
        """Free the model's memory; the processor is small and stays."""
        caption_model(*self._parts()).unload()

    def write(self, prompts: Sequence[VisualPrompt]) -> Sequence[Caption]:
        return captions(*self._parts(), prompts)

    def _parts(self) -> tuple[Need, RunOptions]:
        require(TOOL)
        options = run_options(self.device, self.dtype, self.batch, BATCH)
        return find(TOOL, self.model), options
