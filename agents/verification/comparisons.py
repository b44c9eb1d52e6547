"""Comparisons between clues, and of a claim's words with those of its clue.

Longer, stronger, the only one; a change, a moment, a side, a touch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from emer.agents.lexicon.lexicon import lexicon
from emer.agents.rules.phrases import cue_name
from emer.agents.verification.carriers import SLACK, Carrier
from emer.agents.verification.normalization import fold
from emer.agents.verification.reader import Item
from emer.tools.types import Span

LEAST = 0.05
"""Least difference in seconds, or share of the larger amount, that counts (chosen by us)."""
_AMOUNTS = ("semitones", "db", "degrees", "%", "face heights")
"""Units in which the strength of a cue is measured."""
_CONTACT = re.compile(
    r"\b(?:chin|cheek|mouth|nose|forehead|neck|hair|ear|temple|lips|eyes?|chest|shoulders?)\b"
    r"|下巴|脸颊|嘴|鼻|额|脖|头发|耳|胸|肩"
)
"""What a hand may touch: more than "the face", so the clue must name it."""
_IN_CHINESE = {
    "chin": "下巴", "cheek": "脸颊", "mouth": "嘴", "nose": "鼻", "forehead": "额", "neck": "脖",
    "hair": "头发", "ear": "耳", "chest": "胸", "shoulder": "肩", "shoulders": "肩",
}  # fmt: skip
_CHANGE = re.compile(
    r"\b(?:ris(?:e|es|en|ing)|rose|climb|fall|fell|drop|declin|sink|sank|increas|decreas"
    r"|go(?:es)? (?:up|down)|mov(?:es|ing)|lift|dip|diminish|descend|com(?:es|ing)|grow|swell|becom"
    r"|jump|leap|deepens)"
    r"|升高|上升|上扬|提高|抬高|拔高|下降|降低|下滑|回落|走低|走高|下行|变[高低大小轻弱]|降|往[上下]"
)
"""Words of a change in a cue of the voice."""
_MOST_AT = re.compile(r"\bmost at (\d+(?:\.\d+)?) s\b")
_PLACED = re.compile(
    r"\bperson (?:\d+ )?\(?(?:on the (?:left|right)|\w+ from the (?:left|right))\)?"
)
"""Where a person is, which is no direction of a movement."""
_SIDES = {"left": re.compile(r"\bleft\b|左"), "right": re.compile(r"\bright\b|右")}


@dataclass(frozen=True, slots=True)
class Scene:
    """What claims are held against beside the clue that states them.

    Args:
        duration: Length of the clip in seconds.
        everyone: All clues of the clip.
        aside: Cited clues of another channel than the block's, which only say when.
        references: Where the sentence tells when something was.
    """

    duration: float
    everyone: Sequence[Carrier] = ()
    aside: Sequence[Carrier] = ()
    references: Sequence[tuple[int, int]] = ()

    def pool(self, head: Item, carriers: Sequence[Carrier]) -> Sequence[Carrier]:
        """The clues that a head may rest on."""
        return self.aside if self.is_aside(head, carriers) else carriers

    def is_aside(self, head: Item, carriers: Sequence[Carrier]) -> bool:
        """True for a cue of a channel that is not the block's, where it tells when."""
        own = {carrier.channel for carrier in carriers}
        inside = any(a <= head.start and head.end <= b for a, b in self.references)
        if not self.aside or not inside or head.kind not in ("hit", "cue"):
            return False
        cue = lexicon().cues.get(head.value)
        channel = head.hit.channel if head.hit is not None else cue.channel if cue else None
        return channel is not None and channel not in own


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
        stated = [v for q in carrier.quantities if q.unit == unit for v in q.values]
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


def unnamed_contacts(words: str, carrier: Carrier) -> Iterator[str]:
    """What a hand touches by a claim's words, if the clue does not name it."""
    for match in _CONTACT.finditer(words):
        word = match.group()
        known = {word, *(en for en, zh in _IN_CHINESE.items() if zh == word)}
        if not any(name in carrier.text for name in known):
            yield word


def is_change(words: str, cue: str) -> bool:
    """True for words of a change, but for the names that the rules give a cue."""
    return _CHANGE.search(words) is not None and words not in _names_of(cue)


@lru_cache(maxsize=512)
def _names_of(cue: str) -> tuple[str, ...]:
    """The names that the rules give a cue ("a lowered pitch"), folded."""
    names = (cue_name(cue, "en"), cue_name(cue, "zh"))
    return tuple(fold(form) for name in names for form in (name, name.partition(" ")[2]))


def is_apex(carrier: Carrier, values: Sequence[float]) -> bool:
    """True if a clue names no moment of the most, or one of these."""
    stated = _MOST_AT.search(carrier.text)
    return stated is None or any(abs(value - float(stated[1])) <= SLACK for value in values)


def sides_of(carrier: Carrier) -> set[str]:
    """The sides that a clue names, but for where its person is."""
    text = _PLACED.sub("", carrier.text)
    return {side for side, word in _SIDES.items() if word.search(text)}
