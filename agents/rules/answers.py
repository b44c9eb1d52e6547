"""Answers to what a question names: an emotion, a modality, a sign, a moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from emer.agents.lexicon.cue_parser import Reading
from emer.agents.lexicon.lexicon import Weighting, lexicon
from emer.agents.questions.not_shown import clues_in_span, clues_with_signs
from emer.agents.questions.person_focus import is_about, target_clues, target_people
from emer.agents.rules.case import Basis, Case, basis
from emer.agents.rules.fusion import WORTH_CITING, Contribution, Standing, weigh
from emer.agents.rules.phrases import join, quote
from emer.agents.types import Sentence
from emer.prompts.prompt import load
from emer.tools.types import Clue, Modality, Span

MAX_SENTENCES = 3
MAX_CLUES = 2
"""In one sentence."""
CONSISTENT = 0.35
"""Probability from which one modality alone is consistent with an emotion (by us)."""


def answers(case: Case) -> list[Sentence]:
    """Up to three sentences on what the question names."""
    topic = case.topic
    families = topic.families[:1]
    if not families and topic.bare and not topic.cues:
        families = tuple(standing.family for standing in case.families[:1])
    if topic.cues:
        sentences = [*_on_signs(case)]
    elif topic.modality is not None:
        sentences = [*_on_modality(case, topic.modality, families)]
    else:
        sentences = [s for f in families for s in _on_family(case, f) or _no_clue(case, f)]
    if topic.moment is not None and topic.moment.span is not None:
        cited = {id for sentence in sentences for id in sentence.clue_ids}
        on_moment = _on_moment(case, topic.moment.span, topic.moment.words)
        sentences += [sentence for sentence in on_moment if not cited >= {*sentence.clue_ids}]
    return sentences[:MAX_SENTENCES]


def _on_family(case: Case, family: str) -> list[Sentence]:
    """What speaks for and against an emotion; against first for "why not?"."""
    standing = next(s for s in case.standings if s.family == family)
    label, relevant = lexicon().label_of(family), _relevant(case, standing)
    pro = basis(c for c in relevant if c.value >= WORTH_CITING)
    con = basis(c for c in reversed(relevant) if c.value <= -WORTH_CITING)
    speaks_for = [_answer("for", pro, label=label, band=case.band(standing))] if pro else []
    against = [_answer("against", con, label=label)] if con else []
    return [*against, *speaks_for] if case.topic.against else [*speaks_for, *against]


def _relevant(case: Case, standing: Standing) -> list[Contribution]:
    """Contributions of the target person's clues, on the modality in question."""
    target = target_people(case.clues, case.topic)
    own = {clue.id for clue in case.clues if is_about(clue, target) is not False}
    return [
        c
        for c in standing.contributions
        if own & {*c.evidence.clue_ids} and case.topic.modality in (None, c.evidence.modality)
    ]


def _answer(kind: str, cited: Basis, **words: str) -> Sentence:
    text = load(f"rules/answer_{kind}").substitute(basis=cited.words, **words)
    return Sentence(block="answer", text=text, clue_ids=cited.clue_ids)


def _no_clue(case: Case, family: str) -> list[Sentence]:
    """The leading reading, where no clue speaks for or against the one asked about."""
    if not case.chosen or case.chosen[0].standing.family == family:
        return []
    text = load("rules/answer_none").substitute(
        label=lexicon().label_of(family), leading=case.chosen[0].name
    )
    return [Sentence(block="answer", text=text, clue_ids=case.chosen[0].standing.supports)]


def _on_modality(case: Case, modality: Modality, families: Sequence[str]) -> Iterator[Sentence]:
    """The modality's clues, then the emotion that they speak for or against."""
    ids = {clue.id for clue in target_clues(case.clues, case.topic)}
    own = [r for r in case.readings if r.clue.modality == modality and r.clue.id in ids]
    if modality == "text":
        yield from _words(own)
    else:
        yield from _listing("part", _best(case, [r.clue for r in own]))
    on_families = [sentence for family in families for sentence in _on_family(case, family)]
    yield from on_families or _alone(own, case.weighting)


def _alone(readings: Sequence[Reading], weighting: Weighting) -> list[Sentence]:
    lead = weigh(readings, weighting)[0]
    cited = basis(c for c in lead.contributions if c.value >= WORTH_CITING)
    if cited is None or lead.probability < CONSISTENT:
        return []
    return [_answer("alone", cited, label=lexicon().label_of(lead.family))]


def _words(readings: Sequence[Reading]) -> Iterator[Sentence]:
    for reading in readings[:1]:
        words = quote(reading.clue).removeprefix("In the text, ").removesuffix(".")
        text = load("rules/answer_part").substitute(clues=words)
        yield Sentence(block="answer", text=text, clue_ids=(reading.clue.id,))


def _on_signs(case: Case) -> Iterator[Sentence]:
    """Where the sign is displayed, and the leading reading if the sign speaks for it."""
    clues = clues_with_signs(target_clues(case.clues, case.topic), case.topic)
    yield from _listing("part", _best(case, clues))
    ids = {clue.id for clue in clues}
    for standing in case.families[:1]:
        moved = [c for c in standing.contributions if ids & {*c.evidence.clue_ids}]
        pro = basis(c for c in moved if c.value >= WORTH_CITING)
        if pro is not None:
            label = lexicon().label_of(standing.family)
            yield _answer("for", pro, label=label, band=case.band(standing))


def _on_moment(case: Case, span: Span, when: str) -> Iterator[Sentence]:
    inside = clues_in_span(target_clues(case.clues, case.topic), span, case.topic.modality)
    middle = Span(start=_centre(span), end=_centre(span))

    def rank(clue: Clue) -> tuple[bool, float, float, str]:
        misses = clue.span is None or not clue.span.overlaps(middle)
        gap = abs(_centre(clue.span) - middle.start) if clue.span else 0.0
        return (misses, -case.relevance.get(clue.id, 0.0), gap, clue.id)

    yield from _listing("time", sorted(inside, key=rank)[:MAX_CLUES], when=when)


def _listing(kind: str, clues: Sequence[Clue], **words: str) -> Iterator[Sentence]:
    if clues:
        text = load(f"rules/answer_{kind}").substitute(clues=join(clues), **words)
        yield Sentence(block="answer", text=text, clue_ids=tuple(c.id for c in clues))


def _best(case: Case, clues: Sequence[Clue]) -> list[Clue]:
    """The most relevant clues, in time order."""
    moved = case.relevance
    ranked = sorted(clues, key=lambda c: (-moved.get(c.id, 0.0), -c.quality.score, c.id))
    return [clue for clue in clues if clue in ranked[:MAX_CLUES]]


def _centre(span: Span) -> float:
    return (span.start + span.end) / 2
