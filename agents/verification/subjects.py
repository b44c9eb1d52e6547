"""People whom a sentence is about, and whether its cited clues are about them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from emer.agents.verification.carriers import Carrier
from emer.agents.verification.claims import Claim, Problem
from emer.agents.verification.conclusions import are_several
from emer.agents.verification.reader import Item, Part

SEVERAL = "it tells of several people at once"
_PEOPLE = ("person", "named", "sexed", "place")
"""Kinds of items that name a person."""
_TOWARDS = re.compile(
    r"(?:\b(?:at|for|with|on|to|towards?|against|about|beside|near|behind|like|than) "
    r"|[向朝对跟为给冲和与同比像])$"
)
"""Words before a person who is an object, or a companion."""
_OWNERS = frozenset({"her", "his", "their", "她的", "他的"})
_SHE, _HE = re.compile(r"\b(?:she|hers?)\b|她"), re.compile(r"\b(?:he|him|his)\b|他")
_VERB = re.compile(r"\b(?:does|do|did|is|are|has|have|was|were)\b|也是")
"""Verbs that repeat what stands before them ("as does the speaker")."""


def subject_problems(parts: Sequence[Part], text: str) -> Iterator[Problem]:
    """People beside the one whom a folded sentence is about.

    Two as the subject of one verb, he and she, a person as an object ("smiles at him"), and
    another subject of the same verb ("as does the speaker").
    """
    for one, other in pairwise(parts):
        is_list = any(item.value == "state" for item in one.of("open"))
        alone = not one.heads and one.of(*_PEOPLE) and not one.of("time", "order", "quantity")
        if alone and other.after in ("and", "comma") and _is_another(one, other) and not is_list:
            yield Problem("unsupported", SEVERAL)
    items = [item for part in parts for item in part.items]
    unquoted = "".join(
        " " if any(i.kind == "quote" and i.start <= at < i.end for i in items) else character
        for at, character in enumerate(text)
    )
    sexed = any(item.kind in ("named", "place", "sexed") for item in items)
    if _SHE.search(unquoted) and _HE.search(unquoted) and not sexed:
        yield Problem("unsupported", SEVERAL)
    heads = [item for part in parts for item in part.heads]
    for place, item in enumerate(items):
        inside = any(h.start <= item.start and item.end <= h.end for h in heads if h != item)
        owner = item.text in _OWNERS and _owns(items[place + 1 :], item)
        if item.kind == "person" and not (inside or owner) and _TOWARDS.search(text[: item.start]):
            yield Problem("unsupported", "it tells of another person as well")
    for part in parts[1:]:
        words = " ".join(item.text for item in part.items)
        if not part.heads and part.of("person") and _VERB.search(words):
            yield Problem("unsupported", SEVERAL)


def _owns(behind: Sequence[Item], owner: Item) -> bool:
    """True if a noun stands next to an owner ("her mouth")."""
    following = next(iter(behind), None)
    return following is not None and (
        following.start <= owner.end + 1 and following.kind not in ("plain", "break", "quantity")
    )


def _is_another(one: Part, other: Part) -> bool:
    """True if a part names another person; a place may stand behind one."""
    apposed = (
        other.after == "comma" and not other.heads and not other.of("person", "named", "sexed")
    )
    placed = other.after == "comma" and not one.of("person", "named", "sexed")
    return bool(other.of(*_PEOPLE)) and not apposed and not placed


def unknown_people(claim: Claim, carriers: Sequence[Carrier]) -> Iterator[Problem]:
    """People that no cited clue is about."""
    is_open = any(item.value in ("state", "unclear") for item in claim.of("open"))
    if len({item.value for item in claim.of("named")}) > 1 and not is_open:
        yield Problem("unsupported", SEVERAL)
    for item in claim.of("named"):
        if not any(item.value == c.person or item.value in c.numbered for c in carriers):
            yield Problem("unsupported", f"no cited clue is about {item.value}")
    for item in claim.of("place"):
        if not any(c.place == item.value or item.value in c.text for c in carriers):
            yield Problem("unsupported", f"no cited clue is about the person {item.value}")


def mixed_people(claims: Sequence[Claim]) -> Iterator[Problem]:
    """What several people display, said as if of one."""
    unnamed = [c for c in claims if c.carriers and not c.person and not c.of("place")]
    if unnamed and are_several([carrier.clue for c in claims for carrier in c.carriers]):
        yield Problem("unsupported", "it tells of different people as if of one")
