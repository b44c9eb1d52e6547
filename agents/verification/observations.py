"""Claims about what is observed, each held against the clues that state it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from emer.agents.lexicon.lexicon import lexicon
from emer.agents.verification.carriers import (
    SLACK,
    Carrier,
    has_extent,
    has_quantity,
    has_rank,
    has_times,
    is_at,
)
from emer.agents.verification.claims import OBSERVED, Claim, Problem, gap
from emer.agents.verification.reader import Item
from emer.tools.types import Span

_TIMED = ("point", "range", "after", "before")


def check_observation(
    claim: Claim, carriers: Sequence[Carrier], previous: Sequence[Carrier], duration: float
) -> Iterator[Problem]:
    """Why no cited clue carries a claim.

    Args:
        claim: The claim; the clues that carry it are noted in it.
        carriers: The cited clues of the sentence's channel.
        previous: The clues of the claims before.
        duration: Length of the clip in seconds.
    """
    heads = list(_exact([h for h in claim.heads if h.kind in OBSERVED and h.value]))
    bare = [] if heads else claim.heads[:1]  # a quotation, an emotion: its time is checked too
    unheld: list[tuple[Item, Problem]] = []
    held: list[Item] = []
    for head in (*heads, *bare):
        denied = head in claim.denied
        stating = list(carriers) if head in bare else _stating(carriers, head, denied)
        if not stating:
            unheld.append((head, _not_stated(head, denied, carriers)))
            continue
        held.append(head)
        fits = [Fit(claim, head, carrier, stating, previous, duration) for carrier in stating]
        reasons = [next(fit.misfits(), "") for fit in fits]
        if all(reasons):
            yield Problem("unsupported", reasons[0])
        claim.carriers += [fit.carrier for fit, why in zip(fits, reasons, strict=True) if not why]
    # The same words may name a cue of another channel ("a trembling voice").
    yield from (p for head, p in unheld if not any(_is_same_words(head, other) for other in held))
    yield from _sequence(claim, carriers)
    if claim.after == "while" and previous and not _coincide(claim.carriers, previous):
        yield Problem("unsupported", "its clues are not at the same time")


def _stating(carriers: Sequence[Carrier], head: Item, denied: bool) -> list[Carrier]:
    return [carrier for carrier in carriers if _states(carrier, head, denied=denied)]


def _is_same_words(head: Item, other: Item) -> bool:
    channels = {head.hit.channel if head.hit else "", other.hit.channel if other.hit else ""}
    return len(channels) == 2 and _overlap(head, other)


def _states(carrier: Carrier, head: Item, *, denied: bool) -> bool:
    if head.kind == "verbatim":
        return carrier.clue.id == head.value
    if head.hit is not None and carrier.channel != head.hit.channel:
        return False
    return carrier.states(head, denied=denied)


def _exact(heads: Sequence[Item]) -> Iterator[Item]:
    """The heads without those for which the same words name a more exact cue."""
    cues, combos = lexicon().cues, {combo.key: combo.members for combo in lexicon().combos}
    for head in heads:
        if head.value in combos:
            yield from (replace(head, value=member) for member in combos[head.value])
            continue
        unless = cues[head.value].unless if head.value in cues else ()
        if not any(o.value in unless and _overlap(o, head) for o in heads):
            yield head


def _not_stated(head: Item, denied: bool, carriers: Sequence[Carrier]) -> Problem:
    cue = lexicon().cues.get(head.value)
    if cue is None:
        return Problem("unsupported", f"no cited clue states {head.value.replace('_', ' ')}")
    signs = {sign for carrier in carriers for sign in carrier.cues.get(head.value, ())}
    if (not denied) in signs:
        return Problem("contradicted", f"its clues say the opposite about {cue.phrase}")
    opposite = [o for o in cue.opposites if any(False in c.cues.get(o, ()) for c in carriers)]
    if opposite and not denied:
        other = lexicon().cues[min(opposite)].phrase
        return Problem("contradicted", f"its clues state {other}, not {cue.phrase}")
    return Problem("unsupported", f"no cited clue states {cue.phrase}")


@dataclass(frozen=True, slots=True)
class Fit:
    """A clue that states a head of a claim, held against what the claim adds to it.

    Args:
        claim: The claim.
        head: What the clue states.
        carrier: The clue.
        stating: All cited clues that state it.
        previous: The clues of the claims before.
        duration: Length of the clip in seconds.
    """

    claim: Claim
    head: Item
    carrier: Carrier
    stating: Sequence[Carrier]
    previous: Sequence[Carrier]
    duration: float

    def misfits(self) -> Iterator[str]:
        """Why the clue does not carry what the claim adds."""
        yield from self._other_person()
        for item in self.claim.items:
            inside = self.head.start <= item.start and item.end <= self.head.end
            check = _CHECKS.get(item.kind)
            if check is not None and not (inside and self.head.kind == "verbatim"):
                why = check(self, item)
                if why:
                    yield why

    def is_own(self, item: Item) -> bool:
        """True if an item belongs to this head rather than to another of the claim."""
        observed = [head for head in self.claim.heads if head.kind in OBSERVED]
        own = min(observed, key=lambda head: (gap(head, item), -head.start), default=None)
        return own is None or own == self.head or _overlap(own, self.head)

    def counts(self, number: float) -> bool:
        """True if the clue states a number of times, or so many clues state the head."""
        if self.head.kind == "people":
            return number in self.carrier.people()
        return number in self.carrier.counts() or number == len(self.stating)

    def _other_person(self) -> Iterator[str]:
        claim, carrier, named = self.claim, self.carrier, self.claim.person
        is_open = claim.inherits and carrier.person is None
        if named and carrier.person != named and named not in carrier.numbered and not is_open:
            yield f"no cited clue is about {named}"
        for place in claim.of("place"):
            if carrier.place != place.value and place.value not in carrier.text:
                yield f"no cited clue is about the person {place.value}"
        for sexed in claim.of("sexed"):
            if not carrier.sexes(sexed.value):
                yield "its clues do not say whether it is a woman, a man or a child"


def _on_quantity(fit: Fit, item: Item) -> str:
    quantity, carrier = item.quantity, fit.carrier
    if quantity is None or not (quantity.role in _TIMED or fit.is_own(item)):
        return ""
    shown = ", ".join(f"{value:g}" for value in quantity.values) or quantity.letter
    if quantity.unit in ("times", "people"):
        return "" if fit.counts(quantity.values[0]) else f"its clues do not state {shown}"
    if quantity.unit == "s":
        says = "is at" if quantity.role in _TIMED else "of it lasts"
        return "" if has_times(carrier, quantity) else f"no cited clue {says} {shown} s"
    if has_quantity(carrier, quantity):
        return ""
    return f"no cited clue of it says {shown} {quantity.unit}".strip()


def _on_degree(fit: Fit, item: Item) -> str:
    near = fit.claim.nearest(item)
    if near is None or near.kind not in OBSERVED or not fit.is_own(item):
        return ""
    worded = fit.head.kind in ("seen", "people") and item.text in fit.carrier.text
    if worded or has_rank(fit.carrier, [fit.head.value], int(item.value)):
        return ""
    return "it is stronger or weaker than its clues state"


def _on_time(fit: Fit, item: Item) -> str:
    if is_at(fit.carrier.clue.span, item.value, fit.duration):
        return ""
    return f"no clue of it lies {item.value.replace('_', ' ')} in the clip"


def _on_extent(fit: Fit, item: Item) -> str:
    if item.value == "repeated" and len(fit.stating) > 1:
        return ""
    if has_extent(fit.carrier, item.value, fit.duration):
        return ""
    return "it holds for another share of the clip"


def _on_count(fit: Fit, item: Item) -> str:
    if not fit.is_own(item) or fit.counts(int(item.value)):
        return ""
    return f"its clues do not state it {item.value} times"


def _on_channel(fit: Fit, item: Item) -> str:
    """What is said is also heard."""
    is_heard = item.value == "audio" and fit.carrier.channel == "text"
    return "" if is_heard or fit.carrier.channel == item.value else f"it is not {item.value}"


def _on_order(fit: Fit, item: Item) -> str:
    """An order word; "before" and "after" between two heads are left to `_sequence`."""
    if item.value in ("before", "after") or (fit.carrier.clue.span and _follows(fit, item.value)):
        return ""
    return "its clues do not come in this order"


def _follows(fit: Fit, order: str) -> bool:
    """True if a clue comes where an order word places it.

    "Later" with nothing before it is the second half of the clip.
    """
    span = fit.carrier.clue.span or Span(start=0, end=0)
    same = [c.clue.span.start for c in fit.stating if c.clue.span and c is not fit.carrier]
    others = [c.clue.span for c in fit.previous if c.clue.span and c is not fit.carrier]
    earlier = [start for start in same if start < span.start]
    if order == "later" and not others:
        return span.start >= fit.duration / 2
    return {
        "first": not earlier,
        "again": bool(earlier),
        "second": len(earlier) == 1,
        "earlier": any(span.end <= other.start + SLACK for other in others),
    }.get(order, any(other.start < span.start for other in others))


_CHECKS: Mapping[str, Callable[[Fit, Item], str]] = {
    "quantity": _on_quantity,
    "degree": _on_degree,
    "time": _on_time,
    "extent": _on_extent,
    "count": _on_count,
    "order": _on_order,
    "channel": _on_channel,
}
"""What is wrong with an item of a claim for a clue, by the item's kind; "" if nothing."""


def _overlap(one: Item, other: Item) -> bool:
    return one.start < other.end and other.start < one.end


def _coincide(ones: Sequence[Carrier], others: Sequence[Carrier]) -> bool:
    """True if one of some clues overlaps one of others; without a span it may."""
    pairs = [(a.clue.span, b.clue.span) for a in ones for b in others]
    return not pairs or any(a is None or b is None or a.overlaps(b, SLACK) for a, b in pairs)


def _sequence(claim: Claim, carriers: Sequence[Carrier]) -> Iterator[Problem]:
    """Problems of "before", "after" and "with" between two heads of a claim."""
    for order in claim.of("order", "together"):
        if order.kind == "order" and order.value not in ("before", "after"):
            continue
        left = [h for h in claim.heads if h.end <= order.start and h.kind in OBSERVED][-1:]
        right = [h for h in claim.heads if h.start >= order.end and h.kind in OBSERVED][:1]
        if order.kind == "together":
            if (
                left
                and right
                and not _coincide(
                    *(
                        [c for c in carriers if _states(c, h, denied=h in claim.denied)]
                        for h in (*left, *right)
                    )
                )
            ):
                yield Problem("unsupported", "its clues are not at the same time")
            continue
        if not left or not right:
            yield Problem("unsupported", f"it tells {order.value} what it is")
            return
        spans = [
            [c.clue.span for c in carriers if c.clue.span and _states(c, head, denied=False)]
            for head in (*left, *right)
        ]
        first, second = spans if order.value == "before" else spans[::-1]
        if not any(one.end <= other.start + SLACK for one in first for other in second):
            yield Problem("unsupported", "its clues do not come in this order")
