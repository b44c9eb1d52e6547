"""Prosody in words: the wording and the thresholds of every clue about the voice.

Thresholds in semitones, dB and syllables per second follow the ranges that Juslin &
Laukka 2003, Scherer 2003 and 't Hart et al. 1990 report; none is fitted to our clips.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emer.tools.prosody.baseline import Shift
from emer.tools.prosody.pitch import Excursion
from emer.tools.prosody.speech_rate import LONG_PAUSE, Timing
from emer.tools.prosody.vocal_bursts import Burst
from emer.tools.types import Span

HIGH_HZ, LOW_HZ = 276.0, 85.0
"""Two and a half standard deviations above women's and below men's mean speaking pitch.

Traunmüller & Eriksson 1995: 207 Hz and 119 Hz, SD 2-2.5 semitones.
"""

RANGES = ((2.5, "flat"), (6.0, "moderately varied"), (9.0, "varied"))
"""Pitch range (80th less 20th percentile, in semitones) below which an intonation is so called.

In ordinary talk the standard deviation is 2-3 semitones, which makes 3.4-5 of range, in
lively talk about 4 (Traunmüller & Eriksson 1995). A range is no mood: angry, joyful and
surprised voices share a wide one (Juslin & Laukka 2003).
"""

TENSE_ALPHA, TENSE_HAMMARBERG = -7.0, 16.0
SOFT_ALPHA, SOFT_HAMMARBERG = -20.0, 30.0
"""Spectral balance of loud and of soft voices in dB (after Sundberg & Nordenberg 2006)."""

FAST, SLOW = 6.5, 3.3
"""Syllables per second without pauses.

Pellegrino et al. 2011 give 5.2 (Mandarin), 6.0 (German) and 6.2 (English) for reading;
conversation is slower. Somebody is fast when fast in any of them.
"""

FEWEST_SYLLABLES = 5
"""Below this many, a rate is an accident of the words."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence about the voice, its span, its numbers, and how far to trust the kind."""

    text: str
    span: Span
    trust: float
    data: Mapping[str, float | str] = field(default_factory=dict)


def intonation(spread: float, median_hz: float, span: Span, voiced: float) -> list[Said]:
    """Return the clip's intonation; and its pitch, where that is unusual for any voice."""
    name = next((word for limit, word in RANGES if spread < limit), "highly varied")
    text = (
        f"The intonation is {name} (pitch range {spread:.1f} semitones, "
        f"median {median_hz:.0f} Hz) at {when(span)}."
    )
    data = {"pitch_range_st": round(spread, 2), "pitch_median_hz": round(median_hz, 1)}
    # A range needs some speech: the fewer syllables, the smaller it comes out.
    said = [Said(text, span, min(1.0, voiced / 1.5), data)] if voiced >= 0.8 else []
    extreme = "high" if median_hz >= HIGH_HZ else "unusually deep" if median_hz <= LOW_HZ else None
    if extreme:
        said.append(
            Said(
                f"The pitch is {extreme} for a speaking voice (median {median_hz:.0f} Hz) at "
                f"{when(span)}, against typical values.",
                span,
                0.6,
                {"pitch_median_hz": round(median_hz, 1)},
            )
        )
    return said


def effort(alpha: float, hammarberg: float, span: Span) -> list[Said]:
    """Return how much effort the voice is used with, against typical values."""
    tense = alpha >= TENSE_ALPHA and hammarberg <= TENSE_HAMMARBERG
    soft = alpha <= SOFT_ALPHA and hammarberg >= SOFT_HAMMARBERG
    how = "tense and sharp" if tense else "soft and dull" if soft else None
    if how is None:
        return []
    text = (
        f"The voice sounds {how} (alpha ratio {alpha:.0f} dB, Hammarberg index "
        f"{hammarberg:.0f} dB) at {when(span)}, against typical values."
    )
    data = {"alpha_ratio_db": round(alpha, 1), "hammarberg_db": round(hammarberg, 1)}
    return [Said(text, span, 0.5, data)]


def pace(found: Timing, span: Span) -> list[Said]:
    """Return the rate of speech, the pauses, and each long pause."""
    said = []
    if found.syllables >= FEWEST_SYLLABLES and found.speaking >= 1.0:
        rate = found.rate
        how = "fast" if rate > FAST else "slowly" if rate < SLOW else "at a moderate rate"
        text = f"The person speaks {how} ({rate:.1f} syllables per second) at {when(span)}"
        data = {"syllables_per_s": round(rate, 2), "syllables": float(found.syllables)}
        said.append(Said(f"{text}{_pauses(found)}.", span, 0.7, data))
    for pause in [p for p in found.pauses if p.length >= LONG_PAUSE][:3]:
        text = f"The person makes a long pause of {pause.length:.1f} s at {when(pause)}."
        said.append(Said(text, pause, 0.9, {"pause_s": round(pause.length, 2)}))
    return said


def _pauses(found: Timing) -> str:
    count = len(found.pauses)
    if count:
        total = sum(pause.length for pause in found.pauses)
        often = "once" if count == 1 else f"{count} times"
        return f" and pauses {often} ({total:.1f} s in all)"
    # A short sentence has no room for a pause: its absence says nothing.
    return " with no pauses" if found.speaking >= 4.0 else ""


def changes(shift: Shift) -> list[Said]:
    """Return what differs between a stretch of speech and its baseline."""
    at, than = when(shift.span), f"against {shift.against}"
    said = []
    sharper, rougher = f"alpha ratio {shift.alpha:+.1f} dB", f"harmonics {shift.hnr:+.1f} dB"
    if pitch := _pitch_words(shift.pitch, shift.falling):
        said.append((f"The pitch {pitch} at {at} ({shift.pitch:+.1f} semitones {than}).", "pitch"))
    if level := _level_words(shift.level, shift.falling):
        said.append((f"The voice is {level} at {at} ({shift.level:+.1f} dB {than}).", "level"))
    if shift.alpha >= 4:
        said.append((f"The voice sounds tense and sharp at {at} ({sharper} {than}).", "alpha"))
    if shift.hnr <= -3:
        said.append((f"The voice sounds breathy or hoarse at {at} ({rougher} {than}).", "hnr"))
    data = {"pitch_st": shift.pitch, "level_db": shift.level, "alpha_db": shift.alpha}
    more = {"hnr_db": shift.hnr, "pitch_hz": shift.pitch_hz, "baseline_hz": shift.base_hz}
    return [Said(text, shift.span, shift.trust, {"of": of, **data, **more}) for text, of in said]


def _pitch_words(change: float, falling: float) -> str | None:
    if change >= 4:
        return "rises sharply"
    if change >= 2:
        return "is raised"
    return "falls" if change <= -2 - falling else None


def _level_words(change: float, falling: float) -> str | None:
    if change >= 3:
        return "much louder" if change >= 6 else "louder"
    if change <= -3 - falling:
        return "much softer" if change <= -6 - falling else "softer"
    return None


def accents(pitch: Sequence[Excursion], level: Sequence[Excursion], median_hz: float) -> list[Said]:
    """Return the sharpest rises and loudest bursts against the speaker's own middle."""
    own = f"against the speaker's own median of {median_hz:.0f} Hz"
    said = [
        Said(
            f"The pitch rises sharply at {when(e.span)} ({e.amount:+.1f} semitones {own}).",
            e.span,
            0.8,
            {"of": "pitch", "pitch_st": e.amount},
        )
        for e in pitch
    ]
    said += [
        Said(
            f"The voice is much louder at {when(e.span)} ({e.amount:+.1f} dB against the "
            "speaker's own mean level).",
            e.span,
            0.8,
            {"of": "level", "level_db": e.amount},
        )
        for e in level
    ]
    return said


def ending(change: float, phrase: Span) -> list[Said]:
    """Return the contour of an utterance's last 300 ms, where it moves."""
    if abs(change) < 2:
        return []
    how = "rising" if change > 0 else "falling"
    span = Span(start=max(phrase.start, phrase.end - 0.3), end=phrase.end)
    text = (
        f"The person speaks with {how} intonation at the end of the utterance, at {when(span)} "
        f"({change:+.1f} semitones in 0.3 s)."
    )
    return [Said(text, span, 0.7, {"final_change_st": change})]


def sounds(
    trembling: Sequence[Burst], laughing: Sequence[Burst], sighing: Sequence[Burst]
) -> list[Said]:
    """Return the trembling, the laughter-like bursts and the sigh-like breaths."""
    said = [
        Said(
            f"The voice trembles at {when(b.span)} ({b.value:.1f} swings of pitch per second).",
            b.span,
            0.6,
            {"tremor_hz": b.value},
        )
        for b in trembling
    ]
    said += [
        Said(
            f"Laughter-like bursts are heard at {when(b.span)} ({b.value:.0f} pulses).",
            b.span,
            0.5,
            {"pulses": b.value},
        )
        for b in laughing
    ]
    said += [
        Said(
            f"A sigh-like breath is heard at {when(b.span)} ({b.span.length:.1f} s long).",
            b.span,
            0.4,
            {"above_noise_db": b.value},
        )
        for b in sighing
    ]
    return said


def when(span: Span) -> str:
    """Return the span as "2.1-2.8 s"."""
    return f"{span.start:.1f}-{span.end:.1f} s"
