"""The prosody tool, on openSMILE's eGeMAPS descriptors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import numpy as np
from pydantic import JsonValue

from emer.tools.errors import ConfigError, ToolMissing, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.prosody import sentences
from emer.tools.prosody.arousal import arousal
from emer.tools.prosody.baseline import LEAST, REST, compare, hertz, shifts, voiced_in
from emer.tools.prosody.contours import HOP, Contours
from emer.tools.prosody.pitch import (
    final_change,
    level_excursions,
    pitch_excursions,
    pitch_range,
)
from emer.tools.prosody.sentences import Sentence
from emer.tools.prosody.soundtrack import (
    OneVoice,
    Recording,
    record,
    recording_sentences,
    sound_sentences,
    voice_sentence,
)
from emer.tools.prosody.speech_rate import timing
from emer.tools.prosody.vocal_bursts import sighs, tremor
from emer.tools.registry import register
from emer.tools.runtime.cancellation import note
from emer.tools.runtime.memo import Memo
from emer.tools.speakers.encoder import find_weights
from emer.tools.speech.asr_tool import library_version
from emer.tools.speech.vad import SILERO, WEBRTC, best_detector
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span
from emer.tools.weights.locate import Need

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
LONG_TALK = 10.0
"""Seconds of speech from which a note says that voices cannot be distinguished (ours)."""
CLIPPED: Final = 0.5
"""Factor on the quality of what is measured of a clipped voice (chosen by us)."""
PERHAPS: Final = 0.5
"""Factor on the quality where two voices are only possible (chosen by us)."""
AUTO: Final = "auto"
PITCH_ONLY: Final = frozenset({"pitch_range_st", "pitch_median_hz", "final_change_st"})
"""Measurements that clipping leaves as they are: it keeps the period of a voice."""
EDGE = 0.05
"""Seconds by which a sentence may reach out of a closer look (chosen by us)."""


@register("egemaps", slot="prosody", rank=10)
class EGeMAPS:
    """Describes each voice relative to its baseline, and sounds that are no speech."""

    modality: Modality = "audio"
    description = (
        "Hears pitch, loudness, pace, pauses and voice quality, how they change, whether several "
        "voices speak, and sounds that are no speech."
    )

    def __init__(self, detector: str = AUTO) -> None:
        """Hear speech where this detector does: "silero", "webrtc" or "auto"."""
        if detector not in (AUTO, SILERO, WEBRTC):
            raise ConfigError(f"egemaps: no detector {detector!r}; known: auto, silero, webrtc")
        self._detector = best_detector() if detector == AUTO else detector
        self._clips: Memo[Recording] = Memo(1)

    @property
    def source(self) -> Source:
        """Name and version of the descriptors, the detector and the voice encoder."""
        encoder = _encoder()
        params: dict[str, Param] = {"hop_s": HOP, "detector": self._detector}
        if encoder is not None:
            params["voices"] = encoder.fingerprint
        installed = library_version("egemaps", "opensmile")
        return Source(tool="egemaps", version=installed, model="eGeMAPSv02", params=params)

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Clues about the voices and the other sounds; `Unobservable` without either."""
        source, encoder = self.source, _encoder()
        key = f"{clip.sha256} {encoder and encoder.fingerprint}"
        made = partial(record, clip, self._detector, encoder)
        recording = self._clips.get(key, made, clip.is_complete)
        within = span or Span(start=0, end=clip.duration)
        beside = [*sound_sentences(recording.others), *sentences.bursts((), recording.laughs, ())]
        clues = [
            _sound_clue(source, s, recording, span) for s in beside if _lies_in(s.span, within)
        ]
        missing: list[Unobservable] = []
        for voice in recording.voices:
            try:
                clues += _voice_clues(source, voice, recording, within, span)
            except Unobservable as error:
                missing.append(error)
        if not clues:
            raise missing[0]
        if span is None:
            told = recording_sentences(recording, clip.duration)
            clues += [_sound_clue(source, each, recording, span) for each in told]
        _note_untold(recording, encoder)
        return clues


def _encoder() -> Need | None:
    """Weights that tell voices apart, None where they or torch are absent."""
    try:
        return find_weights()
    except ToolMissing:
        return None


def _note_untold(recording: Recording, encoder: Need | None) -> None:
    speech = sum(turn.length for voice in recording.voices for turn in voice.turns)
    if encoder is None and len(recording.voices) == 1 and speech >= LONG_TALK:
        note("one voice or several: not told, the weights of a voice encoder are missing")


def _voice_clues(
    source: Source, voice: OneVoice, recording: Recording, within: Span, look: Span | None
) -> Iterator[Clue]:
    """Clues about one voice; `Unobservable` where too little of it can be measured."""
    contours, clipped = voice.contours, recording.sound.is_clipped
    part = contours if look is None else contours.part(look.start, look.end)
    _require_voice(contours, part, clipped)
    changed = _changes(contours) if look is None else _changes_in(contours, look)
    # Of voices that only may be two, a difference between turns is no change of a voice.
    found = [*_describe(part), *(changed if recording.certain else [])]
    if clipped:  # level and timbre are not the voice's own
        found = [s for s in found if s.data.keys() & PITCH_ONLY or s.data.get("of") == "pitch"]
    if look is None and voice.turns:
        yield _clue(source, voice_sentence(voice), voice, part, recording, look, turns=True)
    # The level outside a span is known, and something that only begins in it is no part of it.
    for each in found:
        if _lies_in(each.span, within):
            yield _clue(source, each, voice, part, recording, look)


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
        *sentences.bursts(tremor(contours), (), sighs(contours)),
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


def _require_voice(clip: Contours, part: Contours, clipped: bool) -> None:
    """Raise `Unobservable` where there is no voice, or other sound covers it."""
    if not part.speech.any():
        raise Unobservable("no voice is heard")
    if clip.snr < LEAST_SNR and part.voiced.any() and not clipped:
        raise Unobservable(
            f"music or noise covers the voice (it rises only {clip.snr:.0f} dB above them)"
        )
    if part.voiced_share < LEAST_VOICED:
        raise Unobservable(
            "the sound is clipped: its voice cannot be measured"
            if clipped
            else "hardly any of the sound has a pitch: a whisper, music or noise"
        )
    if part.voiced_seconds < LEAST_VOICE:
        raise Unobservable(f"only {part.voiced_seconds:.1f} s of voice is heard")


def _clue(
    source: Source,
    sentence: Sentence,
    voice: OneVoice,
    contours: Contours,
    recording: Recording,
    look: Span | None,
    turns: bool = False,
) -> Clue:
    """Clue whose quality falls with noise, clipping, little voice and a poor baseline.

    Args:
        source: The tool.
        sentence: What is said.
        voice: Whose it is.
        contours: The curves that it was measured on.
        recording: The clip's.
        look: The span of a closer look.
        turns: Whether the turns of the voice are among its data.
    """
    clean = float(np.clip((contours.snr - LEAST_SNR) / (CLEAN_SNR - LEAST_SNR), 0.1, 1.0))
    clean = CLIPPED if recording.sound.is_clipped else clean
    enough = float(np.clip(contours.voiced_seconds / ENOUGH_VOICE, 0.3, 1.0))
    sure = 1.0 if recording.certain else PERHAPS
    factors = {
        "snr_db": round(contours.snr, 1),
        "voiced_s": round(contours.voiced_seconds, 2),
        "voiced_share": round(contours.voiced_share, 3),
        "baseline": sentence.reliability,
        **_recorded(recording),
    }
    data: dict[str, JsonValue] = {**sentence.data}
    if turns:
        data["turns"] = [[round(t.start, 2), round(t.end, 2)] for t in voice.turns]
    return Clue(
        modality="audio",
        span=_rounded(sentence.span),
        person=voice.name,
        text=voice.named(sentence.text),
        quality=Quality(
            score=round(clean * enough * sure * sentence.reliability, 3), factors=factors
        ),
        source=source,
        data=data,
        cues=sentence.cues,
        certainty="stated" if recording.certain or not turns else "doubtful",
        look=look,
    )


def _sound_clue(
    source: Source, sentence: Sentence, recording: Recording, look: Span | None
) -> Clue:
    """Clue about the recording, or about a sound that is no speech."""
    return Clue(
        modality="audio",
        span=_rounded(sentence.span),
        text=sentence.text,
        quality=Quality(score=sentence.reliability, factors=_recorded(recording)),
        source=source,
        data=dict(sentence.data),
        cues=sentence.cues,
        look=look,
    )


def _recorded(recording: Recording) -> dict[str, float]:
    """What of the recording limits every measurement."""
    factors = {"loudest_db": recording.sound.loudest}
    if recording.sound.clipped:
        factors["clipped_share"] = recording.sound.clipped
    if recording.similarity is not None:
        factors["voice_similarity"] = recording.similarity
    return factors


def _rounded(span: Span) -> Span:
    return Span(start=round(span.start, 2), end=round(span.end, 2))
