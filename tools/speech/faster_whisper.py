"""Speech recognised by faster-whisper: Whisper's models on CTranslate2, quantised."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import ClassVar

from emer.tools import devices
from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.shared import Shared
from emer.tools.speech import ctranslate
from emer.tools.speech.heard import Heard, Run, Window
from emer.tools.speech.languages import AUTO
from emer.tools.speech.speech_tool import WHOLE, SpeechTool
from emer.tools.types import Param
from emer.tools.weights.locate import Need

ANYWHERE = ("int8", "float32")
"""What every device computes with: the library need not be loaded to say so."""


class FasterWhisper(SpeechTool):
    """Recognises speech with a model that was converted for CTranslate2.

    `model` is a size ("large-v3-turbo", "tiny"), a converted folder, or "auto" for the
    strongest that is here. `compute` is the precision: int8, float16, bfloat16 or float32;
    the process's dtype does not touch it. The others as in `whisper`.
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
        super().__init__(model, language, beam, translate, device, batch, window)
        if compute not in ctranslate.COMPUTE:
            known = ", ".join(ctranslate.COMPUTE)
            raise ConfigError(f"{self.name}.compute: {compute!r}; write {known}")
        self._compute = compute

    def version(self) -> str:
        """Return faster-whisper's version."""
        try:
            return version("faster-whisper")
        except PackageNotFoundError as error:
            raise ToolMissing(self.name, "its package", "pip install faster-whisper") from error

    def run(self) -> Run:
        """Return how it is run; `ConfigError` where the device cannot compute so."""
        if self._compute not in ANYWHERE:
            ctranslate.compute_types(self.place(), self._compute)
        return super().run()

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
