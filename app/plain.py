"""Text that may be shown: no transcript and no file name gives orders to the terminal."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emer.tools.types import Span

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


def to_json(value: object) -> str:
    """Return JSON that is safe to print: what is not seen is written as an escape."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return _BLACK.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def seconds(value: float) -> str:
    """Return a length of time as people write it: "8.4 s", "0.03 s", "2 min 5 s"."""
    if value >= 60:
        minutes, rest = divmod(round(value), 60)
        return f"{minutes} min {rest} s"
    return f"{value:.2f} s" if value < 1 else f"{value:.1f} s"


def span(value: Span | None) -> str:
    """Return the stretch of a clip as "1.3-2.8 s"; "whole clip" for None."""
    return "whole clip" if value is None else f"{value.start:.1f}-{value.end:.1f} s"
