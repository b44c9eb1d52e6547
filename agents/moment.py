"""Moments that a question names: a time, a stretch, the beginning, the middle, the end."""

from __future__ import annotations

import re
from dataclasses import dataclass

from emer.tools.types import Span

NEAR = 0.5
"""Seconds around a named moment (chosen by us)."""
MIDDLE = "the middle"
AFTER = 1.5
"""Seconds that "what happens next?" looks at behind a moment (chosen by us)."""

_S = r"\s*(?:s\b|secs?\b|seconds?\b|秒)"
_TIME = r"(\d+(?:\.\d+)?)"
_STRETCH = re.compile(rf"{_TIME}(?:{_S})?\s*(?:-|\u2013|to|and|until|到|至)\s*{_TIME}{_S}")
_POINT = re.compile(rf"{_TIME}{_S}|\b(?:second|sec) {_TIME}\b|第\s*{_TIME}\s*秒")
_CLOCK = re.compile(r"\b(\d{1,2}):([0-5]\d)(?:\.(\d+))?\b")
_PARTS = (
    (
        "the beginning",
        (0.0, 0.25),
        r"\b(?:at|in|from) the (?:very )?(?:start|beginning|outset)\b|\binitially\b|\bat first\b"
        r"|开头|开始时|开始的时候|一开始|起初",
    ),
    (
        "the end",
        (0.75, 1.0),
        r"\b(?:at|in|by|towards?) the (?:very )?end\b|\bfinally\b"
        r"|\bin the last (?:few )?(?:seconds|moments)\b|结尾|最后|结束时",
    ),
    ("the first half", (0.0, 0.5), r"\bfirst half\b|前半"),
    ("the second half", (0.5, 1.0), r"\b(?:second|last|latter) half\b|后半"),
    (
        MIDDLE,
        (0.375, 0.625),
        r"\b(?:in|at|around) the (?:middle|centre|center)\b|\bhalfway\b"
        r"|中段|中途|(?:视频|片段)中间",
    ),
)
"""Parts of a clip: their names, their shares of its length (chosen by us), their words."""
_NEXT = re.compile(
    r"\b(?:next(?! to)|afterwards?|after (?:that|this)|(?:and|what) then)\b|^(?:and )?then\b"
    r"|之后|接着|然后"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of the clip, and how it is called; beyond its end it has no span."""

    span: Span | None
    words: str


def moment_in(plain: str, duration: float) -> Moment | None:
    """Return the moment that a question (in lower case) names, None if it names none."""
    times = _times(plain)
    if times is not None:
        start, end, said = times
        if start > duration:
            return Moment(None, said)
        return Moment(Span(start=max(0.0, start - NEAR), end=min(end, duration) + NEAR), said)
    for name, (start, end), words in _PARTS:
        if re.search(words, plain):
            return Moment(Span(start=duration * start, end=duration * end), name)
    return None


def next_after(plain: str, before: Moment | None, duration: float) -> Moment | None:
    """Return what "and then?" means behind an earlier moment, None if that is not asked."""
    if before is None or before.span is None or not _NEXT.search(plain) or _times(plain):
        return None
    start = min(before.span.end, duration)
    if start >= duration:
        return Moment(None, f"after {before.words}")
    return Moment(Span(start=start, end=min(start + AFTER, duration)), f"{start:g} s")


def _times(plain: str) -> tuple[float, float, str] | None:
    """Return the times that are named in seconds, and how to call them."""
    stretch = _STRETCH.search(plain)
    if stretch and float(stretch[1]) <= float(stretch[2]):
        return float(stretch[1]), float(stretch[2]), f"{stretch[1]}-{stretch[2]} s"
    point = _POINT.search(plain)
    if point:
        at = next(group for group in point.groups() if group)
        return float(at), float(at), f"{at} s"
    clock = _CLOCK.search(plain)
    if clock:
        at = str(int(clock[1]) * 60 + int(clock[2])) + (f".{clock[3]}" if clock[3] else "")
        return float(at), float(at), f"{at} s"
    return None
