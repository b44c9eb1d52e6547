"""Sounds that are no speech: music, knock-like sounds and others beside the voice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.runtime.native import importing
from emer.tools.speech.vad import RATE, Flags, Levels, Samples, join_runs, true_runs
from emer.tools.types import Span

SIZE, STEP = 2048, 320
"""Samples of a spectrum (7.8 Hz apart), and from one to the next (20 ms)."""
CHUNK = 3000
"""Spectra computed together: a minute."""
HELD = 15
"""Spectra through which a partial keeps its frequency to be steady: 0.3 s (chosen by us).

Notes last longer; the pitch of speech moves with every syllable.
"""
DRIFT_HZ, DRIFT = 1.5, 0.004
"""Most change of a steady partial's frequency: 1.5 Hz, or 7 cents where that is more (ours)."""
PARTIAL_DB, ABOVE_DB, AROUND = 35.0, 8.0, 21
"""Range below the strongest line in which partials count, and by how much they stand out of
the mean of so many lines around them (chosen by us)."""
LOWEST_HZ, HIGHEST_HZ = 100.0, 2000.0
"""Range of the partials: above, a note's drift is wider than the lines are apart."""
MUSIC = 0.4
"""Share of the energy in steady partials from which sound is music.

18 recordings of speech (EmoDB, RAVDESS, films, a call) have at most 0.01, a rap over music
0.23, a cartoon's music 0.50, plucked and held notes 0.95 to 1.
"""
RISE_DB, FALL_DB = 15.0, 10.0
RISE, FALL = 3, 15
"""A knock rises by 15 dB within 30 ms and has fallen by 10 dB 150 ms later (chosen by us)."""
KNOCKS, MOST_A_SECOND = 2, 6.0
"""Fewest knocks, and most in a second: more is clapping or noise (chosen by us)."""
KNOCKED = 0.6
"""Share of a sound's loud frames that are within knocks."""
NEAR = 20.0
"""dB below the clip's loud moments within which a sound counts; fainter is background (ours)."""
SHORTEST, LEAST = 0.3, 0.1
"""Seconds: least length of a sound, and of its loud moments (chosen by us)."""
PAUSE, BESIDE = 0.6, 0.3
"""Seconds of a pause within speech, and beside speech, that still belong to it."""
WORD = 0.1
"""Seconds of the shortest stretch of speech that parts two sounds (chosen by us)."""
APART = 0.8
"""Seconds of quiet between two sounds."""

Floats = NDArray[np.float64]
Kind = Literal["music", "knocks", "other"]


class OtherSound(NamedTuple):
    """A sound that is no speech, and the measurement that names it.

    `value` is the share of steady partials (music), the number of knocks, or the level in dB
    against the clip's loud moments.
    """

    span: Span
    kind: Kind
    value: float


def other_sounds(clean: Samples, level: Levels, speech: Flags) -> tuple[OtherSound, ...]:
    """The sounds outside of speech that are about as loud as a voice would be.

    Args:
        clean: Mono 16 kHz sound.
        level: Its level in dB per 10 ms, shape (n,).
        speech: The frames of speech, shape (n,).
    """
    if not level.size:
        return ()
    loud = level >= float(np.percentile(level, 99)) - NEAR
    spoken = np.zeros(level.shape, dtype=bool)
    for start, end in join_runs(true_runs(speech), round(PAUSE * 100)):
        if end - start >= WORD * 100:  # else it is a click of the detector
            spoken[max(0, start - round(BESIDE * 100)) : end + round(BESIDE * 100)] = True
    loud &= ~spoken
    runs = join_runs(true_runs(loud), round(APART * 100))
    parts = [p for run in runs for p in _outside(run, spoken) if _is_long(p, loud)]
    if not parts:
        return ()
    top, steady = float(np.percentile(level, 99)), steadiness(clean)
    return tuple(_named(part, loud, level, steady, top) for part in parts)


def _outside(run: tuple[int, int], spoken: Flags) -> Iterator[tuple[int, int]]:
    start, end = run
    for first, last in true_runs(~spoken[start:end]):
        yield start + first, start + last


def _is_long(part: tuple[int, int], loud: Flags) -> bool:
    start, end = part
    return end - start >= SHORTEST * 100 and loud[start:end].sum() >= LEAST * 100


def _named(
    part: tuple[int, int], loud: Flags, level: Levels, steady: Floats, top: float
) -> OtherSound:
    start, end = part
    span = Span(start=round(start / 100, 2), end=round(end / 100, 2))
    share = music_share(steady, loud, start, end)
    if share >= MUSIC:
        return OtherSound(span, "music", round(share, 2))
    begin = max(0, start - RISE)
    found = knocks(level[begin : end + FALL])
    near = np.zeros(level.shape, dtype=bool)
    for at in found:
        near[max(0, begin + at - RISE) : begin + at + FALL] = True
    count = KNOCKS <= len(found) <= MOST_A_SECOND * (end - start) / 100 + 1
    if count and near[start:end][loud[start:end]].mean() >= KNOCKED:
        return OtherSound(span, "knocks", float(len(found)))
    above = 10 * np.log10(np.mean(10 ** (level[start:end][loud[start:end]] / 10)))
    return OtherSound(span, "other", round(float(above) - top, 1))


def music_share(steady: Floats, frames: Flags, start: int, end: int) -> float:
    """Mean steadiness of the flagged 10 ms frames in [start, end); 0 without any."""
    inside = np.flatnonzero(frames[start:end]) + start
    # Spectrum k covers 128 ms from k * 20 ms: its middle lies 64 ms later.
    at = np.clip((inside - 6) // 2, 0, max(steady.size - 1, 0))
    return float(steady[at].mean()) if steady.size and at.size else 0.0


def music_frames(clean: Samples, frames: Flags) -> Flags:
    """Of the flagged 10 ms frames, those in stretches that are music."""
    music = np.zeros(frames.shape, dtype=bool)
    steady = steadiness(clean)
    for start, end in join_runs(true_runs(frames), round(APART * 100)):
        music[start:end] = music_share(steady, frames, start, end) >= MUSIC
    return music & frames


def knocks(level: Levels) -> list[int]:
    """Frames of the peaks that rise and die away as a knock does, in order."""
    found: list[int] = []
    for k in range(1, len(level) - 1):
        if not level[k - 1] < level[k] >= level[k + 1]:
            continue
        before = level[max(0, k - RISE) : k].min()
        after = level[k + 1 : k + 1 + FALL].min(initial=level[k])
        if level[k] - before >= RISE_DB and level[k] - after >= FALL_DB:
            found.append(k)
    return found


def steadiness(samples: Samples) -> Floats:
    """Share of energy in partials that keep their frequency, per 20 ms, shape (m,)."""
    count = (len(samples) - SIZE) // STEP + 1
    if count < HELD:
        return np.zeros(0)
    shares = []
    for first in range(0, count, CHUNK):
        begin, last = max(0, first - HELD), min(count, first + CHUNK + HELD)
        part = _steady(samples[begin * STEP : (last - 1) * STEP + SIZE])
        shares.append(part[first - begin :][: min(CHUNK, count - first)])
    return np.concatenate(shares)


def _steady(samples: Samples) -> Floats:
    """`steadiness` of at most a minute."""
    with importing():
        from scipy.ndimage import maximum_filter1d, minimum_filter1d
    lowest, highest = (round(hertz * SIZE / RATE) for hertz in (LOWEST_HZ, HIGHEST_HZ))
    frames = np.lib.stride_tricks.sliding_window_view(samples, SIZE)[::STEP]
    power = np.abs(np.fft.rfft(frames * np.hanning(SIZE).astype(np.float32)))[:, :highest] ** 2
    place, peak = _partials(10 * np.log10(power + 1e-9))
    hertz, lines = place * RATE / SIZE, np.arange(power.shape[1]) * RATE / SIZE
    limit = np.maximum(DRIFT_HZ, DRIFT * lines)
    high = maximum_filter1d(np.where(peak, hertz, np.inf), HELD, axis=0)
    low = minimum_filter1d(np.where(peak, hertz, -np.inf), HELD, axis=0)
    with np.errstate(invalid="ignore"):
        middle = high - low <= 2 * limit
    held = maximum_filter1d(middle, HELD, axis=0)  # from the middles to the whole stretches
    near = maximum_filter1d(held, 5, axis=1)  # the lines of a peak's lobe
    total = power[:, lowest:].sum(axis=1)
    share = np.where(near, power, 0.0).sum(axis=1) / np.maximum(total, 1e-9)
    return np.asarray(np.minimum(1.0, share), dtype=np.float64)


def _partials(level: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Place of the partial at or beside each line, and whether there is one."""
    with importing():
        from scipy.ndimage import uniform_filter1d
    before, at, after = level[:, :-2], level[:, 1:-1], level[:, 2:]
    bend = np.minimum(before - 2 * at + after, -1e-9)
    place = np.zeros(level.shape)
    place[:, 1:-1] = np.arange(1, level.shape[1] - 1) + np.clip(
        0.5 * (before - after) / bend, -0.5, 0.5
    )
    peak = np.zeros(level.shape, dtype=bool)
    peak[:, 1:-1] = (at >= before) & (at > after)
    peak &= level >= level.max(axis=1, keepdims=True) - PARTIAL_DB
    peak &= level >= uniform_filter1d(level, AROUND, axis=1) + ABOVE_DB
    peak[:, : round(LOWEST_HZ * SIZE / RATE)] = False
    found, where = peak.copy(), place.copy()
    for step in (-1, 1):  # a partial between two lines may change from one to the other
        beside = np.roll(peak, step, axis=1) & ~found
        where[beside] = np.roll(place, step, axis=1)[beside]
        found |= beside
    return where, found
