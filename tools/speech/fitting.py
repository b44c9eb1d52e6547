"""Windows of Whisper that fit the sound: a short clip need not be 30 s of mostly silence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from emer.tools.speech.activity import RATE
from emer.tools.speech.guards import judge
from emer.tools.speech.heard import Heard, Window
from emer.tools.speech.trust import Verdict

HOP = 160
"""Samples per frame of the spectrogram, which are 10 ms."""
FRAMES = 3000
"""Frames of the window that Whisper was trained on."""
SILENCE, STEP = 200, 100
"""Frames left silent after the sound where the window fits it, and what it is rounded up to
(chosen by us)."""

Hear = Callable[[Sequence[Window], int], list[Heard]]
"""What is heard in a batch of windows of so many frames."""


def hear_fitted(windows: Sequence[Window], hear: Hear) -> list[Heard]:
    """Return what is heard in windows that fit; what is not sure then is heard in whole ones."""
    heard = hear(windows, fitting(windows))
    unsure = [n for n, each in enumerate(heard) if not _is_sure(each, windows[n])]
    if unsure:
        again = hear([windows[n] for n in unsure], FRAMES)
        for place, each in zip(unsure, again, strict=True):
            heard[place] = each
    return heard


def fitting(windows: Sequence[Window]) -> int:
    """Return the frames of the longest sound and a little silence, at most those of a whole."""
    longest = max(len(window.sound) for window in windows)
    steps = -(-(longest // HOP + SILENCE) // STEP)
    return min(FRAMES, steps * STEP)


def _is_sure(heard: Heard, window: Window) -> bool:
    verdict = judge(heard, len(window.sound) / RATE)
    return verdict is Verdict.RELIABLE and not heard.unfinished
