"""Look through a clip or a span for pictures that could be captioned; few are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from emer.tools.call import still_wanted
from emer.tools.caption.choice import Moment
from emer.tools.frames import Frame
from emer.tools.pictures import Rgb, fit, resize
from emer.tools.scene.cuts import Signature, cuts_between, describe

THUMBNAIL: Final = 64
FINE: Final = 320
"""Pixels of the longer side at which sharpness is measured."""
MOST_KEPT: Final = 48
"""Pictures held at once, about 1 MB each."""
OFTEN: Final = 8.0
"""Pictures per second that are looked at, at most."""
BLANK: Final = 4.0
"""Standard deviation of the grey levels below which a picture shows nothing (chosen by us)."""
CLEAR: Final = 100.0
"""Variance of the Laplacian from which a picture counts as sharp (chosen by us)."""
TINY: Final = 32
"""Pixels of the shorter side below which nothing can be told from a picture (chosen by us)."""

FaceHeight = Callable[[Rgb], float]
"""Returns the height of the largest face in heights of the picture, 0 where none is seen."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The pictures that could be captioned, with what is known of each, and the cuts."""

    pictures: tuple[Rgb, ...]
    moments: tuple[Moment, ...]
    cuts: tuple[float, ...]


def look_through(
    frames: Iterable[Frame], seconds: float, max_side: int, face_height: FaceHeight
) -> Seen:
    """Return evenly spread pictures of a stretch of so many seconds, blank ones left out."""
    rate = min(OFTEN, MOST_KEPT / max(seconds, 1e-3))
    times: list[float] = []
    signatures: list[Signature] = []
    pictures: list[Rgb] = []
    moments: list[Moment] = []
    following = 0.0
    for frame in frames:
        still_wanted()
        times.append(frame.time)
        signatures.append(describe(frame.rgb(THUMBNAIL)))
        if frame.time < following - 1e-6:
            continue
        following = max(following, frame.time) + 1 / rate
        picture = frame.rgb(max_side)
        if is_blank(picture):
            continue
        pictures.append(picture)
        layout = signatures[-1].layout
        moments.append(Moment(frame.time, sharpness(picture), face_height(picture), layout))
    cuts = cuts_between(signatures, times) if times else ()
    return Seen(tuple(pictures), tuple(moments), cuts)


def is_blank(picture: Rgb) -> bool:
    """Tell whether a picture is too small or too even to show anything."""
    return min(picture.shape[:2]) < TINY or float(_grey(picture).std()) < BLANK


def sharpness(picture: Rgb) -> float:
    """Return the variance of the Laplacian of the grey picture at 320 pixels."""
    import cv2

    return float(cv2.Laplacian(_grey(picture), cv2.CV_32F).var())


def clearness(sharp: float) -> float:
    """Return sharpness as a share of what counts as sharp, 0-1."""
    return float(np.clip(sharp / CLEAR, 0.0, 1.0))


def _grey(picture: Rgb) -> Rgb:
    import cv2

    small = resize(picture, fit(picture.shape[1], picture.shape[0], FINE))
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
