"""Answers to what a question names: an emotion, a modality, a sign, a moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from emer.agents.lexicon.lexicon import lexicon
from emer.agents.questions.not_shown import clues_in_span, clues_with_signs
from emer.agents.questions.person_focus import is_about, target_clues, target_people
from emer.agents.rules.case import Basis, Case, basis
from emer.agents.rules.fusion import WORTH_CITING, Contribution, weigh
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
    """What speaks for and against an emotion; against first for "why not?".

    By the target person's clues on the modality in question.
    """
    standing = next(s for s in case.standings if s.family == family)
    target = target_people(case.clues, case.topic)
    target_ids = {clue.id for clue in case.clues if is_about(clue, target) is not False}
    relevant = [
        c
        for c in standing.contributions
        if target_ids & {*c.evidence.clue_ids}
        and case.topic.modality in (None, c.evidence.modality)
    ]
    against = basis(c for c in reversed(relevant) if c.value <= -WORTH_CITING)
    sentences = [
        *_in_favour(relevant, family, band=case.band(standing)),
        *([_answer("against", against, family)] if against else []),
    ]
    return sentences[::-1] if case.topic.against else sentences


def _in_favour(
    contributions: Iterable[Contribution], family: str, kind: str = "for", **words: str
) -> list[Sentence]:
    cited = basis(c for c in contributions if c.value >= WORTH_CITING)
    return [_answer(kind, cited, family, **words)] if cited else []


def _answer(kind: str, cited: Basis, family: str, **words: str) -> Sentence:
    prompt, label = load(f"rules/answer_{kind}"), lexicon().label_of(family)
    text = prompt.substitute(basis=cited.words, label=label, **words)
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
    readings = [r for r in case.readings if r.clue.modality == modality and r.clue.id in ids]
    if modality == "text":
        for reading in readings[:1]:
            words = quote(reading.clue).removeprefix("In the text, ").removesuffix(".")
            text = load("rules/answer_part").substitute(clues=words)
            yield Sentence(block="answer", text=text, clue_ids=(reading.clue.id,))
    else:
        yield from _listing("part", _best(case, [r.clue for r in readings]))
    on_families = [sentence for family in families for sentence in _on_family(case, family)]
    lead = weigh(readings, case.weighting)[0]
    if not on_families and lead.probability >= CONSISTENT:
        on_families = _in_favour(lead.contributions, lead.family, "alone")
    yield from on_families


def _on_signs(case: Case) -> Iterator[Sentence]:
    """Where the sign is displayed, and the leading reading if the sign speaks for it."""
    clues = clues_with_signs(target_clues(case.clues, case.topic), case.topic)
    yield from _listing("part", _best(case, clues))
    ids = {clue.id for clue in clues}
    for standing in case.families[:1]:
        moved = [c for c in standing.contributions if ids & {*c.evidence.clue_ids}]
        yield from _in_favour(moved, standing.family, band=case.band(standing))


def _on_moment(case: Case, span: Span, when: str) -> Iterator[Sentence]:
    inside = clues_in_span(target_clues(case.clues, case.topic), span, case.topic.modality)
    middle = (span.start + span.end) / 2

    def rank(clue: Clue) -> tuple[bool, float, float, str]:
        at, moved = clue.span, -case.relevance.get(clue.id, 0.0)
        if at is None:
            return True, moved, 0.0, clue.id
        misses = not at.start <= middle <= at.end
        return misses, moved, abs((at.start + at.end) / 2 - middle), clue.id

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
