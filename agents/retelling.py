"""What a closer look tells again: a model's words of a picture that it has already described.

A captioner that sees the same picture twice, or says the same of the next one, has seen nothing
new. Its clue says in its data which stretch it looked closer at (`CLOSER`) and at which frames.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import JsonValue

from emer.tools.types import CLOSER, Clue

Look = tuple[float, ...]


def without_retold(clues: Iterable[Clue]) -> tuple[Clue, ...]:
    """Return the clues without those of closer looks that only tell again what others tell."""
    given = tuple(clues)
    return tuple(clue for clue in given if not any(retells(clue, other) for other in given))


def retells(clue: Clue, other: Clue) -> bool:
    """Tell whether a closer look's clue has the words, or only frames, of an earlier look's."""
    look, before = _look(clue), _look(other)
    if not look or not before < look or clue.source.tool != other.source.tool:
        return False
    seen = _frames(clue)
    return _words(clue) == _words(other) or (bool(seen) and seen <= _frames(other))


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
