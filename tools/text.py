"""Times, lists and amounts in clue sentences; text that is safe to print."""

from __future__ import annotations

import re


def when(start: float, end: float) -> str:
    """Time span as "2.1-2.8 s", or "2.1 s" where both round to the same."""
    first, last = f"{start:.1f}", f"{end:.1f}"
    return f"{first} s" if first == last else f"{first}-{last} s"


def amount(value: float, clear: float, strong: float) -> str:
    """Degree of a measurement: "slightly", "clearly" or "strongly"."""
    if value >= strong:
        return "strongly"
    return "clearly" if value >= clear else "slightly"


def listed(items: list[str]) -> str:
    """List in words: "a", "a and b" or "a, b and c"."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # operating system commands: titles, links
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # device control strings
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor movements
    r"|\x1b[ -/]*[0-~]"
)
_HIDDEN = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""Control characters, bidirectional marks, lone surrogates."""

_UNPRINTABLE = re.compile(f"[{_HIDDEN}]")


def printable(text: str) -> str:
    """Text without terminal escape sequences and invisible characters."""
    return _UNPRINTABLE.sub("", _ESCAPES.sub("", text))


def one_line(text: str) -> str:
    """Printable text with all white space collapsed, on one line."""
    return printable(" ".join(text.split()))


def escaped(json: str) -> str:
    """Equivalent JSON that is safe to print: invisible characters become escapes."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", json)
