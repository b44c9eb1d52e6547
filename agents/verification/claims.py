"""Claims of a sentence: what each of its parts states, and what it denies.

One clue must carry all of a claim: its degree, times, counts, order and person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from emer.agents.verification.carriers import Carrier
from emer.agents.verification.reader import Item, Part

Status = Literal["contradicted", "unsupported"]
OBSERVED = ("hit", "cue", "seen", "people", "verbatim")
"""Kinds of items that an observation states."""
_AMOUNTS = ("amount", "length")
"""Quantities that do not tell of another occasion."""
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
    text: str = ""
    """The whole sentence, folded."""
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


def claims_of(parts: Iterable[Part], text: str = "") -> list[Claim]:
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
        elif not claims or _is_subject(part):
            leading += part.items
        elif _is_another(part, claims[-1]):
            inherited = [head for head in claims[-1].heads if head.kind in OBSERVED]
            claims.append(Claim(inherited, part.items))
        else:
            claims[-1].items += part.items
    if leading and claims:
        claims[-1].items += leading
    elif leading:
        claims.append(Claim([], leading))
    _lead(claims)
    named = ""
    for claim in claims:
        own = next((item.value for item in claim.items if item.kind == "named"), "")
        claim.inherits, claim.text = not own, text
        claim.person = named = own or named
    return claims


def _lead(claims: Sequence[Claim]) -> None:
    """Turn "after A, B" into "A, then B", and "before A, B" into "A, earlier B".

    "While A, B" becomes "A, while B", "as A fades, B" has B begin where A ends, and in Chinese
    "after" stands behind A.
    """
    for claim, behind in pairwise(claims):
        first = next(iter(claim.of("order")), None)
        if first is not None and _leads(claim, first):
            claim.items.remove(first)
            behind.items.append(replace(first, value=_LED[first.value]))
        fades = claim.of("fade")
        beside = next((i for i in claim.items if i.text in ("with", "during")), None)
        is_with = beside is not None and all(head.start > beside.start for head in claim.heads)
        concludes = any(c.of("emotion", "gloss", "for", "against") for c in (claim, behind))
        if concludes:
            continue  # "while the smile supports ..., the voice ..." is a contrast
        if claim is claims[0] and (claim.after == "while" or is_with) and behind.after == "comma":
            claim.after, behind.after = "", "comma" if fades else "while"
            behind.items += [replace(fade, kind="order", value="at_end") for fade in fades]


def _leads(claim: Claim, first: Item) -> bool:
    """True for "after" before all that a claim states, in Chinese behind it."""
    if first.value in ("after", "before", "between"):
        return all(head.start > first.start for head in claim.heads)
    is_behind = bool(claim.heads) and all(head.end <= first.start for head in claim.heads)
    return first.text in _AFTER_ZH and is_behind and claim.items[-1] == first


_LED = {"after": "past", "before": "earlier", "between": "between", "later": "past", "then": "past"}
_AFTER_ZH = frozenset({"之后", "过后", "后"})


def _is_subject(part: Part) -> bool:
    """True if a part only names the person that the next one tells of."""
    kinds = {item.kind for item in part.items}
    return bool(kinds & {"named", "place"}) and kinds <= {"named", "place", "person", "plain"}


def _is_another(part: Part, before: Claim) -> bool:
    """True if a part without a head tells of another occurrence of the same."""
    if part.of("each") or (part.of("apex") and not part.of("order")):
        return False
    if part.of("compare"):
        return True
    occurs = [i for i in part.of("quantity", "time", "order") if i.value not in _AMOUNTS]
    counted = before.of("count") or any(
        i.quantity and i.quantity.unit == "times" for i in before.of("quantity")
    )
    return bool(occurs) and (part.after == "and" or bool(counted or part.of("order")))


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
