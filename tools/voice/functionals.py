"""The tool `functionals`: classes of a voice by a light model of one's own.

openSMILE's 88 eGeMAPS functionals (Eyben et al. 2016) of each stretch of speech, at one
level, go through the logistic regression that `emer-eval fit voice` learnt.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emer.tools.errors import ConfigError, ToolMissing, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.media.sound import RATE
from emer.tools.registry import register
from emer.tools.runtime.native import importing
from emer.tools.speech.asr_tool import library_version
from emer.tools.speech.vad import Samples, best_detector
from emer.tools.types import Clue, Modality, Param, Source, Span
from emer.tools.voice.model import Emotions
from emer.tools.voice.sentences import classes, undecided
from emer.tools.voice.stretches import heard_voice, voice_clue
from emer.tools.voice.voice_model import VoiceModel, read_model

TOOL = "functionals"
LEVEL = -26.0
"""dB of full scale to which speech is brought: the nominal level of ITU-T P.56."""
_lock = threading.Lock()


@register(TOOL, slot="voice")
@dataclass(eq=False)
class Functionals:
    """Classifies the voice with a model of `emer-eval fit voice`.

    Args:
        model: The folder that the command wrote.
    """

    model: str = ""
    modality: Modality = field(default="audio", init=False)
    description = "Judges the emotion of the voice with a light model learnt from labelled speech."

    def __post_init__(self) -> None:
        self._vad = best_detector()

    @property
    def source(self) -> Source:
        """Name and version of the functionals, and the model's file."""
        model, digits = self._read()
        params: dict[str, Param] = {"vad": self._vad, "weights": digits}
        installed = library_version(TOOL, "opensmile")
        return Source(tool=TOOL, version=installed, model=model.name, params=params)

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Clues of the model about the voice; `Unobservable` without one, or undecided."""
        model, _ = self._read()
        voice = heard_voice(clip, span, self._vad)
        rows = model.probabilities(np.stack([measured(sound) for sound in voice.sounds]))
        outputs = [Emotions(model.labels, tuple(row)) for row in rows.tolist()]
        sentences = list(classes(voice.stretches, outputs))
        if not sentences:
            raise Unobservable(undecided(outputs))
        return [voice_clue(self.source, sentence, voice.snr, span) for sentence in sentences]

    def _read(self) -> tuple[VoiceModel, str]:
        if not self.model:
            write = 'emer-eval fit voice DIR --out FOLDER, then model = "FOLDER" in its settings'
            raise ToolMissing(TOOL, "a model of voices", write)
        model, digits = read_model(Path(self.model).expanduser())
        if model.features != names():
            raise ConfigError(
                f"{self.model}: its features are not openSMILE's eGeMAPSv02; fit again"
            )
        return model, digits


def measured(sound: Samples) -> NDArray[np.float64]:
    """The 88 functionals of mono 16 kHz speech, brought to one level; shape (88,)."""
    power = float(np.mean(np.square(sound, dtype=np.float64)))
    gain = 10 ** (LEVEL / 20) / np.sqrt(power) if power > 0 else 1.0
    # openSMILE's own object must not be used by two threads at once.
    with _lock:
        values = _extractor()((sound * gain).astype(np.float32), RATE)
    return np.nan_to_num(np.asarray(values, dtype=np.float64).reshape(-1))


def names() -> tuple[str, ...]:
    """Names of the functionals, in their order."""
    with _lock:
        return tuple(_extractor().feature_names)


@cache
def _extractor() -> Any:
    with importing():
        import opensmile

    return opensmile.Smile(
        feature_set=opensmile.FeatureSet.eGeMAPSv02,
        feature_level=opensmile.FeatureLevel.Functionals,
    )
