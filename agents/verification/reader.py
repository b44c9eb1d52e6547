"""The reader: a sentence as items that cover every word of it, and as parts.

A word that no item covers makes the sentence unreadable, and so not carried.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from emer.agents.lexicon.lexicon import CHANNELS, Channel
from emer.agents.types import Block
from emer.agents.verification.quantities import Quantity, quantities_in
from emer.agents.verification.vocabulary import (
    Hit,
    Phrase,
    emotion_pattern,
    hits_in,
    is_boundary,
    movements_in,
    phrase_at,
)

HELD: dict[Block, tuple[Channel, ...]] = {
    "video": ("visual",),
    "audio": ("audio",),
    "text": ("text",),
    "answer": CHANNELS,
    "therefore": CHANNELS,
}
"""Channels whose cues a block may name."""
CONCLUDING: tuple[Block, ...] = ("answer", "therefore")
ONLY_CONCLUDING = frozenset({"for", "against", "open", "basis", "because", "band", "gloss"})
"""Kinds of phrases that observations may not have."""

_FIRST = ("seen", "cue", "gloss", "certain", "unread")
"""Kinds of phrases that are more exact than a pattern of a cue."""

_COUNTABLE = ("hit", "cue", "seen", "people", "degree", "region", "extent")
"""Kinds of items that "one" counts if it stands before them."""
_QUOTE = re.compile(r'"([^"]*)"|(?<!\w)\'([^\']+)\'(?!\w)')
_PERSON = re.compile(
    r"\b(?P<who>person|voice) (?P<en>\d{1,3})\b(?:'s)?|(?P<ren>人物|声音) ?(?P<zh>\d{1,3})(?![\d.])"
    r"|第?(?P<hao>\d{1,3})号(?:人物|的人|人)?"
)
_VOICE = ("voice", "声音")
_PLACE = re.compile(
    r"\(?(?P<en>on the left|on the right|in the middle|\w+ from the (?:left|right))\b\)?"
    r"|(?P<zh>左|右|中)(?:边|侧|间|面)的?(?:那?[个位名](?:人物?|女子|男子)?|人物?|(?=女|男|\d+号))"
    r"|(?P<from>左|右)(?:边|侧)?[起数]第(?P<rank>[一二三四五])(?:个人?|位|名|人)?"
)
_RANKS = dict(zip("一二三四五", ("first", "second", "third", "fourth", "fifth"), strict=True))
PLACES_ZH = {"左": "on the left", "右": "on the right", "中": "in the middle"}
_PLACED = re.compile(
    r"\b(?:person(?: \d+)?|man|woman|girl|boy|child|speaker|figure|the one|that one),? $"
)
_SUBJECT = re.compile(r"\b(?:the )?person (?=\((?:on|in) the)")
_PAIR = re.compile(
    r" (?:the |her |his |their )?(?:eye|brow|lid|hand|arm|shoulder|lip|corner|cheek)"
)
_SIDE = re.compile(r"\b(?:left|right)\b|[左右]")
_NOTHING = re.compile(r"[\s'\x00]")
_ANSWER = re.compile(r"^(?:to the question[:,] )?no, ")


@dataclass(frozen=True, slots=True)
class Item:
    """A stretch of a sentence that was read.

    Args:
        kind: A kind of `words.toml`, or "hit", "emotion", "quantity", "quote", "verbatim",
            "named", "place".
        value: What it says, by kind.
        start: First character.
        end: Behind its last character.
        hit: The cue, for a hit.
        quantity: The number, for a quantity.
        text: Its words, for a phrase.
    """

    kind: str
    value: str
    start: int
    end: int
    hit: Hit | None = None
    quantity: Quantity | None = None
    text: str = ""


@dataclass(slots=True)
class Part:
    """The items of a sentence between two of its commas or conjunctions."""

    items: list[Item] = field(default_factory=list)
    after: str = ""
    """The break before it: "comma", "stop", "and", "but"."""

    def of(self, *kinds: str) -> list[Item]:
        """Its items of some kinds, in order."""
        return [item for item in self.items if item.kind in kinds]

    @property
    def heads(self) -> list[Item]:
        """What it states: cues, observations, emotions, quotations, whole clues."""
        return self.of("hit", "cue", "seen", "people", "emotion", "quote", "verbatim", "gloss")


@dataclass(frozen=True, slots=True)
class Readout:
    """A sentence that was read: its items, and the words that could not be read."""

    text: str
    items: tuple[Item, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """Words in which a clue may stand in a sentence."""

    text: str
    clue_id: str


def read_sentence(text: str, block: Block, wordings: Sequence[Wording] = ()) -> Readout:
    """The items of a folded sentence of a block.

    Args:
        text: The sentence, folded.
        block: Where it stands.
        wordings: How its clues may be worded as a whole.
    """
    items = list(_whole_clues(text, wordings))
    names = [
        Item("named", m[0], m.start() + item.start, m.end() + item.start)
        for item in items
        for m in re.finditer(r"\b(?:person|voice) \d+\b", text[item.start : item.end])
    ]
    rest = _without(text, items)
    quotes = [
        Item("quote", next(g for g in m.groups() if g is not None), m.start(), m.end())
        for m in _QUOTE.finditer(rest)
    ]
    rest = _without(rest, quotes)
    readout = _read_rest(rest, block)
    everything = sorted((*items, *names, *quotes, *readout.items), key=lambda item: item.start)
    return Readout(text, tuple(everything), readout.unread)


def _without(text: str, items: Iterable[Item]) -> str:
    characters = list(text)
    for item in items:
        characters[item.start : item.end] = "\0" * (item.end - item.start)
    return "".join(characters)


def _whole_clues(text: str, wordings: Sequence[Wording]) -> Iterator[Item]:
    """Where the words of a clue stand as whole clauses, the longest first."""
    taken = bytearray(len(text))
    for wording in sorted(wordings, key=lambda w: (-len(w.text), w.text)):
        at = text.find(wording.text)
        while at >= 0 and wording.text:
            end = at + len(wording.text)
            if not any(taken[at:end]) and _begins(text, at) and _ends(text, end):
                taken[at:end] = b"\1" * (end - at)
                yield Item("verbatim", wording.clue_id, at, end)
            at = text.find(wording.text, at + 1)


_BEFORE = re.compile(r"(?:^|[,;:.!(]\s*|\b(?:and|but|while) |[中里]\s*|[和并且而])$")
_BEHIND = re.compile(r"^(?:$|\s*[,;:.!)]|\s+(?:and|but|while)\b|[和并且而])")


def _begins(text: str, at: int) -> bool:
    return _BEFORE.search(text[max(0, at - 8) : at]) is not None


def _ends(text: str, end: int) -> bool:
    return _BEHIND.match(text[end : end + 8]) is not None


@lru_cache(maxsize=4096)
def _read_rest(text: str, block: Block) -> Readout:
    covered = bytearray(len(text))
    items = list(_observations(text, covered, block))
    for hit in _hits(text, block):
        if not all(covered[hit.start : hit.end]):
            items.append(Item("hit", hit.cue, hit.start, hit.end, hit=hit))
    for hit in [item.hit for item in items if item.hit is not None]:
        _cover(covered, hit)
        items += _ways(text, hit, covered)
    items += _emotions(text, covered)
    for found in (*_people(text, covered), *_quantities(text, covered)):
        items.append(found)
        covered[found.start : found.end] = b"\1" * (found.end - found.start)
    answer = _ANSWER.match(text) if block == "answer" else None
    if answer:
        covered[answer.end() - 4 : answer.end() - 2] = b"\1\1"
    unread = []
    at = 0
    while at < len(text):
        if covered[at] or _NOTHING.match(text, at):
            at += 1
            continue
        free = covered.find(1, at)
        phrase = phrase_at(text, at, len(text) if free < 0 else free)
        if phrase is None or not _fits(phrase, block):
            end = _word_end(text, at)
            unread.append(text[at:end])
        else:
            end = at + len(phrase.text)
            items.append(Item(phrase.kind, phrase.value, at, end, text=phrase.text))
        at = max(end, at + 1)
    ordered = sorted(items, key=lambda i: (i.start, i.end))
    return Readout(text, tuple(_without_pronouns(ordered, text)), tuple(unread))


def _without_pronouns(items: Sequence[Item], text: str) -> Iterator[Item]:
    """The items without each "one" and "both" that counts nothing ("both brows").

    "Twice, once early and once late" counts two.
    """
    onces = [item for item in items if item.kind == "count" and item.text == "once"]
    parted = len(onces) if len(onces) > 1 else 0
    for place, item in enumerate(items):
        after = items[place + 1] if place + 1 < len(items) else None
        counted = after is not None and after.kind in _COUNTABLE and after.start <= item.end + 1
        is_pair = item.text == "both" and _PAIR.match(text, item.end) is not None
        told = any(o.kind == "count" and o.value == str(parted) for o in items[:place])
        if told and item in onces:
            continue
        if not is_pair and (item.kind != "count" or item.text != "one" or counted):
            yield item


def _hits(text: str, block: Block) -> Iterator[Hit]:
    """The cues that a block may name, but for those inside a longer name or word.

    "A rhetorical question" is not also a question; in a conclusion "downcast" is an emotion.
    """
    channels = HELD[block]
    aside = references_in(text) if block in _SEEN_OR_HEARD else ()
    hits = [hit for channel in channels for hit in hits_in(text, channel)]
    hits += [hit for channel in channels for hit in movements_in(text, channel)]
    hits += [
        hit
        for channel in (_SEEN_OR_HEARD[block] if aside else ())
        for hit in (*hits_in(text, channel), *movements_in(text, channel))
        if any(a <= hit.start and hit.end <= b for a, b in aside)
    ]
    hits = [hit for hit in hits if not _is_of_next(text, hit)]
    emotions = [m.span() for m in emotion_pattern().finditer(text)] if block in CONCLUDING else []
    names = [(hit.start, hit.end) for hit in hits if hit.channel == "text"]
    for hit in hits:
        wider = [(a, b) for a, b in names if b - a > hit.end - hit.start and hit.channel == "text"]
        if not any(a <= hit.start and hit.end <= b for a, b in (*emotions, *wider)):
            yield hit


_SEEN_OR_HEARD: dict[Block, tuple[Channel, ...]] = {"video": ("audio",), "audio": ("visual",)}
_REFERENCE = re.compile(
    r"\b(?:while|whilst|when|as|during|after|before|until|following)\b[^,;.]*"
    r"|(?<![^,;.])[^,;.]*?(?:之后|以后|过后|后|之前|以前|时|的时候|的同时|之际|期间)(?=,)"
)
"""What a block may tell of the other channel: when something was ("after a long pause, ...")."""


def references_in(text: str) -> tuple[tuple[int, int], ...]:
    """Where a text tells when something was."""
    return tuple(match.span() for match in _REFERENCE.finditer(text))


def _is_of_next(text: str, hit: Hit) -> bool:
    """True for "voice and raised" where "brows" follows: it is of another part."""
    words = text[hit.start : hit.end]
    joined = _JOINED.search(words) is not None and _PART_AHEAD.match(text, hit.end) is not None
    return joined or _NEW.search(words) is not None


_JOINED, _NEW = (
    re.compile(r" and (?:[a-z]+ly )?[a-z-]+$"),
    re.compile(r" and (?:an?|the|her|his) [a-z-]+$"),
)
_PART_AHEAD = re.compile(
    r"[a-z]* (?:(?:inner|outer|upper|lower) )?(?:eye|brow|lid|lip|mouth|corner|jaw|chin|head"
    r"|shoulder|hand|arm|body|gaze|voice|pitch|tone|intonation)"
)


def _observations(text: str, covered: bytearray, block: Block) -> Iterator[Item]:
    """Phrases of ours for what is observed, before the patterns of cues."""
    first = (*_FIRST, "for", "against") if block in CONCLUDING else _FIRST
    at = 0
    while at < len(text):
        phrase = phrase_at(text, at) if is_boundary(text, at) else None
        if phrase is not None and (
            phrase.kind in first or phrase.value in ("state", "frame") or _is_of_words(phrase)
        ):
            end = at + len(phrase.text)
            covered[at:end] = b"\1" * (end - at)
            yield Item(phrase.kind, phrase.value, at, end, text=phrase.text)
            at = end
        else:
            at += 1


def _is_of_words(phrase: Phrase) -> bool:
    """True for a hedge on a transcript: "doubtful" in it is no emotion."""
    return phrase.kind == "hedge" and _RECOGNITION.search(phrase.text) is not None


_RECOGNITION = re.compile(r"recogni|transcri|words|识别")


def _fits(phrase: Phrase, block: Block) -> bool:
    return block in CONCLUDING or phrase.kind not in ONLY_CONCLUDING or phrase.value == "low"


def _cover(covered: bytearray, hit: Hit) -> None:
    marks = bytearray(b"\1" * (hit.end - hit.start))
    for start, end in hit.free:
        low, high = max(start, hit.start), min(end, hit.end)
        marks[low - hit.start : high - hit.start] = bytes(max(0, high - low))
    for place, mark in enumerate(marks, start=hit.start):
        covered[place] |= mark


def _ways(text: str, hit: Hit, covered: bytearray) -> Iterator[Item]:
    """The sides that a cue's own words name."""
    for match in _SIDE.finditer(text, hit.start, hit.end):
        if covered[match.start()]:
            side = "left" if match.group() in ("left", "左") else "right"
            yield Item("way", side, match.start(), match.end(), text=match.group())


def _emotions(text: str, covered: bytearray) -> Iterator[Item]:
    for match in emotion_pattern().finditer(text):
        if not any(covered[match.start() : match.end()]):
            covered[match.start() : match.end()] = b"\1" * (match.end() - match.start())
            yield Item("emotion", match.group(), match.start(), match.end())


def _people(text: str, covered: bytearray) -> Iterator[Item]:
    for match in _PERSON.finditer(text):
        number = match["en"] or match["zh"] or match["hao"]
        kind = "voice" if (match["who"] or match["ren"]) in _VOICE else "person"
        yield Item("named", f"{kind} {number}", match.start(), match.end())
    for match in _PLACE.finditer(text):
        side = {"左": "left", "右": "right"}.get(match["from"] or "", "")
        place = match["en"] or f"{_RANKS.get(match['rank'] or '', '')} from the {side}"
        place = PLACES_ZH[match["zh"]] if match["zh"] else place
        if not any(covered[match.start() : match.end()]) and _is_of_person(text, match):
            yield Item("place", place, match.start(), match.end())


def _is_of_person(text: str, match: re.Match[str]) -> bool:
    """True for a place right behind a person, not for a direction."""
    return match["en"] is None or _PLACED.search(text[: match.start()]) is not None


def _quantities(text: str, covered: bytearray) -> Iterator[Item]:
    for quantity in quantities_in(text):
        if quantity.role == "codes" or not all(covered[quantity.start : quantity.end]):
            yield Item("quantity", quantity.role, quantity.start, quantity.end, quantity=quantity)


def _word_end(text: str, at: int) -> int:
    end = at + 1
    while end < len(text) and not is_boundary(text, end):
        end += 1
    return end


def parts_of(items: Sequence[Item]) -> list[Part]:
    """The items between breaks; parentheses and a cue's own words are not split."""
    parts, depth = [Part()], 0
    wide = [item for item in items if item.kind in ("hit", "verbatim")]
    for item in items:
        if item.kind == "paren":
            opened = item.value == "open"
            depth = depth + 1 if opened else max(0, depth - 1)
        elif item.kind == "break" and (depth or any(_is_inside(item, one) for one in wide)):
            continue
        elif item.kind == "break" and parts[-1].after == "while" and not parts[-1].items:
            continue  # "... 的同时, ..."
        elif item.kind == "break":
            parts.append(Part(after=item.value))
        else:
            parts[-1].items.append(item)
    return [part for part in parts if part.items or part is parts[0]]


def _is_inside(item: Item, wide: Item) -> bool:
    """True if an item is among the own words of another one."""
    free = wide.hit.free if wide.hit is not None else ()
    inside = wide.start < item.start and item.end <= wide.end
    return inside and not any(start <= item.start < end for start, end in free)
