"""Whether a clue that states something carries what a claim adds to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from emer.agents.verification.carriers import (
    SLACK,
    Carrier,
    has_extent,
    has_quantity,
    has_rank,
    has_times,
    is_at,
)
from emer.agents.verification.claims import OBSERVED, Claim, gap
from emer.agents.verification.comparisons import (
    Scene,
    elsewhere,
    is_apex,
    is_change,
    is_extreme,
    occasions,
    sides_of,
    unnamed_contacts,
)
from emer.agents.verification.quantities import Quantity
from emer.agents.verification.reader import Item

_TIMED = ("later", "point", "range", "after", "since", "before", "opening", "closing")


def states(carrier: Carrier, head: Item, *, denied: bool) -> bool:
    if head.kind == "verbatim":
        return carrier.clue.id == head.value
    if head.hit is not None and carrier.channel != head.hit.channel:
        return False
    return carrier.states(head, denied=denied)


@dataclass(frozen=True, slots=True)
class Fit:
    """A clue that states a head of a claim, held against what the claim adds to it.

    Args:
        claim: The claim.
        head: What the clue states.
        carrier: The clue.
        stating: All cited clues that state it.
        previous: The clues of the claims before.
        scene: The clip.
    """

    claim: Claim
    head: Item
    carrier: Carrier
    stating: Sequence[Carrier]
    previous: Sequence[Carrier]
    scene: Scene

    def misfits(self) -> Iterator[str]:
        """Why the clue does not carry what the claim adds."""
        yield from self._other_person()
        yield from self._other_contact()
        yield from self._no_change()
        for item in self.claim.items:
            check = _CHECKS.get(item.kind)
            if check is not None and (why := check(self, item)):
                yield why

    def is_own(self, item: Item) -> bool:
        """True if an item belongs to this head rather than to another of the claim."""
        observed = [head for head in self.claim.heads if head.kind in OBSERVED]
        own = min(observed, key=lambda head: (gap(head, item), -head.start), default=None)
        return own is None or own == self.head or overlap(own, self.head)

    def counts(self, number: float) -> bool:
        """True if the clue states a number of times, or so many clues state the head.

        Where the claim names no time, the whole clip must have so many.
        """
        if self.head.kind == "people":
            return number in self.carrier.people()
        if number in self.carrier.counts():
            return True
        if "share" in self.carrier.clue.data:
            return False  # "most of the time" is no number of times
        timed = ("quantity", "time", "order", "place", "some", "compare", "only")
        if self.carrier.counts() or number != occasions(self._timely()):
            return False
        times = [i for i in self.claim.of(*timed) if i.value not in ("amount", "length")]
        others = elsewhere(self.head, self.stating, self.scene.everyone)
        counted = [c for c in self.scene.everyone if c.counts() and _states_same(c, self)]
        return bool(times) or not (others or counted)

    def _timely(self) -> list[Carrier]:
        """The clues that state the head at the times that the claim names."""
        checks = (("time", _on_time), ("quantity", _on_quantity))
        items = [(check, i) for kind, check in checks for i in self.claim.of(kind)]
        items = [(check, i) for check, i in items if i.kind == "time" or i.value in _TIMED]
        fits = (replace(self, carrier=carrier) for carrier in self.stating)
        return [fit.carrier for fit in fits if not any(check(fit, i) for check, i in items)]

    def _other_contact(self) -> Iterator[str]:
        """What a hand touches, if the clue does not name it."""
        if self.head.hit is None or not self.head.value.startswith(("hand_", "mouth_c")):
            return
        words = self.claim.text[self.head.start : self.head.end]
        for word in unnamed_contacts(words, self.carrier):
            yield f"its clues do not name the {word}"

    def _no_change(self) -> Iterator[str]:
        """What is said to change, where the clue tells how it is against other voices."""
        words = self.claim.text[self.head.start : self.head.end]
        is_level = "typical values" in self.carrier.text and self.head.hit is not None
        if is_level and is_change(words, self.head.value):
            yield "its clues do not say that it changes"

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


def _states_same(carrier: Carrier, fit: Fit) -> bool:
    return carrier is not fit.carrier and states(carrier, fit.head, denied=False)


def _on_quantity(fit: Fit, item: Item) -> str:
    quantity, carrier = item.quantity, fit.carrier
    beside = bool(fit.claim.of("together"))  # "A at 2.4-3.6 s coincides with B"
    if quantity is None or not ((quantity.role in _TIMED and not beside) or fit.is_own(item)):
        return ""
    shown = ", ".join(f"{value:g}" for value in quantity.values) or quantity.letter
    if quantity.role in ("amount", "length") and _is_of_several(fit):
        others = [replace(fit, carrier=c) for c in fit.stating if c is not carrier]
        if any(_misses(other, quantity) for other in others):
            return f"not each of its clues says {shown}"
    if quantity.unit in ("times", "people"):
        is_stated = not quantity.bound and fit.counts(quantity.values[0])
        return "" if is_stated else f"its clues do not state {quantity.bound} {shown}"
    if not _misses(fit, quantity):
        return ""
    if quantity.unit != "s":
        return f"no cited clue of it says {shown} {quantity.unit}".strip()
    return f"no cited clue {'is at' if quantity.role in _TIMED else 'of it lasts'} {shown} s"


def _is_of_several(fit: Fit) -> bool:
    """True if a number of clues is counted, so that an amount must hold for each."""
    counted = any(item.value not in ("1", "0") for item in fit.claim.of("count", "some"))
    return counted and len(fit.stating) > 1 and not fit.carrier.counts()


def _misses(fit: Fit, quantity: Quantity) -> bool:
    if moments := _listed(fit, quantity):
        fits = [replace(fit, carrier=carrier) for carrier in fit.stating]
        return not all(any(_has_moment(one, moment) for one in fits) for moment in moments)
    if quantity.role == "later":
        return not _is_later(fit, quantity.values[0])
    if quantity.unit == "s":
        return not has_times(fit.carrier, quantity, fit.scene.duration)
    return quantity.unit not in ("times", "people") and not has_quantity(fit.carrier, quantity)


def _has_moment(fit: Fit, moment: Quantity) -> bool:
    strongest = not fit.claim.of("apex") or is_apex(fit.carrier, moment.values)
    return strongest and has_times(fit.carrier, moment, fit.scene.duration)


def _listed(fit: Fit, quantity: Quantity) -> list[Quantity]:
    """The moments of a list, one for each of the clues ("around 2.6 s and 6.1 s")."""
    words = fit.claim.text[quantity.start : quantity.end]
    is_list = _AND.search(words) is not None and _WITHIN.search(words) is None
    if not is_list or quantity.unit != "s" or len(quantity.values) != len(fit.stating):
        return []
    return [replace(quantity, role="point", values=(value,)) for value in quantity.values]


_AND, _WITHIN = re.compile(r" and |[和与,]"), re.compile(r"between|之间|from")


def _is_later(fit: Fit, gap_s: float) -> bool:
    """True if a clue begins so many seconds after the beginning or end of one before."""
    span = fit.carrier.clue.span
    others = [c.clue.span for c in fit.previous if c.clue.span and c is not fit.carrier]
    return span is not None and any(
        abs(span.start - moment - gap_s) <= SLACK
        for other in others
        for moment in (other.start, other.end)
    )


def _on_each(fit: Fit, _: Item) -> str:
    """A number that holds for each of the clues that state the head."""
    amounts = [item for item in fit.claim.of("quantity") if item.value in ("amount", "length")]
    fits = (replace(fit, carrier=carrier) for carrier in fit.stating)
    if len(fit.stating) < 2 or any(_on_quantity(one, item) for one in fits for item in amounts):
        return "it does not hold for each of its clues"
    return ""


def _on_some(fit: Fit, item: Item) -> str:
    """A number out of several ("two of the pauses")."""
    return "" if int(item.value) == occasions(fit.stating) else "its clues are not so many"


def _on_compare(fit: Fit, item: Item) -> str:
    if is_extreme(fit.carrier, fit.stating, fit.head.value, item.value):
        return ""
    return f"it is not the {item.value} one of its clues"


def _on_begin(fit: Fit, _: Item) -> str:
    """A moment at which something begins is the beginning of its clue's span."""
    span = fit.carrier.clue.span
    moments = [i.quantity for i in fit.claim.of("quantity") if i.value == "point" and i.quantity]
    if fit.claim.of("apex"):
        return ""  # "begins ..., strongest at 1.1 s": the moment is that of the apex
    if span is None or all(abs(m.values[0] - span.start) <= SLACK for m in moments):
        return ""
    return "it does not begin then"


def _on_apex(fit: Fit, _: Item) -> str:
    """A moment at which something is strongest is the one that its clue names."""
    moments = [i.quantity for i in fit.claim.of("quantity") if i.value == "point" and i.quantity]
    values = [value for moment in moments for value in moment.values]
    return "" if not values or is_apex(fit.carrier, values) else "it is not strongest then"


def _on_fade(fit: Fit, _: Item) -> str:
    """An end that is seen is within the clip, and a moment named is that end."""
    span = fit.carrier.clue.span
    moments = [i.quantity for i in fit.claim.of("quantity") if i.value == "point" and i.quantity]
    if span is None or span.end > fit.scene.duration - SLACK:
        return "its clue does not tell of its end"
    is_then = all(abs(m.values[0] - span.end) <= SLACK for m in moments)
    return "" if is_then else "it does not end then"


def _on_way(fit: Fit, item: Item) -> str:
    """A side, of the one cue next to it; the clue must name it alone."""
    if not fit.is_own(item):
        return ""
    if fit.claim.text[: item.start].endswith("on the ") and fit.carrier.place:
        return "" if fit.carrier.place == f"on the {item.value}" else "it is elsewhere"
    sides = sides_of(fit.carrier)
    return "" if sides == {item.value} else f"no cited clue of it is to the {item.value}"


def _on_only(fit: Fit, item: Item) -> str:
    near = fit.claim.nearest(item)
    if item.value == "sole" and fit.is_own(item):
        several = occasions(fit.stating) > 1 or any(n > 1 for c in fit.stating for n in c.counts())
        others = elsewhere(fit.head, fit.stating, fit.scene.everyone)
        return "other clues of the clip state it too" if several or others else ""
    if item.value != "only" or (near is not None and near.kind not in OBSERVED):
        return ""
    if fit.is_own(item) and elsewhere(fit.head, fit.stating, fit.scene.everyone):
        return "other clues of the clip state it too"
    return ""


_UNMARKED = "很"
"""Stands before a Chinese adjective that has no other degree, and adds none."""


def _on_degree(fit: Fit, item: Item) -> str:
    near = fit.claim.nearest(item)
    if near is None or near.kind not in OBSERVED or not fit.is_own(item):
        return ""
    if fit.head.kind == "seen" and near.kind == "hit":
        return ""  # "speaks clearly higher": the degree is that of the pitch
    if item.text == _UNMARKED and fit.carrier.ranks.get(fit.head.value) is None:
        return ""
    worded = fit.head.kind in ("seen", "people") and item.text in fit.carrier.text
    if worded or has_rank(fit.carrier, [fit.head.value], int(item.value)):
        return ""
    return "it is stronger or weaker than its clues state"


def _on_time(fit: Fit, item: Item) -> str:
    if is_at(fit.carrier.clue.span, item.value, fit.scene.duration):
        return ""
    return f"no clue of it lies {item.value.replace('_', ' ')} in the clip"


def _on_extent(fit: Fit, item: Item) -> str:
    if item.value == "repeated" and len(fit.stating) > 1:
        return ""
    limits = [i.quantity for i in fit.claim.of("quantity") if i.value in ("since", "after")]
    start = max((limit.values[0] for limit in limits if limit), default=0.0)
    if has_extent(fit.carrier, item.value, fit.scene.duration, start):
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
    if item.value in ("before", "after") or _follows(fit, item.value):
        return ""
    return "its clues do not come in this order"


def _follows(fit: Fit, order: str) -> bool:
    """True if a clue comes where an order word places it.

    "Later" with nothing before it is the second half of the clip.
    """
    span = fit.carrier.clue.span
    if span is None:
        return False
    same = [c.clue.span.start for c in fit.stating if c.clue.span and c is not fit.carrier]
    others = [c.clue.span for c in fit.previous if c.clue.span and c is not fit.carrier]
    earlier = [start for start in same if start < span.start]
    if order == "later" and not others:
        return span.start >= fit.scene.duration / 2
    if order == "last":
        return not any(
            c.clue.span and c.clue.span.start >= span.end
            for c in elsewhere(fit.head, [fit.carrier], fit.scene.everyone)
        )
    compared = bool(fit.claim.of("compare"))
    later = [start for start in same if start > span.start]
    return {
        "first": not earlier,
        "between": any(o.start < span.start for o in others)
        and any(o.start > span.start for o in others),
        "past": any(other.end <= span.start + SLACK for other in others),
        "at_end": any(abs(span.start - other.end) <= 2 * SLACK for other in others),
        "than_first": bool(earlier),
        "than_later": bool(later),
        "again": bool(earlier),
        "second": len(earlier) == 1,
        "later": bool(earlier) or any(other.start < span.start for other in others),
        "earlier": (compared and bool(later) and not earlier)
        or any(span.end <= other.start + SLACK for other in others),
    }.get(order, any(other.start < span.start for other in others))


_CHECKS: Mapping[str, Callable[[Fit, Item], str]] = {
    "quantity": _on_quantity,
    "degree": _on_degree,
    "time": _on_time,
    "extent": _on_extent,
    "count": _on_count,
    "order": _on_order,
    "channel": _on_channel,
    "each": _on_each,
    "some": _on_some,
    "compare": _on_compare,
    "only": _on_only,
    "begin": _on_begin,
    "fade": _on_fade,
    "apex": _on_apex,
    "way": _on_way,
}
"""What is wrong with an item of a claim for a clue, by the item's kind; "" if nothing."""


def overlap(one: Item, other: Item) -> bool:
    return one.start < other.end and other.start < one.end
