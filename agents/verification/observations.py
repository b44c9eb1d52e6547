"""Claims about what is observed, each held against the clues that state it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from emer.agents.lexicon.lexicon import lexicon
from emer.agents.verification.carriers import SLACK, Carrier
from emer.agents.verification.claims import OBSERVED, Claim, Problem
from emer.agents.verification.comparisons import Scene
from emer.agents.verification.fits import Fit, overlap, states
from emer.agents.verification.reader import Item
from emer.tools.types import Span

_WIDER = {
    "pitch_down": ("falling_end", "soft", "voice_low_arousal", "voice_low_valence"),
    "smile_eyes": ("smile_social",),
    "smile": ("smile_eyes",),
    "pitch_up": (
        *("rising_end", "pitch_jump", "pitch_high", "loud"),
        *("voice_high_arousal", "voice_high_valence"),
    ),
    "head_up": ("chin_raise",),
    "tense_sharp": ("pitch_jump", "gasp"),
    "embrace": ("hand_near_face", "hand_chest"),
    "eyes_narrow": ("eyes_closed",),
    "head_tilt": ("head_away",),
    "mouth_open": ("mouth_shut", "jaw_drop"),
    "pauses": ("long_pause",),
    "gaze_averted": ("gaze_down", "gaze_up", "head_away"),
    "body_tense": ("tense_sharp",),
    "flat": ("varied",),
    "varied": ("flat",),
}
"""Cues whose words are also those of another one that is more exact."""
_EITHER = (
    frozenset({"jaw_drop", "jaw_lowered"}),
    frozenset({"lively", "varied"}),
    frozenset({"head_away", "gaze_averted"}),
    frozenset({"head_tilt", "head_away"}),
)
"""Cues that the same words may name: one of them is enough."""


def check_observation(
    claim: Claim, carriers: Sequence[Carrier], previous: Sequence[Carrier], scene: Scene
) -> Iterator[Problem]:
    """Why no cited clue carries a claim.

    Args:
        claim: The claim; the clues that carry it are noted in it.
        carriers: The cited clues of the sentence's channel.
        previous: The clues of the claims before.
        scene: The clip.
    """
    heads = list(_exact([h for h in claim.heads if h.kind in OBSERVED and h.value]))
    bare = [] if heads else claim.heads[:1]  # a quotation, an emotion: its time is checked too
    unheld: list[tuple[Item, Problem]] = []
    held: list[Item] = []
    numbered: list[tuple[Item, list[Carrier]]] = []
    for head in (*heads, *bare):
        denied = head in claim.denied
        pool = scene.pool(head, carriers)
        stating = list(carriers) if head in bare else _stating(pool, head, denied)
        if not stating:
            unheld.append((head, _not_stated(head, denied, carriers)))
            continue
        held.append(head)
        fits = [Fit(claim, head, carrier, stating, previous, scene) for carrier in stating]
        reasons = [next(fit.misfits(), "") for fit in fits]
        if all(reasons):
            yield Problem("unsupported", reasons[0])
        fitting = [fit.carrier for fit, why in zip(fits, reasons, strict=True) if not why]
        claim.carriers += fitting
        if any(fits[0].is_own(item) for item in claim.of("count", "quantity")):
            numbered.append((head, fitting))
    # The same words may name a cue of another channel ("a trembling voice").
    yield from (p for head, p in unheld if not any(_is_same_words(head, other) for other in held))
    yield from _numbers_of_one(claim, numbered, carriers)
    yield from _sequence(claim, (*carriers, *scene.aside))
    if claim.after == "while" and previous and not _coincide(claim.carriers, previous):
        yield Problem("unsupported", "its clues are not at the same time")


def _numbers_of_one(
    claim: Claim, numbered: Sequence[tuple[Item, Sequence[Carrier]]], carriers: Sequence[Carrier]
) -> Iterator[Problem]:
    """Numbers of one clause that are of several clues, where one clue has all."""
    whole = [
        c for c in carriers if all(states(c, h, denied=h in claim.denied) for h, _ in numbered)
    ]
    if len(numbered) > 1 and whole and not any(all(c in of for _, of in numbered) for c in whole):
        yield Problem("unsupported", "its numbers are of different clues")


def _stating(carriers: Sequence[Carrier], head: Item, denied: bool) -> list[Carrier]:
    return [carrier for carrier in carriers if states(carrier, head, denied=denied)]


def _is_same_words(head: Item, other: Item) -> bool:
    channels = {head.hit.channel if head.hit else "", other.hit.channel if other.hit else ""}
    either = any({head.value, other.value} <= pair for pair in _EITHER)
    return (either or len(channels - {""}) == 2) and overlap(head, other)


def _exact(heads: Sequence[Item]) -> Iterator[Item]:
    """The heads without those for which the same words name a more exact cue."""
    cues, combos = lexicon().cues, {combo.key: combo.members for combo in lexicon().combos}
    for head in heads:
        if head.value in combos:
            yield from (replace(head, value=member) for member in combos[head.value])
            continue
        unless = cues[head.value].unless if head.value in cues else ()
        unless = (*unless, *_WIDER.get(head.value, ()))
        exact = [o for o in heads if o.value in unless and overlap(o, head)]
        if all(any({head.value, o.value} <= pair for pair in _EITHER) for o in exact):
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


def _is_stated(head: Item, claim: Claim, carriers: Sequence[Carrier]) -> bool:
    return any(states(carrier, head, denied=head in claim.denied) for carrier in carriers)


def _coincide(ones: Sequence[Carrier], others: Sequence[Carrier]) -> bool:
    """True if one of some clues is while one of others is; without a span it may be."""
    pairs = [(a, b) for a in ones for b in others if a is not b]
    return not pairs or any(_overlap_all(a, b) for a, b in pairs)


def _overlap_all(one: Carrier, other: Carrier) -> bool:
    """True if all occasions of one of two clues overlap occasions of the other."""
    left, right = one.occasions(), other.occasions()
    return not left or not right or _all_in(left, right) or _all_in(right, left)


def _all_in(ones: Sequence[Span], others: Sequence[Span]) -> bool:
    return all(any(one.overlaps(other, SLACK) for other in others) for one in ones)


def _sequence(claim: Claim, carriers: Sequence[Carrier]) -> Iterator[Problem]:
    """Problems of "before", "after" and "with" between two heads of a claim."""
    for order in claim.of("order", "together"):
        if order.kind == "order" and order.value not in ("before", "after"):
            continue
        heads = [h for h in claim.heads if h.kind in OBSERVED and _is_stated(h, claim, carriers)]
        left = [h for h in heads if h.end <= order.start][-1:]
        behind = [h for h in heads if h.start >= order.end]
        right = behind[:1]
        if order.kind == "together":
            if (
                left
                and right
                and not _coincide(
                    *(
                        [c for c in carriers if states(c, h, denied=h in claim.denied)]
                        for h in (*left, *right)
                    )
                )
            ):
                yield Problem("unsupported", "its clues are not at the same time")
            continue
        if not left and len(behind) > 1:  # "after A B"
            left, right = behind[1:2], behind[:1]
        if not left or not right:
            yield Problem("unsupported", f"it tells {order.value} what it is")
            return
        spans = [
            [c.clue.span for c in carriers if c.clue.span and states(c, head, denied=False)]
            for head in (*left, *right)
        ]
        first, second = spans if order.value == "before" else spans[::-1]
        if not any(one.end <= other.start + SLACK for one in first for other in second):
            yield Problem("unsupported", "its clues do not come in this order")
