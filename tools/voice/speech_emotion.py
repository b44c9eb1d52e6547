"""The tool `speech-emotion`: classes of a voice, or ratings of dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from math import ceil, floor

import numpy as np

from emer.tools.errors import ConfigError, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.media.sound import RATE
from emer.tools.registry import register
from emer.tools.runtime.device import CPU, RunOptions, choose_precision, run_options
from emer.tools.runtime.model_pool import PooledModel
from emer.tools.speech.segmentation import Segment, cut
from emer.tools.speech.vad import Samples, audible_samples, best_detector, find_speech, levels
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span
from emer.tools.voice.model import TOOL, Emotions, is_dimensional, recogniser
from emer.tools.voice.sentences import Sentence, Stretch, classes, ratings, undecided
from emer.tools.weights.locate import AUTO, find
from emer.tools.weights.model_loader import require

LONGEST = 8.0
"""Seconds classified at once, as long as utterances of training data (ours)."""
LEAST = 0.5
"""Seconds of speech below which a voice is not classified (chosen by us)."""
LEAST_SNR, CLEAN_SNR = 6.0, 25.0
"""dB between which the quality rises, as for the measured prosody."""
ENOUGH = 2.0
"""Seconds of speech from which its length reduces no quality (chosen by us)."""
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
        samples = audible_samples(clip)
        within = span or Span(start=0, end=clip.duration)
        speech = _inside(find_speech(samples, self._vad), within)
        if not speech:
            raise Unobservable("no voice is heard")
        segments, stretches = [], []
        for whole in cut(samples, speech, LONGEST):
            segment = _clipped(whole, within)
            stretch = _stretch(segment, speech) if segment.parts else None
            if stretch and stretch.seconds >= LEAST:
                segments.append(segment)
                stretches.append(stretch)
        if not segments:
            raise Unobservable(f"only {sum(s.length for s in speech):.1f} s of voice is heard")
        outputs = self._recogniser()([segment.sound(samples) for segment in segments])
        if is_dimensional(outputs[0].labels):
            sentences = list(ratings(stretches, outputs, (self.lowest, self.highest)))
            why = "the voice is rated in the middle of every scale of the model"
        else:
            sentences, why = list(classes(stretches, outputs)), undecided(outputs)
        if not sentences:
            raise Unobservable(why)
        snr = signal_to_noise(samples, speech)
        return [_clue(self.source, sentence, snr, span) for sentence in sentences]

    def _options(self) -> RunOptions:
        return run_options(self.device, self.dtype, self.batch, BATCH)

    def _recogniser(self) -> PooledModel[Samples, Emotions]:
        require(TOOL)
        return recogniser(find(TOOL, self.model), self._options(), self.labels)


def signal_to_noise(samples: Samples, speech: Sequence[Span]) -> float:
    """Level of the speech above the clip's quietest tenth outside of it, in dB.

    Where there is only speech, above the quietest tenth of that.
    """
    level = levels(samples)
    flags = np.zeros(level.shape, dtype=bool)
    for span in speech:
        flags[round(span.start * 100) : round(span.end * 100)] = True
    rest = level[~flags] if (~flags).sum() >= 10 else level
    power = 10 * np.log10(np.mean(10 ** (level[flags] / 10))) if flags.any() else -120.0
    return float(power - np.percentile(rest, 10))


def _inside(speech: Sequence[Span], within: Span) -> tuple[Span, ...]:
    return tuple(
        Span(start=max(s.start, within.start), end=min(s.end, within.end))
        for s in speech
        if s.start < within.end and s.end > within.start
    )


def _clipped(segment: Segment, within: Span) -> Segment:
    first, last = round(within.start * RATE), round(within.end * RATE)
    parts = ((max(start, first), min(end, last)) for start, end in segment.parts)
    return Segment(tuple((start, end) for start, end in parts if start < end))


def _stretch(segment: Segment, speech: Sequence[Span]) -> Stretch:
    """A segment in tenths of a second inside it."""
    first, last = segment.parts[0][0] / RATE, segment.parts[-1][1] / RATE
    start, end = ceil(10 * first - 1e-6) / 10, floor(10 * last + 1e-6) / 10
    seconds = sum(
        max(0.0, min(s.end, end / RATE) - max(s.start, start / RATE))
        for start, end in segment.parts
        for s in speech
    )
    return Stretch(Span(start=start, end=max(start, end)), seconds)


def _clue(source: Source, sentence: Sentence, snr: float, look: Span | None) -> Clue:
    clean = float(np.clip((snr - LEAST_SNR) / (CLEAN_SNR - LEAST_SNR), 0.1, 1.0))
    enough = float(np.clip(sentence.seconds / ENOUGH, 0.3, 1.0))
    return Clue(
        modality="audio",
        span=sentence.span,
        text=sentence.text,
        confidence=sentence.probability,
        quality=Quality(
            score=round(clean * enough, 3),
            factors={"snr_db": round(snr, 1), "speech_s": round(sentence.seconds, 2)},
        ),
        source=source,
        data=dict(sentence.data),
        cues=sentence.cues,
        kind="classified",
        look=look,
    )
