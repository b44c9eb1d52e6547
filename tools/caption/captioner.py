"""A captioner of transformers on this machine: BLIP, Qwen-VL, SmolVLM and the like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import ClassVar

from emer.tools.caption.caption_filter import Shown, Written
from emer.tools.caption.caption_tool import CaptionTool
from emer.tools.caption.vlm import TOOL, Run, Writer, has_chat
from emer.tools.errors import ConfigError, EmerError
from emer.tools.runtime import device as devices
from emer.tools.types import Param, Source
from emer.tools.weights.locate import AUTO, find
from emer.tools.weights.pretrained import require

BATCH = {"cpu": 8, "mps": 8, "cuda": 8}
"""Frames written about at once: as many as are shown. On a CPU a step of eight takes little more
than one of two."""


class Captioner(CaptionTool):
    """Describes frames with an image-text-to-text model of transformers.

    `model` is a repository that was pulled, a folder, or "auto". A model with a chat template can
    also be asked about a span; BLIP only describes.
    """

    name: ClassVar[str] = TOOL
    description = (
        "Describes a few frames in words with a trained model, and may be asked about them."
    )

    def __init__(  # noqa: PLR0913, PLR0917  (the keys of a TOML table)
        self,
        model: str = AUTO,
        most: int = 8,
        most_close: int = 4,
        mask_subtitles: str = "found",
        max_side: int = 768,
        device: str = AUTO,
        dtype: str = AUTO,
        batch: int = 0,
        compiled: bool = False,
    ) -> None:
        """Keep the settings; nothing is loaded. `ConfigError` for what cannot be.

        `compiled` has torch compile a step of models that chat: for many clips on a GPU.
        """
        super().__init__(most, most_close, mask_subtitles, max_side)
        if batch < 0:
            raise ConfigError(f"{TOOL}.batch must be at least 0")
        devices.precision(devices.CPU, dtype)  # says at once what is no precision
        self._model, self._device, self._dtype, self._batch = model, device, dtype, batch
        self._compiled = compiled

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
        run = self._run()
        threads = {"threads": devices.threads()} if run.device == devices.CPU else {}
        compiled = {"compiled": True} if run.compiled else {}
        return {"device": run.device, "dtype": run.dtype, "batch": run.batch, **compiled, **threads}

    @property
    def answers(self) -> bool:
        """Whether the model is told in words what to do; False while there is none."""
        try:
            return has_chat(find(TOOL, self._model).path)
        except EmerError:
            return False

    def writer(self) -> Writer:
        """Return what writes for this tool and all like it."""
        require(TOOL)
        return Writer(find(TOOL, self._model), self._run())

    def load(self) -> None:
        """Load the model now."""
        self.writer().load()

    def unload(self) -> None:
        """Let go of the model."""
        self.writer().unload()

    def write(self, shown: Sequence[Shown]) -> Sequence[Written]:
        """Return what the model writes about each."""
        return self.writer()(shown)

    def _run(self) -> Run:
        device = devices.pick(self._device)
        precision = devices.precision(device, self._dtype)
        batch = self._batch or BATCH[device.partition(":")[0]]
        return Run(device, precision, batch, self._compiled)
