"""The cues that the words of a transcript carry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from emer.agents.utterances.normalization import normal_words
from emer.agents.utterances.predicates import predicated
from emer.agents.utterances.sentences import Sentence, sentences_of
from emer.agents.utterances.tables import PREDICATES, Words, words
from emer.tools.types import CueMention

IRONIC = 0.5
"""Factor on pleasant words beside a marker of irony: both readings stay open (by us)."""
PLEASANT = frozenset({"thanks", "praise", "joy_words", "excited_words", "love_words", "agreement",
                      "said_happy", "said_affectionate", "wish", "comfort"})  # fmt: skip
QUESTIONS = frozenset({"rhetorical", "exclamation", "surprise_words"})
"""Cues of form: a denial inside of them is a part of what they say."""
NEARBY = 40
"""Characters before an act of speech that are read for its negation (chosen by us)."""

_NOT = re.compile(
    r"\b(?:not|never|no|without|hardly|nothing|nobody|no one|nor)\b(?:\s+[\w']+){0,3}\s*$"
    r"|(?:没有?|不|别|未|无|不用|不必)[^不没无,]{0,2}$"
)
_NO_NEGATION = re.compile(
    r"\bnot (?:only|just)\b|\bno wonder\b|不(?:禁|仅|但|得不|由得?|过|止)|忍不住|\bcan not help\b"
    r"|(?:要|是|好)不|([能会可是要想好懂行])不\1"
)


@lru_cache(maxsize=4096)
def cues_of_words(transcript: str) -> tuple[CueMention, ...]:
    """The cues that a speaker's words state or deny, the strongest of each once."""
    strongest: dict[tuple[str, bool], CueMention] = {}
    for mention in _all(transcript):
        key = (mention.cue, mention.negated)
        if key not in strongest or strongest[key].strength < mention.strength:
            strongest[key] = mention
    return tuple(strongest[key] for key in sorted(strongest))


def _all(transcript: str) -> Iterator[CueMention]:
    for sentence in sentences_of(transcript):
        found = list(_of_sentence(sentence))
        stated = {m.cue for m in found if not m.negated}
        found = [m for m in found if not (m.negated and m.cue in stated)]
        if any(m.cue == "irony" and not m.negated for m in found):
            found = [_halved(m) if m.cue in PLEASANT else m for m in found]
        yield from found
    yield from _topics(transcript)


def _halved(mention: CueMention) -> CueMention:
    return mention.model_copy(update={"strength": mention.strength * IRONIC})


def _of_sentence(sentence: Sentence) -> Iterator[CueMention]:
    for row in words():
        if row.form in PREDICATES:
            yield from predicated(sentence, row)
        elif row.form != "topic":
            yield from _acts(sentence, row)
    yield from _marks(sentence)


def _acts(sentence: Sentence, row: Words) -> Iterable[CueMention]:
    for match in row.pattern.finditer(sentence.text):
        asked = sentence.is_asked(match.start())
        if match.group() and (row.form == "act" or (row.form == "asked") == asked):
            denied = row.cue not in QUESTIONS and _is_denied(sentence.text, match.start())
            yield CueMention(cue=row.cue, negated=denied)


def _topics(transcript: str) -> Iterator[CueMention]:
    """What is spoken of, also in the words of others and in conditions."""
    text = normal_words(transcript)
    for row in words():
        if row.form == "topic":
            places = (match.start() for match in row.pattern.finditer(text))
            if any(not _is_denied(text, place) for place in places):
                yield CueMention(cue=row.cue)


def _is_denied(text: str, start: int) -> bool:
    before = text[max(0, start - NEARBY) : start].rsplit(",", 1)[-1]
    return _NOT.search(_NO_NEGATION.sub("", before)) is not None


def _marks(sentence: Sentence) -> Iterator[CueMention]:
    """What the marks of a sentence state."""
    if "!" in sentence.mark:
        yield CueMention(cue="exclamation")
    if sentence.asks:
        yield CueMention(cue="question")
    elif sentence.tagged:
        yield CueMention(cue="tag_question")
