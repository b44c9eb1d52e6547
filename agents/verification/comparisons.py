"""Comparisons between clues that state the same: longer, stronger, the only one."""

from __future__ import annotations

from collections.abc import Sequence

from emer.agents.verification.carriers import SLACK, Carrier
from emer.agents.verification.reader import Item
from emer.tools.types import Span

LEAST = 0.05
"""Least difference in seconds, or share of the larger amount, that counts (chosen by us)."""
_AMOUNTS = ("semitones", "db", "degrees", "%", "face heights")
"""Units in which the strength of a cue is measured."""


def is_extreme(carrier: Carrier, alike: Sequence[Carrier], cue: str, of: str) -> bool:
    """True if a clue has the most, or the least, among all that state a cue.

    Args:
        carrier: The clue.
        alike: All clues that state the cue.
        cue: The cue.
        of: "longer", "shorter", "stronger" or "weaker".
    """
    others = [other for other in alike if other is not carrier]
    if not others:
        return False
    in_time = of in ("longer", "shorter")
    own = _length(carrier) if in_time else _strength(carrier, cue)
    values = [_length(other) if in_time else _strength(other, cue) for other in others]
    if own is None or None in values or any(v is not None and v[0] != own[0] for v in values):
        return False
    rest = [v[1] for v in values if v is not None]
    if of in ("longer", "stronger"):
        return own[1] > max(rest) * (1 + LEAST)
    return own[1] * (1 + LEAST) < min(rest)


def _length(carrier: Carrier) -> tuple[str, float] | None:
    span = carrier.clue.span
    return ("s", span.length) if span is not None else None


def _strength(carrier: Carrier, cue: str) -> tuple[str, float] | None:
    """The degree of a cue, else the amount that its clue measures."""
    rank = carrier.ranks.get(cue)
    if rank is not None:
        return "rank", float(rank)
    for unit in _AMOUNTS:
        stated = [abs(v) for q in carrier.quantities if q.unit == unit for v in q.values]
        if stated:
            return unit, max(stated)
    return None


def occasions(carriers: Sequence[Carrier]) -> int:
    """How often clues tell of the same: those that overlap tell of one occasion."""
    spans = sorted(
        {(c.clue.span.start, c.clue.span.end) for c in carriers if c.clue.span is not None}
    )
    count, end = 0, -1.0
    for start, last in spans:
        if start >= end:
            count += 1
        end = max(end, last)
    return count or min(1, len(carriers))


def elsewhere(head: Item, held: Sequence[Carrier], everyone: Sequence[Carrier]) -> list[Carrier]:
    """The clues of the clip that state a head at another time than the cited ones do."""
    spans = [c.clue.span for c in held if c.clue.span is not None]
    people = {c.person for c in held}
    return [
        other
        for other in everyone
        if other.clue.span is not None
        and (other.person in people or other.person is None or None in people)
        and not any(_same(span, other.clue.span) for span in spans)
        and other.states(head, denied=False)
    ]


def _same(one: Span, other: Span) -> bool:
    return one.overlaps(other, 0.0) or (
        one.start - SLACK <= other.start and other.end <= one.end + SLACK
    )
