"""Measure the light of the picture: dark, bright, low in contrast, or neither."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from emer.tools.scene.records import Rgb

BAR: Final = 20
"""Grey level up to which rows and columns at the edge are black bars, not picture."""
VERY_DARK: Final = 32.0
DARK: Final = 50.0
BRIGHT: Final = 180.0
FLAT: Final = 60.0
"""Mean grey below DARK is somewhat dark, below VERY_DARK dark, above BRIGHT bright; a 5-95 %
range below FLAT is low contrast. Levels of 255 as stored (gamma-encoded); chosen by us."""

Greys = NDArray[np.float32]
Kind = Literal["almost black", "dark", "somewhat dark", "bright", "low in contrast", "normally lit"]


@dataclass(frozen=True, slots=True)
class Light:
    """Brightness of one picture inside its black bars, in grey levels of 255."""

    mean: float
    low: float
    """5th percentile."""
    high: float
    """95th percentile."""


def measure(thumbnail: Rgb) -> Light:
    """Return the light of a small RGB picture, shape (H, W, 3)."""
    grey = thumbnail.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    grey = _without_bars(grey)
    low, high = np.percentile(grey, (5, 95))
    return Light(float(grey.mean()), float(low), float(high))


def _without_bars(grey: Greys) -> Greys:
    """Return the part inside black bars, which lie on both sides alike."""
    for axis in (0, 1):
        lit = np.flatnonzero(grey.max(1 - axis) > BAR)
        if len(lit):
            bar = int(min(lit[0], grey.shape[axis] - 1 - lit[-1]))
            grey = np.take(grey, np.arange(bar, grey.shape[axis] - bar), axis=axis)
    return grey


def overall(lights: Sequence[Light]) -> Light:
    """Return the medians over several pictures (at least one)."""
    rows = np.array([(light.mean, light.low, light.high) for light in lights])
    mean, low, high = np.median(rows, axis=0)
    return Light(float(mean), float(low), float(high))


def kind(light: Light) -> Kind:
    """Name the light."""
    if light.high < BAR:
        return "almost black"
    if light.mean < DARK:
        return "dark" if light.mean < VERY_DARK else "somewhat dark"
    if light.mean > BRIGHT:
        return "bright"
    return "low in contrast" if light.high - light.low < FLAT else "normally lit"
