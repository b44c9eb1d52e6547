"""Numbers with units, times and counts in folded text and in clues' data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from emer.tools.types import Clue

Role = Literal["point", "range", "length", "after", "before", "amount", "codes", "letter"]

NUMBERS = {
    "half a": 0.5, "a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0,
    "five": 5.0, "six": 6.0, "seven": 7.0, "eight": 8.0, "nine": 9.0, "ten": 10.0,
    "半": 0.5, "一": 1.0, "两": 2.0, "二": 2.0, "三": 3.0, "四": 4.0, "五": 5.0, "六": 6.0,
    "七": 7.0, "八": 8.0, "九": 9.0, "十": 10.0,
}  # fmt: skip
UNITS = {
    "s": r"s\b|secs?\b|seconds?\b|秒钟?",
    "semitones": r"semitones?\b|st\b|个?半音",
    "hz": r"hz\b|hertz\b|赫兹?",
    "db": r"db\b|decibels?\b|分贝",
    "degrees": r"degrees?\b|°|度",
    "%": r"%|percent\b|per cent\b",
    "syllables": r"syllables? (?:per|a) second\b|syllables?/s\b|个?音节(?:每秒|/秒)",
    "times": r"times\b|次",
    "frames": r"frames\b|帧",
    "half swings": r"half swings\b",
    "face heights": r"face heights?(?: per second)?\b",
    "picture heights": r"picture heights?\b",
    "people": r"(?=people\b|persons?\b|faces?\b|个?人)",
}
_DATA_UNITS = {
    "_s": "s", "_st": "semitones", "_hz": "hz", "_db": "db", "_deg": "degrees",
    "degrees": "degrees", "syllables_per_s": "syllables", "times": "times", "count": "times",
    "people": "people",
}  # fmt: skip
_NEAR = (
    r"(?:(?P<near>about|around|roughly|approximately|some|circa|close to|nearly|almost|~|大约|约为?"
    r"|大概|将近)\s*)?"
)
_VALUE = r"[-+]?\d{1,9}(?:\.\d{1,9})?(?![\d.]*\d)"
_WORDS = "|".join(sorted(map(re.escape, NUMBERS), key=lambda w: (-len(w), w)))
_UNIT = "|".join(f"(?P<u{place}>{unit})" for place, unit in enumerate(UNITS.values()))
_NAMES = tuple(UNITS)
_LEAD = (
    r"(?:(?P<lead>for|lasting|lasts|of|in|within|after|from|since|before|until|till|by|at|between"
    r"|during|在|从|于|持续|长达)\s*)?"
)
AMOUNT = re.compile(
    rf"(?<![a-z\d.]){_LEAD}(?:up to |at least |by |by up to )?(?:the )?{_NEAR}"
    rf"(?:(?P<value>{_VALUE})|(?P<word>(?<![a-z])(?:{_WORDS})(?![a-z])))\s*-?(?:{_UNIT})"
    r"(?P<after>\s*(?:左右|之后|之前|以前|以后))?"
)
TIMES = re.compile(
    rf"{_LEAD}{_NEAR}(?<![a-z\d.])(?P<start>\d{{1,9}}(?:\.\d{{1,9}})?)\s*(?:s\b|seconds?\b|秒)?\s*"
    r"(?:-|to|until|and|till|到|至|~)\s*"
    r"(?P<end>\d{1,9}(?:\.\d{1,9})?)\s*(?:s\b|secs?\b|seconds?\b|秒钟?)(?:\s*(?:之间|期间))?"
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
        start: First character.
        end: Behind its last character.
        letter: The FACS letter.
        listed: The moments are all there are ("at 1.0, 1.3, 6.8 s").
    """

    role: Role
    values: tuple[float, ...]
    unit: str
    near: bool
    start: int
    end: int
    letter: str = ""
    listed: bool = False


_ROLES: dict[str, Role] = {
    "for": "length", "lasting": "length", "lasts": "length", "of": "length", "in": "length",
    "within": "length", "持续": "length", "长达": "length", "after": "after", "from": "after",
    "since": "after", "before": "before", "until": "before", "till": "before",
}  # fmt: skip


def quantities_in(text: str) -> list[Quantity]:
    """All quantities of a folded text that do not overlap, in order."""
    taken = bytearray(len(text))
    found: list[Quantity] = []
    for quantity in (*_ranges(text), *_coded(text), *_amounts(text)):
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
        near = match["near"] is not None or "左右" in (match["after"] or "")
        role: Role = "amount"
        if unit == "s":
            role = _role(match)
        yield Quantity(role, (abs(value),), unit, near, match.start(), match.end())


def _role(match: re.Match[str]) -> Role:
    lead, after = match["lead"] or "", (match["after"] or "").strip()
    if after in ("之后", "以后"):
        return "after"
    if after in ("之前", "以前"):
        return "before"
    if lead in _ROLES:
        return _ROLES[lead]
    is_moment = lead in ("at", "around", "by", "在", "于", "从", "during")
    return "point" if match["value"] and (is_moment or match["near"]) else "amount"


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
            unit = "s"
        if key.endswith("share"):
            plain, unit = tuple(100 * number for number in plain), "%"
        if plain and unit:
            yield Quantity("amount", plain, unit, False, 0, 0, listed=key == "at")
