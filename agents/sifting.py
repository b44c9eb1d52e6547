"""Which asks can be carried out, and why the others cannot."""

from __future__ import annotations

from collections.abc import Sequence

from emer.agents.types import Ask, Inquiry, Refusal
from emer.tools.types import Span

SHORTEST = 0.05
"""Seconds below which there is nothing to look at (chosen by us: about one frame)."""


def sift(asks: Sequence[Ask], inquiry: Inquiry) -> tuple[tuple[Ask, ...], tuple[Refusal, ...]]:
    """Return the asks to known tools, inside the clip, never made before; and the refusals.

    A span that reaches past the clip's end is cut there; times are rounded to milliseconds.
    """
    names = [tool.name for tool in inquiry.tools]
    seen = {(ask.tool, ask.span) for ask in inquiry.asked}
    kept: list[Ask] = []
    refused: list[Refusal] = []
    for ask in asks:
        span = _inside(ask.span, inquiry.duration)
        why = _fault(ask, span, names, seen, inquiry.duration)
        if why is not None or span is None:
            refused.append(Refusal(ask=ask, why=why or "it has no span"))
        else:
            seen.add((ask.tool, span))
            kept.append(ask.model_copy(update={"span": span}))
    return tuple(kept), tuple(refused)


def _fault(
    ask: Ask,
    span: Span | None,
    names: Sequence[str],
    seen: set[tuple[str, Span]],
    duration: float,
) -> str | None:
    """Return what keeps an ask from being carried out, None if nothing does."""
    if ask.tool not in names:
        return f"there is no tool {ask.tool!r} to ask; known: {', '.join(names) or 'none'}"
    if span is None:
        return f"{_seconds(ask.span)} is not inside the clip, which lasts {duration:g} s"
    if (ask.tool, span) in seen:
        return f"{ask.tool} has already looked at {_seconds(span)}"
    return None


def _inside(span: Span, duration: float) -> Span | None:
    start, end = (round(min(time, duration), 3) for time in (span.start, span.end))
    return Span(start=start, end=end) if end - start >= SHORTEST else None


def _seconds(span: Span) -> str:
    return f"{span.start:g}-{span.end:g} s"
