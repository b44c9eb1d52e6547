"""Speech recognised by any recogniser of transformers: Whisper, wav2vec2, HuBERT, Moonshine, ..."""

from __future__ import annotations

from importlib.metadata import version
from typing import ClassVar

from emer.tools import devices
from emer.tools.shared import Shared
from emer.tools.speech import transformers_asr
from emer.tools.speech.heard import Heard, Run, Window
from emer.tools.speech.languages import AUTO
from emer.tools.speech.speech_tool import SpeechTool
from emer.tools.types import Param
from emer.tools.weights.locate import Need
from emer.tools.weights.pretrained import require


class Asr(SpeechTool):
    """Recognises speech with a model of transformers.

    `model` is a repository ("openai/whisper-large-v3-turbo") that was pulled, a folder, or
    "auto". `language` is what a model that knows several is told, or "auto"; a model of one
    language is taken at its word. `beam` above 1 searches wider.

    The quality rests on what the model says. Of a Whisper that is what it is in `whisper`, from the
    same step of its decoder. Any other has the probabilities of its tokens alone (with CTC: of the
    frames that write) and no word for "nobody speaks": music and noise are kept from it by the
    voice detector, music only by Silero's, which comes with faster-whisper.
    """

    name: ClassVar[str] = transformers_asr.TOOL
    description = "Recognises speech with any recogniser of transformers."

    def __init__(
        self,
        model: str = AUTO,
        language: str = AUTO,
        beam: int = 1,
        translate: bool = True,
        device: str = AUTO,
        dtype: str = AUTO,
        batch: int = 0,
    ) -> None:
        """Keep the settings; nothing is loaded. `ConfigError` for what cannot be."""
        super().__init__(model, language, beam, translate, device, batch)
        devices.precision(devices.CPU, dtype)  # says at once what is no precision
        self._dtype = dtype

    def version(self) -> str:
        """Return transformers' version."""
        require(self.name)
        return version("transformers")

    def precision(self, device: str) -> tuple[str, Param]:
        """Return the precision; the source says what was asked for."""
        return devices.precision(device, self._dtype), self._dtype

    def times_words(self, need: Need) -> bool:
        """Tell whether the model is of the kind that says when each word is heard."""
        return transformers_asr.kind_of(need) == "ctc"

    def recogniser(self, need: Need, run: Run) -> Shared[Window, Heard]:
        """Return what hears windows with this folder."""
        return transformers_asr.recogniser(need, run)
