"""Clue sentences of prosody, and the thresholds of their words.

Thresholds in semitones, dB and syllables per second follow the ranges that Juslin &
Laukka 2003, Scherer 2003 and 't Hart et al. 1990 report; none is fitted to our clips.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from emer.tools.cues import AMOUNTS, stated
from emer.tools.prosody.arousal import OPEN, Arousal
from emer.tools.prosody.baseline import Shift
from emer.tools.prosody.pitch import Excursion
from emer.tools.prosody.speech_rate import LONG_PAUSE, Timing
from emer.tools.prosody.vocal_bursts import Burst
from emer.tools.text import when
from emer.tools.types import CueMention, Span

HIGH_HZ, LOW_HZ = 276.0, 85.0
"""2.5 standard deviations above women's and below men's mean speaking pitch.

Traunmüller & Eriksson 1995: 207 Hz and 119 Hz, SD 2-2.5 semitones.
"""
RANGES = ((3.4, "flat"), (6.0, "moderately varied"), (9.0, "varied"))
"""Upper limits of the pitch range (80th less 20th percentile, in semitones).

In ordinary talk the standard deviation is 2-3 semitones, which makes 3.4-5 of range, in
lively talk about 4 (Traunmüller & Eriksson 1995). A range is no mood: angry, joyful and
surprised voices share a wide one (Juslin & Laukka 2003).
"""
EFFORT, CLEAR = 0.6, 1.0
"""Places on the scale from an ordinary voice, 0, to a soft or loud one, 1 (by us).

From the first on a voice is called tense or soft, from the second on with more reliability,
and its arousal high or low without "slightly".
"""
FAST, SLOW = 6.5, 3.3
"""Syllables per second without pauses.

Pellegrino et al. 2011 give 5.2 (Mandarin), 6.0 (German) and 6.2 (English) for reading;
conversation is slower. The limit of fast speech is fast in each of these languages.
"""
FEWEST_SYLLABLES = 5
"""Fewer syllables give no meaningful rate."""
INTONATION = {
    "flat": "flat",
    "moderately varied": "intonation_moderate",
    "varied": "varied",
    "highly varied": "varied",
}
PITCH = {"high": stated(["pitch_up"]), "unusually deep": stated(["pitch_down"], 1.2)}
PACE = {"fast": "fast", "slowly": "slow", "at a moderate rate": "rate_moderate"}
CHANGES = {
    "The pitch rises sharply": stated(["pitch_jump", "pitch_up"], 1.2),
    "The pitch is raised": stated(["pitch_up"]),
    "The pitch falls": stated(["pitch_down"]),
    "The voice is much louder": stated(["loud"], AMOUNTS["much"]),
    "The voice is louder": stated(["loud"]),
    "The voice is much softer": stated(["soft"], AMOUNTS["much"]),
    "The voice is softer": stated(["soft"]),
    "The voice sounds tense and sharp": stated(["tense_sharp"]),
    "The voice sounds breathy or hoarse": stated(["breathy"]),
}
"""Cues by the words of a sentence."""


class Sentence(NamedTuple):
    """A sentence about the voice, its span and its measurements.

    `reliability` from 0 to 1 is that of the kind of measurement (chosen by us).
    """

    text: str
    span: Span
    reliability: float
    data: Mapping[str, float | str]
    cues: tuple[CueMention, ...]


def intonation(pitch_range: float, median_hz: float, span: Span, voiced: float) -> list[Sentence]:
    """Intonation, and the pitch where it is unusual for any voice."""
    at = _when(span)
    name = next((word for limit, word in RANGES if pitch_range < limit), "highly varied")
    text = (
        f"The intonation is {name} (pitch range {pitch_range:.1f} semitones, "
        f"median {median_hz:.0f} Hz) at {at}."
    )
    data = {"pitch_range_st": round(pitch_range, 2), "pitch_median_hz": round(median_hz, 1)}
    # A range needs some speech: the fewer syllables, the smaller it comes out.
    cues = stated([INTONATION[name]])
    sentences = [Sentence(text, span, min(1.0, voiced / 1.5), data, cues)] if voiced >= 0.8 else []
    extreme = "high" if median_hz >= HIGH_HZ else "unusually deep" if median_hz <= LOW_HZ else None
    if extreme:
        text = (
            f"The pitch is {extreme} for a speaking voice (median {median_hz:.0f} Hz) at "
            f"{at}, against typical values."
        )
        data, cues = {"pitch_median_hz": round(median_hz, 1)}, PITCH[extreme]
        sentences.append(Sentence(text, span, 0.6, data, cues))
    return sentences


def effort(voice: Arousal, span: Span) -> list[Sentence]:
    """Spectral balance against soft and loud voices, where it is near one of them."""
    if abs(voice.balance) < EFFORT:
        return []
    how, cue = (
        ("tense and sharp", "tense_sharp") if voice.balance > 0 else ("soft and dull", "dull")
    )
    text = (
        f"The voice sounds {how} (alpha ratio {voice.alpha:.0f} dB, Hammarberg index "
        f"{voice.hammarberg:.0f} dB) at {_when(span)}, against typical values."
    )
    data = {"alpha_ratio_db": round(voice.alpha, 1), "hammarberg_db": round(voice.hammarberg, 1)}
    reliability = 0.6 if abs(voice.balance) >= CLEAR else 0.4
    return [Sentence(text, span, reliability, data, stated([cue]))]


def aroused(voice: Arousal, span: Span) -> list[Sentence]:
    """Arousal of the voice by spectrum and pitch, where it tells a direction."""
    if abs(voice.score) < OPEN:
        return []
    how = "high" if voice.score > 0 else "low"
    degree = "" if abs(voice.score) >= CLEAR else "slightly "
    text = (
        f"The voice is {degree}{how} in arousal (index {voice.score:+.1f} of alpha ratio "
        f"{voice.alpha:.0f} dB, Hammarberg index {voice.hammarberg:.0f} dB and a median of "
        f"{voice.pitch_hz:.0f} Hz) at {_when(span)}, against typical values."
    )
    data = {"arousal_index": round(voice.score, 2), "pitch_median_hz": round(voice.pitch_hz, 1)}
    cues = stated([f"voice_{how}_arousal"], AMOUNTS["slightly"] if degree else 1.0)
    return [Sentence(text, span, 0.8, data, cues)]


def pace(timing: Timing, span: Span) -> list[Sentence]:
    """Rate of speech with its pauses, and each long pause."""
    sentences = []
    if timing.syllables >= FEWEST_SYLLABLES and timing.speaking >= 1.0:
        rate = timing.rate
        how = "fast" if rate > FAST else "slowly" if rate < SLOW else "at a moderate rate"
        text = f"The person speaks {how} ({rate:.1f} syllables per second) at {_when(span)}"
        data = {"syllables_per_s": round(rate, 2), "syllables": float(timing.syllables)}
        pauses, pause_cues = _pauses(timing)
        cues = stated([PACE[how], *pause_cues])
        sentences.append(Sentence(f"{text}{pauses}.", span, 0.7, data, cues))
    for pause in [p for p in timing.pauses if p.length >= LONG_PAUSE][:3]:
        text = f"The person makes a long pause of {pause.length:.1f} s at {_when(pause)}."
        data, cues = {"pause_s": round(pause.length, 2)}, stated(["long_pause", "pauses"])
        sentences.append(Sentence(text, pause, 0.9, data, cues))
    return sentences


def _pauses(timing: Timing) -> tuple[str, list[str]]:
    count = len(timing.pauses)
    if count:
        total = sum(pause.length for pause in timing.pauses)
        often = "once" if count == 1 else f"{count} times"
        return f" and pauses {often} ({total:.1f} s in all)", ["pauses"]
    # A short sentence has no room for a pause: its absence says nothing.
    return (" with no pauses", ["no_pauses"]) if timing.speaking >= 4.0 else ("", [])


def changes(shift: Shift) -> list[Sentence]:
    """Differences between a stretch of speech and its baseline."""
    at, than = _when(shift.span), f"against {shift.against}"
    texts: list[tuple[str, str, str]] = []
    if pitch := _pitch_words(shift.pitch, shift.declination):
        texts.append(("pitch", f"The pitch {pitch}", f"{shift.pitch:+.1f} semitones"))
    if level := _level_words(shift.level, shift.declination):
        texts.append(("level", f"The voice is {level}", f"{shift.level:+.1f} dB"))
    if shift.alpha >= 4:
        sharper = f"alpha ratio {shift.alpha:+.1f} dB"
        texts.append(("alpha", "The voice sounds tense and sharp", sharper))
    if shift.hnr <= -3:
        rougher = f"harmonics {shift.hnr:+.1f} dB"
        texts.append(("hnr", "The voice sounds breathy or hoarse", rougher))
    data = {
        "pitch_st": shift.pitch,
        "level_db": shift.level,
        "alpha_db": shift.alpha,
        "hnr_db": shift.hnr,
        "pitch_hz": shift.pitch_hz,
        "baseline_hz": shift.base_hz,
    }
    return [
        Sentence(
            text=f"{text} at {at} ({amount} {than}).",
            span=shift.span,
            reliability=shift.reliability,
            data={"of": of, **data},
            cues=CHANGES[text],
        )
        for of, text, amount in texts
    ]


def _pitch_words(change: float, declination: float) -> str | None:
    if change >= 4:
        return "rises sharply"
    if change >= 2:
        return "is raised"
    return "falls" if change <= -2 - declination else None


def _level_words(change: float, declination: float) -> str | None:
    if change >= 3:
        return "much louder" if change >= 6 else "louder"
    if change <= -3 - declination:
        return "much softer" if change <= -6 - declination else "softer"
    return None


def accents(
    pitch: Sequence[Excursion], level: Sequence[Excursion], median_hz: float
) -> list[Sentence]:
    """Sharpest rises and loudest bursts against the speaker's own median and mean."""
    median = f"against the speaker's own median of {median_hz:.0f} Hz"
    found: list[Sentence] = []
    data: dict[str, float | str]
    for e in pitch:
        text = f"The pitch rises sharply at {_when(e.span)} ({e.amount:+.1f} semitones {median})."
        data, cues = {"of": "pitch", "pitch_st": e.amount}, CHANGES["The pitch rises sharply"]
        found.append(Sentence(text, e.span, 0.8, data, cues))
    for e in level:
        against = f"{e.amount:+.1f} dB against the speaker's own mean level"
        text = f"The voice is much louder at {_when(e.span)} ({against})."
        data, cues = {"of": "level", "level_db": e.amount}, CHANGES["The voice is much louder"]
        found.append(Sentence(text, e.span, 0.8, data, cues))
    return found


def ending(change: float | None, phrase: Span) -> list[Sentence]:
    """Contour of an utterance's last 300 ms, where it moves by 2 semitones."""
    if change is None or abs(change) < 2:
        return []
    how = "rising" if change > 0 else "falling"
    span = Span(start=max(phrase.start, phrase.end - 0.3), end=phrase.end)
    text = (
        f"The person speaks with {how} intonation at the end of the utterance, at {_when(span)} "
        f"({change:+.1f} semitones in 0.3 s)."
    )
    return [Sentence(text, span, 0.7, {"final_change_st": change}, stated([f"{how}_end"]))]


def bursts(
    tremors: Sequence[Burst], laughs: Sequence[Burst], sighs: Sequence[Burst]
) -> list[Sentence]:
    """Vocal tremor, laughter-like bursts and sigh-like breaths."""
    found = []
    for span, rate in tremors:
        text = f"The voice trembles at {_when(span)} ({rate:.1f} swings of pitch per second)."
        found.append(Sentence(text, span, 0.6, {"tremor_hz": rate}, stated(["trembles"])))
    for span, pulses in laughs:
        text = f"Laughter-like bursts are heard at {_when(span)} ({pulses:.0f} pulses)."
        found.append(Sentence(text, span, 0.5, {"pulses": pulses}, stated(["laughter"])))
    for span, level in sighs:
        text = f"A sigh-like breath is heard at {_when(span)} ({span.length:.1f} s long)."
        found.append(Sentence(text, span, 0.4, {"above_noise_db": level}, stated(["sigh"])))
    return found


def _when(span: Span) -> str:
    return when(span.start, span.end)
