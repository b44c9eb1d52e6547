"""Clues that repeat others: looks at the same frames, one fact of two looks.

A captioner that sees the same picture twice, or says the same of one beside it, has seen nothing
new. Such a clue has `look`, the span looked at, and its data names the frames. Measurements of
two looks state the same fact where tool, person, cues, degree and side agree and the spans overlap.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from pydantic import JsonValue

from emer.tools.types import Clue, Span

SAME_SIGHT = 3.0
"""Seconds within which equal words are taken for the same sight (chosen by us)."""


SAME = 0.8
"""Overlap over union of two spans of one event (chosen by us)."""
SAME_DEGREE = 0.3
"""Difference of two strengths of about the same degree: a FACS letter is 0.25 (by us)."""
PART = 0.5
"""Least part of the shorter span that both share (chosen by us)."""

_SIDES = re.compile(r"\b(?:left|right|up|down|forward|back|in|out)\b")


def without_repeated_facts(clues: Iterable[Clue]) -> tuple[Clue, ...]:
    """The clues with each fact of several looks once.

    The longest stands; of those about as long the best measured.
    """
    groups: list[list[Clue]] = []
    for clue in sorted(clues, key=lambda c: (-_length(c), c.look is not None, c.id)):
        group = next((group for group in groups if is_same_fact(clue, group[0])), None)
        if group is None:
            groups.append([clue])
        else:
            group.append(clue)
    return tuple(
        max((c for c in group if overlap(c.span, group[0].span) >= SAME), key=merit)
        for group in groups
    )


def is_same_fact(one: Clue, other: Clue) -> bool:
    """True for clues of two looks of one tool that state the same fact."""
    owners = [(c.source.tool, c.modality, c.person, c.kind) for c in (one, other)]
    if owners[0] != owners[1] or one.kind not in ("measured", "classified"):
        return False
    if one.look == other.look or not _share(one.span, other.span):
        return False
    amounts = [{(m.cue, m.negated): m.strength for m in c.cues} for c in (one, other)]
    if not amounts[0] or amounts[0].keys() != amounts[1].keys():
        return False
    if any(abs(amounts[0][key] - amounts[1][key]) > SAME_DEGREE for key in amounts[0]):
        return False
    sides = [frozenset(_SIDES.findall(c.text)) for c in (one, other)]
    return sides[0] == sides[1]


def merit(clue: Clue) -> tuple[float, bool, float, str]:
    """Rank of a clue among those that state one fact: quality, then the first look."""
    return (clue.quality.score, clue.look is None, _length(clue), clue.id)


def overlap(one: Span | None, other: Span | None) -> float:
    """Overlap over union of two spans; 1 for two moments that are the same."""
    if one is None or other is None or one == other:
        return float(one == other)
    shared = min(one.end, other.end) - max(one.start, other.start)
    return max(0.0, shared) / (max(one.end, other.end) - min(one.start, other.start))


def _share(one: Span | None, other: Span | None) -> bool:
    """True if the spans share a moment and at least `PART` of the shorter one."""
    if one is None or other is None:
        return one == other
    shared = min(one.end, other.end) - max(one.start, other.start)
    return shared >= PART * min(one.length, other.length) - 1e-9 and shared >= 0


def _length(clue: Clue) -> float:
    return clue.span.length if clue.span else math.inf


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
