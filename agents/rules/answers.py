"""Answers to what a question names: an emotion, a channel, a sign, a moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from emer.agents.lexicon.cue_parser import Reading
from emer.agents.lexicon.lexicon import Weighting, lexicon
from emer.agents.questions.not_shown import clues_in_span, clues_with_signs
from emer.agents.questions.person_focus import is_about, target_clues, target_people
from emer.agents.rules.case import Basis, Case, basis
from emer.agents.rules.fusion import WORTH_CITING, Contribution, Standing, disputed_families, weigh
from emer.agents.rules.labels import band
from emer.agents.rules.phrases import join, quote
from emer.agents.types import Sentence
from emer.prompts.prompt import load
from emer.tools.types import Clue, Modality, Span

MOST = 3
"""Sentences of an answer."""
TOLD = 2
"""Clues told in one of them."""
POINTS = 0.35
"""Probability from which clues alone are said to be consistent with an emotion (by us)."""


def answers(case: Case) -> Iterator[Sentence]:
    """Yield up to three sentences on what the question names."""
    topic = case.topic
    families = topic.families[:1] or (_leading(case) if topic.bare and not topic.cues else ())
    if topic.cues:
        found = [*_on_signs(case)]
    elif topic.modality is not None:
        found = [*_on_modality(case, topic.modality, families)]
    else:
        found = [
            s for family in families for s in _on_family(case, family) or _silent(case, family)
        ]
    if topic.moment is not None and topic.moment.span is not None:
        told = {id for sentence in found for id in sentence.clue_ids}
        then = _on_moment(case, topic.moment.span, topic.moment.words)
        found += [sentence for sentence in then if not told >= {*sentence.clue_ids}]
    yield from found[:MOST]


def _leading(case: Case) -> tuple[str, ...]:
    return tuple(standing.family for standing in case.families[:1])


def _on_family(case: Case, family: str) -> list[Sentence]:
    """Return what speaks for and against an emotion, nothing where no clue does.

    What speaks against it comes first where the question is why not.
    """
    standing = _standing(case, family)
    label, told = lexicon().head(family), _in_question(case, standing.contributions)
    pro = basis(c for c in told if c.value >= WORTH_CITING)
    con = basis(c for c in reversed(told) if c.value <= -WORTH_CITING)
    level = band(standing, family in disputed_families(case.disputes))
    speaks_for = [_answer("for", pro, label=label, band=level)] if pro else []
    against = [_answer("against", con, label=label)] if con else []
    return [*against, *speaks_for] if case.topic.against else [*speaks_for, *against]


def _standing(case: Case, family: str) -> Standing:
    return next(s for s in case.standings if s.family == family)


def _in_question(case: Case, given: Iterable[Contribution]) -> list[Contribution]:
    """Return what the person's own clues contribute, on the channel that is asked about."""
    meant = target_people([r.clue for r in case.readings], case.topic)
    own = {r.clue.id for r in case.readings if is_about(r.clue, meant) is not False}
    asked = case.topic.modality
    return [
        c for c in given if own & {*c.evidence.clue_ids} and asked in (None, c.evidence.modality)
    ]


def _answer(kind: str, found: Basis, **words: str) -> Sentence:
    text = load(f"rules/answer_{kind}").substitute(basis=found.words, **words)
    return Sentence(block="answer", text=text, clue_ids=found.clue_ids)


def _silent(case: Case, family: str) -> list[Sentence]:
    """Return the leading reading where no clue speaks for or against the one asked about."""
    if not case.chosen or case.chosen[0].standing.family == family:
        return []
    text = load("rules/answer_none").substitute(
        label=lexicon().head(family), leading=case.chosen[0].name
    )
    return [Sentence(block="answer", text=text, clue_ids=case.chosen[0].standing.supports)]


def _on_modality(case: Case, modality: Modality, families: Sequence[str]) -> Iterator[Sentence]:
    """Yield what the channel's clues say, then what they say of the emotion in question.

    Without one, or where they say nothing of it: what they would speak for on their own.
    """
    told = {clue.id for clue in _clues(case)}
    own = [r for r in case.readings if r.clue.modality == modality and r.clue.id in told]
    if modality == "text":
        yield from _words(own)
    else:
        yield from _told("part", _best(case, [r.clue for r in own]))
    named = [sentence for family in families for sentence in _on_family(case, family)]
    yield from named or _alone(own, case.weighting)


def _alone(readings: Sequence[Reading], by: Weighting) -> list[Sentence]:
    lead = weigh(readings, by)[0]
    found = basis(c for c in lead.contributions if c.value >= WORTH_CITING)
    if found is None or lead.probability < POINTS:
        return []
    return [_answer("alone", found, label=lexicon().head(lead.family))]


def _words(readings: Sequence[Reading]) -> Iterator[Sentence]:
    for reading in readings[:1]:
        said = quote(reading.clue).removeprefix("In the text, ").removesuffix(".")
        text = load("rules/answer_part").substitute(clues=said)
        yield Sentence(block="answer", text=text, clue_ids=(reading.clue.id,))


def _on_signs(case: Case) -> Iterator[Sentence]:
    """Yield where the sign is displayed, and the reading that it speaks for most."""
    clues = clues_with_signs(_clues(case), case.topic)
    yield from _told("part", _best(case, clues))
    ids = {clue.id for clue in clues}
    for standing in case.families[:1]:
        moved = [c for c in standing.contributions if ids & {*c.evidence.clue_ids}]
        pro = basis(c for c in moved if c.value >= WORTH_CITING)
        if pro is not None:
            level = band(standing, standing.family in disputed_families(case.disputes))
            label = lexicon().head(standing.family)
            yield _answer("for", pro, label=label, band=level)


def _on_moment(case: Case, span: Span, when: str) -> Iterator[Sentence]:
    inside = clues_in_span(_clues(case), span, case.topic.modality)
    moved, centre = case.relevance(), Span(start=_centre(span), end=_centre(span))

    def rank(clue: Clue) -> tuple[bool, float, float, str]:
        then = clue.span is not None and clue.span.overlaps(centre)
        gap = abs(_centre(clue.span) - centre.start) if clue.span else 0.0
        return (not then, -moved.get(clue.id, 0.0), gap, clue.id)

    yield from _told("time", sorted(inside, key=rank)[:TOLD], when=when)


def _told(kind: str, clues: Sequence[Clue], **words: str) -> Iterator[Sentence]:
    if clues:
        text = load(f"rules/answer_{kind}").substitute(clues=join(clues), **words)
        yield Sentence(block="answer", text=text, clue_ids=tuple(c.id for c in clues))


def _clues(case: Case) -> list[Clue]:
    return target_clues([r.clue for r in case.readings], case.topic)


def _best(case: Case, clues: Sequence[Clue]) -> list[Clue]:
    """Return the few most relevant clues, in time order."""
    moved = case.relevance()
    ranked = sorted(clues, key=lambda c: (-moved.get(c.id, 0.0), -c.quality.score, c.id))[:TOLD]
    return [clue for clue in clues if clue in ranked]


def _centre(span: Span) -> float:
    return (span.start + span.end) / 2
