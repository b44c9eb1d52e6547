"""What a clue states, and whether it carries a degree, number or time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache

from pydantic import TypeAdapter, ValidationError

from emer.agents.lexicon.cue_parser import is_doubtful, is_negated, mentions_in, read, transcript
from emer.agents.lexicon.lexicon import Channel, channel_of
from emer.agents.questions.person_focus import person_of, place_of
from emer.agents.verification.normalization import fold
from emer.agents.verification.quantities import Quantity, of_clue, quantities_in
from emer.agents.verification.reader import Item, read_sentence
from emer.agents.verification.vocabulary import INHERENT
from emer.tools.types import Clue, Span

_MOMENTS, _STRETCHES = TypeAdapter(list[float]), TypeAdapter(list[tuple[float, float]])
SLACK = 0.5
"""Seconds by which a time may miss a clue's span: rounding, "around" (by us)."""
NEARLY, MOSTLY, WHOLE = 0.9, 0.5, 0.95
"""Shares of the clip for "nearly all", "most of" and "throughout" (by us)."""
BRIEF = 1.5
"""Seconds up to which something is brief (chosen by us)."""
APPROXIMATE = 0.15
"""Share by which an approximate number may differ (chosen by us)."""
_RANKS = (0.5, 0.75, 0.92, 1.1, 1.3)
"""Factors of degree words that part their ranks, from "barely" to "extremely"."""
_LETTERS = {"a": 0, "b": 1, "c": 3, "d": 4, "e": 5}
"""Rank of a FACS letter: trace, slight, marked, severe, maximum."""
_NUMBERED = re.compile(r"\b(?:person|voice) \d+\b")
_SEXES = {
    "female": re.compile(r"\b(?:woman|women|girl|lady|female)s?\b|女"),
    "male": re.compile(r"\b(?:man|men|boy|male)s?\b|男"),
    "child": re.compile(r"\b(?:child|children|kid|boy|girl)s?\b|孩|儿童"),
}
_PEOPLE = re.compile(
    r"\b(one|two|three|four|five|six|seven|eight|nine|ten|\d+|no) (?:persons?|people|faces?)\b"
    r"|([一两二三四五六七八九十]|\d+)(?:个|名|位)?人"
)
_CLEAR = re.compile(r"\bclear(?:ly)?\b|明显")
"""Degrees whose factor is that of a cue without one."""
_PART = re.compile(r"[,;.()]|\b(?:and|but|while)\b")
_SPOKEN = re.compile(r"\b(?:speaks?|speech|voice|says|saying|intonation|pitch)\b")


@dataclass(frozen=True)
class Carrier:
    """A clue with everything that its sentence and its data state."""

    clue: Clue
    text: str
    """Its sentence, folded."""
    cues: Mapping[str, frozenset[bool]]
    """Cues, each with whether it is denied."""
    ranks: Mapping[str, int | None]
    """Degree of a cue, 0-5; None where the clue states none."""
    seen: frozenset[str]
    """Observations of `words.toml` that are no cue of the lexicon."""
    quantities: tuple[Quantity, ...]

    @cached_property
    def channel(self) -> Channel:
        """The channel of its modality."""
        return channel_of(self.clue.modality)

    @cached_property
    def person(self) -> str | None:
        """Its person, in lower case."""
        return person_of(self.clue)

    @cached_property
    def numbered(self) -> frozenset[str]:
        """The people that its sentence or its record numbers."""
        named = f"{self.clue.person or ''} {self.text}".casefold()
        return frozenset(_NUMBERED.findall(named))

    @cached_property
    def place(self) -> str | None:
        """Where its sentence places its person."""
        return place_of(self.clue)

    @cached_property
    def words(self) -> str:
        """What may be quoted, folded: a transcript, or what a sign reads."""
        if self.clue.modality == "text":
            return fold(transcript(self.clue))
        return " ".join(re.findall(r'"([^"]*)"', self.text))

    @property
    def is_doubtful(self) -> bool:
        """True for a transcript of low recognition confidence."""
        return is_doubtful(self.clue)

    def sexes(self, sex: str) -> bool:
        """True if its sentence calls its person a woman, a man or a child."""
        return self.clue.modality != "text" and _SEXES[sex].search(self.text) is not None

    def counts(self) -> set[int]:
        """Numbers of times that it states."""
        stated = {int(v) for q in self.quantities if q.unit == "times" for v in q.values}
        ranges = sum(q.role == "range" for q in quantities_in(self.text))
        stated |= {ranges} if ranges > 1 else set()
        # Once in the data is what every clue tells of; in its sentence it is a count.
        return (stated - {1}) | ({1} if re.search(r"\bonce\b|一次", self.text) else set())

    def occasions(self) -> list[Span]:
        """When it holds: the moments or stretches in its data, else its span."""
        with suppress(ValidationError):  # a stranger's data of another form
            if moments := _MOMENTS.validate_python(self.clue.data.get("at", [])):
                return [Span(start=at, end=at) for at in moments]
            if stretches := _STRETCHES.validate_python(self.clue.data.get("intervals", [])):
                return [Span(start=start, end=end) for start, end in stretches]
        return [self.clue.span] if self.clue.span else []

    def people(self) -> set[int]:
        """Numbers of people that it states."""
        names = (
            "no",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
        )
        chinese = dict(
            zip("一两二三四五六七八九十", (1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10), strict=True)
        )
        found = {int(v) for q in self.quantities if q.unit == "people" for v in q.values}
        if self.channel != "visual":
            return found
        for match in _PEOPLE.finditer(self.text):
            word = match.group(1) or match.group(2)
            if word.isdecimal():
                found.add(int(word))
            else:
                found.add(chinese[word] if word in chinese else names.index(word))
        return found

    def states(self, item: Item, *, denied: bool) -> bool:
        """True if it states what an item names, or denies it where that is claimed."""
        if item.kind in ("hit", "cue") and item.value not in self.seen:
            return denied in self.cues.get(item.value, ())
        if item.kind == "people":
            return not denied and bool(self.people())
        if item.value == "voice_speech":
            heard = self.channel in ("audio", "text") or "mouth_speech" in self.seen
            said = _SPOKEN.search(self.text.replace("no speech-like", ""))
            return not denied and (heard or said is not None)
        return not denied and item.value in self.seen


def carrier_of(clue: Clue) -> Carrier:
    """What a clue states; read once for each clue."""
    return _carrier(clue.id, _Hashed(clue))


class _Hashed:
    """A clue that compares by its id, which is a hash of its content."""

    def __init__(self, clue: Clue) -> None:
        self.clue = clue

    def __hash__(self) -> int:
        return hash(self.clue.id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and other.clue.id == self.clue.id


@lru_cache(maxsize=4096)
def _carrier(_: str, held: _Hashed) -> Carrier:
    clue = held.clue
    text = fold(clue.text)
    channel = channel_of(clue.modality)
    cues, ranks = _stated_cues(clue, text, channel)
    seen: set[str] = set()
    if channel != "text":
        items = read_sentence(text, "video" if channel == "visual" else "audio").items
        for item in (item for item in items if item.kind in ("seen", "cue")):
            denied = is_negated(_PART.split(text[: item.start])[-1])
            if item.kind == "cue":
                cues.setdefault(item.value, set()).add(denied)
            elif not denied:
                seen.add(item.value)
    for key in (*list(cues), *seen):
        if key in seen or False in cues.get(key, ()):
            for other, denied in INHERENT.get(key, ()):
                cues.setdefault(other, set()).add(denied)
    frozen = {cue: frozenset(signs) for cue, signs in cues.items()}
    return Carrier(clue, text, frozen, ranks, frozenset(seen), of_clue(clue, text))


def _stated_cues(
    clue: Clue, text: str, channel: Channel
) -> tuple[dict[str, set[bool]], dict[str, int | None]]:
    """The clue's cues with their polarity, and the rank of each that has a degree."""
    mentions = list(read([clue])[0].mentions)
    if channel != "text":
        mentions += mentions_in(clue.text, channel)
    letter = _letter(clue, text)
    graded = letter in _LETTERS or _CLEAR.search(text) is not None
    cues: dict[str, set[bool]] = {}
    ranks: dict[str, int | None] = {}
    for mention in mentions:
        cues.setdefault(mention.cue, set()).add(mention.negated)
        rank = sum(mention.strength > edge for edge in _RANKS)
        stated = rank if mention.strength != 1.0 or graded else None
        if letter in _LETTERS:
            stated = _LETTERS[letter]
        ranks[mention.cue] = stated
    return cues, ranks


def _letter(clue: Clue, text: str) -> str:
    """The clue's FACS letter, of its data or its sentence; empty without one."""
    letter = clue.data.get("intensity")
    if isinstance(letter, str):
        return letter.casefold()
    return next((q.letter for q in quantities_in(text) if q.role == "letter"), "")


def has_rank(carrier: Carrier, cues: Iterable[str], rank: int) -> bool:
    """True if a clue's degree is the claimed one or one step above it."""
    stated = [carrier.ranks.get(cue) for cue in cues if cue in carrier.ranks]
    return any(of is not None and 0 <= of - rank <= 1 for of in stated)


def has_quantity(carrier: Carrier, quantity: Quantity) -> bool:
    """True if a clue states every number of an amount, with its unit."""
    if quantity.role == "letter":
        letter = carrier.clue.data.get("intensity")
        return (isinstance(letter, str) and letter.casefold() == quantity.letter) or any(
            q.letter == quantity.letter for q in carrier.quantities
        )
    if quantity.role == "codes":
        stated = {v for q in carrier.quantities if q.unit == "au" for v in q.values}
        listed = carrier.clue.data.get("action_units")
        codes = listed if isinstance(listed, list) else []
        stated |= {float(str(code)[2:]) for code in codes if str(code)[2:].isdecimal()}
        return {*quantity.values} <= stated
    alike = [q for q in carrier.quantities if q.unit == quantity.unit]
    if quantity.unit == "s":
        alike = [q for q in alike if q.role in ("amount", "length")]
    values = [v for q in alike for v in q.values]
    return all(
        any(_is_near(value, stated, quantity) for stated in values) for value in quantity.values
    )


def _is_near(value: float, stated: float, quantity: Quantity) -> bool:
    if quantity.bound:
        return stated > value if quantity.bound == "over" else stated < value
    return value == stated or (quantity.near and abs(value - stated) <= APPROXIMATE * stated + 1e-9)


def has_times(carrier: Carrier, quantity: Quantity, duration: float) -> bool:
    """True if a moment, range or length in seconds is that of the clue.

    Args:
        carrier: The clue.
        quantity: Of unit "s".
        duration: Length of the clip in seconds.
    """
    span = carrier.clue.span
    first, last = min(quantity.values), max(quantity.values)
    if quantity.role in ("amount", "length"):
        stated = any(q.unit == "s" and q.role in ("amount", "length") for q in carrier.quantities)
        if stated or span is None:
            return has_quantity(carrier, quantity)
        return _is_length(quantity, span.length * _share(carrier))
    if quantity.role in _LIMITS:
        return span is not None and _LIMITS[quantity.role](span, quantity, duration)
    if {*quantity.values} <= {v for q in carrier.quantities if q.unit == "s" for v in q.values}:
        return True
    moments = [v for q in carrier.quantities if q.listed and q.role == "point" for v in q.values]
    if moments:
        return any(first - SLACK <= moment <= last + SLACK for moment in moments)
    return span is not None and span.start - SLACK <= first and last <= span.end + SLACK


def _is_length(quantity: Quantity, length: float) -> bool:
    value = quantity.values[0]
    if quantity.bound:
        return length > value if quantity.bound == "over" else length < value
    return abs(value - length) <= SLACK


_LIMITS: Mapping[str, Callable[[Span, Quantity, float], bool]] = {
    "after": lambda span, q, _: span.start >= q.values[0] - SLACK,
    "before": lambda span, q, _: span.end <= q.values[0] + SLACK,
    "since": lambda span, q, _: abs(span.start - q.values[0]) <= SLACK,
    "opening": lambda span, q, _: (
        span.end <= q.values[0] + SLACK
        if not q.listed
        else span.start <= SLACK and abs(span.end - q.values[0]) <= SLACK
    ),
    "closing": lambda span, q, duration: (
        span.start >= duration - q.values[0] - SLACK
        if not q.listed
        else span.end >= duration - SLACK and abs(duration - span.start - q.values[0]) <= SLACK
    ),
}
"""Whether a span keeps to a limit in time, by its role."""


def _share(carrier: Carrier) -> float:
    """Share of its span in which a clue holds; 1 where it does not say."""
    share = carrier.clue.data.get("share")
    is_number = isinstance(share, int | float) and not isinstance(share, bool)
    return float(share) if is_number else 1.0  # type: ignore[arg-type]


def is_at(span: Span | None, where: str, duration: float) -> bool:
    """True if a span is in a named part of the clip ("early", "end", ...)."""
    if span is None or duration <= 0:
        return False
    start, end = span.start / duration, span.end / duration
    middle = (start + end) / 2
    return {
        "early": start <= 1 / 3 and middle <= 0.6,
        "middle": start <= 2 / 3 and end >= 1 / 3 and 0.25 <= middle <= 0.75,
        "end": end >= 2 / 3 and middle >= 0.4,
        "to_end": span.end >= duration - min(SLACK, 0.1 * duration),
        "last_second": span.end >= duration - 1.0 and middle >= 0.4,
        "first_half": middle <= 0.5,
        "second_half": middle >= 0.5,
    }[where]


def has_extent(carrier: Carrier, extent: str, duration: float, start: float = 0.0) -> bool:
    """True if a clue holds for a named share of the clip, or of what follows a moment."""
    share, span = carrier.clue.data.get("share"), carrier.clue.span
    is_share = isinstance(share, int | float) and not isinstance(share, bool)
    whole = re.search(r"\bthroughout\b|始终|一直|全程", carrier.text) is not None
    held = 1.0 if whole else 0.0
    if is_share:
        held = max(held, float(share))  # type: ignore[arg-type]
    elif span is not None and duration > 0 and not carrier.counts():
        rest = max(duration - start, SLACK)
        held = max(held, (span.end - max(span.start, start)) / rest)
    if extent == "brief":
        return span is not None and span.length <= BRIEF
    if extent == "repeated":
        swings = [v for q in carrier.quantities if q.unit == "half swings" for v in q.values]
        return any(count >= 2 for count in (*carrier.counts(), *swings))
    return held >= {"whole": WHOLE, "nearly": NEARLY, "most": MOSTLY}[extent]


def distinct_people(carriers: Sequence[Carrier]) -> frozenset[str]:
    """The people that clues are about; clues of no one in particular do not count."""
    return frozenset(carrier.person for carrier in carriers if carrier.person)
