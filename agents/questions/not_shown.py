"""What a question asks about and the clues do not show, as missing evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from emer.agents.lexicon.cue_parser import normal_text, read
from emer.agents.lexicon.lexicon import channel_of, lexicon
from emer.agents.questions.emotion_words import near_words
from emer.agents.questions.form import form_of, is_short
from emer.agents.questions.person_focus import (
    Person,
    people_in,
    states_sexes,
    target_clues,
    target_people,
)
from emer.agents.questions.question import Topic, is_general, topic_of
from emer.agents.types import Inquiry, Missing, Sentence
from emer.prompts.prompt import Language, has_term, load, term
from emer.tools.cues import cue_names
from emer.tools.text import listed
from emer.tools.types import Clue, Modality, Span

_CONTENT = re.compile(r"[a-z]{4,}|[\u4e00-\u9fff]{2}")
_COMMON = frozenset(
    """
    what does this that with have many much time when where which they them person people would
    could ther thei your from into most more some vide clip happ show disp
    """.split()  # noqa: SIM905
)
"""First letters of words that no clue is found by."""


def topic_for(inquiry: Inquiry) -> Topic:
    """The topic of the inquiry's question in its thread."""
    earlier = (turn.question for turn in inquiry.history)
    return topic_of(
        inquiry.question, earlier, inquiry.duration, lambda topic: _is_shown(inquiry.clues, topic)
    )


def absence_reason(inquiry: Inquiry) -> str | None:
    """Why the question's person is not in the clip; None if they may be."""
    topic, language = topic_for(inquiry), inquiry.answer_language
    if not (topic.has_subject and inquiry.clues) or _is_shown(inquiry.clues, topic):
        return None
    if topic.other and topic.place is None and topic.person is None:
        return _text("missing_other", language)
    place = _placed(topic.place, language) if topic.place else _called(topic.person, language)
    people = _people_words(people_in(inquiry.clues), language)
    return _text("missing_person", language, place=place, people=people)


def missing_evidence(inquiry: Inquiry) -> tuple[Missing, ...]:
    """What the question names and no clue shows, each with the reason."""
    if not inquiry.clues:
        return ()
    reason = absence_reason(inquiry)
    if reason is not None:
        return (Missing(modality="question", why=reason),)
    clues, topic, language = inquiry.clues, topic_for(inquiry), inquiry.answer_language
    found = (
        *_people(clues, topic, language),
        *_moment(inquiry, topic, language),
        *_named(inquiry, topic, language),
        *_near(inquiry.question, language),
    )
    return tuple(Missing(modality="question", why=why) for why in found)


def relevant_missing(inquiry: Inquiry) -> tuple[Missing, ...]:
    """The gaps that an answer names: all, or those that the question is about."""
    topic = topic_for(inquiry)
    if not inquiry.clues or not is_short(inquiry, topic):
        return inquiry.missing
    return tuple(m for m in inquiry.missing if m.modality in ("question", topic.modality))


def unclear_question(inquiry: Inquiry) -> tuple[Missing, ...]:
    """A remark on a question that names nothing the lexicon knows."""
    topic = topic_for(inquiry)
    known = form_of(inquiry.question, topic).kind not in ("reading", "what")
    if not topic.names_nothing or known or is_general(inquiry.question):
        return ()
    return (Missing(modality="question", why=_text("missing_unclear", inquiry.answer_language)),)


def people_shown(inquiry: Inquiry) -> tuple[Sentence, ...]:
    """A sentence on the people in the clip, with a clue for each."""
    by_place, language = topic_for(inquiry).place is not None, inquiry.answer_language
    ids: dict[str, str] = {}
    for clue in inquiry.clues:
        for person in people_in([clue]):
            ids.setdefault(_name(person, by_place, language), clue.id)
    if not ids:
        one = "一个人" if language == "zh" else "one person"
        text = _text("answer_people", language, people=one)
        return (Sentence(block="answer", text=text, clue_ids=(inquiry.clues[0].id,)),)
    people = _list(sorted(ids), language)
    text = _text("answer_people", language, people=people)
    cited = tuple(dict.fromkeys(ids[name] for name in sorted(ids)))
    return (Sentence(block="answer", text=text, clue_ids=cited),)


def clues_in_span(
    clues: Sequence[Clue], span: Span, modality: Modality | None = None
) -> list[Clue]:
    """Clues that overlap a span; transcripts only if `modality` asks for them."""
    return [
        clue
        for clue in clues
        if clue.span is not None
        and clue.span.overlaps(span)
        and (clue.modality == modality if modality else clue.modality != "text")
    ]


def clues_with_signs(clues: Sequence[Clue], topic: Topic) -> list[Clue]:
    """Clues that state a sign of the topic, or another of its group."""
    cues = lexicon().cues
    groups = {cues[name].group for name in topic.cues}
    return [
        r.clue
        for r in read(clues)
        if channel_of(r.clue.modality) != "text"
        and any(cues[m.cue].group in groups and not m.negated for m in r.mentions)
    ]


def clues_with_words(clues: Sequence[Clue], question: str) -> list[Clue]:
    """Clues that share a word of content with a question, by the word's first letters."""
    stems = {w[:4] for w in _CONTENT.findall(question.casefold())} - _COMMON
    return [
        clue
        for clue in clues
        if clue.modality != "text"
        and stems & {w[:4] for w in _CONTENT.findall(clue.text.casefold())}
    ]


def _people(clues: Sequence[Clue], topic: Topic, language: Language) -> Iterator[str]:
    people = people_in(clues)
    several = len({person.name for person in people}) > 1
    if topic.place and not several and not any(p.place for p in people):
        yield _text("missing_place", language)
    if topic.sex and not topic.has_subject and several and not states_sexes(clues):
        yield _text("missing_sexes", language, people=_people_words(people, language))
    if topic.modality == "audio" and topic.has_subject and several:
        yield _text("missing_voice", language)


def _moment(inquiry: Inquiry, topic: Topic, language: Language) -> Iterator[str]:
    moment, modality = topic.moment, topic.modality
    if moment is None:
        return
    when = moment_words(moment.words, language)
    if moment.span is None:
        end = moment_words(f"{round(inquiry.duration, 1):g} s", language)
        yield _text("missing_end", language, end=end, when=when)
    elif not clues_in_span(target_clues(inquiry.clues, topic), moment.span, modality):
        words = modality is None and clues_in_span(inquiry.clues, moment.span, "text")
        name = "missing_moment_words" if words else "missing_moment"
        yield _text(name, language, when=when)


def _named(inquiry: Inquiry, topic: Topic, language: Language) -> Iterator[str]:
    """A modality, a part or a sign that the question is about, without a clue."""
    modality, cues = topic.modality, [lexicon().cues[name] for name in topic.cues]
    if form_of(inquiry.question, topic).kind in ("without", "change"):
        return
    if not cues:
        present = {m.modality for m in inquiry.missing} | {c.modality for c in inquiry.clues}
        if modality is not None and modality not in present and not topic.part:
            yield _text("missing_channel", language, what=term(modality, language))
    elif not (topic.denied or clues_with_signs(target_clues(inquiry.clues, topic), topic)):
        names: list[str] = []
        for cue in cues:
            name = cue.phrase if language == "en" else cue_names()[cue.key].chinese
            if not any(shorter in name for shorter in names):
                names.append(name)
        signs = "或".join(names) if language == "zh" else listed(names).replace(" and ", " or ")
        yield _text("missing_sign", language, what=signs)


def _near(question: str, language: Language) -> Iterator[str]:
    """Emotion words of the question that are read as their nearest label."""
    for word, label in near_words(normal_text(question)).items():
        name = next((x.words_zh[0] for x in lexicon().labels if x.name == label), label)
        shown = name if language == "zh" else label
        yield _text("missing_near", language, word=word, label=shown)


def _is_shown(clues: Sequence[Clue], topic: Topic) -> bool:
    """True if the topic's person is in the clues, or may be their only one."""
    people = people_in(clues)
    names = {person.name for person in people}
    if not topic.other and len(names) < 2:
        counted = topic.place and " from the " in topic.place
        if topic.place and not counted and not any(person.place for person in people):
            return True
        if not topic.place and topic.person in (*names, "person 1"):
            return True
    return bool(target_people(clues, topic))


def moment_words(words: str, language: Language) -> str:
    """The name of a moment in a language: "the end", "2.4 s"."""
    if has_term(words):
        return term(words, language)
    return words.replace(" s", " 秒") if language == "zh" else words


def _people_words(people: Sequence[Person], language: Language) -> str:
    # By place where tools state it, since each may number people differently.
    by_place = any(person.place for person in people)
    names = sorted({_name(p, by_place, language) for p in people if p.place or not by_place})
    one = "一个人" if language == "zh" else "one person"
    return _text("missing_people", language, people=_list(names, language) or one)


def _name(person: Person, by_place: bool, language: Language) -> str:
    if by_place and person.place:
        place = _placed(person.place, language)
        return f"{place}的人" if language == "zh" else f"a person {place}"
    return _called(person.name, language).removeprefix("called ")


def _placed(place: str, language: Language) -> str:
    return term(place, language) if has_term(place) else place


def _called(name: str | None, language: Language) -> str:
    if language == "zh":
        return (
            (name or "")
            .replace("person ", "人物")
            .replace("the 人物", "")
            .replace("voice ", "声音")
        )
    return f"called {name}"


def _list(names: list[str], language: Language) -> str:
    if language == "zh":
        return "、".join(names)
    return listed(names) if names else ""


def _text(name: str, language: Language, **values: str) -> str:
    return load(f"rules/{language}/{name}").substitute(**values)
