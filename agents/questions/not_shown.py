"""What a question asks about and the clues do not show, as missing evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from emer.agents.lexicon.cue_parser import read
from emer.agents.lexicon.lexicon import channel_of, lexicon
from emer.agents.questions.person_focus import (
    Person,
    people_in,
    states_sexes,
    target_clues,
    target_people,
)
from emer.agents.questions.question import Topic, is_general, topic_of
from emer.agents.types import Inquiry, Missing, Sentence
from emer.prompts.prompt import load
from emer.tools.text import listed
from emer.tools.types import Clue, Modality, Span

_UNCLEAR = (
    "no clue can be picked by it, so this is how the clip reads as a whole; name an emotion, "
    "a sign (a smile, a pause), a person, a moment, or the face, voice, words or scene"
)


def topic_for(inquiry: Inquiry) -> Topic:
    """The topic of the inquiry's question in its thread."""
    earlier = (turn.question for turn in inquiry.history)
    return topic_of(
        inquiry.question, earlier, inquiry.duration, lambda topic: _is_shown(inquiry.clues, topic)
    )


def absence_reason(inquiry: Inquiry) -> str | None:
    """Why the question's person is not in the clip; None if they may be."""
    topic = topic_for(inquiry)
    if not (topic.has_subject and inquiry.clues) or _is_shown(inquiry.clues, topic):
        return None
    if topic.other and topic.place is None and topic.person is None:
        return "nobody else is seen in the clip"
    place = topic.place or f"called {topic.person}"
    return f"nobody is seen {place}; {_people_words(people_in(inquiry.clues))}"


def missing_evidence(inquiry: Inquiry) -> tuple[Missing, ...]:
    """What the question names and no clue shows, each with the reason."""
    if not inquiry.clues:
        return ()
    reason = absence_reason(inquiry)
    if reason is not None:
        return (Missing(modality="face", why=reason),)
    clues, topic = inquiry.clues, topic_for(inquiry)
    return (*_people(clues, topic), *_moment(inquiry, topic), *_modality(inquiry, topic))


def unclear_question(inquiry: Inquiry) -> tuple[Missing, ...]:
    """A remark on a question that names nothing the lexicon knows."""
    if not topic_for(inquiry).names_nothing or is_general(inquiry.question):
        return ()
    return (Missing(modality="question", why=_UNCLEAR),)


def people_shown(inquiry: Inquiry) -> tuple[Sentence, ...]:
    """A sentence on the people in the clip, with a clue for each."""
    by_place = topic_for(inquiry).place is not None
    ids: dict[str, str] = {}
    for clue in inquiry.clues:
        for person in people_in([clue]):
            ids.setdefault(_name(person, by_place), clue.id)
    if not ids:
        return ()
    text = load("rules/answer_people").substitute(people=listed(sorted(ids)))
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


def _people(clues: Sequence[Clue], topic: Topic) -> Iterator[Missing]:
    people = people_in(clues)
    several = len({person.name for person in people}) > 1
    if topic.place and not several and not any(p.place for p in people):
        why = "the clues show one person and do not say where; the answer is about that person"
        yield Missing(modality="face", why=why)
    if topic.sex and not topic.has_subject and several and not states_sexes(clues):
        why = f"no clue tells women from men; {_people_words(people)}: ask by number or place"
        yield Missing(modality="face", why=why)
    if topic.modality == "audio" and topic.has_subject and several:
        yield Missing(modality="audio", why="no clue tells whose voice is heard")


def _moment(inquiry: Inquiry, topic: Topic) -> Iterator[Missing]:
    moment, modality = topic.moment, topic.modality
    if moment is None:
        return
    why = ""
    if moment.span is None:
        why = f"the clip ends at {inquiry.duration:g} s; nothing of it is at {moment.words}"
    elif not clues_in_span(target_clues(inquiry.clues, topic), moment.span, modality):
        words = clues_in_span(inquiry.clues, moment.span, "text")
        but = " but what is said" if words and modality is None else ""
        why = f"no clue{but} tells of {moment.words}"
    if why:
        yield Missing(modality=modality or "face", why=why)


def _modality(inquiry: Inquiry, topic: Topic) -> Iterator[Missing]:
    """A modality that the question is about, or signs it presupposes, without a clue."""
    modality, cues = topic.modality, [lexicon().cues[name] for name in topic.cues]
    if not cues:
        present = {m.modality for m in inquiry.missing} | {c.modality for c in inquiry.clues}
        if modality is not None and modality not in present:
            word = {"audio": "voice", "text": "words"}.get(modality, modality)
            yield Missing(modality=modality, why=f"no clue tells of the {word}")
    elif not (topic.denied or clues_with_signs(target_clues(inquiry.clues, topic), topic)):
        modality = "audio" if all(cue.channel == "audio" for cue in cues) else "face"
        signs = listed(list(dict.fromkeys(cue.phrase for cue in cues))).replace(" and ", " or ")
        yield Missing(modality=modality, why=f"no clue states {signs}")


def _is_shown(clues: Sequence[Clue], topic: Topic) -> bool:
    """True if the topic's person is in the clues, or may be their only one."""
    people = people_in(clues)
    names = {person.name for person in people}
    if not topic.other and len(names) < 2:
        if topic.place and not any(person.place for person in people):
            return True
        if not topic.place and topic.person in (*names, "person 1"):
            return True
    return bool(target_people(clues, topic))


def _people_words(people: Sequence[Person]) -> str:
    # By place where tools state it, since each may number people differently.
    by_place = any(person.place for person in people)
    names = sorted({_name(p, by_place) for p in people if p.place or not by_place})
    return f"the clues tell of {listed(names) or 'one person'}"


def _name(person: Person, by_place: bool) -> str:
    return f"a person {person.place}" if by_place and person.place else person.name
