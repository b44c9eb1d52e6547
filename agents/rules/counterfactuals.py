"""Answers by weighing again: without some clues, and part by part of the clip."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from emer.agents.lexicon.cue_parser import Reading
from emer.agents.lexicon.lexicon import WORD_CUES, lexicon
from emer.agents.questions.person_focus import is_about, target_people
from emer.agents.rules.case import Case
from emer.agents.rules.clauses import answer, reading, state
from emer.agents.rules.fusion import Standing
from emer.agents.rules.labels import rival
from emer.agents.rules.phrases import alternatives_of, cue_name, label_name, listing
from emer.agents.rules.sign_answers import Answers, sign_clues
from emer.prompts.prompt import Language, term
from emer.tools.types import Modality, Span

RATED = "rated_"
"""Groups of cues that only a trained model rates: no sign that one could look for."""
PARTS = 3
"""Parts of the clip whose readings are compared: beginning, middle and end."""


def on_without(case: Case) -> Answers:
    """Whether the answer changes without a modality, a sign or a person."""
    what, rest = _without(case)
    now = state(case)
    words = now.words if now else ""
    if len(rest.readings) == len(case.readings):
        yield answer(case, "answer_not_used", now, what=what, state=words)
        return
    left = state(rest)
    if left is None:
        yield answer(case, "answer_all_lost", now, what=what, reading=words)
    elif rest.chosen and case.chosen:
        template = _effect(case, rest)
        yield answer(case, template, left, what=what, reading=left.words)
    elif rest.chosen:
        yield answer(case, "answer_other", left, what=what, reading=left.words)
    else:
        template = "answer_lost" if case.chosen else "answer_still_open"
        yield answer(case, template, left, what=what, clues=left.words)
    whole = state(case, brief=True)
    changed = not rest.chosen or not case.chosen or _effect(case, rest) != "answer_same"
    if case.chosen and left is not None and changed:
        yield answer(case, "answer_with", whole, what=what, reading=whole.words if whole else "")


def _effect(case: Case, rest: Case) -> str:
    before, after = case.chosen[0].standing, rest.chosen[0].standing
    if before.family != after.family:
        return "answer_other"
    return "answer_same" if case.band(before) == rest.band(after) else "answer_band"


def _without(case: Case) -> tuple[str, Case]:
    """What is taken away in words, and the case of the other clues."""
    if case.form.removes_signs:
        gone = {c.id for c in sign_clues(case, case.topic.cues)}
        what = cue_name(case.topic.cues[0], case.language)
        return what, case.of(r for r in case.readings if r.clue.id not in gone)
    if not case.form.removed:
        target = target_people(case.everyone, case.topic)
        rest = case.of(r for r in case.everything if is_about(r.clue, target) is not True)
        return term("without_person", case.language), rest
    removed = case.form.removed
    return _channels(removed, case.language), case.of(
        r for r in case.readings if r.clue.modality not in removed
    )


def _channels(removed: Sequence[Modality], language: Language) -> str:
    names = [m for m in removed if not (m == "text" and "audio" in removed)]
    names = [m for m in names if not (m == "scene" and "face" in names)]
    words = [
        term(m if removed in (("face",), ("audio",)) else f"without_{m}", language) for m in names
    ]
    return "和".join(words) if language == "zh" else listing(words, language)


def on_change(case: Case) -> Answers:
    """Which signs would support another reading, and what supports this one."""
    now, other = state(case, brief=bool(case.chosen)), _other(case)
    if other is None or now is None:
        yield answer(case, "answer_open", now, clues=now.words if now else "")
        return
    cues = list(case.topic.cues[:1]) or missing_cues(case.readings, other.family)
    names = alternatives_of([cue_name(cue, case.language) for cue in cues], case.language)
    label = label_name(lexicon().label_of(other.family), case.language)
    yield answer(case, "answer_change", now, cues=names, label=label, state=now.words)


def _other(case: Case) -> Standing | None:
    """The reading that a hypothetical sign would support, else the next best one."""
    if case.topic.cues:
        weights = lexicon().weights.get(case.topic.cues[0], {})
        best = max(weights, key=lambda f: weights[f], default=None)
        return case.standing(best) if best else None
    leading = {s.family for s in case.families}
    asked = [f for f in case.topic.families if f not in leading]
    return case.standing(asked[0]) if asked else rival(case.standings)


def missing_cues(readings: Sequence[Reading], family: str, most: int = 2) -> list[str]:
    """The strongest cues of a family that no clue states yet, one of each group."""
    lexical = lexicon()
    stated = {
        lexical.cues[m.cue].group for r in readings for m in r.mentions if m.cue in lexical.cues
    }
    weighed = sorted((-weights.get(family, 0.0), key) for key, weights in lexical.weights.items())
    found: dict[str, str] = {}
    for _, key in weighed:
        cue = lexical.cues.get(key)
        if cue is None or cue.channel == "text" or key.startswith(WORD_CUES):
            continue
        if cue.group not in stated and not cue.group.startswith(RATED):
            found.setdefault(cue.group, key)
    return list(found.values())[:most]


def on_course(case: Case) -> Answers:
    """How the reading develops from the beginning to the end."""
    length = case.duration / PARTS
    spans = [Span(start=i * length, end=(i + 1) * length) for i in range(PARTS)]
    parts = [_during(case, span) for span in spans]
    named = [
        (p.chosen[0].standing.family, clause) for p in parts if p.chosen and (clause := state(p))
    ]
    steps = [named[0], *(b for a, b in pairwise(named) if a[0] != b[0])] if named else []
    if not steps:
        now = state(case)
        yield answer(case, "answer_open", now, clues=now.words if now else "")
    elif len(steps) == 1:
        clause = reading(case, case.standing(steps[0][0])) or steps[0][1]
        yield answer(case, "answer_steady", clause, reading=clause.words)
    else:
        names = ("one", "two", "three")
        template = "answer_course" if len(steps) == 2 else "answer_course_three"
        words = {name: clause.words for name, (_, clause) in zip(names, steps, strict=False)}
        yield answer(case, template, *(clause for _, clause in steps), **words)


def _during(case: Case, span: Span) -> Case:
    """The case of the clues whose middle is in a span, or that hold all through it."""

    def holds(at: Span | None) -> bool:
        if at is None:
            return True
        middle = (at.start + at.end) / 2
        through = at.start <= span.start and at.end >= span.end
        return through or span.start <= middle < span.end or middle == span.end == case.duration

    return case.of(r for r in case.readings if holds(r.clue.span))
