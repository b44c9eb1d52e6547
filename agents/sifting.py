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
    seen = {(ask.tool, ask.span, ask.question) for ask in inquiry.asked}
    kept: list[Ask] = []
    refused: list[Refusal] = []
    for ask in asks:
        span = _inside(ask.span, inquiry.duration)
        why = _fault(ask, span, seen, inquiry)
        if why is not None or span is None:
            refused.append(Refusal(ask=ask, why=why or "it has no span"))
        else:
            seen.add((ask.tool, span, ask.question))
            kept.append(ask.model_copy(update={"span": span}))
    return tuple(kept), tuple(refused)


def _fault(
    ask: Ask,
    span: Span | None,
    seen: set[tuple[str, Span, str | None]],
    inquiry: Inquiry,
) -> str | None:
    """Return what keeps an ask from being carried out, None if nothing does."""
    cards = {tool.name: tool for tool in inquiry.tools}
    if ask.tool not in cards:
        return f"there is no tool {ask.tool!r} to ask; known: {', '.join(cards) or 'none'}"
    if ask.question is not None and not cards[ask.tool].answers:
        return f"{ask.tool} answers no questions; ask it without one"
    if span is None:
        return f"{_seconds(ask.span)} is not inside the clip, which lasts {inquiry.duration:g} s"
    if (ask.tool, span, ask.question) in seen:
        again = "looked at" if ask.question is None else "been asked that about"
        return f"{ask.tool} has already {again} {_seconds(span)}"
    return None


def _inside(span: Span, duration: float) -> Span | None:
    start, end = (round(min(time, duration), 3) for time in (span.start, span.end))
    return Span(start=start, end=end) if end - start >= SHORTEST else None


def _seconds(span: Span) -> str:
    return f"{span.start:g}-{span.end:g} s"
