"""Closer looks of a captioner that repeat what it said of the same frames.

A captioner that sees the same picture twice, or says the same of one beside it, has seen nothing
new. Such a clue has `look`, the span looked at, and its data names the frames.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import JsonValue

from emer.tools.types import Clue, Span

SAME_SIGHT = 3.0
"""Seconds within which equal words are taken for the same sight (chosen by us)."""


def without_near_duplicates(clues: Iterable[Clue]) -> tuple[Clue, ...]:
    """The clues without closer looks that only repeat another clue."""
    candidates = tuple(clues)
    return tuple(
        c for c in candidates if not any(is_near_duplicate(c, other) for other in candidates)
    )


def is_near_duplicate(clue: Clue, other: Clue) -> bool:
    """True for a closer look with an earlier look's words nearby, or only its frames."""
    look, before = (_bounds(c.closer_look) for c in (clue, other))
    # The first look has no such span: () sorts before all closer looks.
    if not look or not before < look or clue.source.tool != other.source.tool:
        return False
    frames, known = (frozenset(_numbers(c.data.get("frames"))) for c in (clue, other))
    descriptions = {c.text.partition(": ")[2] for c in (clue, other)}  # in front: which frames
    if len(descriptions) == 1:
        return any(abs(one - two) <= SAME_SIGHT for one in frames for two in known)
    return bool(frames) and frames <= known


def _bounds(look: Span | None) -> tuple[float, ...]:
    return (look.start, look.end) if look else ()


def _numbers(value: JsonValue) -> list[float]:
    numbers = value if isinstance(value, list) else []
    return [float(number) for number in numbers if isinstance(number, int | float)]
