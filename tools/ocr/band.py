"""Subtitles among the lines of text that stood in the picture, and their words.

Subtitles stand at one height, one after the other, centred; station logos and sponsors stand for
longer than words are spoken, and running text moves. The band of the lines with the most time is
that of the subtitles; lines that stand above or below one of them at the same time are its other
rows. Numbers are chosen by us.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from emer.tools.media.decoder import Rgb
from emer.tools.ocr.line_tracks import CENTRED, FPS, MARGIN, MOST_STAY, WIDE, Line
from emer.tools.ocr.networks import Letters, vote
from emer.tools.types import Span

SHORTEST, LONGEST = 0.4, 12.0
"""Seconds that a line of a subtitle stands; guides of broadcasters ask for 0.8 to 7."""
COUNTED: Final = 3.0
"""Seconds of a line at most by which its band is chosen: a line that never changes is none."""
SURE: Final = 0.97
"""Mean probability from which one read of a line is enough."""
READABLE: Final = 0.5
"""Mean probability of a line's letters from which it is reported."""
LEGIBLE: Final = 0.5
"""Probability from which a single letter is reported; others are an ellipsis."""
ALONE: Final = 0.9
"""Mean probability of a line of one letter."""
MARGINS: Final = (0.3, 0.1, 0.2, 0.45, 0.6)
"""Heights above and below a line with which its mean picture is read."""
UNREAD: Final = "…"
"""Stands for letters that could not be read."""
AGAIN: Final = 0.6
"""Seconds after which the same words are the same line that was lost for a moment."""
STACKED: Final = 2.2
"""Heights between the rows of one subtitle at most."""

_WORDS = re.compile(r"\w")


@dataclass(frozen=True)
class Written:
    """A line, and its letters; none where it was not read."""

    line: Line
    letters: Letters

    @cached_property
    def is_subtitle_like(self) -> bool:
        """Whether it stood and reads like a line of a subtitle."""
        words = len(_WORDS.findall(self.letters.text))
        least = ALONE if words == 1 else READABLE
        return words > 0 and self.letters.mean >= least


@dataclass(frozen=True, slots=True)
class Subtitle:
    """The letters of a subtitle, its time and its place."""

    span: Span
    letters: Letters
    middle: float
    """Height of its middle in the picture, from the top, as a share."""
    height: float


def read_line(line: Line, read: Callable[[Rgb], Letters]) -> Written:
    """A line with its letters; one that cannot be a subtitle is not read."""
    length = line.span.length + 1 / FPS
    if line.picture is None or not SHORTEST <= length <= LONGEST or line.width > WIDE:
        return Written(line, Letters("", ()))
    first = read(_trimmed(line.picture, MARGINS[0]))
    if first.mean >= SURE:
        return Written(line, first)
    others = [read(_trimmed(line.picture, margin)) for margin in MARGINS[1:]]
    return Written(line, vote([first, *others]))


def subtitles(written: Sequence[Written]) -> list[Subtitle]:
    """The subtitles among the lines of a clip, in order; none where no band has any."""
    likely = [each for each in written if each.is_subtitle_like]
    places = {(round(e.line.middle, 3), round(e.line.height, 3)): e for e in likely}
    bands = [_band(each, written) for each in places.values()]
    bands = [band for band in bands if not _is_running(band)]
    if not bands:
        return []
    best = max(bands, key=_weight)
    lines = [each for each in best if each.is_subtitle_like]
    if all(len(_WORDS.findall(each.letters.text)) == 1 for each in lines):
        return []
    chosen = {id(each) for each in lines}
    rows = [each for each in likely if id(each) not in chosen]
    found = [_subtitle(each, [row for row in rows if _is_row(row, each)]) for each in lines]
    return _joined(sorted(found, key=lambda each: (each.span.start, each.middle)))


def _band(of: Written, written: Iterable[Written]) -> list[Written]:
    """The lines at about the height, and of about the size, of one of them."""
    line = of.line
    return [
        each
        for each in written
        if abs(each.line.middle - line.middle) <= 0.4 * line.height
        and each.line.height <= 1.7 * line.height
        and line.height <= 1.7 * each.line.height
    ]


def _is_running(band: Sequence[Written]) -> bool:
    moving = sum(each.line.runs for each in band)
    return moving >= 3 and 2 * moving >= len(band)


def _weight(band: Sequence[Written]) -> float:
    """How much a band is one of subtitles: seconds, size, and how well it is centred."""
    lines = [(each.line, each.letters.mean) for each in band if each.is_subtitle_like]
    return sum(
        min(line.span.length, COUNTED) * sure * line.height * (1 - 0.5 * line.off / CENTRED)
        for line, sure in lines
        if line.span.length <= MOST_STAY or len(lines) == 1
    )


def _is_row(row: Written, of: Written) -> bool:
    """Whether a line is another row of the same subtitle."""
    one, other = row.line, of.line
    shared = min(one.span.end, other.span.end) - max(one.span.start, other.span.start)
    near = abs(one.middle - other.middle) <= STACKED * max(one.height, other.height)
    return near and shared >= 0.6 * max(one.span.length, other.span.length)


def _subtitle(written: Written, rows: Sequence[Written]) -> Subtitle:
    stacked = sorted([written, *rows], key=lambda each: each.line.middle)
    return Subtitle(
        span=written.line.span,
        letters=_in_a_row([each.letters for each in stacked]),
        middle=written.line.middle,
        height=written.line.height,
    )


def _in_a_row(rows: Sequence[Letters]) -> Letters:
    """The letters of several rows, with spaces between."""
    text = " ".join(row.text for row in rows)
    first, *others = (row.probabilities for row in rows)
    return Letters(text, first + tuple(p for row in others for p in (1.0, *row)))


def legible(letters: Letters) -> str:
    """The letters that are reported; each run of others is an ellipsis."""
    pairs = zip(letters.text, letters.probabilities, strict=True)
    told = "".join(letter if sure >= LEGIBLE else UNREAD for letter, sure in pairs)
    return " ".join(re.sub(f"{UNREAD}+", UNREAD, told).split())


def _joined(found: Iterable[Subtitle]) -> list[Subtitle]:
    """The subtitles; the same words again at once are one that was lost for a moment."""
    joined: list[Subtitle] = []
    for each in found:
        last = joined[-1] if joined else None
        if (
            last
            and last.letters.text == each.letters.text
            and each.span.start - last.span.end <= AGAIN
        ):
            span = Span(start=last.span.start, end=max(last.span.end, each.span.end))
            joined[-1] = replace(last, span=span)
        else:
            joined.append(each)
    return joined


def _trimmed(picture: Rgb, margin: float) -> Rgb:
    """A line's picture with less of the margin above and below."""
    off = round((MARGIN - margin) / (1 + 2 * MARGIN) * len(picture))
    return picture[off : len(picture) - off]
