"""What a question asks about and the clip does not show: said as missing evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from emer.agents.lexicon.cue_parser import read
from emer.agents.lexicon.lexicon import channel_of, lexicon
from emer.agents.questions.person_focus import Person, people_in, states_sexes, target_clues, target_people
from emer.agents.questions.question import Topic, is_general, topic_of
from emer.agents.rules.phrases import listed
from emer.agents.types import Inquiry, Missing, Sentence
from emer.prompts.prompt import load
from emer.tools.types import Clue, Modality, Span

CALLED: dict[Modality, str] = {
    "audio": "the voice",
    "text": "the words",
    "face": "the face",
    "scene": "the scene",
}

NOT_UNDERSTOOD = (
    "no clue can be picked by it, so this is how the clip reads as a whole; name an emotion, "
    "a sign (a smile, a pause), a person, a moment, or the face, voice, words or scene"
)


def topic_for(inquiry: Inquiry) -> Topic:
    """Return what the inquiry's question is about, in its thread."""
    earlier = (turn.question for turn in inquiry.history)
    return topic_of(
        inquiry.question, earlier, inquiry.duration, lambda topic: is_shown(inquiry.clues, topic)
    )


def is_shown(clues: Sequence[Clue], topic: Topic) -> bool:
    """Tell whether the clues tell of somebody whom the topic could mean."""
    there = people_in(clues)
    return _may_be_the_only_one(topic, there) or bool(target_people(clues, topic))


def absence_reason(inquiry: Inquiry) -> str | None:
    """Return why nobody is there whom the question could mean, None if somebody is."""
    topic = topic_for(inquiry)
    if not (topic.has_subject and inquiry.clues):
        return None
    if is_shown(inquiry.clues, topic):
        return None
    there = people_in(inquiry.clues)
    if topic.other and topic.place is None and topic.person is None:
        return "nobody else is seen in the clip"
    asked = topic.place or f"called {topic.person}"
    return f"nobody is seen {asked}; {_who_is(there)}"


def missing_evidence(inquiry: Inquiry) -> tuple[Missing, ...]:
    """Return what the question names and no clue carries, each with the reason."""
    if not inquiry.clues:
        return ()
    topic = topic_for(inquiry)
    why = absence_reason(inquiry)
    if why is not None:
        return (Missing(modality="face", why=why),)
    return (
        *_people(inquiry.clues, topic),
        *_moment(inquiry, topic),
        *_modality(inquiry, topic),
        *_signs(inquiry.clues, topic),
    )


def unclear_question(inquiry: Inquiry) -> tuple[Missing, ...]:
    """Return what is to be said of a question by whose words no clue can be picked.

    For who reads it with the lexicon: a language model may understand more.
    """
    if not topic_for(inquiry).names_nothing or is_general(inquiry.question):
        return ()
    return (Missing(modality="question", why=NOT_UNDERSTOOD),)


def people_shown(inquiry: Inquiry) -> tuple[Sentence, ...]:
    """Return a sentence on the people whom the clues tell of, with a clue for each."""
    by_place = topic_for(inquiry).place is not None
    found: dict[str, str] = {}
    for clue in inquiry.clues:
        for person in people_in([clue]):
            found.setdefault(_called(person, by_place), clue.id)
    if not found:
        return ()
    text = load("rules/answer_people").substitute(people=listed(sorted(found)))
    ids = tuple(dict.fromkeys(found[name] for name in sorted(found)))
    return (Sentence(block="answer", text=text, clue_ids=ids),)


def clues_in_span(clues: Sequence[Clue], span: Span, modality: Modality | None = None) -> list[Clue]:
    """Return the clues that show something of a span; words only where they are asked for."""
    return [
        clue
        for clue in clues
        if clue.span is not None
        and clue.span.overlaps(span)
        and (clue.modality == modality if modality else clue.modality != "text")
    ]


def _people(clues: Sequence[Clue], topic: Topic) -> Iterator[Missing]:
    names = {person.name for person in people_in(clues)}
    if topic.place and len(names) < 2 and not any(p.place for p in people_in(clues)):
        why = "the clues show one person and do not say where; the answer is about that person"
        yield Missing(modality="face", why=why)
    if topic.sex and not topic.has_subject and len(names) > 1 and not states_sexes(clues):
        why = f"no clue tells women from men; {_who_is(people_in(clues))}: ask by number or place"
        yield Missing(modality="face", why=why)
    if topic.modality == "audio" and topic.has_subject and len(names) > 1:
        yield Missing(modality="audio", why="no clue tells whose voice is heard")


def _moment(inquiry: Inquiry, topic: Topic) -> Iterator[Missing]:
    if topic.moment is None:
        return
    modality: Modality = topic.modality or "face"
    if topic.moment.span is None:
        ends = f"the clip ends at {inquiry.duration:g} s; nothing of it is at {topic.moment.words}"
        yield Missing(modality=modality, why=ends)
    elif not clues_in_span(target_clues(inquiry.clues, topic), topic.moment.span, topic.modality):
        words = clues_in_span(inquiry.clues, topic.moment.span, "text")
        but = " but what is said" if words and topic.modality is None else ""
        yield Missing(modality=modality, why=f"no clue{but} tells of {topic.moment.words}")


def _modality(inquiry: Inquiry, topic: Topic) -> Iterator[Missing]:
    asked = topic.modality
    told = {record.modality for record in inquiry.missing}
    if asked is None or topic.cues or asked in told:
        return
    if not any(clue.modality == asked for clue in inquiry.clues):
        yield Missing(modality=asked, why=f"no clue tells of {CALLED[asked]}")


def _signs(clues: Sequence[Clue], topic: Topic) -> Iterator[Missing]:
    """Yield signs that the question takes for granted and no clue states."""
    if not topic.cues or topic.denied or clues_with_signs(target_clues(clues, topic), topic):
        return
    cues = [lexicon().cues[name] for name in topic.cues]
    modality: Modality = "audio" if all(cue.channel == "audio" for cue in cues) else "face"
    yield Missing(modality=modality, why=f"no clue states {_either([cue.say for cue in cues])}")


def clues_with_signs(clues: Sequence[Clue], topic: Topic) -> list[Clue]:
    """Return the clues that state a sign the question names, or another of its kind."""
    cues = lexicon().cues
    groups = {cues[name].group for name in topic.cues}
    return [
        r.clue
        for r in read(clues)
        if channel_of(r.clue.modality) != "text"
        and any(cues[m.cue].group in groups and not m.negated for m in r.mentions)
    ]


def _may_be_the_only_one(topic: Topic, there: Sequence[Person]) -> bool:
    """Tell whether the clues tell of one person who may be the one that is meant."""
    names = {person.name for person in there}
    places = {person.place for person in there} - {None}
    if topic.other or len(names) > 1:
        return False
    return not places if topic.place else topic.person in (*names, "person 1")


def _who_is(there: Sequence[Person]) -> str:
    """Return who is there: by place where tools say so, since each may number them anew."""
    by_place = any(person.place for person in there)
    names = sorted({_called(p, by_place) for p in there if p.place or not by_place})
    return f"the clues tell of {listed(names) or 'one person'}"


def _called(person: Person, by_place: bool) -> str:
    return f"a person {person.place}" if by_place and person.place else person.name


def _either(names: Sequence[str]) -> str:
    return listed(dict.fromkeys(names)).replace(" and ", " or ")
