"""Claims of a sentence: what each of its parts states, and what it denies.

One clue must carry all of a claim: its degree, times, counts, order and person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from emer.agents.verification.carriers import Carrier
from emer.agents.verification.reader import Item, Part

Status = Literal["contradicted", "unsupported"]
OBSERVED = ("hit", "cue", "seen", "people", "verbatim")
"""Kinds of items that an observation states."""
_BETWEEN = ("plain", "degree", "hedge", "person", "for", "open", "basis", "sexed", "named")
"""Kinds of items that may stand between a denial and what it denies."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a sentence."""

    status: Status
    why: str


@dataclass(slots=True)
class Claim:
    """What a part of a sentence states, with the items that narrow it down."""

    heads: list[Item]
    items: list[Item]
    denied: frozenset[Item] = frozenset()
    person: str = ""
    """The person that it or the part before names."""
    after: str = ""
    """The break before it."""
    inherits: bool = False
    """The part before names the person: what is heard or said may go with anyone."""
    carriers: list[Carrier] = field(default_factory=list)
    """The clues that carry it, once it was checked."""

    def of(self, *kinds: str) -> list[Item]:
        """Its items of some kinds, in order."""
        return [item for item in self.items if item.kind in kinds]

    def nearest(self, item: Item) -> Item | None:
        """The head next to an item; of two as near, the one behind it."""
        return min(self.heads, key=lambda head: (gap(head, item), -head.start), default=None)


def gap(head: Item, item: Item) -> int:
    """Characters between an item and a head; 0 for one inside it."""
    if head.start <= item.start and item.end <= head.end:
        return 0
    return max(item.start - head.end, head.start - item.end, 0)


def claims_of(parts: Iterable[Part]) -> list[Claim]:
    """The claims of a sentence's parts.

    A part without a head narrows down the claim before it, or is a claim of its own on the
    same heads where it tells of another occurrence.
    """
    claims: list[Claim] = []
    leading: list[Item] = []
    for part in parts:
        heads = part.heads
        if heads:
            claims.append(Claim(heads, [*leading, *part.items], after=part.after))
            leading = []
        elif not claims:
            leading += part.items
        elif _is_another(part, claims[-1]):
            inherited = [head for head in claims[-1].heads if head.kind in OBSERVED]
            claims.append(Claim(inherited, part.items))
        else:
            claims[-1].items += part.items
    if leading:
        claims.append(Claim([], leading))
    named = ""
    for claim in claims:
        own = next((item.value for item in claim.items if item.kind == "named"), "")
        claim.inherits = not own
        claim.person = named = own or named
    return claims


def _is_another(part: Part, before: Claim) -> bool:
    """True if a part without a head tells of another occurrence of the same."""
    if part.of("apex") or not part.of("quantity", "time", "order", "degree", "extent"):
        return False
    occurs = part.of("quantity", "time", "order")
    return bool(occurs) and (part.after == "and" or bool(before.of("count") or part.of("order")))


def bind_denials(claim: Claim) -> Iterator[Problem]:
    """Find what each denial denies, and tell of those that deny nothing or too much."""
    denials = claim.of("deny")
    if len(denials) > 1:
        yield Problem("unsupported", "it denies twice")
        return
    for denial in denials:
        around = [h for h in claim.heads if h.start < denial.start and denial.end < h.end]
        behind = [h for h in claim.heads if h.start >= denial.end and h.kind != "verbatim"]
        bound = around or behind[:1]
        between = [
            item
            for item in claim.items
            if bound and denial.end <= item.start and item.end <= bound[0].start
        ]
        if not bound or any(item.kind not in _BETWEEN for item in between):
            yield Problem("unsupported", "it denies something that cannot be read")
            return
        end = bound[0].end
        alike = [h for h in claim.heads if h in bound or (h in behind and h.start < end)]
        rest = [h for h in behind if h not in alike]
        if rest and any(i.kind == "open" for i in claim.items if i.start >= end):
            alike, rest = [*alike, *rest], []  # "not angry or sad"
        if any(head.kind in OBSERVED for head in rest):
            yield Problem("unsupported", "it is not clear what it denies")
        claim.denied = frozenset(alike)
