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


_NUMBER = r"\d+(?:\.\d+)?"
_MOMENT = rf"{_NUMBER}(?:\s?[-–]\s?{_NUMBER})?(?:\s?s\b)?"  # noqa: RUF001
_MOMENTS = re.compile(
    rf"\bat (?:about )?({_MOMENT}(?:(?:, | and ){_MOMENT})*)"
    r"(?:(?:, \.\.\.| and later)? s\b|(?<=s)\b)"
    rf"|\bfrom ({_NUMBER}(?: s)? to {_NUMBER}) ?s\b"
    rf"|({_NUMBER}\s?[-–]\s?{_NUMBER})\s?(?:s\b|秒)"  # noqa: RUF001
)


def times_in(text: str) -> list[float]:
    """Moments that a sentence names, in s: "at 1.2-2.0 s and 3.4 s"; lengths are none."""
    found = (group for match in _MOMENTS.finditer(text) for group in match.groups() if group)
    return [float(number) for group in found for number in re.findall(_NUMBER, group)]


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


_UNDECODED = re.compile("[\ud800-\udfff]")
_BYTE = re.compile(r"\\x([89a-f][0-9a-f])")


def readable(text: str) -> str:
    """Text that can be encoded: bytes of a name that are not UTF-8 become escapes."""
    return _UNDECODED.sub(lambda match: f"\\x{ord(match[0]) & 0xFF:02x}", text)


def undecoded(name: str) -> str:
    """File name of which `readable` made this text."""
    return _BYTE.sub(lambda match: chr(0xDC00 + int(match[1], 16)), name)


def one_line(text: str) -> str:
    """Printable text with all white space collapsed, on one line."""
    return printable(readable(" ".join(text.split())))


def escaped(json: str) -> str:
    """Equivalent JSON, safe to print: invisible characters become escapes."""
    json = _UNDECODED.sub(lambda match: readable(match[0]).replace("\\", r"\\"), json)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", json)
