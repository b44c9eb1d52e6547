"""Sound of a clip: the mix of its channels, messages on its level and length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 16_000
"""Samples per second."""
BLOCK: Final = 60 * RATE
"""Samples processed together, to bound the memory of long sound."""
STRETCH: Final = RATE // 100
"""Samples per 10 ms, in which level and clipping are measured."""
INVERTED: Final = 2.0
"""Power of the difference of two channels over that of their sum from which one is inverted.

Two voices of their own have as much of either; 3 dB more is a reversed phase (chosen by us).
"""
DIFFERENT: Final = 0.01
"""Power of the difference from which two channels are not the same sound: 20 dB down (ours)."""
QUIET_DB: Final = -40.0
"""Loudest 20 ms, in dB of full scale, of a quiet recording.

ITU-T P.56 speech is sent at -26 dB; its loudest moments are about 10 dB above that.
"""
SILENT_DB: Final = -75.0
"""Loudest 20 ms of a silent track: about 6 steps of 16 bit."""
CLIPPED: Final = 0.98
"""Amplitude that only a limiter or a full scale reaches for `RUN` samples on end."""
RUN: Final = 3
"""Samples in a row of a clipped peak; one may be a peak that just fits."""
CLIPPED_SHARE: Final = 0.01
"""Share of the stretches of 10 ms from which sound is called clipped (chosen by us)."""
APART: Final = 0.5
"""Seconds by which sound that begins late or ends early is mentioned (chosen by us)."""

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sound:
    """A clip's sound at 16 kHz, read-only; 1.0 is full scale.

    Args:
        mono: The mix, shape (n,).
        channels: What is mixed, shape (n, c); one where the channels are the same sound.
        inverted: The second channel was inverted, and is turned round in both.
        loudest: Level of the loudest 20 ms of a channel, dB of full scale; at least -120.
        clipped: Share of the stretches of 10 ms whose peaks are cut off at full scale.
    """

    mono: Samples
    channels: Samples
    inverted: bool
    loudest: float
    clipped: float

    @property
    def is_quiet(self) -> bool:
        """Whether it is recorded quietly, and not silent."""
        return SILENT_DB <= self.loudest < QUIET_DB

    @property
    def is_clipped(self) -> bool:
        """Whether so many peaks are cut off that level and timbre are not the voice's."""
        return self.clipped >= CLIPPED_SHARE


def mixed(channels: Samples) -> Sound:
    """Sound of one or two channels, shape (n, c), mixed so that they do not cancel.

    Channels of opposite phase are subtracted: summed they would be silent.
    """
    loudest, clipped = _extremes(channels)
    if channels.shape[1] == 1:
        return _sound(channels[:, 0], channels, False, loudest, clipped)
    middle = side = 0.0
    for block in _blocks(channels):
        left, right = block[:, 0].astype(np.float64), block[:, 1].astype(np.float64)
        middle += float(np.square(left + right).sum())
        side += float(np.square(left - right).sum())
    inverted = side > INVERTED * middle
    mono = np.zeros(len(channels), np.float32)
    for place, block in enumerate(_blocks(channels)):
        if block.any():  # else the pages of hours of silence would be written
            if inverted:
                np.negative(block[:, 1], out=block[:, 1])
            mono[place * BLOCK :][: len(block)] = block.mean(axis=1)
    rest, whole = sorted((middle, side))
    kept = channels if rest > DIFFERENT * whole else mono[:, None]
    return _sound(mono, kept, inverted, loudest, clipped)


def sound_notes(sound: Sound, start: float, duration: float, complete: bool) -> list[str]:
    """Messages for the user on the recording.

    Args:
        sound: The clip's sound.
        start: Its first moment in the clip, s.
        duration: Length of the clip, s.
        complete: It was decoded to its end.
    """
    end, notes = len(sound.mono) / RATE, []
    if sound.inverted:
        notes.append("the second sound channel is inverted: turned round, or both would cancel out")
    if sound.is_quiet:
        notes.append(f"the sound is recorded quietly ({sound.loudest:.0f} dB of full scale)")
    if sound.is_clipped:
        notes.append(f"the sound is clipped (peaks cut off in {sound.clipped:.0%} of it)")
    if start >= APART:
        notes.append(f"the sound begins at {start:.1f} s of {duration:.1f} s")
    if complete and duration - end >= APART:
        notes.append(f"the sound ends at {end:.1f} s of {duration:.1f} s")
    return notes


def _sound(
    mono: Samples, channels: Samples, inverted: bool, loudest: float, clipped: float
) -> Sound:
    for array in (mono, channels):
        array.flags.writeable = False
    return Sound(mono, channels, inverted, loudest, clipped)


def _blocks(channels: Samples) -> Iterator[Samples]:
    return (channels[k : k + BLOCK] for k in range(0, len(channels), BLOCK))


def _extremes(channels: Samples) -> tuple[float, float]:
    """Loudest 20 ms in dB, and the share of clipped stretches, of the loudest channel."""
    loudest, clipped, count = 0.0, 0, 0
    for block in _blocks(channels):
        whole = block[: len(block) // (2 * STRETCH) * 2 * STRETCH]
        count += len(whole) // STRETCH
        if not whole.any():
            continue
        power = np.square(whole).reshape(-1, 2 * STRETCH, whole.shape[1]).mean(axis=1)
        loudest = max(loudest, float(power.max(initial=0.0)))
        full = np.abs(whole) >= CLIPPED
        run = full[: 1 - RUN].copy()
        for step in range(1, RUN):
            run &= full[step : step + len(run)]
        ends = np.pad(run, ((0, RUN - 1), (0, 0))).any(axis=1)
        clipped += int(ends.reshape(-1, STRETCH).any(axis=1).sum())
    level = 10 * np.log10(max(loudest, 1e-12))
    return round(float(level), 1), round(clipped / max(count, 1), 4)
