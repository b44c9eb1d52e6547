"""Answers to what the question names beyond the default: an emotion, or a moment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from emer.agents.case import Case, basis
from emer.agents.conflicts import disputed
from emer.agents.fusion import WORTH_CITING, Standing
from emer.agents.labels import band
from emer.agents.phrases import join
from emer.agents.types import Sentence
from emer.agents.vocabulary import emotion_words, lexicon
from emer.prompts.prompt import load
from emer.tools.types import Clue, Span

NEAR = 0.5
"""Seconds around a named moment (chosen by us)."""
EDGE = 0.25
"""Share of the clip that "at the beginning" and "at the end" mean (chosen by us)."""
MOST = 2

_MOMENT = re.compile(r"(\d+(?:\.\d+)?)\s*(?:s\b|sec(?:onds?)?\b|秒)")
_START = re.compile(r"\b(?:at|in) the (?:start|beginning)\b|\binitially\b|开头|开始时")
_END = re.compile(r"\b(?:at|in|towards) the end\b|\bfinally\b|结尾|最后")


def answers(case: Case) -> Iterator[Sentence]:
    """Yield one or two sentences where the question names an emotion or a moment."""
    named = _named(case.question)
    found = [s for family in named[:1] for s in _on_family(case, family)]
    moment = _on_moment(case)
    yield from ([*found, moment] if moment else found)[:MOST]


def _named(question: str) -> list[str]:
    """Return the families that the question names, in the order of the words."""
    plain = question.casefold()
    labels = lexicon().labels
    places = {
        family: match.start()
        for family in lexicon().families
        if (match := re.search(emotion_words(labels, family), plain))
    }
    return sorted(places, key=lambda family: (places[family], family))


def _on_family(case: Case, family: str) -> Iterator[Sentence]:
    standing = next(s for s in case.standings if s.family == family)
    label = lexicon().head(family)
    pro = basis(c for c in standing.contributions if c.value >= WORTH_CITING)
    con = basis(c for c in reversed(standing.contributions) if c.value <= -WORTH_CITING)
    if pro:
        level = band(standing, family in disputed(case.disputes))
        shape = load("rules/answer_for")
        text = shape.substitute(basis=pro.words, label=label, band=level)
        yield Sentence(block="answer", text=text, clue_ids=pro.clue_ids)
    if con:
        shape = load("rules/answer_against")
        text = shape.substitute(basis=con.words, label=label)
        yield Sentence(block="answer", text=text, clue_ids=con.clue_ids)
    if not pro and not con:
        yield from _silent(case, standing)


def _silent(case: Case, standing: Standing) -> Iterator[Sentence]:
    """Yield the leading reading where no clue speaks for or against the one asked about."""
    if case.chosen and case.chosen[0].standing.family != standing.family:
        text = load("rules/answer_none").substitute(
            label=lexicon().head(standing.family), leading=case.chosen[0].name
        )
        ids = case.chosen[0].standing.supports
        yield Sentence(block="answer", text=text, clue_ids=ids)


def _on_moment(case: Case) -> Sentence | None:
    window = _window(case.question.casefold(), case.duration)
    if window is None:
        return None
    span, when = window
    moved = case.relevance()
    inside = [
        r.clue
        for r in case.readings
        if r.clue.span and r.clue.span.overlaps(span) and r.clue.modality != "text"
    ]
    best = sorted(inside, key=lambda c: (-moved.get(c.id, 0.0), _centre_gap(c, span), c.id))
    if not best:
        return None
    text = load("rules/answer_time").substitute(when=when, clues=join(best[:MOST]))
    return Sentence(block="answer", text=text, clue_ids=tuple(c.id for c in best[:MOST]))


def _window(question: str, duration: float) -> tuple[Span, str] | None:
    """Return the span that the question means and how to call it."""
    moment = _MOMENT.search(question)
    if moment and float(moment.group(1)) <= duration:
        at = float(moment.group(1))
        return Span(start=max(0.0, at - NEAR), end=at + NEAR), f"{moment.group(1)} s"
    if _START.search(question):
        return Span(start=0.0, end=duration * EDGE), "the beginning"
    if _END.search(question):
        return Span(start=duration * (1 - EDGE), end=duration), "the end"
    return None


def _centre_gap(clue: Clue, span: Span) -> float:
    if clue.span is None:
        return float("inf")
    return abs((clue.span.start + clue.span.end) - (span.start + span.end)) / 2
