"""Mask of burnt-in subtitles: found by their strokes, and blanked out.

Speech reaches the reasoner by the speech tool; a captioner that reads it from the picture would
repeat it as something seen. Found are light letters in the lower part of the picture, about one
height, in a row around the middle, at the same place in several pictures. Not found are dark
letters on a light ground, text at the side or at the top, and fewer than six letters in a row; a
row of small light shapes of one brightness, as a fence, is taken for text. Numbers are chosen by
us; heights are shares of the picture's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.media.decoder import Rgb

LOWER: Final = 0.55
"""Share of the height below which text is searched."""
LIGHT, CONTRAST = 170, 70
"""Grey level of a stroke at least, and how far it rises above its surroundings."""
SMALLEST, LARGEST = 0.012, 0.10
"""Height of a letter."""
LEAST_LETTERS: Final = 6
"""Letters in a row at least."""
GAP: Final = 2.0
"""Most distance of neighbours in heights of a letter: more than between words."""
LEVEL_SPREAD: Final = 30.0
"""Grey levels by which half of a row's letters may differ in brightness."""
LEAST_WIDTH: Final = 0.10
"""Share of the width of a line of text at least."""
LEAST_SHARE: Final = 0.08
"""Share of the pictures with a line of text at the same place at least."""
MOST_LINES: Final = 4
LOWEST: Final = 0.25
"""Share of the height of `lower_quarter`."""
Letters = NDArray[np.float32]
"""Letters (N, 5): left, top, width, height in pixels, grey level."""


class Band(NamedTuple):
    """A part of the picture in pixels: rows top to bottom, columns left to right."""

    top: int
    bottom: int
    left: int
    right: int


def find_subtitles(pictures: Sequence[Rgb]) -> Band | None:
    """The part in which text is burnt into pictures of one clip, if any is."""
    lines = [line for line in map(subtitle_lines, pictures) if line is not None]
    needed = 1 if len(pictures) == 1 else max(2, round(LEAST_SHARE * len(pictures)))
    if not lines:
        return None
    central = max(lines, key=lambda line: sum(_share_rows(line, other) for other in lines))
    lines = [line for line in lines if _share_rows(central, line)]
    if len(lines) < needed:
        return None
    tops, bottoms, lefts, rights = zip(*lines, strict=True)
    height, width = pictures[0].shape[:2]
    room = max(4, round(0.02 * height))
    top, bottom = max(0, min(tops) - room), min(height, max(bottoms) + room)
    return Band(top, bottom, max(0, min(lefts) - 3 * room), min(width, max(rights) + 3 * room))


def lower_quarter(picture: Rgb) -> Band:
    """The lowest quarter of a picture."""
    height, width = picture.shape[:2]
    return Band(round(height * (1 - LOWEST)), height, 0, width)


def blanked(picture: Rgb, band: Band) -> Rgb:
    """The picture with the part filled from the rows above and below it alone."""
    filled = picture.copy()
    above = picture[max(0, band.top - 3) : band.top, band.left : band.right]
    below = picture[band.bottom : band.bottom + 3, band.left : band.right]
    first, last = (above if len(above) else below), (below if len(below) else above)
    share = np.linspace(0, 1, band.bottom - band.top)[:, None, None]
    mixed = (1 - share) * first.mean(axis=0) + share * last.mean(axis=0)
    filled[band.top : band.bottom, band.left : band.right] = mixed.round().astype(np.uint8)
    return filled


def subtitle_lines(picture: Rgb) -> Band | None:
    """The part with all lines of text in the lower part of one picture, if any."""
    letters = _letters(picture)
    lines: list[Letters] = []
    while len(letters) >= LEAST_LETTERS and len(lines) < MOST_LINES:
        row = _fullest_row(letters)
        if _is_line(letters[row], picture.shape[1]):
            lines.append(letters[row])
        letters = letters[~row]
    if not lines:
        return None
    letters = np.concatenate(lines)
    left, top = letters[:, :2].min(axis=0)
    right, bottom = (letters[:, :2] + letters[:, 2:4]).max(axis=0)
    return Band(int(top), int(bottom), int(left), int(right))


def _letters(picture: Rgb) -> Letters:
    import cv2

    height = picture.shape[0]
    top = round(height * LOWER)
    grey = cv2.cvtColor(np.ascontiguousarray(picture[top:]), cv2.COLOR_RGB2GRAY)
    reach = max(3, 2 * round(height / 50) + 1)  # wider than a stroke
    risen = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((reach, reach), np.uint8))
    strokes = ((risen >= CONTRAST) & (grey >= LIGHT)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(strokes)
    light = np.bincount(labels.ravel(), grey.ravel(), count) / np.maximum(stats[:, 4], 1)
    shapes = np.column_stack([stats[:, :4], light])[1:].astype(np.float32)
    high = (shapes[:, 3] >= max(5, SMALLEST * height)) & (shapes[:, 3] <= LARGEST * height)
    shapes = shapes[high & (shapes[:, 2] <= 3 * shapes[:, 3])]
    shapes[:, 1] += top
    return shapes


def _fullest_row(letters: Letters) -> NDArray[np.bool_]:
    middle, high = letters[:, 1] + letters[:, 3] / 2, letters[:, 3]
    level = np.abs(middle[:, None] - middle[None]) <= 0.5 * high[:, None]
    like = (high[None] <= 2 * high[:, None]) & (high[:, None] <= 2 * high[None])
    neighbours = level & like
    return np.asarray(neighbours[int(neighbours.sum(axis=1).argmax())])


def _is_line(row: Letters, width: int) -> bool:
    """Whether a row's longest run of letters without a large gap is a line of text."""
    row = row[np.argsort(row[:, 0], kind="stable")]
    gaps = row[1:, 0] - np.maximum.accumulate(row[:, 0] + row[:, 2])[:-1]
    breaks = np.flatnonzero(gaps > GAP * np.median(row[:, 3])) + 1
    line = max(np.split(row, breaks), key=len)
    if len(line) < LEAST_LETTERS:
        return False
    left, right = line[:, 0].min(), (line[:, 0] + line[:, 2]).max()
    low, high = np.percentile(line[:, 4], (25, 75))
    central = 0.25 <= (left + right) / 2 / width <= 0.75
    return bool(right - left >= LEAST_WIDTH * width and central and high - low <= LEVEL_SPREAD)


def _share_rows(one: Band, other: Band) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared >= 0.5 * min(one.bottom - one.top, other.bottom - other.top)
