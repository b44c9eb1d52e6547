"""Times, lists and amounts in a clue sentence; safe to print.

What was found, before it becomes a clue: a sentence, its time and its numbers.

Text that may be shown: no transcript and no file name gives orders to the terminal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Finding:
    """One true sentence about the scene, with what it rests on."""

    text: str
    start: float
    end: float
    quality: float
    person: str | None = None
    factors: Mapping[str, float] = field(default_factory=dict)
    data: Mapping[str, JsonValue] = field(default_factory=dict)


def when(start: float, end: float) -> str:
    """Return the time as "2.1-2.8 s"; "2.1 s" when it is one moment."""
    first, last = f"{start:.1f}", f"{end:.1f}"
    return f"{first} s" if first == last else f"{first}-{last} s"


def amount(value: float, clear: float, strong: float) -> str:
    """Return "slightly", "clearly" or "strongly"."""
    if value >= strong:
        return "strongly"
    return "clearly" if value >= clear else "slightly"


def listed(items: list[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # operating system commands: titles, links
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # device control strings
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor movements
    r"|\x1b[ -/]*[0-~]"
)
_HIDDEN = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""Control characters, marks that turn the direction of writing, halves of surrogates."""

_BLACK = re.compile(f"[{_HIDDEN}]")


def printable(text: str) -> str:
    """Return the text without terminal escapes and without characters that are not seen."""
    return _BLACK.sub("", _ESCAPES.sub("", text))


def one_line(text: str) -> str:
    """Return the text, printable, on one line."""
    return printable(" ".join(text.split()))


def escaped(json: str) -> str:
    """Return JSON that says the same and is safe to print: what is not seen is an escape."""
    return _BLACK.sub(lambda found: f"\\u{ord(found[0]):04x}", json)
