"""The emotion of a voice, by a model of transformers: classes, or arousal, valence, dominance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from math import ceil, floor

import numpy as np

from emer.tools.errors import ConfigError, Unobservable
from emer.tools.media.clip import RATE, Clip
from emer.tools.runtime import device as devices
from emer.tools.runtime.model_pool import Shared
from emer.tools.speech import vad
from emer.tools.speech.asr_tool import find_speech
from emer.tools.speech.segmentation import Piece, cut
from emer.tools.speech.vad import Samples, is_silent, levels
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span
from emer.tools.voice.model import TOOL, Judged, Run, listener
from emer.tools.voice.sentences import Said, Stretch, classes, ratings, undecided
from emer.tools.weights.locate import AUTO, find
from emer.tools.weights.pretrained import require

LONGEST = 8.0
"""Seconds judged at once: about the utterances such models learn from (chosen by us)."""

LEAST = 0.5
"""Seconds of speech below which a voice is not judged (chosen by us)."""

LEAST_SNR, CLEAN_SNR = 6.0, 25.0
"""dB between which the quality rises, as for the measured prosody."""

ENOUGH = 2.0
"""Seconds of speech from which on its length takes nothing from the quality (chosen by us)."""

BATCH = {"cpu": 4, "mps": 8, "cuda": 32}


class SpeechEmotion:
    """Judges the voice with an audio-classification model (wav2vec2, HuBERT, WavLM, ...).

    `model` is a repository that was pulled, a folder, or "auto". The classes are those of the
    model's configuration; `labels` ("angry, happy, ...") names them where it only numbers
    them. `lowest` and `highest` are the ends of the scale of a model that rates dimensions.
    """

    modality: Modality = "audio"
    description = "Judges the emotion of the voice with a trained model, apart from the words."

    def __init__(
        self,
        model: str = AUTO,
        labels: str = "",
        lowest: float = 0.0,
        highest: float = 1.0,
        device: str = AUTO,
        dtype: str = AUTO,
        batch: int = 0,
    ) -> None:
        """Keep the settings; nothing is loaded. `ConfigError` for what cannot be."""
        if highest <= lowest or batch < 0:
            raise ConfigError(f"{TOOL}: highest must lie above lowest, batch be at least 0")
        devices.precision(devices.CPU, dtype)  # says at once what is no precision
        self._model, self._labels, self._scale = model, labels, (lowest, highest)
        self._device, self._dtype, self._batch = device, dtype, batch
        self._vad = vad.NAME if vad.is_here() else vad.PLAIN

    @property
    def source(self) -> Source:
        """Name, version, weights and what changes the result."""
        require(TOOL)
        need = find(TOOL, self._model)
        params: dict[str, Param] = {
            "labels": self._labels,
            "lowest": self._scale[0],
            "highest": self._scale[1],
            "precision": self._dtype,
            "vad": self._vad,
            "weights": need.fingerprint,
        }
        return Source(tool=TOOL, version=version("transformers"), model=need.model, params=params)

    @property
    def hardware(self) -> Mapping[str, Param]:
        """Device, precision, batch and, on a CPU, threads."""
        run = self._run()
        threads = {"threads": devices.threads()} if run.device == devices.CPU else {}
        return {"device": run.device, "dtype": run.dtype, "batch": run.batch, **threads}

    def load(self) -> None:
        """Load the model now."""
        self._listener().load()

    def unload(self) -> None:
        """Let go of the model."""
        self._listener().unload()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Return what the model makes of the voice; `Unobservable` without one, or undecided."""
        samples = clip.samples()
        if is_silent(samples):
            raise Unobservable("the audio track is silent")
        within = span or Span(start=0, end=clip.duration)
        speech = _inside(find_speech(samples, self._vad), within)
        if not speech:
            raise Unobservable("no voice is heard")
        cuts = (_clipped(piece, within) for piece in cut(samples, speech, LONGEST))
        found = [(piece, _stretch(piece, speech)) for piece in cuts if piece.parts]
        pieces = [piece for piece, stretch in found if stretch.seconds >= LEAST]
        stretches = [stretch for _, stretch in found if stretch.seconds >= LEAST]
        if not pieces:
            raise Unobservable(f"only {sum(s.length for s in speech):.1f} s of voice is heard")
        judged = self._listener()([piece.sound(samples) for piece in pieces])
        said = self._said(stretches, judged)
        snr = signal_to_noise(samples, speech)
        return [_clue(self.source, each, snr) for each in said]

    def _said(self, stretches: Sequence[Stretch], judged: Sequence[Judged]) -> list[Said]:
        if judged[0].dimensional:
            said = list(ratings(stretches, judged, self._scale))
            if not said:
                raise Unobservable("the voice is rated in the middle of every scale of the model")
            return said
        said = list(classes(stretches, judged))
        if not said:
            raise Unobservable(undecided(judged))
        return said

    def _run(self) -> Run:
        device = devices.pick(self._device)
        precision = devices.precision(device, self._dtype)
        return Run(device, precision, self._batch or BATCH[device.partition(":")[0]])

    def _listener(self) -> Shared[Samples, Judged]:
        require(TOOL)
        return listener(find(TOOL, self._model), self._run(), self._labels)


def signal_to_noise(samples: Samples, speech: Sequence[Span]) -> float:
    """Return how far speech rises above the clip's quietest tenth outside of it, in dB.

    Where there is nothing but speech, above the quietest tenth of that.
    """
    level = levels(samples)
    flags = np.zeros(level.shape, dtype=bool)
    for span in speech:
        flags[round(span.start * 100) : round(span.end * 100)] = True
    rest = level[~flags] if (~flags).sum() >= 10 else level
    power = 10 * np.log10(np.mean(10 ** (level[flags] / 10))) if flags.any() else -120.0
    return float(power - np.percentile(rest, 10))


def _inside(speech: Sequence[Span], within: Span) -> tuple[Span, ...]:
    """Return the parts of the stretches that lie in a span."""
    return tuple(
        Span(start=max(s.start, within.start), end=min(s.end, within.end))
        for s in speech
        if s.start < within.end and s.end > within.start
    )


def _clipped(piece: Piece, within: Span) -> Piece:
    """Return what of a piece is in a span: the silence around speech reaches out of it."""
    first, last = round(within.start * RATE), round(within.end * RATE)
    parts = ((max(start, first), min(end, last)) for start, end in piece.parts)
    return Piece(tuple((start, end) for start, end in parts if start < end))


def _stretch(piece: Piece, speech: Sequence[Span]) -> Stretch:
    """Return where a piece lies, and how much of it is speech and not the pause around it.

    The tenths of a second inside it, as the sentences tell them.
    """
    first, last = piece.parts[0][0] / RATE, piece.parts[-1][1] / RATE
    start, end = ceil(10 * first - 1e-6) / 10, floor(10 * last + 1e-6) / 10
    seconds = sum(
        max(0.0, min(s.end, end / RATE) - max(s.start, start / RATE))
        for start, end in piece.parts
        for s in speech
    )
    return Stretch(Span(start=start, end=max(start, end)), seconds)


def _clue(source: Source, said: Said, snr: float) -> Clue:
    """Return the clue; its quality falls with noise and with little speech."""
    clean = float(np.clip((snr - LEAST_SNR) / (CLEAN_SNR - LEAST_SNR), 0.1, 1.0))
    enough = float(np.clip(said.seconds / ENOUGH, 0.3, 1.0))
    return Clue(
        modality="audio",
        span=said.span,
        text=said.text,
        confidence=said.probability,
        quality=Quality(
            score=round(clean * enough, 3),
            factors={"snr_db": round(snr, 1), "speech_s": round(said.seconds, 2)},
        ),
        source=source,
        data=dict(said.data),
    )
