"""JSON, times and spans as they are printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from emer.tools.text import escaped, one_line, printable

if TYPE_CHECKING:
    from emer.tools.types import Span

__all__ = ["WIDE", "one_line", "printable", "seconds", "span", "to_json"]


WIDE = len("expression")
"""Width of a column of slots or roles: the longest name."""


def to_json(value: object) -> str:
    """JSON that is safe to print: invisible characters are escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return escaped(text)


def seconds(value: float) -> str:
    """Duration in words: "8.4 s", "0.03 s", "2 min 5 s"."""
    if value >= 60:
        minutes, rest = divmod(round(value), 60)
        return f"{minutes} min {rest} s"
    return f"{value:.2f} s" if value < 1 else f"{value:.1f} s"


def span(value: Span | None) -> str:
    """Span in words: "1.3-2.8 s"; "whole clip" for None."""
    return "whole clip" if value is None else f"{value.start:.1f}-{value.end:.1f} s"
