"""Voices of a clip: stretches of speech grouped by embedding or by channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.speakers.encoder import LENGTH, Floats, mel_frames
from emer.tools.speech.vad import Flags, Levels, Samples, join_runs, levels, true_runs
from emer.tools.types import Span

PAUSE: Final = 25
"""Frames of silence (0.25 s) that end a stretch: within it the voice may still change."""
SHORTEST: Final = 60
"""Frames of the shortest stretch that is compared: 0.6 s.

Of 0.5 s the equal error rate is 0.29 (RAVDESS) and 0.35 (EmoDB), of 1.6 s 0.19.
"""
NEAR: Final = 60
"""Frames around a change of voice in which it is put where the sound is quietest (ours)."""
HOP: Final = 40
"""Frames from one window to the next within a stretch: 0.4 s."""
MOST: Final = 1500
"""Windows that are compared; of longer speech they lie further apart."""
TWO: Final = 0.54
"""Mean similarity of two groups of windows up to which they are two voices.

Measured with utterances in acted emotions, three of one speaker and three of another against
six of one: see docs/tools.md and evals/LOG.md for the error rates.
"""
PERHAPS: Final = 0.70
"""Mean similarity up to which groups that take turns may be two voices (chosen by us).

Single speakers in speeches and interviews have 0.70 to 0.77, two on one telephone line 0.68.
"""
TURNS, LONG_TURN, LONG = 4, 100, 20
"""Least turns of at least a second, and windows, of voices that perhaps are two (chosen by us)."""
LEAST: Final = 100
"""Frames of speech of a voice: 1 s. Less is given to the voice that it is most like."""
ONE_SIDE_DB: Final = 10.0
"""Difference of two channels' levels at which a voice is in one of them (chosen by us)."""
ONE_SIDE: Final = 0.7
"""Share of the speech that is in either channel alone where each has its own voice."""

Embed = Callable[[Sequence[Floats]], Sequence[Floats]]


@dataclass(frozen=True, slots=True)
class Voice:
    """One of several voices.

    Args:
        number: From 1, in the order in which they are first heard.
        frames: The 10 ms frames in which it speaks, shape (n,).
        channel: The channel that it has for itself, else None.
    """

    number: int
    frames: Flags
    channel: int | None = None

    @property
    def turns(self) -> tuple[Span, ...]:
        """Stretches in which it speaks, pauses of half a second bridged."""
        runs = join_runs(true_runs(self.frames), 2 * PAUSE)
        return tuple(Span(start=a / 100, end=b / 100) for a, b in runs if b - a >= 10)


@dataclass(frozen=True, slots=True)
class Voices:
    """The voices that are distinguished; none where there is one, or it is unclear.

    `similarity` is the mean of the two that are most alike, None for voices of two channels.
    `certain` is False where two are only possible.
    """

    voices: tuple[Voice, ...] = ()
    certain: bool = True
    similarity: float | None = None


def voices_by_channel(channels: Samples, speech: Flags) -> Voices:
    """Voices of two channels, where each has one for itself most of the time.

    Args:
        channels: 16 kHz sound of shape (samples, c).
        speech: Frames of speech in the mix, shape (n,).
    """
    if channels.shape[1] != 2 or not speech.any():
        return Voices()
    left, right = (levels(channels[:, side]) for side in range(2))
    sides = [speech & (left - right >= ONE_SIDE_DB), speech & (right - left >= ONE_SIDE_DB)]
    alone = sum(int(side.sum()) for side in sides)
    if min(side.sum() for side in sides) < LEAST or alone < ONE_SIDE * speech.sum():
        return Voices()
    both = speech & ~sides[0] & ~sides[1]
    return Voices(_numbered([(side | both, channel) for channel, side in enumerate(sides)]))


def voices_by_embedding(samples: Samples, speech: Flags, embed: Embed) -> Voices:
    """Two voices in one channel, where the windows of speech form two groups.

    Args:
        samples: Mono 16 kHz sound.
        speech: Frames of speech, shape (n,).
        embed: Embeddings of windows of mel frames.
    """
    runs = [run for run in join_runs(true_runs(speech), PAUSE) if run[1] - run[0] >= SHORTEST]
    windows = _windows(runs)
    if len(windows) < 4:
        return Voices()
    mel = mel_frames(samples)
    vectors = np.stack(embed([_filled(mel[start:end]) for start, end in windows]))
    second = _halves(vectors)
    if second.all() or not second.any():
        return Voices()
    frames = _owners(windows, second, speech, levels(samples))
    if min(side.sum() for side in frames) < LEAST:
        return Voices()
    alike = float((vectors[second] @ vectors[~second].T).mean())
    voices = Voices(_numbered([(side, None) for side in frames]), similarity=round(alike, 3))
    if alike <= TWO:
        return voices
    turns = [t for v in voices.voices for t in v.turns if 100 * t.length >= LONG_TURN]
    if alike <= PERHAPS and len(turns) >= TURNS and len(windows) >= LONG:
        return Voices(voices.voices, False, voices.similarity)
    return Voices(similarity=voices.similarity)


def _numbered(sides: Sequence[tuple[Flags, int | None]]) -> tuple[Voice, ...]:
    first = sorted(sides, key=lambda side: int(np.argmax(side[0])))
    return tuple(Voice(n, frames, channel) for n, (frames, channel) in enumerate(first, 1))


def _windows(runs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Windows of 1.6 s, evenly spread over each stretch; a shorter stretch is one."""
    total = sum(end - start for start, end in runs)
    hop = max(HOP, total // MOST)
    found = []
    for start, end in runs:
        room = max(0, end - start - LENGTH)
        steps = -(-room // hop)
        places = [start + round(room * k / max(steps, 1)) for k in range(steps + 1)]
        found += [(place, min(place + LENGTH, end)) for place in places]
    return found


def _filled(window: Floats) -> Floats:
    """A window, repeated up to the length that the network was trained on."""
    return np.tile(window, (-(-LENGTH // max(len(window), 1)), 1))[:LENGTH]


def _halves(vectors: Floats) -> NDArray[np.bool_]:
    """Which of the vectors belong to the second of two groups of like direction.

    The main axis of their similarities parts them, then each goes to the nearer mean.
    """
    like = vectors @ vectors.T
    centred = like - like.mean(axis=0) - like.mean(axis=1)[:, None] + like.mean()
    second = np.linalg.eigh(centred)[1][:, -1] > 0
    for _ in range(20):
        if second.all() or not second.any():
            break
        means = np.stack([vectors[~second].mean(axis=0), vectors[second].mean(axis=0)])
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        nearer = vectors @ means[1] > vectors @ means[0]
        if (nearer == second).all():
            break
        second = nearer
    return np.asarray(second, dtype=bool)


def _owners(
    windows: Sequence[tuple[int, int]], second: NDArray[np.bool_], speech: Flags, level: Levels
) -> tuple[Flags, Flags]:
    """Frames of the first and of the second group: each frame is its nearest window's.

    The voice changes where it is quietest nearby: between two words.
    """
    middles = np.array([(start + end) / 2 for start, end in windows])
    frames = np.arange(speech.size)
    later = np.clip(np.searchsorted(middles, frames), 1, len(middles) - 1)
    earlier = frames - middles[later - 1] <= middles[later] - frames
    owner = second[np.where(earlier, later - 1, later)]
    smooth = np.convolve(level, np.ones(5) / 5, mode="same")
    for at in 1 + np.flatnonzero(np.diff(owner)):
        first, last = max(0, at - NEAR), min(speech.size, at + NEAR)
        change = first + int(np.argmin(smooth[first:last]))
        owner[min(at, change) : max(at, change)] = owner[at if change < at else at - 1]
    return speech & ~owner, speech & owner
