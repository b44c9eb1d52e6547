"""Words that are both written and heard: one clue with both times, weighed once.

A subtitle is better evidence of the words than a transcript: where both have the same words, the
subtitle stands, says when they are heard, and takes from the transcript the letters that could
not be read in the picture. Where they differ, both stand and say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, Final, NamedTuple

from emer.tools.text import when
from emer.tools.types import LONGEST_CLUE, Clue, Span

SAME: Final = 0.45
"""Share of a transcript's letters that a subtitle has in the same order (chosen by us).

Simplified and traditional characters of one sentence agree in about half, unlike sentences of
one language in a quarter.
"""
WHOLE: Final = 0.5
"""Share of a subtitle's letters that are heard from which "the same words" are heard (by us)."""
SLACK: Final = 0.7
"""Seconds by which words may be heard before or after they are written (chosen by us)."""
MEETING: Final = 0.5
"""Share of a transcript's time with a subtitle from which their words are compared."""
LEGIBLE, UNREAD = 0.5, "…"
"""As in `tools/ocr/band.py`: probability of a letter that is reported; sign for others."""
UNSURE: Final = 0.95
"""Probability of a read letter below which a surer heard one stands instead.

Letters that are clear in the picture have 0.99 and more (chosen by us)."""
NEARBY: Final = 1.5
"""Stretch of written letters, in lengths of what is heard, in which its words stand (by us)."""
RUN: Final = 3
"""Letters of an alphabet in a row that count as shared; one alone is in every sentence."""

_WRITTEN = re.compile(r"the (?:burnt-in )?subtitle reads\b", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_UNREADABLE = " (…: not readable)"
_AS_HEARD = " (unclear letters as they are heard)"
_OTHERS = " (other words are heard)"
_HOW: Mapping[str, str] = {"heard": "are heard", "shown": "stand in the picture"}
"""What is said of the same words, by the name of their time in the data."""


class _Letter(NamedTuple):
    """A letter of a clue's words: its probability, its place, its time."""

    letter: str
    sure: float
    clue: int
    """Number of the clue."""
    place: int
    """Number of the letter in the clue's words."""
    span: Span | None


@dataclass(slots=True)
class Matching:
    """Which clues have the same words."""

    merged: dict[str, Clue] = field(default_factory=dict)
    """By the id of a clue: the same clue, with what it says of the other."""
    within: dict[str, frozenset[str]] = field(default_factory=dict)
    """By the id of a clue that says nothing more: the ids of those that have its words."""
    beside: dict[str, frozenset[str]] = field(default_factory=dict)
    """By the id of a clue in `merged`: the ids of those of which it says something."""

    def apply(self, clues: Iterable[Clue]) -> tuple[Clue, ...]:
        """The clues with the same words once, as far as both clues are there."""
        here = {clue.id: clue for clue in clues}
        present = here.keys()
        return tuple(
            self.merged[id] if self.beside.get(id, frozenset()) & present else clue
            for id, clue in here.items()
            if not self.within.get(id, frozenset()) & present
        )


def match_words(clues: Iterable[Clue]) -> Matching:
    """The matching of subtitles and transcripts among the clues."""
    spoken = sorted((c for c in clues if _words(c) is not None), key=lambda c: (_start(c), c.id))
    written = [clue for clue in spoken if is_written(clue)]
    given = [clue for clue in written if "letters" not in clue.data]
    read = [clue for clue in written if "letters" in clue.data]
    heard = [clue for clue in spoken if not is_written(clue)]
    matching = Matching()
    for clue in read:
        _join(clue, given, matching, "shown")
    left = [clue for clue in written if clue.id not in matching.within]
    for clue in heard:
        _join(clue, left, matching, "heard")
    return matching


def is_heard(clue: Clue) -> bool:
    """True for a subtitle whose words are heard, too, and not only some of them."""
    share = clue.data.get("heard_share")
    return isinstance(share, int | float) and share >= WHOLE


def is_written(clue: Clue) -> bool:
    """True for the words of a subtitle."""
    return clue.modality == "text" and _WRITTEN.match(clue.text) is not None


def _words(clue: Clue) -> str | None:
    """The words of a subtitle or transcript; None for any other clue."""
    words = clue.data.get("transcript")
    if clue.kind != "transcribed" or "translated_from" in clue.data or not isinstance(words, str):
        return None
    return words


def _join(clue: Clue, others: Sequence[Clue], matching: Matching, how: str) -> None:
    """Add to the matching what one clue has in common with subtitles of its time."""
    near = [other for other in others if _meets(clue, other)]
    if not near:
        return
    known = [matching.merged.get(other.id, other) for other in near]
    own, letters = list(_letters(clue, 0)), [x for n, o in enumerate(known) for x in _letters(o, n)]
    blocks = _shared(own, letters)
    if not own or sum(size for _, _, size in blocks) < SAME * len(own):
        _mark_other(clue, near, matching)
        return
    pairs = [(own[a + k], letters[b + k]) for a, b, size in blocks for k in range(size)]
    holders = sorted({letter.clue for _, letter in pairs})
    for number in holders:
        span = _union(one.span or clue.span for one, two in pairs if two.clue == number)
        merged = known[number]
        merged = _with_letters(merged, number, own, letters) if how == "heard" else merged
        share = _covered(number, own, letters)
        matching.merged[near[number].id] = _with_times(merged, span, how, share)
        _add(matching.beside, near[number].id, clue.id)
    matching.within[clue.id] = frozenset(near[number].id for number in holders)


def _mark_other(clue: Clue, near: Sequence[Clue], matching: Matching) -> None:
    """Say of a transcript and the subtitles of its time that their words differ."""
    told = "the subtitle has other words"
    text = clue.text.rstrip(".")
    text = f"{text[:-1]}; {told})." if text.endswith(")") else f"{text} ({told})."
    matching.merged[clue.id] = _changed(clue, text=text)
    matching.beside[clue.id] = frozenset(other.id for other in near)
    for other in near:
        if other.id not in matching.merged:
            matching.merged[other.id] = _changed(other, text=f"{other.text.rstrip('.')}{_OTHERS}.")
        _add(matching.beside, other.id, clue.id)


def _meets(clue: Clue, other: Clue) -> bool:
    """Whether a clue's words are heard or shown about when others are written."""
    if clue.span is None or other.span is None:
        return True
    shared = min(clue.span.end, other.span.end) - max(clue.span.start, other.span.start) + SLACK
    return shared >= MEETING * min(clue.span.length, other.span.length) and shared > 0


def _letters(clue: Clue, number: int) -> Iterator[_Letter]:
    """The letters and digits of a clue's words, in lower case."""
    words = _words(clue) or ""
    timed = clue.data.get("words")
    if isinstance(timed, list) and timed:
        place = 0
        for word in timed:
            match word:
                case [str() as text, int() | float() as start, int() | float() as end, *rest]:
                    span = Span(start=max(0.0, start), end=max(0.0, start, end))
                    sure = rest[0] if rest and isinstance(rest[0], int | float) else 0.0
                    for letter in filter(str.isalnum, text):
                        yield _Letter(letter.casefold(), float(sure), number, place, span)
                        place += 1
        return
    read = clue.data.get("letters")
    pairs = read if isinstance(read, list) else [[letter, 1.0] for letter in words]
    for place, pair in enumerate(pairs):
        match pair:
            case [str() as letter, int() | float() as sure] if letter.isalnum():
                yield _Letter(letter.casefold(), float(sure), number, place, clue.span)


def _shared(own: Sequence[_Letter], others: Sequence[_Letter]) -> list[tuple[int, int, int]]:
    """Starts and lengths of what two rows of letters share at one place.

    In a long text, short stretches of any sentence are found somewhere: only those count that
    lie within half as many letters again as there are to be found.
    """
    one, two = "".join(x.letter[:1] for x in own), "".join(x.letter[:1] for x in others)
    blocks = [
        (block.a, block.b, block.size)
        for block in SequenceMatcher(None, one, two, autojunk=False).get_matching_blocks()
        if block.size >= RUN or (block.size and not one[block.a].isascii())
    ]
    reach, best, start, inside = NEARBY * len(own), 0, 0, 0
    chosen = blocks[:0]
    for end, (_, place, size) in enumerate(blocks):
        inside += size
        while place + size - blocks[start][1] > max(reach, size):
            inside -= blocks[start][2]
            start += 1
        if inside > best:
            best, chosen = inside, blocks[start : end + 1]
    return chosen


def _with_letters(
    clue: Clue, number: int, heard: Sequence[_Letter], written: Sequence[_Letter]
) -> Clue:
    """A clue read from the picture, with heard letters for those not clear."""
    read: Any = clue.data.get("letters")
    clearer = dict(_clearer(number, heard, written)) if isinstance(read, list) else {}
    if not clearer:
        return clue
    letters: list[list[Any]] = []
    for place, (letter, sure) in enumerate(read):
        if (other := clearer.get(place)) is None:
            letters.append([letter, sure])
        else:
            same = other == letter.casefold()
            letters += [[one, UNSURE] for one in (letter if same else other)]
    told = "".join(letter if sure >= LEGIBLE else UNREAD for letter, sure in letters)
    words = " ".join(re.sub(f"{UNREAD}+", UNREAD, told).split())
    text = _QUOTED.sub(lambda _: f'"{words}"', clue.text, count=1)
    text = text if UNREAD in words else text.replace(_UNREADABLE, "")
    text = text if _AS_HEARD in text else f"{text.rstrip('.')}{_AS_HEARD}."
    return _changed(clue, text=text, data={**clue.data, "transcript": words, "letters": letters})


def _clearer(
    number: int, heard: Sequence[_Letter], written: Sequence[_Letter]
) -> Iterator[tuple[int, str]]:
    """Places of unclear letters of a clue, and what is heard there instead."""
    one, two = "".join(x.letter[:1] for x in written), "".join(x.letter[:1] for x in heard)
    for kind, a, b, c, d in SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        places = written[a:b]
        if kind == "equal":
            yield from (
                (x.place, x.letter) for x in places if x.sure < LEGIBLE and x.clue == number
            )
        elif kind == "replace" and b - a == d - c:
            pairs = zip(places, heard[c:d], strict=True)
            yield from (
                (x.place, y.letter)
                for x, y in pairs
                if x.clue == number and x.sure < min(UNSURE, y.sure)
            )
        elif kind == "replace" and all(x.clue == number and x.sure < UNSURE for x in places):
            words = heard[c:d]
            if max(x.sure for x in places) < sum(y.sure for y in words) / len(words):
                yield places[0].place, "".join(y.letter for y in words)
                yield from ((x.place, "") for x in places[1:])


def _covered(number: int, own: Sequence[_Letter], written: Sequence[_Letter]) -> float:
    """Share of a clue's letters for which the other clue has one, the same or not."""
    one, two = "".join(x.letter[:1] for x in written), "".join(x.letter[:1] for x in own)
    codes = SequenceMatcher(None, one, two, autojunk=False).get_opcodes()
    beside = [x for _, a, b, c, d in codes if b - a == d - c for x in written[a:b]]
    return sum(x.clue == number for x in beside) / sum(x.clue == number for x in written)


def _with_times(clue: Clue, span: Span | None, how: str, share: float) -> Clue:
    """The clue with the time of its words elsewhere, as far as `share` of them are."""
    known, before = clue.data.get(how), clue.data.get(f"{how}_share")
    share = min(1.0, share + (before if isinstance(before, float) else 0.0))
    if isinstance(known, list) and span is not None:
        span = _union([Span(start=float(str(known[0])), end=float(str(known[1]))), span])
    what = "the same words" if share >= WHOLE else "some of these words"
    said = rf" \((?:the same|some of these) words {_HOW[how]}(?: at [\d.\-]+ s)?\)"
    said += f"|{re.escape(_OTHERS)}"
    text = re.sub(said, "", clue.text.rstrip("."))
    at = f" at {when(span.start, span.end)}" if span else ""
    times = [round(span.start, 2), round(span.end, 2)] if span else True
    data = {**clue.data, how: times, f"{how}_share": round(share, 2)}
    whole = _union([clue.span, span]) if clue.span and span else clue.span
    return _changed(clue, text=f"{text} ({what} {_HOW[how]}{at}).", data=data, span=whole)


def _union(spans: Iterable[Span | None]) -> Span | None:
    known = [span for span in spans if span is not None]
    if not known:
        return None
    return Span(start=min(s.start for s in known), end=max(s.end for s in known))


def _start(clue: Clue) -> float:
    return clue.span.start if clue.span else 0.0


def _add(groups: dict[str, frozenset[str]], key: str, value: str) -> None:
    groups[key] = groups.get(key, frozenset()) | {value}


def _changed(clue: Clue, **fields: Any) -> Clue:
    """The clue with other fields; as it was if its sentence would become too long."""
    if len(fields.get("text", "")) > LONGEST_CLUE:
        return clue
    values: Mapping[str, Any] = {name: getattr(clue, name) for name in type(clue).model_fields}
    return Clue(**{**values, **fields, "id": ""})
