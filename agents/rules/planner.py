"""What to look at again; when to stop.

What to look at again: spans that could decide between the two leading readings.

Which asks can be carried out, and why the others cannot.

When to stop: sure enough, nothing to ask, the budget spent, or nothing to go on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from emer.agents.lexicon.cue_parser import Reading, is_doubtful
from emer.agents.lexicon.lexicon import lexicon
from emer.agents.questions.not_shown import clues_in_span
from emer.agents.questions.person_focus import is_about, target_clues, target_people
from emer.agents.questions.question import Topic
from emer.agents.rules.fusion import ChannelLead, Standing
from emer.agents.rules.labels import rival
from emer.agents.types import Ask, Budget, Inquiry, Refusal, StopReason
from emer.prompts.prompt import load
from emer.tools.tool import ToolCard
from emer.tools.types import Clue, Modality, Span

CLOSE = 0.25
"""Two readings nearer than this are worth another look (as in the stop rule)."""
STIRRED = 0.35
"""A reading below this is not worth an ask: nothing points to it yet (chosen by us)."""
ROUNDING = 0.001
"""Seconds to which asks are rounded."""
PAD, SHORTEST, VOICE_END, MOST = 0.4, 0.2, 1.0, 3
"""Seconds around a clue, shortest span, end of the voice; most asks of one round."""


@dataclass(frozen=True, slots=True)
class Case:
    """What asks are planned from."""

    topic: Topic
    readings: Sequence[Reading]
    standings: Sequence[Standing]
    disputes: Sequence[tuple[ChannelLead, ChannelLead]]
    duration: float


@dataclass(frozen=True, slots=True)
class Wish:
    """A span to look at with a tool of some modality, and the prompt that says why."""

    modality: Modality
    span: Span
    reason: str


def plan_asks(scene: Case, asked: Sequence[Ask], tools: Sequence[ToolCard]) -> tuple[Ask, ...]:
    """Return up to three new asks, or none where nothing could decide anything."""
    pair = open_pair(scene)
    if pair is None:
        return ()
    left, right = (lexicon().head(s.family) for s in pair)
    found: list[Ask] = []
    for wish in _wishes(scene, pair):
        span = _clipped(wish.span, scene.duration)
        for tool in _tools_for(wish.modality, scene, tools):
            taken = any(a.tool == tool and _share(a.span, span) for a in (*asked, *found))
            if span.length >= SHORTEST and not taken:
                why = load(f"rules/{wish.reason}").substitute(left=left, right=right)
                found.append(Ask(tool=tool, span=span, why=why))
                break
    return tuple(found[:MOST])


def required_asks(scene: Case, inquiry: Inquiry) -> tuple[Ask, ...]:
    """Return asks without which the question cannot be answered: a moment no clue tells of."""
    moment = scene.topic.moment
    if moment is None or moment.span is None:
        return ()
    span = _clipped(moment.span, scene.duration)
    sees_faces = any(tool.modality == "face" for tool in inquiry.tools)
    wanted: tuple[Modality, ...] = ("face" if sees_faces else "scene", "audio")
    if scene.topic.modality is not None:
        wanted = (scene.topic.modality,)
    known = target_clues(inquiry.clues, scene.topic)
    if span.length < SHORTEST or clues_in_span(known, span, scene.topic.modality):
        return ()
    why = load("rules/ask_moment").substitute(when=moment.words)
    tools = [_tools_for(modality, scene, inquiry.tools)[:1] for modality in wanted]
    asks = [Ask(tool=name, span=span, why=why) for names in tools for name in names]
    return tuple(ask for ask in asks if not _was_made(ask, inquiry.asked))


def _was_made(ask: Ask, asked: Sequence[Ask]) -> bool:
    """Tell whether the tool has already looked at all of the span."""
    return any(
        a.tool == ask.tool
        and a.span.start <= ask.span.start + ROUNDING
        and a.span.end >= ask.span.end - ROUNDING
        for a in asked
    )


def open_pair(scene: Case) -> tuple[Standing, Standing] | None:
    """Return the two readings that another look could decide between, if any."""
    if not scene.standings or not scene.standings[0].supports:
        return None
    lead, other = scene.standings[0], rival(scene.standings)
    if scene.disputes:
        one, two = scene.disputes[0]
        return one.standing, two.standing
    if other is None or lead.probability < STIRRED:
        return None
    close = lead.probability - other.probability < CLOSE
    return (lead, other) if close or len(lead.channels) < 2 else None


def _wishes(scene: Case, pair: tuple[Standing, Standing]) -> Iterator[Wish]:
    reason = "ask_conflict" if scene.disputes else "ask_zoom"
    if len(pair[0].channels) < 2 and not scene.disputes:
        reason = "ask_confirm"
    by_id = {r.clue.id: r.clue for r in scene.readings}
    for clue in _pivots(by_id, pair):
        if clue.span is not None:
            yield Wish(clue.modality, _around(clue.span), reason)
            if reason == "ask_confirm":
                yield from (Wish(m, _around(clue.span), reason) for m in _elsewhere(clue))
    yield from _voice_end(scene)
    yield from _doubtful_words(scene)
    yield from _other_person(scene)
    yield from _neutral(scene, pair)


def _pivots(by_id: dict[str, Clue], pair: tuple[Standing, Standing]) -> list[Clue]:
    """Return the strongest clue of each reading that is not text."""
    found = []
    for standing in pair:
        own = [by_id[i] for i in standing.supports if i in by_id]
        found += [c for c in own if c.modality != "text"][:1]
    return found


def _voice_end(scene: Case) -> Iterator[Wish]:
    """Yield the last second of the voice (Pell & Kotz 2011: final syllables tell)."""
    heard = [r.clue.span for r in scene.readings if r.clue.modality == "audio" and r.clue.span]
    if heard:
        end = max(span.end for span in heard)
        yield Wish("audio", Span(start=max(0.0, end - VOICE_END), end=end), "ask_voice_end")


def _doubtful_words(scene: Case) -> Iterator[Wish]:
    for r in scene.readings:
        if is_doubtful(r.clue) and r.clue.span:
            yield Wish("text", r.clue.span, "ask_words")


def _other_person(scene: Case) -> Iterator[Wish]:
    meant = target_people([r.clue for r in scene.readings], scene.topic)
    for r in scene.readings:
        if is_about(r.clue, meant) is False and r.clue.span:
            yield Wish(r.clue.modality, _around(r.clue.span), "ask_other")


def _neutral(scene: Case, pair: tuple[Standing, Standing]) -> Iterator[Wish]:
    """Yield the longer quiet stretch beside a clue that had no neutral of the person's own."""
    for r in scene.readings:
        if r.clue.id in pair[0].supports and "average face" in r.clue.text and r.clue.span:
            around = _clipped(_around(r.clue.span), scene.duration)
            before = Span(start=0.0, end=around.start)
            after = Span(start=around.end, end=scene.duration)
            yield Wish(r.clue.modality, max(before, after, key=lambda s: s.length), "ask_neutral")


def _tools_for(modality: Modality, scene: Case, tools: Sequence[ToolCard]) -> list[str]:
    """Return the names of fitting tools, those that already gave clues first."""
    used = {r.clue.source.tool for r in scene.readings if r.clue.modality == modality}
    fitting = [tool.name for tool in tools if tool.modality == modality]
    return sorted(set(fitting), key=lambda name: (name not in used, name))


def _elsewhere(clue: Clue) -> tuple[Modality, ...]:
    return ("face",) if clue.modality == "audio" else ("audio",)


def _around(span: Span) -> Span:
    return Span(start=max(0.0, round(span.start - PAD, 3)), end=round(span.end + PAD, 3))


def _clipped(span: Span, duration: float) -> Span:
    end = min(span.end, duration)
    return Span(start=min(span.start, end), end=end)


def _share(one: Span, two: Span) -> bool:
    """Tell whether two spans share more than a boundary."""
    return one.start < two.end and two.start < one.end


SHORTEST_REQUEST = 0.05
"""Seconds below which there is nothing to look at (chosen by us: about one frame)."""


def validate_asks(asks: Sequence[Ask], inquiry: Inquiry) -> tuple[tuple[Ask, ...], tuple[Refusal, ...]]:
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
    return Span(start=start, end=end) if end - start >= SHORTEST_REQUEST else None


def _seconds(span: Span) -> str:
    return f"{span.start:g}-{span.end:g} s"


SURE, MARGIN, CHANNELS_NEEDED = 0.8, 0.25, 2
"""Probability, lead over the next kind of reading, and independent channels."""


def stop_reason(
    standings: Sequence[Standing], asks: Sequence[Ask], budget: Budget
) -> StopReason | None:
    """Return why to stop, or None to carry the asks out."""
    if not standings or not standings[0].supports:
        return "no_evidence"
    if is_sure(standings):
        return "sure"
    if not asks:
        return "nothing_to_ask"
    return spent_reason(budget)


def channels_agree(standings: Sequence[Standing]) -> bool:
    """Tell whether all channels that speak point to the leading kind of reading.

    Then there is nothing to debate.
    """
    lead, other = standings[0], rival(standings)
    spoken = {channel for s in standings for channel in s.channels}
    if len(lead.channels) < CHANNELS_NEEDED or lead.channels != spoken:
        return False
    return other is None or lead.probability - other.probability >= MARGIN


def is_sure(standings: Sequence[Standing]) -> bool:
    """Tell whether the leading family stands clear of any other kind of reading."""
    lead, other = standings[0], rival(standings)
    margin = lead.probability - (other.probability if other else 0.0)
    return lead.probability >= SURE and margin >= MARGIN and len(lead.channels) >= CHANNELS_NEEDED


def spent_reason(budget: Budget) -> StopReason | None:
    """Return what has run out, or None while more may be asked."""
    left: dict[StopReason, float] = {
        "rounds_spent": budget.rounds,
        "tool_calls_spent": budget.tool_calls,
        "seconds_spent": budget.seconds,
        "tokens_spent": budget.tokens,
        "money_spent": 1.0 if budget.money is None else budget.money,
    }
    return next((reason for reason, amount in left.items() if amount <= 0), None)
