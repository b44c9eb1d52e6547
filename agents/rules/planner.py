"""Follow-up observations: spans to look at again, valid asks, the stop rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from emer.agents.lexicon.cue_parser import is_doubtful
from emer.agents.lexicon.lexicon import lexicon
from emer.agents.questions.not_shown import clues_in_span
from emer.agents.questions.person_focus import target_clues
from emer.agents.rules.case import Case
from emer.agents.rules.fusion import Standing
from emer.agents.rules.labels import rival
from emer.agents.types import Ask, Budget, Inquiry, Refusal, StopReason
from emer.prompts.prompt import has_term, load, term
from emer.tools.tool import ToolCard
from emer.tools.types import Modality, Span

SURE, MARGIN, MIN_CHANNELS = 0.8, 0.25, 2
"""Stop rule: probability, lead over the next kind of reading, channels.

Two readings nearer than the margin are worth another look.
"""
MIN_PROBABILITY = 0.35
"""A reading below this is not worth an ask (chosen by us)."""
MAX_ASKS = 3
"""In one round."""
PAD, MIN_SPAN, VOICE_END = 0.4, 0.2, 1.0
"""Seconds: around a clue, shortest span of an ask, end of the voice."""
ROUNDING = 0.001
"""Seconds to which asks are rounded."""
MIN_REQUEST = 0.05
"""Shortest span in seconds of another reasoner's ask (by us: one frame)."""


class Wish(NamedTuple):
    """A span to look at with a tool of some modality, and the prompt with the reason."""

    modality: Modality
    span: Span
    reason: str


def plan_asks(case: Case, asked: Sequence[Ask], tools: Sequence[ToolCard]) -> tuple[Ask, ...]:
    """Up to three new asks that could decide between the two leading readings."""
    pair = _open_pair(case)
    if pair is None:
        return ()
    left, right = (lexicon().label_in(s.family, case.language) for s in pair)
    asks: list[Ask] = []
    for wish in _wishes(case, pair):
        span = _clipped(wish.span, case.duration)
        for tool in _tools_for(wish.modality, case, tools):
            taken = any(  # shares more than a boundary
                a.tool == tool and a.span.start < span.end and span.start < a.span.end
                for a in (*asked, *asks)
            )
            if not (taken or _is_short(span)):
                why = load(f"rules/{case.language}/{wish.reason}").substitute(
                    left=left, right=right
                )
                asks.append(Ask(tool=tool, span=span, why=why))
                break
    return tuple(asks[:MAX_ASKS])


def required_asks(case: Case, inquiry: Inquiry) -> tuple[Ask, ...]:
    """Asks that the question needs: it names a moment of which there is no clue."""
    moment, modality = case.topic.moment, case.topic.modality
    if moment is None or moment.span is None:
        return ()
    span = _clipped(moment.span, case.duration)
    if _is_short(span) or clues_in_span(target_clues(inquiry.clues, case.topic), span, modality):
        return ()
    sees_faces = any(tool.modality == "face" for tool in inquiry.tools)
    wanted: tuple[Modality, ...] = ("face" if sees_faces else "scene", "audio")
    if modality is not None:
        wanted = (modality,)
    when = term(moment.words, case.language) if has_term(moment.words) else moment.words
    why = load(f"rules/{case.language}/ask_moment").substitute(when=when)
    tools = [name for m in wanted for name in _tools_for(m, case, inquiry.tools)[:1]]
    done = {  # the tools that have already looked at all of the span
        ask.tool
        for ask in inquiry.asked
        if ask.span.start <= span.start + ROUNDING and ask.span.end >= span.end - ROUNDING
    }
    return tuple(Ask(tool=name, span=span, why=why) for name in tools if name not in done)


def validate_asks(
    asks: Sequence[Ask], inquiry: Inquiry
) -> tuple[tuple[Ask, ...], tuple[Refusal, ...]]:
    """The asks to known tools, inside the clip, never made before; and the refusals.

    A span that reaches past the clip's end is cut there; times are rounded to milliseconds.
    """
    made = {(ask.tool, ask.span, ask.question) for ask in inquiry.asked}
    valid: list[Ask] = []
    refused: list[Refusal] = []
    for ask in asks:
        start, end = (round(min(t, inquiry.duration), 3) for t in (ask.span.start, ask.span.end))
        rounded = ask.model_copy(update={"span": Span(start=start, end=end)})
        if fault := _fault(ask, rounded, made, inquiry):
            refused.append(Refusal(ask=ask, why=fault))
        else:
            made.add((ask.tool, rounded.span, ask.question))
            valid.append(rounded)
    return tuple(valid), tuple(refused)


def stop_reason(
    standings: Sequence[Standing], asks: Sequence[Ask], budget: Budget
) -> StopReason | None:
    """Why to stop; None to carry the asks out."""
    if not standings or not standings[0].supports:
        return "no_evidence"
    if is_sure(standings):
        return "sure"
    return spent_reason(budget) if asks else "nothing_to_ask"


def channels_agree(standings: Sequence[Standing]) -> bool:
    """True if all channels with clues point to the leading kind of reading."""
    lead, other = standings[0], rival(standings)
    pointing = {channel for s in standings for channel in s.channels}
    if len(lead.channels) < MIN_CHANNELS or lead.channels != pointing:
        return False
    return other is None or lead.probability - other.probability >= MARGIN


def is_sure(standings: Sequence[Standing]) -> bool:
    """True if the leading family is probable, and clear of any other kind of reading."""
    lead, other = standings[0], rival(standings)
    margin = lead.probability - (other.probability if other else 0.0)
    return lead.probability >= SURE and margin >= MARGIN and len(lead.channels) >= MIN_CHANNELS


def spent_reason(budget: Budget) -> StopReason | None:
    """Which part of the budget has run out; None while more may be asked."""
    left: dict[StopReason, float] = {
        "rounds_spent": budget.rounds,
        "tool_calls_spent": budget.tool_calls,
        "seconds_spent": budget.seconds,
        "tokens_spent": budget.tokens,
        "money_spent": 1.0 if budget.money is None else budget.money,
    }
    return next((reason for reason, amount in left.items() if amount <= 0), None)


def _fault(
    ask: Ask, rounded: Ask, made: set[tuple[str, Span, str | None]], inquiry: Inquiry
) -> str | None:
    cards = {tool.name: tool for tool in inquiry.tools}
    if ask.tool not in cards:
        return f"there is no tool {ask.tool!r} to ask; known: {', '.join(cards) or 'none'}"
    if ask.question is not None and not cards[ask.tool].answers:
        return f"{ask.tool} answers no questions; ask it without one"
    if rounded.span.length < MIN_REQUEST:
        return f"{_seconds(ask.span)} is not inside the clip, which lasts {inquiry.duration:g} s"
    if (ask.tool, rounded.span, ask.question) in made:
        again = "looked at" if ask.question is None else "been asked that about"
        return f"{ask.tool} has already {again} {_seconds(rounded.span)}"
    return None


def _open_pair(case: Case) -> tuple[Standing, Standing] | None:
    """The two readings that another look could decide between."""
    if not case.standings or not case.standings[0].supports:
        return None
    lead, other = case.standings[0], rival(case.standings)
    if case.disputes:
        one, two = case.disputes[0]
        return one.standing, two.standing
    if other is None or lead.probability < MIN_PROBABILITY:
        return None
    close = lead.probability - other.probability < MARGIN
    return (lead, other) if close or len(lead.channels) < 2 else None


def _wishes(case: Case, pair: tuple[Standing, Standing]) -> Iterator[Wish]:
    closer = "ask_confirm" if len(pair[0].channels) < 2 else "ask_zoom"
    reason = "ask_conflict" if case.disputes else closer
    for modality, span in _pivots(case, pair):
        yield Wish(modality, _around(span), reason)
        if reason == "ask_confirm":
            yield Wish("face" if modality == "audio" else "audio", _around(span), reason)
    spanned = [(clue, clue.span) for clue in case.clues if clue.span is not None]
    # the last second of the voice: final syllables carry emotion (Pell & Kotz 2011)
    if end := max((span.end for clue, span in spanned if clue.modality == "audio"), default=0.0):
        yield Wish("audio", Span(start=max(0.0, end - VOICE_END), end=end), "ask_voice_end")
    for clue, span in spanned:
        if is_doubtful(clue):
            yield Wish("text", span, "ask_words")
    for clue, span in spanned:  # the longer stretch beside one without a neutral face
        if clue.id in pair[0].supports and "average face" in clue.text:
            around = _clipped(_around(span), case.duration)
            before = Span(start=0.0, end=around.start)
            after = Span(start=around.end, end=case.duration)
            yield Wish(clue.modality, max(before, after, key=lambda s: s.length), "ask_neutral")


def _pivots(case: Case, pair: tuple[Standing, Standing]) -> Iterator[tuple[Modality, Span]]:
    """Modality and span of the strongest clue of each reading that is not text."""
    by_id = {clue.id: clue for clue in case.clues}
    for standing in pair:
        clues = (by_id[i] for i in standing.supports if i in by_id)
        clue = next((c for c in clues if c.modality != "text"), None)
        if clue is not None and clue.span is not None:
            yield clue.modality, clue.span


def _tools_for(modality: Modality, case: Case, tools: Sequence[ToolCard]) -> list[str]:
    """Names of fitting tools, those that already gave clues first."""
    used = {clue.source.tool for clue in case.clues}
    names = {tool.name for tool in tools if tool.modality == modality}
    return sorted(names, key=lambda name: (name not in used, name))


def _around(span: Span) -> Span:
    return Span(start=max(0.0, round(span.start - PAD, 3)), end=round(span.end + PAD, 3))


def _clipped(span: Span, duration: float) -> Span:
    end = min(span.end, duration)
    return Span(start=min(span.start, end), end=end)


def _is_short(span: Span) -> bool:
    """True for a span too short to look at; in binary, 1.8 - 1.6 is below 0.2."""
    return span.length < MIN_SPAN - ROUNDING


def _seconds(span: Span) -> str:
    return f"{span.start:g}-{span.end:g} s"
