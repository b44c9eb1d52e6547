"""The voice's melody, level, pace and quality, from openSMILE's eGeMAPS descriptors."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from emer.tools.errors import ToolMissing, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.prosody import pitch as melody
from emer.tools.prosody import sentences, vocal_bursts
from emer.tools.prosody.baseline import LEAST, compare, frames, hertz, shifts
from emer.tools.prosody.contours import HOP, Contours, measure
from emer.tools.prosody.sentences import Said
from emer.tools.prosody.speech_rate import Timing, timing
from emer.tools.registry import register
from emer.tools.speech.vad import is_silent
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span

LEAST_VOICE = 0.2
"""Seconds of voiced speech below which nothing is said about a voice."""

LEAST_SNR, CLEAN_SNR = 6.0, 25.0
"""dB: below the first nothing is measured, from the second on nothing is lost."""

LEAST_VOICED = 0.25
"""Share of voiced frames under which "speech" is a whisper, noise or music."""

PACE_SNR = 15.0
"""dB below which music and noise fill the dips between syllables and the pauses."""

MOST_ACCENTS = 3


@register("egemaps", slot="prosody", rank=10)
class EGeMAPS:
    """Describes the voice against the same speaker's own, where the clip has enough of it."""

    modality: Modality = "audio"
    description = "Hears pitch, loudness, pace, pauses and voice quality, and how they change."

    def __init__(self) -> None:
        """Load nothing yet."""
        self._lock = threading.Lock()
        self._last: tuple[str, Contours] | None = None

    @property
    def source(self) -> Source:
        """Name and version of the descriptors."""
        params: dict[str, Param] = {"hop_s": HOP}
        return Source(tool="egemaps", version=_version(), model="eGeMAPSv02", params=params)

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Return clues about the voice; `Unobservable` without one that can be measured."""
        contours = self._contours(clip)
        heard = contours if span is None else contours.part(span.start, span.end)
        _require_voice(contours, heard)
        within = span or Span(start=0, end=clip.duration)
        said = describe(heard) + (changes(contours) if span is None else closer(contours, span))
        source = self.source
        return [_clue(source, each, heard, within) for each in said]

    def _contours(self, clip: Clip) -> Contours:
        """Return the clip's curves; those of the last clip are remembered."""
        with self._lock:
            if self._last is None or self._last[0] != clip.sha256:
                samples = clip.samples()
                if is_silent(samples):
                    raise Unobservable("the audio track is silent")
                self._last = (clip.sha256, measure(samples))
            return self._last[1]


def describe(contours: Contours) -> list[Said]:
    """Return what can be said of a stretch of speech without comparing it."""
    found = timing(contours)
    if not found.phrases:
        return []
    whole = Span(start=found.phrases[0].start, end=found.phrases[-1].end)
    spread, median = melody.pitch_range(contours), hertz(float(np.nanmedian(contours.pitch)))
    alpha, hammarberg = float(np.nanmean(contours.alpha)), float(np.nanmean(contours.hammarberg))
    return [
        *sentences.intonation(spread, median, whole, contours.voiced_seconds),
        *sentences.effort(alpha, hammarberg, whole),
        *(sentences.pace(found, whole) if contours.snr >= PACE_SNR else []),
        *_endings(contours, found),
        *sentences.sounds(
            vocal_bursts.tremor(contours),
            vocal_bursts.laughter(contours),
            vocal_bursts.sighs(contours),
        ),
    ]


def changes(contours: Contours) -> list[Said]:
    """Return how the voice changes in the course of the clip."""
    found = [
        said for s in shifts(contours, timing(contours).phrases) for said in sentences.changes(s)
    ]
    return [*found, *_accents(contours, found)]


def closer(contours: Contours, span: Span) -> list[Said]:
    """Return how the voice in the span differs from all the rest of the clip."""
    inside = frames(contours, span)
    outside = contours.voiced & ~inside
    if min(inside.sum(), outside.sum()) * HOP < LEAST:
        return []
    shift = compare(contours, span, outside, "the speaker's other speech in the clip", 0.8)
    return sentences.changes(shift)


def _accents(contours: Contours, found: Sequence[Said]) -> list[Said]:
    """Return the sharpest rises that are not told of already."""
    if contours.voiced_seconds < 1.0:
        return []

    def new(of: str, excursions: Sequence[melody.Excursion]) -> list[melody.Excursion]:
        told = [said.span for said in found if said.data.get("of") == of]
        return [e for e in excursions if not melody.inside_any(e.span, told)][:MOST_ACCENTS]

    pitch = new("pitch", melody.pitch_excursions(contours))
    level = new("level", melody.level_excursions(contours))
    return sentences.accents(pitch, level, hertz(float(np.nanmedian(contours.pitch))))


def _endings(contours: Contours, found: Timing) -> list[Said]:
    """Return the final contours of the utterances that 0.5 s of silence, or the end, follows."""
    last = found.phrases[-1]
    ends = [pause.start for pause in found.pauses if pause.length >= 0.5]
    final = [p for p in found.phrases if p is last or p.end in ends][-MOST_ACCENTS:]
    moved = [(melody.final_change(contours, phrase), phrase) for phrase in final]
    return [
        said for change, p in moved if change is not None for said in sentences.ending(change, p)
    ]


def _require_voice(clip: Contours, heard: Contours) -> None:
    """Raise `Unobservable` where there is no voice, or it cannot be told from the rest."""
    if not heard.speech.any():
        raise Unobservable("no voice is heard")
    if clip.snr < LEAST_SNR and heard.voiced.any():
        raise Unobservable(
            f"music or noise covers the voice (it rises only {clip.snr:.0f} dB above them)"
        )
    if heard.voiced_share < LEAST_VOICED:
        raise Unobservable("hardly any of the sound has a pitch: a whisper, music or noise")
    if heard.voiced_seconds < LEAST_VOICE:
        raise Unobservable(f"only {heard.voiced_seconds:.1f} s of voice is heard")


def _clue(source: Source, said: Said, contours: Contours, within: Span) -> Clue:
    """Return the clue; its quality falls with noise, with little voice and a poor baseline."""
    clean = float(np.clip((contours.snr - LEAST_SNR) / (CLEAN_SNR - LEAST_SNR), 0.1, 1.0))
    enough = float(np.clip(contours.voiced_seconds / 1.5, 0.3, 1.0))
    start, end = (
        min(max(round(t, 2), within.start), within.end) for t in (said.span.start, said.span.end)
    )
    return Clue(
        modality="audio",
        span=Span(start=start, end=max(start, end)),
        text=said.text,
        quality=Quality(
            score=round(clean * enough * said.trust, 3),
            factors={
                "snr_db": round(contours.snr, 1),
                "voiced_s": round(contours.voiced_seconds, 2),
                "voiced_share": round(contours.voiced_share, 3),
                "baseline": said.trust,
            },
        ),
        source=source,
        data=dict(said.data),
    )


def _version() -> str:
    try:
        return version("opensmile")
    except PackageNotFoundError as error:
        raise ToolMissing("egemaps", "its package", "pip install opensmile") from error
