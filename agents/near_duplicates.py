"""What a closer look tells again: a model's words of a picture that it has already described.

A captioner that sees the same picture twice, or says the same of one beside it, has seen nothing
new. Its clue says in its data which stretch it looked closer at (`CLOSER`) and at which frames.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import JsonValue

from emer.tools.types import CLOSER, Clue

Look = tuple[float, ...]
BESIDE = 3.0
"""Seconds within which the same words are taken for the same sight (chosen by us)."""


def without_retold(clues: Iterable[Clue]) -> tuple[Clue, ...]:
    """Return the clues without those of closer looks that only tell again what others tell."""
    given = tuple(clues)
    return tuple(clue for clue in given if not any(retells(clue, other) for other in given))


def retells(clue: Clue, other: Clue) -> bool:
    """Tell whether a closer look's clue has an earlier look's words nearby, or only its frames."""
    look, before = _look(clue), _look(other)
    if not look or not before < look or clue.source.tool != other.source.tool:
        return False
    seen, known = _frames(clue), _frames(other)
    if _words(clue) == _words(other):
        return any(abs(one - two) <= BESIDE for one in seen for two in known)
    return bool(seen) and seen <= known


def _look(clue: Clue) -> Look:
    """Return the stretch that was looked at closer; () sorts the first look before all."""
    return tuple(_numbers(clue.data.get(CLOSER)))


def _frames(clue: Clue) -> frozenset[float]:
    return frozenset(_numbers(clue.data.get("frames")))


def _words(clue: Clue) -> str:
    """Return what is said of the frames, after the words that say of which."""
    return clue.text.partition(": ")[2]


def _numbers(value: JsonValue) -> list[float]:
    given = value if isinstance(value, list) else []
    return [float(number) for number in given if isinstance(number, int | float)]
