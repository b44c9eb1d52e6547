"""Text that may be shown: no transcript and no file name gives orders to the terminal."""

from __future__ import annotations

import re

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
