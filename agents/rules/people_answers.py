"""Answers on several people: who displays an emotion or a sign, and who does more."""

from __future__ import annotations

import re
from typing import NamedTuple

from emer.agents.lexicon.lexicon import lexicon
from emer.agents.questions.person_focus import Person, is_about, people_in
from emer.agents.rules.case import Case
from emer.agents.rules.clauses import answer, best, grounds, reading, state, subject, told
from emer.agents.rules.phrases import cue_name, label_name, person_name
from emer.agents.rules.sign_answers import Answers, sign_clues, unknown
from emer.agents.types import Sentence
from emer.prompts.prompt import term

MORE = 0.1
"""Difference of probabilities from which one displays more than another (chosen by us)."""
SOME = 0.3
"""Probability from which something of an emotion is displayed (chosen by us)."""


_ALL = re.compile(r"\b(?:both|all|each|every\w*)\b|都|每个")


class OnePerson(NamedTuple):
    """A person, by name and place, with the case of the clues about them alone."""

    name: str
    case: Case


def people(case: Case) -> list[OnePerson]:
    """Everyone that the clues tell apart, each once; a voice is of no one."""
    groups: list[list[Person]] = []
    for person in people_in(case.everyone):
        same = next((g for g in groups if any(person.may_be(o) for o in g)), None)
        if same is None:
            groups.append([person])
        else:
            same.append(person)
    found = []
    for group in groups:
        one = min(group, key=lambda p: (p.place is None, p.tool))
        own = case.of(r for r in case.everything if is_about(r.clue, group))
        found.append(OnePerson(person_name(one.name, one.place, case.language), own))
    return found


def on_comparison(case: Case) -> Answers:
    """Who displays an emotion more clearly; without one, what each displays."""
    known = people(case)
    if len(known) < 2:
        now = state(case)
        yield answer(case, "answer_one_person", now, state=now.words if now else "")
    elif case.topic.families and _ALL.search(case.question.casefold()):
        yield _all_of(case, known, case.topic.families[0])
    elif case.topic.families:
        yield from _more(case, known, case.topic.families[0])
    elif case.topic.cues:
        yield from _who_with_sign(case, known)
    else:
        for one in known:
            yield _alone(one)


def on_who(case: Case) -> Answers:
    """Who displays the emotion or the sign that the question names."""
    known = people(case)
    if case.topic.cues and not case.topic.families:
        yield from _who_with_sign(case, known)
    elif not case.topic.families:
        if len(known) < 2:
            now = state(case)
            yield answer(case, "answer_one_person", now, state=now.words if now else "")
        for one in known if len(known) > 1 else ():
            yield _alone(one)
    elif len(known) < 2:
        yield _it_is(case, case, case.topic.families[0])
    else:
        family = case.topic.families[0]
        named = [one for one in known if family in {s.family for s in one.case.families}]
        for one in named:
            yield _it_is(case, one.case, family)
        if not named:
            yield from _more(case, known, family)


def _all_of(case: Case, known: list[OnePerson], family: str) -> Sentence | None:
    """Whether everyone displays an emotion, and what each does."""
    clauses = [clause for one in known if (clause := state(one.case))]
    shown = [family in {s.family for s in one.case.families} for one in known]
    template = "answer_both" if all(shown) else "answer_one" if any(shown) else ""
    words = term(";", case.language).join(clause.words for clause in clauses)
    if not template:
        now = clauses[0] if clauses else None
        return answer(case, "answer_no", now, label=_label(case, family), state=words)
    return answer(case, template, *clauses, parts=words)


def _more(case: Case, known: list[OnePerson], family: str) -> Answers:
    label = _label(case, family)
    ranked = sorted(known, key=lambda one: -one.case.standing(family).probability)
    first, second = (one.case.standing(family) for one in ranked[:2])
    shown = first.probability >= SOME and first.supports
    if not shown:
        now = state(ranked[0].case)
        yield answer(case, "answer_no", now, label=label, state=now.words if now else "")
        rest = ranked[1:]
    elif first.probability - second.probability < MORE:
        clause = reading(ranked[0].case, first, label)
        words = clause.words if clause else ""
        yield answer(case, "answer_equal", clause, label=label, reading=words)
        rest = ranked[1:]
    else:
        cited = grounds(ranked[0].case, first.contributions)
        band = term(ranked[0].case.band(first), case.language)
        words = cited.words if cited else ""
        who = subject(ranked[0].case, cited.clue_ids) if cited else ""  # as its tool numbers them
        yield answer(case, "answer_more", cited, label=label, who=who, band=band, basis=words)
        rest = ranked[1:]
    for one in rest:
        yield _alone(one)


def _alone(one: OnePerson) -> Sentence | None:
    """What one person displays."""
    now = state(one.case)
    if now is None:
        return None
    text = now.words if one.case.chosen or one.name in now.words else f"{one.name}: {now.words}"
    return answer(one.case, "answer_reading", now, reading=text)


def _it_is(case: Case, own: Case, family: str) -> Sentence | None:
    standing, label = own.standing(family), _label(case, family)
    clause = reading(own, standing, label)
    if clause is None or standing.probability < SOME:
        now = state(own)
        return answer(case, "answer_no", now, label=label, state=now.words if now else "")
    return answer(case, "answer_reading", clause, reading=clause.words)


def _who_with_sign(case: Case, known: list[OnePerson]) -> Answers:
    cases = [one.case for one in known] if len(known) > 1 else [case]
    cited = [told(own, best(own, sign_clues(own, case.topic.cues))) for own in cases]
    found = [clause for clause in cited if clause]
    for clause in found:
        yield answer(case, "answer_clues", clause, clues=clause.words)
    if not found:
        yield from unknown(case, cue_name(case.topic.cues[0], case.language))


def _label(case: Case, family: str) -> str:
    named = (n.label for n in case.form.named if n.label and n.label.family == family)
    label = next(named, None)
    return label_name(label.name if label else lexicon().label_of(family), case.language)
