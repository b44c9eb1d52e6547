"""The prosody tool, on openSMILE's eGeMAPS descriptors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.prosody import sentences
from emer.tools.prosody.arousal import arousal
from emer.tools.prosody.baseline import LEAST, REST, compare, hertz, shifts, voiced_in
from emer.tools.prosody.contours import HOP, Contours, measure
from emer.tools.prosody.pitch import (
    final_change,
    level_excursions,
    pitch_excursions,
    pitch_range,
)
from emer.tools.prosody.sentences import Sentence
from emer.tools.prosody.speech_rate import timing
from emer.tools.prosody.vocal_bursts import laughter, sighs, tremor
from emer.tools.registry import register
from emer.tools.runtime.memo import Memo
from emer.tools.speech.asr_tool import library_version
from emer.tools.speech.vad import audible_samples
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span

LEAST_VOICE = 0.2
"""Seconds of voiced speech below which a voice is not described."""
ENOUGH_VOICE = 1.0
"""Seconds of voiced speech from which its length reduces no quality (chosen by us)."""
LEAST_SNR, CLEAN_SNR = 6.0, 25.0
"""dB: nothing is measured below the first; quality is full from the second on."""
LEAST_VOICED = 0.25
"""Share of voiced frames under which "speech" is a whisper, noise or music."""
PACE_SNR = 15.0
"""dB below which music and noise fill the dips between syllables and the pauses."""
MOST_ACCENTS = 3
EDGE = 0.05
"""Seconds by which a sentence may reach out of a closer look (chosen by us)."""


@register("egemaps", slot="prosody", rank=10)
class EGeMAPS:
    """Describes a voice relative to the speaker's own baseline, where there is one."""

    modality: Modality = "audio"
    description = "Hears pitch, loudness, pace, pauses and voice quality, and how they change."

    def __init__(self) -> None:
        self._clips: Memo[Contours] = Memo(1)

    @property
    def source(self) -> Source:
        """Name and version of the descriptors."""
        params: dict[str, Param] = {"hop_s": HOP}
        installed = library_version("egemaps", "opensmile")
        return Source(tool="egemaps", version=installed, model="eGeMAPSv02", params=params)

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Clues about the voice; `Unobservable` without a voice that can be measured."""
        contours = self._clips.get(
            clip.sha256, lambda: measure(audible_samples(clip)), clip.is_complete
        )
        part = contours if span is None else contours.part(span.start, span.end)
        _require_voice(contours, part)
        within, found = span or Span(start=0, end=clip.duration), _describe(part)
        changed = _changes(contours) if span is None else _changes_in(contours, span)
        source = self.source
        # The level outside a span is known, and something that only begins in it is no part of it.
        inside = [each for each in [*found, *changed] if _lies_in(each.span, within)]
        return [_clue(source, each, part, span) for each in inside]


def _lies_in(span: Span, within: Span) -> bool:
    return within.start - EDGE <= span.start and span.end <= within.end + EDGE


def _describe(contours: Contours) -> list[Sentence]:
    """Sentences about a stretch of speech that need no comparison."""
    speech = timing(contours)
    if not speech.phrases:
        return []
    last = speech.phrases[-1]
    whole = Span(start=speech.phrases[0].start, end=last.end)
    median = hertz(float(np.nanmedian(contours.pitch)))
    voice = arousal(contours)
    # An utterance is over where 0.5 s of silence, or the end, follows.
    ends = [pause.start for pause in speech.pauses if pause.length >= 0.5]
    final = [phrase for phrase in speech.phrases if phrase is last or phrase.end in ends]
    endings = [
        sentence
        for phrase in final[-MOST_ACCENTS:]
        for sentence in sentences.ending(final_change(contours, phrase), phrase)
    ]
    return [
        *sentences.intonation(pitch_range(contours), median, whole, contours.voiced_seconds),
        *sentences.aroused(voice, whole),
        *sentences.effort(voice, whole),
        *(sentences.pace(speech, whole) if contours.snr >= PACE_SNR else []),
        *endings,
        *sentences.bursts(tremor(contours), laughter(contours), sighs(contours)),
    ]


def _changes(contours: Contours) -> list[Sentence]:
    """Changes in the course of the clip, then the sharpest rises and bursts elsewhere."""
    found = shifts(contours, timing(contours).phrases)
    changed = [sentence for shift in found for sentence in sentences.changes(shift)]
    if contours.voiced_seconds < 1.0:
        return changed
    rises, bursts = (
        [e for e in excursions if not _reported(e.span, of, changed)][:MOST_ACCENTS]
        for of, excursions in (
            ("pitch", pitch_excursions(contours)), ("level", level_excursions(contours)),
        )
    )  # fmt: skip
    median = hertz(float(np.nanmedian(contours.pitch)))
    return [*changed, *sentences.accents(rises, bursts, median)]


def _reported(span: Span, of: str, changed: Sequence[Sentence]) -> bool:
    middle = (span.start + span.end) / 2
    spans = [each.span for each in changed if each.data.get("of") == of]
    return any(other.start <= middle <= other.end for other in spans)


def _changes_in(contours: Contours, span: Span) -> list[Sentence]:
    """Differences between the voice in the span and the rest of the clip."""
    inside = voiced_in(contours, span)
    outside = contours.voiced & ~inside
    if min(inside.sum(), outside.sum()) * HOP < LEAST:
        return []
    return sentences.changes(compare(contours, span, outside, REST, 0.8))


def _require_voice(clip: Contours, part: Contours) -> None:
    """Raise `Unobservable` where there is no voice, or other sound covers it."""
    if not part.speech.any():
        raise Unobservable("no voice is heard")
    if clip.snr < LEAST_SNR and part.voiced.any():
        raise Unobservable(
            f"music or noise covers the voice (it rises only {clip.snr:.0f} dB above them)"
        )
    if part.voiced_share < LEAST_VOICED:
        raise Unobservable("hardly any of the sound has a pitch: a whisper, music or noise")
    if part.voiced_seconds < LEAST_VOICE:
        raise Unobservable(f"only {part.voiced_seconds:.1f} s of voice is heard")


def _clue(source: Source, sentence: Sentence, contours: Contours, look: Span | None) -> Clue:
    """Clue whose quality falls with noise, little voice and a poor baseline."""
    clean = float(np.clip((contours.snr - LEAST_SNR) / (CLEAN_SNR - LEAST_SNR), 0.1, 1.0))
    enough = float(np.clip(contours.voiced_seconds / ENOUGH_VOICE, 0.3, 1.0))
    return Clue(
        modality="audio",
        span=Span(start=round(sentence.span.start, 2), end=round(sentence.span.end, 2)),
        text=sentence.text,
        quality=Quality(
            score=round(clean * enough * sentence.reliability, 3),
            factors={
                "snr_db": round(contours.snr, 1),
                "voiced_s": round(contours.voiced_seconds, 2),
                "voiced_share": round(contours.voiced_share, 3),
                "baseline": sentence.reliability,
            },
        ),
        source=source,
        data=dict(sentence.data),
        cues=sentence.cues,
        look=look,
    )
