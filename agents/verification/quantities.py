"""Numbers with units, times and counts in folded text and in clues' data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from emer.tools.types import Clue

Role = Literal[
    "point", "range", "length", "after", "since", "before", "later", "opening", "closing",
    "amount", "codes", "letter",
]  # fmt: skip

NUMBERS = {
    "half a": 0.5, "a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0,
    "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0, "nine": 9.0, "ten": 10.0,
    "eleven": 11.0, "twelve": 12.0, "半": 0.5, "一": 1.0, "两": 2.0, "二": 2.0, "三": 3.0,
    "四": 4.0, "五": 5.0, "六": 6.0, "七": 7.0, "八": 8.0, "九": 9.0, "十": 10.0,
}  # fmt: skip
UNITS = {
    "s": r"s\b|secs?\b|seconds?\b|秒钟?",
    "semitones": r"semitones?\b|st\b|个?半音",
    "hz": r"hz\b|hertz\b|赫兹?",
    "db": r"db\b|decibels?\b|分贝",
    "degrees": r"degrees?\b|°|(?<![一两二三])度",
    "%": r"%|percent\b|per cent\b",
    "syllables": r"syllables? (?:per|a) second\b|syllables?/s\b|个?音节(?:每秒|/秒)?",
    "times": r"times\b|occasions\b|[次回]",
    "frames": r"frames\b|帧",
    "half swings": r"half swings\b",
    "face heights": r"face heights?(?: per second)?\b",
    "picture heights": r"picture heights?\b",
    "people": r"(?=people\b|persons?\b|faces?\b|[个名位]?人|张脸)",
}
_DATA_UNITS = {
    "_s": "s", "_st": "semitones", "_hz": "hz", "_db": "db", "_deg": "degrees",
    "degrees": "degrees", "syllables_per_s": "syllables", "times": "times", "count": "times",
    "people": "people",
}  # fmt: skip
_NEAR = (
    r"(?:(?P<near>about|around|roughly|approximately|some|circa|close to|nearly|almost|just (?:over"
    r"|under)|(?:a little|a bit|slightly) (?:over|under|more than|less than|above|below)|~|大约"
    r"|约为?|大概|将近|接近|差不多)\s*)?"
)
_BOUND = (
    r"(?:(?P<over>over|more than|longer than|above|超过|多于)\s*"
    r"|(?P<under>under|less than|fewer than|shorter than|below|不到|不足|少于)\s*)?"
)
_VALUE = r"[-+]?\d{1,9}(?:\.\d{1,9})?(?![\d.]*\d)"
_WORDS = "|".join(sorted(map(re.escape, NUMBERS), key=lambda w: (-len(w), w)))
_UNIT = "|".join(f"(?P<u{place}>{unit})" for place, unit in enumerate(UNITS.values()))
_NAMES = tuple(UNITS)
_LEAD = (
    r"(?:(?P<lead>for|lasting|lasts|last|of|in|within|after|from|since|before|until|till|by|at"
    r"|between|during|在|从|自|于|持续|长达|历时)\s*)?"
)
AMOUNT = re.compile(
    rf"(?<![a-z\d.第])(?!(?<=[前后头上])一[次回]){_LEAD}(?:by )?"
    rf"(?:(?<!add )(?<!adds )(?<!adding )up to )?(?:the )?{_NEAR}{_BOUND}"
    rf"(?:(?P<value>{_VALUE})|(?P<word>(?<![a-z])(?:{_WORDS})(?![a-z])))"
    rf"(?P<mid>[ -]and[ -]a[ -]half)?\s*-?(?:{_UNIT})"
    r"(?P<half> and a half)?"
    r"(?P<after>\s*(?:mark\b|in(?=[,.;]|$)|in(?:to)? the (?:clip|video)\b|onwards?\b"
    r"|on\b(?! the)|later\b|afterwards\b|or so\b|左右|上下|前后|时(?![间常段])|多(?![少次])"
    r"|之后|之前|以前|以后|处|起|开始))*"
)
EDGE = re.compile(
    r"(?P<lead>in|during|for|over|within|throughout) the (?:very )?"
    rf"(?P<edge>first|opening|last|final|closing) {_NEAR}"
    rf"(?:(?P<value>{_VALUE})|(?P<word>second and a half|couple of|few|(?:{_WORDS})(?![a-z])))"
    r"(?:\s*(?:s|seconds?)\b)?(?: or so\b)?"
    r"|(?P<edge_zh>开头|最初|开始|前|头|最后|结尾|末尾)的?(?P<near_zh>大约|约|大概|将近)?"
    rf"(?:(?P<value_zh>{_VALUE})|(?P<word_zh>[一两二三四五六七八九十半]))\s*秒钟?(?:内|里|中|左右)?"
)
"""The first or last seconds of the clip."""
FRACTION = re.compile(
    rf"{_NEAR}{_BOUND}(?:(?P<part>(?:a|one|two|three) (?:thirds?|quarters?|fifths?|tenths?)"
    r"|(?<!first )(?<!second )(?<!latter )(?<!last )half)"
    r"(?= (?:of|the)\b)"
    r"|(?P<tenths>[一两二三四五六七八九])成|百分之(?P<percent>[一二三四五六七八九十]+)"
    r"|(?P<below>[二两三四五十])分之(?P<above>[一二三四五六七八九])|(?P<half>一半|半数))"
)
"""A share in words."""
_PARTS = {"third": 3, "quarter": 4, "fifth": 5, "tenth": 10}
_SECONDS = r"\d{1,9}(?:\.\d{1,9})?"
TIMES = re.compile(
    rf"{_LEAD}{_NEAR}(?<![a-z\d.])(?P<start>{_SECONDS})\s*(?:s\b|seconds?\b|秒)?\s*"
    r"(?:(?:-|to|until|till|through|一?直?[到至]|~)\s*(?:(?:about|around|roughly|约|大约)\s*)?|and\s*)"
    rf"(?P<end>{_SECONDS})\s*(?:s\b|secs?\b|seconds?\b|秒钟?)"
    r"(?:\s*(?:之间|期间|这段时间|的时候|时段?|间))?"
)
LISTED = re.compile(
    r"(?:at )?(?P<list>\d{1,9}(?:\.\d{1,9})?(?:,(?: \.\.\.)? ?\d{1,9}(?:\.\d{1,9})?)+"
    r"(?:,? (?:\.\.\.|and \d{1,9}(?:\.\d{1,9})?))?)\s*s\b"
)
CODES = re.compile(r"\baus? ?(\d{1,2})(?: ?[+/,] ?(?:au ?)?(\d{1,2}))*\b")
LETTER = re.compile(r"\bintensity ([a-e])\b|强度 ?([a-e])(?![a-z])")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number or time in a text.

    Args:
        role: A moment, a range, a length or limit in seconds, an amount of a unit, action
            units, or a FACS letter.
        values: The numbers.
        unit: The unit of an amount.
        near: It is said to be approximate.
        start: First character of it in its text.
        end: Behind its last character.
        letter: The FACS letter.
        listed: The moments are all there are ("at 1.0, 1.3, 6.8 s").
        bound: The amount is more, or less, than its number.
    """

    role: Role
    values: tuple[float, ...]
    unit: str
    near: bool = False
    start: int = 0
    end: int = 0
    letter: str = ""
    listed: bool = False
    bound: Literal["", "over", "under"] = ""


_ROLES: dict[str, Role] = {
    "for": "length", "lasting": "length", "lasts": "length", "last": "length",
    "of": "length", "in": "length", "within": "length", "持续": "length", "长达": "length",
    "历时": "length", "after": "after", "from": "since", "since": "since", "从": "since",
    "自": "since", "before": "before", "until": "before", "till": "before",
}  # fmt: skip
_ROLES_BEHIND: dict[str, Role] = {
    "之后": "after", "以后": "after", "之前": "before", "以前": "before", "later": "later",
    "afterwards": "later", "起": "since", "开始": "since", "on": "since", "onward": "since",
    "onwards": "since",
}  # fmt: skip


def quantities_in(text: str) -> list[Quantity]:
    """All quantities of a folded text that do not overlap, in order."""
    taken = bytearray(len(text))
    found: list[Quantity] = []
    for quantity in (*_edges(text), *_ranges(text), *_coded(text), *_shares(text), *_amounts(text)):
        if not any(taken[quantity.start : quantity.end]):
            taken[quantity.start : quantity.end] = b"\1" * (quantity.end - quantity.start)
            found.append(quantity)
    return sorted(found, key=lambda quantity: quantity.start)


def _ranges(text: str) -> Iterator[Quantity]:
    for match in LISTED.finditer(text):
        values = tuple(map(float, _DIGITS.findall(match["list"])))
        yield Quantity("point", values, "s", False, match.start(), match.end(), listed=True)
    for match in TIMES.finditer(text):
        values = (float(match["start"]), float(match["end"]))
        yield Quantity("range", values, "s", match["near"] is not None, match.start(), match.end())


def _edges(text: str) -> Iterator[Quantity]:
    for match in EDGE.finditer(text):
        word = match["word"] or match["word_zh"] or ""
        digits = match["value"] or match["value_zh"]
        value = float(digits) if digits else NUMBERS.get(word) or _LOOSE[word]
        is_first = (match["edge"] or match["edge_zh"]) in _OPENING
        role: Role = "opening" if is_first else "closing"
        whole = match["lead"] in ("for", "throughout", "over")
        near = match["near"] is not None or match["near_zh"] is not None
        yield Quantity(role, (value,), "s", near, match.start(), match.end(), listed=whole)


_LOOSE = {"second and a half": 1.5, "couple of": 2.0, "few": 3.0}
_OPENING = ("first", "opening", "开头", "最初", "开始", "前", "头")


def _shares(text: str) -> Iterator[Quantity]:
    """Shares in words, as per cent; always approximate."""
    for match in FRACTION.finditer(text):
        if match["part"]:
            count, _, part = match["part"].rpartition(" ")
            value = NUMBERS[count] / _PARTS[part.rstrip("s")] if count else 0.5
        elif match["tenths"]:
            value = NUMBERS[match["tenths"]] / 10
        elif match["percent"]:
            value = _percent(match["percent"]) / 100
        elif match["below"]:
            value = NUMBERS[match["above"]] / NUMBERS[match["below"]]
        else:
            value = 0.5
        bound = _bound(match)
        share = (round(100 * value, 1),)
        yield Quantity("amount", share, "%", True, match.start(), match.end(), bound=bound)


def _percent(text: str) -> float:
    """A Chinese number below 100: "三十五"."""
    tens, ten, ones = text.rpartition("十")
    value = NUMBERS.get(tens, 1.0) * 10 if ten else 0.0
    return value + NUMBERS.get(ones, 0.0)


def _coded(text: str) -> Iterator[Quantity]:
    for match in CODES.finditer(text):
        values = tuple(map(float, _DIGITS.findall(match.group())))
        yield Quantity("codes", values, "au", False, match.start(), match.end())
    for match in LETTER.finditer(text):
        letter = match.group(1) or match.group(2)
        yield Quantity("letter", (), "", False, match.start(), match.end(), letter)


def _amounts(text: str) -> Iterator[Quantity]:
    for match in AMOUNT.finditer(text):
        unit = next(name for i, name in enumerate(_NAMES) if match[f"u{i}"] is not None)
        if unit == "people" and match["word"] in ("a", "an"):
            continue
        value = float(match["value"]) if match["value"] else NUMBERS[match["word"]]
        if match["half"] or match["mid"]:
            value += 0.5
        near = match["near"] is not None or match["after"] in (
            "左右",
            "上下",
            "前后",
            "多",
            " or so",
        )
        role: Role = "amount"
        if unit == "s":
            role = _role(match)
        yield Quantity(
            role,
            (abs(value),),
            unit,
            near,
            match.start(),
            match.end(),
            bound=_bound(match),
        )


def _bound(match: re.Match[str]) -> Literal["", "over", "under"]:
    if match["under"]:
        return "under"
    return "over" if match["over"] else ""


def _role(match: re.Match[str]) -> Role:
    lead, after = match["lead"] or "", (match["after"] or "").strip()
    if after in _ROLES_BEHIND:
        return _ROLES_BEHIND[after]
    is_place = after in ("mark", "处", "时") or after.startswith("in")
    if lead in _ROLES and not is_place:
        return _ROLES[lead]
    if is_place or lead in ("at", "around", "by", "在", "于", "during"):
        return "point"
    near = match["near"] or after in ("左右", "上下", "前后", "多")
    return "point" if match["value"] and near else "amount"


def of_clue(clue: Clue, text: str) -> tuple[Quantity, ...]:
    """The quantities that a clue states in its folded text and its data."""
    return (*quantities_in(text), *_in_data(clue))


def _in_data(clue: Clue) -> Iterator[Quantity]:
    for key, value in clue.data.items():
        numbers = value if isinstance(value, list) else [value]
        plain = tuple(
            abs(float(n)) for n in numbers if isinstance(n, int | float) and not isinstance(n, bool)
        )
        unit = next((u for ending, u in _DATA_UNITS.items() if key.endswith(ending)), "")
        if key in ("onset", "apex", "offset", "at", "closer"):
            yield Quantity("point", plain, "s", listed=key == "at")
            continue
        if key.endswith("share"):
            plain, unit = tuple(100 * number for number in plain), "%"
        if plain and unit:
            yield Quantity("amount", plain, unit)
