"""The tool `speech-emotion`: classes of a voice, or ratings of dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version

from emer.tools.errors import ConfigError, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.registry import register
from emer.tools.runtime.device import CPU, RunOptions, choose_precision, run_options
from emer.tools.runtime.model_pool import PooledModel
from emer.tools.speech.vad import Samples, best_detector
from emer.tools.types import Clue, Modality, Param, Source, Span
from emer.tools.voice.model import TOOL, Emotions, is_dimensional, recogniser
from emer.tools.voice.sentences import classes, ratings, undecided
from emer.tools.voice.stretches import heard_voice, voice_clue
from emer.tools.weights.locate import AUTO, find
from emer.tools.weights.model_loader import require

BATCH = {"cpu": 4, "mps": 8, "cuda": 32}


@register("speech-emotion", slot="voice", rank=10)
@dataclass(eq=False)
class SpeechEmotion:
    """Classifies the voice with a model of transformers (wav2vec2, HuBERT, ...).

    Args:
        model: A repository that was pulled, a folder, or "auto".
        labels: Names of the classes ("angry, happy, ...") of a model that only numbers them;
            else they are those of the model's configuration.
        lowest: Lowest value of the scale of a model that rates dimensions.
        highest: Highest value of that scale.
        device: cpu, cuda, cuda:N, mps or "auto".
        dtype: Precision of the weights: float32, float16, bfloat16 or "auto".
        batch: Segments at once; 0 for the default of the device.
    """

    model: str = AUTO
    labels: str = ""
    lowest: float = 0.0
    highest: float = 1.0
    device: str = AUTO
    dtype: str = AUTO
    batch: int = 0
    modality: Modality = field(default="audio", init=False)
    description = "Judges the emotion of the voice with a trained model, apart from the words."

    def __post_init__(self) -> None:
        if self.highest <= self.lowest or self.batch < 0:
            raise ConfigError(f"{TOOL}: highest must lie above lowest, batch be at least 0")
        choose_precision(CPU, self.dtype)  # an unknown precision is reported at once
        self._vad = best_detector()

    @property
    def source(self) -> Source:
        """Name, version, weights and what changes the result."""
        require(TOOL)
        need = find(TOOL, self.model)
        params: dict[str, Param] = {
            "labels": self.labels,
            "lowest": self.lowest,
            "highest": self.highest,
            "precision": self.dtype,
            "vad": self._vad,
            "weights": need.fingerprint,
        }
        return Source(tool=TOOL, version=version("transformers"), model=need.model, params=params)

    @property
    def hardware(self) -> Mapping[str, Param]:
        return self._options().hardware

    def load(self) -> None:
        self._recogniser().load()

    def unload(self) -> None:
        self._recogniser().unload()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Clues of the model about the voice; `Unobservable` without one, or undecided."""
        voice = heard_voice(clip, span, self._vad)
        outputs = self._recogniser()(voice.sounds)
        if is_dimensional(outputs[0].labels):
            sentences = list(ratings(voice.stretches, outputs, (self.lowest, self.highest)))
            why = "the voice is rated in the middle of every scale of the model"
        else:
            sentences, why = list(classes(voice.stretches, outputs)), undecided(outputs)
        if not sentences:
            raise Unobservable(why)
        return [voice_clue(self.source, sentence, voice.snr, span) for sentence in sentences]

    def _options(self) -> RunOptions:
        return run_options(self.device, self.dtype, self.batch, BATCH)

    def _recogniser(self) -> PooledModel[Samples, Emotions]:
        require(TOOL)
        return recogniser(find(TOOL, self.model), self._options(), self.labels)
