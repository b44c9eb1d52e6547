"""Speech recognised by faster-whisper: Whisper's models on CTranslate2, quantised."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import ClassVar

from emer.tools import devices
from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.shared import Shared
from emer.tools.speech import ctranslate
from emer.tools.speech.heard import Heard, Run, Window
from emer.tools.speech.languages import AUTO
from emer.tools.speech.speech_tool import SpeechTool
from emer.tools.types import Param, Source
from emer.tools.weights.need import Need

WHOLE = "whole"
WINDOWS = (WHOLE, "fit")
ANYWHERE = ("int8", "float32")
"""What every device computes with: the library need not be loaded to say so."""


class FasterWhisper(SpeechTool):
    """Recognises speech with a model that was converted for CTranslate2.

    `model` is a size ("large-v3-turbo", "tiny"), a converted folder, or "auto" for the
    strongest that is here. `compute` is the precision: int8, float16, bfloat16 or float32;
    the process's dtype does not touch it. `language`, `beam` and `translate` as in `whisper`.
    `window` is "whole", the 30 s that Whisper was trained on, or "fit": no more than the sound
    and 2 s, and a whole one again where the words are then not sure. That takes a fraction of the
    time for short clips; whether trained models hear as well in it, we could not measure.
    """

    name: ClassVar[str] = ctranslate.TOOL
    description = "Recognises speech in many languages, with word times, fast on a CPU, too."

    def __init__(
        self,
        model: str = AUTO,
        language: str = AUTO,
        beam: int = 1,
        translate: bool = True,
        compute: str = "int8",
        device: str = AUTO,
        batch: int = 0,
        window: str = WHOLE,
    ) -> None:
        """Keep the settings; nothing is loaded. `ConfigError` for what cannot be."""
        super().__init__(model, language, beam, translate, device, batch)
        if compute not in ctranslate.COMPUTE:
            known = ", ".join(ctranslate.COMPUTE)
            raise ConfigError(f"{self.name}.compute: {compute!r}; write {known}")
        if window not in WINDOWS:
            raise ConfigError(f"{self.name}.window: {window!r}; write {' or '.join(WINDOWS)}")
        self._compute, self._window = compute, window

    def version(self) -> str:
        """Return faster-whisper's version."""
        try:
            return version("faster-whisper")
        except PackageNotFoundError as error:
            raise ToolMissing(self.name, "its package", "pip install faster-whisper") from error

    @property
    def source(self) -> Source:
        """Name, version, weights and what changes the result."""
        source = super().source
        if self._window == WHOLE:
            return source
        return source.model_copy(update={"params": {**source.params, "window": self._window}})

    def run(self) -> Run:
        """Return how it is run; `ConfigError` where the device cannot compute so."""
        if self._compute not in ANYWHERE:
            ctranslate.compute_types(self.place(), self._compute)
        return replace(super().run(), fit=self._window != WHOLE)

    def place(self) -> str:
        """Return the device; CTranslate2 knows no mps."""
        device = devices.pick(self._device)
        return devices.CPU if device == "mps" else device

    def precision(self, device: str) -> tuple[str, Param]:
        """Return the precision that was asked for."""
        return self._compute, self._compute

    def recogniser(self, need: Need, run: Run) -> Shared[Window, Heard]:
        """Return what hears windows with this folder."""
        return ctranslate.recogniser(need, run)
