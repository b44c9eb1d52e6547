"""Answers on what is displayed: signs, body parts, moments, counts, who speaks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from emer.agents.lexicon.lexicon import channel_of, lexicon
from emer.agents.questions.not_shown import clues_in_span, clues_with_words, moment_words
from emer.agents.questions.question import PARTS
from emer.agents.rules.case import Case
from emer.agents.rules.clauses import (
    MAX_CLUES,
    Clause,
    answer,
    best,
    grounds,
    reading,
    state,
    told,
)
from emer.agents.rules.fusion import weigh
from emer.agents.rules.phrases import (
    cue_name,
    label_name,
    listing,
    phrase,
    quote,
    seconds,
)
from emer.agents.types import Missing, Sentence
from emer.prompts.prompt import has_term, load, term
from emer.tools.types import Clue, Span

CONSISTENT = 0.35
"""Probability from which one modality alone is consistent with an emotion (by us)."""
MAX_TIMES = 4
"""Stretches of time in one sentence."""

Answers = Iterator[Sentence | Missing | None]

_AT = re.compile(r"(?<=\w)(?:, most)? at \d[\d.]*(?:-\d[\d.]*)? s\b|在?\d[\d.]*(?:-\d[\d.]*)? ?秒")
_SPEAKS = re.compile(
    r"\bmouth moves as in speech\b|\bis (?:speaking|talking)\b|\bno one in view speaks\b"
    r"|(?:正在|在)说话"
)
_PEOPLE = re.compile(
    r"\b(?:one|two|three|four|five|\d+|several|no) (?:person|people)\b|\d+ ?个?人|[一两三四五]个人"
)
_NUMBERS = ("one", "two", "three", "four", "five")
_COUNTED = re.compile(r"\b(?:once|twice|\d+ times|[a-z]+ times)\b|\d+ ?次|[一两三四五]次")


def in_scope(case: Case) -> Case:
    """The case of the moment and of the channel that the question is about."""
    span = case.topic.moment.span if case.topic.moment else None
    modality = case.topic.modality
    if case.form.kind in ("without", "count", "speaker", "course", "compare"):
        return case
    readings = case.readings
    if span is not None:
        inside = {c.id for c in clues_in_span(case.clues, span, modality)}
        readings = [r for r in readings if r.clue.id in inside]
    elif case.topic.moment is not None:
        return case.of(())
    if modality is not None and not case.topic.cues:
        readings = [r for r in readings if r.clue.modality in (modality, *_KIN.get(modality, ()))]
        if case.topic.part:
            return case if span is None else case.of(readings)
    if len(readings) == len(case.readings):
        return case
    return replace(case.of(readings), disputes=case.disputes)  # a part is no surer than the whole


_KIN = {"face": ("face",), "scene": ("scene",)}


def sign_clues(case: Case, cues: Sequence[str], denied: bool = False) -> list[Clue]:
    """The clues that state one of the cues, or one of its group; or that deny it."""
    known = lexicon().cues
    groups = {known[cue].group for cue in cues if cue in known}
    return [
        r.clue
        for r in case.readings
        if channel_of(r.clue.modality) != "text"
        and any(known[m.cue].group in groups and m.negated == denied for m in r.mentions)
    ]


def on_sign(case: Case, cues: Sequence[str], plain: bool = False) -> Answers:
    """Whether a sign is displayed, and what it speaks for."""
    shown = told(case, best(case, sign_clues(case, cues)))
    if shown is not None:
        template = "answer_clues" if plain else "answer_sign"
        yield answer(case, template, shown, clues=shown.words)
        yield _speaks_for(case, shown.clue_ids)
        return
    denied = told(case, best(case, sign_clues(case, cues, denied=True)))
    if denied is not None:
        yield answer(case, "answer_no_sign", denied, clues=denied.words)
        return
    yield from unknown(case, cue_name(cues[0], case.language))


def unknown(case: Case, what: str, *, gap: bool = False) -> Answers:
    """That no clue tells of something, and what is displayed; as missing with `gap`."""
    now = state(case, brief=True)
    yield answer(case, "answer_unknown", now, what=what, state=now.words if now else "")
    if gap:
        why = load(f"rules/{case.language}/missing_channel").substitute(what=what)
        yield Missing(modality="question", why=why)


def _speaks_for(case: Case, ids: Sequence[str]) -> Sentence | None:
    """The leading reading, if the clues speak for it."""
    for standing in case.families[:1]:
        if {*standing.supports} & {*ids}:
            clause = reading(case, standing)
            return answer(case, "answer_reading", clause, reading=clause.words if clause else "")
    return None


def on_what(case: Case) -> Answers:
    """What a part of the body does, what is heard or said, what happens at a moment."""
    topic = case.topic
    if topic.part:
        yield from _on_part(case)
    elif topic.moment is not None:
        yield _on_moment(case)
        yield from _alone(case) if topic.modality else ()
    elif topic.cues:
        yield from on_sign(case, topic.cues, plain=True)
    else:
        yield from on_channel(case)


def _on_part(case: Case) -> Answers:
    words = PARTS[case.topic.part]
    visual = [r for r in case.readings if channel_of(r.clue.modality) == "visual"]
    clues = [
        r.clue
        for r in visual
        if words.search(r.clue.text.casefold())
        or any(words.search(lexicon().phrase_of(m.cue)) for m in r.mentions)
    ]
    shown = told(case, best(case, clues))
    if shown is None:
        yield from unknown(case, term(case.topic.part, case.language), gap=True)
        return
    yield answer(case, "answer_clues", shown, clues=shown.words)
    yield _speaks_for(case, shown.clue_ids)


def _on_moment(case: Case) -> Sentence | None:
    moment = case.topic.moment
    if moment is None or moment.span is None:
        return None
    clues = _nearest(case, moment.span)
    shown = told(case, clues)
    when = moment_words(moment.words, case.language)
    return answer(case, "answer_moment", shown, when=when, clues=shown.words if shown else "")


def _nearest(case: Case, span: Span) -> list[Clue]:
    """The clues that hold at the middle of a span, the most relevant first."""
    middle = (span.start + span.end) / 2

    def rank(clue: Clue) -> tuple[bool, float, float, str]:
        at, moved = clue.span, -case.relevance.get(clue.id, 0.0)
        if at is None:
            return True, moved, 0.0, clue.id
        misses = not at.start <= middle <= at.end
        return misses, moved, abs((at.start + at.end) / 2 - middle), clue.id

    said = [r.clue for r in case.readings if r.mentions] or list(case.clues)
    return sorted(said, key=rank)[:MAX_CLUES]


def on_channel(case: Case) -> Answers:
    """What one modality tells, then the emotion that it would speak for alone."""
    modality = case.topic.modality
    if modality == "text":
        for clue in best(case, case.clues, 1):
            yield Sentence(block="answer", text=quote(clue, case.language), clue_ids=(clue.id,))
    elif modality is not None:
        said = [r.clue for r in case.readings if r.mentions] or list(case.clues)
        shown = told(case, best(case, said))
        yield answer(case, "answer_clues", shown, clues=shown.words if shown else "")
    else:
        yield from _in_their_words(case)
    if modality is not None:
        yield from _alone(case)


def _in_their_words(case: Case) -> Answers:
    """The clues that share words with a question that names nothing we know."""
    shown = told(case, clues_with_words(case.clues, case.question)[:MAX_CLUES])
    if shown is not None:
        yield answer(case, "answer_clues", shown, clues=shown.words)
    else:
        yield from unknown(case, term("it", case.language))


def _alone(case: Case) -> Answers:
    lead = weigh(case.readings, case.weighting)[0]
    if lead.probability >= CONSISTENT:
        cited = grounds(case, lead.contributions)
        label = label_name(lexicon().label_of(lead.family), case.language)
        words = cited.words if cited else ""
        yield answer(case, "answer_alone", cited, basis=words, label=label)


def on_times(case: Case, clues: Sequence[Clue]) -> Sentence | None:
    """When clues hold, and what they say."""
    timed = [clue for clue in clues if clue.span is not None]
    chosen = [clue for clue in timed if clue in best(case, timed, MAX_TIMES)]
    if not chosen:
        shown = told(case, list(clues)[:MAX_CLUES])
        return answer(case, "answer_clues", shown, clues=shown.words if shown else "")
    spans = [seconds(c.span, case.language) for c in chosen if c.span is not None]
    times = listing(list(dict.fromkeys(spans)), case.language)
    shown = Clause("", tuple(c.id for c in chosen))
    words = dict.fromkeys(_AT.sub("", phrase(c, case.language)) for c in chosen)
    return answer(case, "answer_at", shown, times=times, clues=listing(list(words), case.language))


def on_count(case: Case) -> Answers:
    """How often a sign is displayed, or how many people are seen."""
    if not case.topic.cues:
        yield from _counted(case)
        return
    clues = sign_clues(case, case.topic.cues)
    counted = [c for c in clues if _COUNTED.search(c.text)]
    if counted:
        shown = told(case, counted[:1])
        yield answer(case, "answer_counted", shown, clues=shown.words if shown else "")
        return
    distinct: list[Clue] = []
    for clue in clues:
        if clue.span is not None and not any(
            o.span and o.span.overlaps(clue.span) for o in distinct
        ):
            distinct.append(clue)
    if not distinct:
        yield from _counted(case) if _named_counts(case) else on_sign(case, case.topic.cues)
        return
    number = str(len(distinct))
    count = term(number if has_term(number) else "more", case.language)
    shown = told(case, distinct[:MAX_TIMES])
    yield answer(case, "answer_count", shown, count=count, clues=shown.words if shown else "")


def on_speaker(case: Case) -> Answers:
    """Whose mouth moves as in speech."""
    clues = [c for c in case.everyone if c.modality != "text" and _SPEAKS.search(c.text.casefold())]
    shown = told(case, clues[:MAX_CLUES])
    if shown is not None:
        yield answer(case, "answer_clues", shown, clues=shown.words)
    else:
        yield from unknown(case, term("who speaks", case.language), gap=True)


def _named_counts(case: Case) -> list[Clue]:
    """The clues that state a count of what the question names."""
    named = clues_with_words(case.clues, case.question)
    return [clue for clue in named if _COUNTED.search(clue.text)]


def _counted(case: Case) -> Answers:
    """A count that a clue states: of what the question names, else of people."""
    named = _named_counts(case)
    people = [c for c in case.everyone if _PEOPLE.search(c.text.casefold())]
    shown = told(case, (named or people)[:1])
    if shown is None:
        yield from unknown(case, term("people", case.language), gap=True)
    elif named:
        yield answer(case, "answer_counted", shown, clues=shown.words)
    else:
        number = _PEOPLE.search(people[0].text.casefold())
        count = number[0].split()[0] if number else ""
        count = str(_NUMBERS.index(count) + 1) if count in _NUMBERS else count
        yield answer(case, "answer_people_count", shown, clues=shown.words, count=count)
