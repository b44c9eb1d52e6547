"""The answer to a question: its first sentence says it, up to two more support it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from emer.agents.lexicon.lexicon import LabelWord, lexicon
from emer.agents.questions.form import Kind, Named
from emer.agents.questions.question import is_general
from emer.agents.rules.case import Case
from emer.agents.rules.clauses import (
    Clause,
    answer,
    grounds,
    label_clause,
    reading,
    state,
    subject,
    told,
)
from emer.agents.rules.counterfactuals import on_change, on_course, on_without
from emer.agents.rules.fusion import Standing
from emer.agents.rules.labels import carries, exceeds
from emer.agents.rules.people_answers import on_comparison, on_who
from emer.agents.rules.phrases import cue_name, label_name
from emer.agents.rules.sign_answers import (
    Answers,
    in_scope,
    on_channel,
    on_count,
    on_sign,
    on_speaker,
    on_times,
    on_what,
    sign_clues,
    unknown,
)
from emer.agents.types import Missing, Sentence
from emer.prompts.prompt import load, term

MAX_SENTENCES = 3
PAIR = 2
PERHAPS = 0.3
"""Probability from which an emotion that is not named may be displayed (chosen by us).

The flat prior is 0.26: something speaks for it.
"""


def answers(case: Case) -> tuple[list[Sentence], list[Missing]]:
    """The answer in one sentence, at most two that support it, and what gets none."""
    scoped = in_scope(case)
    if scoped.readings:
        found = list(_HANDLERS[case.form.kind](scoped))
    else:
        found = list(unknown(case, _moment_or_channel(case)))
    said = {each.text: each for each in found if isinstance(each, Sentence)}
    return list(said.values())[:MAX_SENTENCES], [m for m in found if isinstance(m, Missing)]


def _moment_or_channel(case: Case) -> str:
    if case.topic.moment is not None:
        return term("that moment", case.language)
    return term(case.topic.modality or "it", case.language)


def _on_reading(case: Case) -> Answers:
    """The plain question: the leading label, or that there is none."""
    if case.topic.moment is not None and not case.chosen:
        yield from on_what(case)
        return
    is_unclear = case.topic.names_nothing and not is_general(case.question)
    if case.topic.modality is not None or is_unclear:
        yield from on_channel(case)
    else:
        yield _leading(case)


def _leading(case: Case) -> Sentence | None:
    now = state(case)
    if now is None:
        return None
    if case.chosen:
        return answer(case, "answer_reading", now, reading=now.words)
    return answer(case, "answer_open", now, clues=now.words)


def _on_whether(case: Case) -> Answers:
    named = _named(case)
    if len(named) > 1:
        yield from _on_several(case, named)
    elif named and named[0].label is None:
        yield from on_sign(case, named[0].cues)
    elif named and named[0].label is not None:
        yield from _on_label(case, named[0].label)
    else:
        yield from _on_reading(case)


def _named(case: Case) -> tuple[Named, ...]:
    """What the question names, or what a follow-up takes over from the one before."""
    if case.form.named:
        return case.form.named
    words = {word.name: word for word in lexicon().labels}
    labels = tuple(Named(words[lexicon().label_of(f)]) for f in case.topic.families)
    return labels or ((Named(None, case.topic.cues),) if case.topic.cues else ())


def _on_label(case: Case, word: LabelWord) -> Answers:
    """Yes, perhaps or no, with what speaks for it; then what speaks against it."""
    standing, name = case.standing(word.family), label_name(word.name, case.language)
    against = grounds(case, standing.contributions, against=True)
    if clause := _displayed(case, word):
        yield answer(case, "answer_yes", clause, reading=clause.words)
    elif _is_possible(case, standing, word):
        cited = grounds(case, standing.contributions)
        who = subject(case, cited.clue_ids) if cited else ""
        basis = cited.words if cited else ""
        yield answer(case, "answer_perhaps", cited, who=who, label=name, basis=basis)
        yield _leading(case) if case.chosen else _also_fits(case, standing)
    else:
        now = state(case)
        is_open = not (case.is_part or case.chosen or standing.supports or standing.contradicts)
        template = "answer_undecided" if is_open else "answer_no"
        yield answer(case, template, now, label=name, state=now.words if now else "")
    if against and word.family not in {s.family for s in case.families}:
        yield answer(case, "answer_against", against, label=name, basis=against.words)


def _displayed(case: Case, word: LabelWord) -> Clause | None:
    """The reading by this word, if its family is named and the word fits.

    What is displayed more strongly than the word says is named by the word that fits.
    """
    standing = case.standing(word.family)
    named = {choice.name for choice in case.chosen if choice.standing is standing}
    if word.name in named or (named and carries(standing, word)):
        return reading(case, standing, label_name(word.name, case.language))
    return reading(case, standing) if named and exceeds(standing, word) else None


def _is_possible(case: Case, standing: Standing, word: LabelWord) -> bool:
    """True if the clues speak for an emotion that is not named."""
    if standing.family in {s.family for s in case.families}:
        return False  # its family is named, by a word that fits better
    return bool(standing.supports) and standing.probability >= PERHAPS and carries(standing, word)


def _also_fits(case: Case, standing: Standing) -> Sentence | None:
    """The family that the same cues support as well, where neither is named."""
    strongest = standing.strongest
    for other in case.standings:
        same = strongest and other.strongest and other.strongest.cue == strongest.cue
        if other is not standing and same and other.probability >= PERHAPS:
            cited = grounds(case, other.contributions)
            return answer(case, "answer_also_fits", cited, label=label_clause(case, other))
    return None


def _on_several(case: Case, named: Sequence[Named]) -> Answers:
    """Two signs or emotions at once, or a choice between them."""
    judged = [(each, _part(case, each)) for each in named]
    shown = [clause for _, clause in judged if clause]
    absent_ones = [each for each, clause in judged if not clause]
    parts = [clause.words for clause in shown] + [_denial(case, each) for each in absent_ones]
    words = term(";", case.language).join(parts)
    if not shown:
        now = state(case, brief=True)
        yield answer(case, "answer_neither", now, parts=words, state=now.words if now else "")
    elif not absent_ones:
        yield answer(case, "answer_both", *shown, parts=words)
    elif case.form.is_open:
        first = next(_name(case, each) for each, clause in judged if clause)
        yield answer(case, "answer_rather", *shown, label=first, parts=words)
    else:
        template = "answer_one" if len(named) == PAIR else "answer_some"
        yield answer(case, template, *shown, parts=words)


def _part(case: Case, each: Named) -> Clause | None:
    if each.label is not None:
        return _displayed(case, each.label)
    return told(case, sign_clues(case, each.cues)[:1])


def _denial(case: Case, each: Named) -> str:
    if each.label is not None:
        prompt = load(f"rules/{case.language}/part_not")
        return prompt.substitute(label=_name(case, each))
    return load(f"rules/{case.language}/part_unknown").substitute(what=_name(case, each))


def _name(case: Case, each: Named) -> str:
    if each.label is not None:
        return label_name(each.label.name, case.language)
    return cue_name(each.cues[0], case.language)


def _on_against(case: Case) -> Answers:
    """What speaks against an emotion: the one named, else the leading one."""
    if case.topic.cues and not case.topic.families:
        yield from on_sign(case, case.topic.cues)
        return
    families = case.topic.families or tuple(s.family for s in case.families[:1])
    if not families:
        yield _leading(case)
        return
    standing = case.standing(families[0])
    named = next((n.label for n in case.form.named if n.label), None)
    name = label_name(named.name, case.language) if named else label_clause(case, standing)
    cited = grounds(case, standing.contributions, against=True)
    now = state(case, brief=cited is not None)
    words = now.words if now else ""
    if standing.family in {s.family for s in case.families}:
        if case.topic.against:
            clause = reading(case, standing, name)
            yield answer(case, "answer_it_is", clause, reading=clause.words if clause else "")
        yield (
            answer(case, "answer_against", cited, label=name, basis=cited.words)
            if cited
            else answer(
                case,
                _whole(case, "answer_nothing_against"),
                now,
                label=name,
                state=words,
                reading=words,
            )
        )
        yield _leading(case) if cited and not case.topic.against else None
    elif cited:
        yield answer(case, "answer_why_not", cited, now, label=name, basis=cited.words, state=words)
    elif standing.supports or case.is_part:
        yield from _on_label(case, named or _plain(standing.family))
    else:
        yield answer(case, "answer_no_clue_for", now, label=name, state=words)


def _whole(case: Case, template: str) -> str:
    """The template, or the plain one where only a part of the clues is weighed."""
    return "answer_reading" if case.is_part else template


def _plain(family: str) -> LabelWord:
    name = lexicon().label_of(family)
    return next(word for word in lexicon().labels if word.name == name)


def _on_why(case: Case) -> Answers:
    """The cues of a reading; for an emotion that is not displayed, that it is not."""
    if case.topic.cues and not case.topic.families:
        yield from on_sign(case, case.topic.cues, plain=True)
    elif case.topic.families:
        named = _named(case)
        label = next((n.label for n in named if n.label), None) or _plain(case.topic.families[0])
        clause = _displayed(case, label)
        if clause is not None:
            yield answer(case, "answer_reading", clause, reading=clause.words)
        else:
            yield from _on_label(case, label)
    else:
        yield from _on_reading(case)


def _on_sure(case: Case) -> Answers:
    """The band of the leading label, or of the one named, and what speaks against it."""
    label = next((n.label for n in _named(case) if n.label), None)
    if label is not None and not _displayed(case, label):
        yield from _on_label(case, label)
        return
    now = state(case)
    if not case.chosen or now is None:
        yield answer(case, "answer_unsure", now, clues=now.words if now else "")
        return
    standing = case.standing(label.family) if label else case.chosen[0].standing
    cited = grounds(case, standing.contributions)
    yield answer(
        case,
        "answer_sure",
        cited,
        band=term(case.band(standing), case.language),
        who=subject(case, cited.clue_ids) if cited else "",
        label=label_clause(case, standing),
        basis=cited.words if cited else "",
    )
    if against := grounds(case, standing.contributions, against=True):
        name = label_clause(case, standing)
        yield answer(case, "answer_against", against, label=name, basis=against.words)


def _on_when(case: Case) -> Answers:
    named = _named(case)
    if not named:
        yield from on_what(case)
    for each in named[:1]:
        if each.label is not None:
            standing = case.standing(each.label.family)
            ids = {*standing.supports}
            clues = [c for c in case.clues if c.id in ids and c.span is not None]
        else:
            clues = sign_clues(case, each.cues)
        if clues:
            yield on_times(case, clues)
        else:
            yield from unknown(case, _name(case, each), gap=each.label is not None)


def _on_what(case: Case) -> Answers:
    yield from on_what(case)


_HANDLERS: Mapping[Kind, Callable[[Case], Answers]] = {
    "reading": _on_reading,
    "whether": _on_whether,
    "either": _on_whether,
    "when": _on_when,
    "count": on_count,
    "speaker": on_speaker,
    "who": on_who,
    "compare": on_comparison,
    "course": on_course,
    "sure": _on_sure,
    "change": on_change,
    "without": on_without,
    "against": _on_against,
    "why": _on_why,
    "what": _on_what,
}
