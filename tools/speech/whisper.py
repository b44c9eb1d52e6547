"""Speech recognised by openai-whisper: 99 languages, word times, translation into English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import ClassVar, Final

from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.media.clip import Clip
from emer.tools.runtime import device as devices
from emer.tools.runtime.cancellation import note
from emer.tools.runtime.model_pool import Shared
from emer.tools.speech import openai_whisper
from emer.tools.speech.asr_tool import BATCH, WHOLE, SpeechTool
from emer.tools.speech.languages import AUTO
from emer.tools.speech.transcript import Heard, Run, Window
from emer.tools.types import Clue, Param, Span
from emer.tools.weights.locate import Need

UNKNOWN: Final = "bfloat16"
LACKS: Final = f"openai-whisper decodes in no {UNKNOWN}"


class Whisper(SpeechTool):
    """Recognises speech with a checkpoint of openai-whisper.

    `model` is a size ("large-v3-turbo", "tiny.en"), a .pt file, or "auto" for the strongest
    that is here. `language` is a code or name, or "auto". `beam` above 1 searches wider.
    `translate` adds an English translation where the language is another and the model can.
    `device`, `dtype` (float32, float16 or "auto") and `batch` (0: by the device) say how it runs;
    the library decodes in no bfloat16, and where the process asks for that it runs as with "auto".
    `window` is "whole", the 30 s that Whisper was trained on, or "fit": no more than the sound
    and 2 s, and a whole one again where the words are then not sure. That takes a fraction of the
    time for short clips; whether trained models hear as well in it, we could not measure.
    """

    name: ClassVar[str] = openai_whisper.TOOL
    batches: ClassVar[Mapping[str, int]] = {**BATCH, "cuda": 32}
    """A step of the decoder waits for a GPU's launches, however many windows it is for; of 32, what
    large-v3 keeps of the sound takes 8 GB at 16 bit."""
    description = "Recognises speech in many languages, with word times, and translates it."

    def __init__(
        self,
        model: str = AUTO,
        language: str = AUTO,
        beam: int = 1,
        translate: bool = True,
        device: str = AUTO,
        dtype: str = AUTO,
        batch: int = 0,
        window: str = WHOLE,
    ) -> None:
        """Keep the settings; nothing is loaded. `ConfigError` for what cannot be."""
        super().__init__(model, language, beam, translate, device, batch, window)
        devices.precision(devices.CPU, dtype)  # says at once what is no precision
        if dtype == UNKNOWN:
            raise ConfigError(f"{self.name}.dtype: {LACKS}; write float32, float16 or auto")
        self._dtype = dtype

    def version(self) -> str:
        """Return openai-whisper's version."""
        try:
            return version("openai-whisper")
        except PackageNotFoundError as error:
            raise ToolMissing(self.name, "its package", "pip install openai-whisper") from error

    def precision(self, device: str) -> tuple[str, Param]:
        """Return the precision; the source says what was asked for."""
        told = devices.precision(device, self._dtype)
        return devices.usual(device) if told == UNKNOWN else told, self._dtype

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Return a clue per utterance; note a precision of the process that it does not know."""
        if devices.precision(self.place(), self._dtype) == UNKNOWN:
            note(f"{LACKS}; it ran in {self.run().precision}")
        return super().observe(clip, span)

    def recogniser(self, need: Need, run: Run) -> Shared[Window, Heard]:
        """Return what hears windows with this checkpoint."""
        return openai_whisper.recogniser(need, run)
