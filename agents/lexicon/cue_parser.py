"""Cues of clues: which are stated, how strongly, and which are denied.

A clue's typed cues where it has any; else those of its sentence, of any origin: third-party
tools, people, transcripts, captions and old traces, English and Chinese.
Combinations of cues are found where their members overlap in time on one person.
"""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from emer.agents.lexicon.lexicon import NEARBY, channel_of, lexicon
from emer.agents.lexicon.literals import may_match
from emer.agents.utterances import cues_of_words
from emer.tools.cues import FACS_LETTERS, Channel
from emer.tools.types import Clue, CueMention, Modality

UNRELIABLE = 0.3
"""Quality below this is squared: measured, but hardly (chosen by us)."""
DOUBTFUL_TRANSCRIPT = 0.1
"""Factor on words that the recogniser itself does not trust (chosen by us)."""
DESCRIBED = 0.5
"""Factor on a model's description of a picture: not measured (chosen by us)."""
INFERRED = 0.5
"""Factor on its emotion words: inferred from signs that count themselves (ours)."""
SLACK = 0.5
"""Seconds between two cues that still count as together (chosen by us)."""

_SENTENCE = re.compile(r"[.!?](?=\s|$)|[;。；！？\n]+")
_CLAUSE = re.compile(
    r"[,，、:：()（）]|\b(?:but|and|while|then|although|however|yet)\b|但|而|却|并(?!非)"
)
_COMMA = re.compile(r"[,，、]")
_NEGATION = re.compile(
    r"\b(?:no|not|never|without|neither|nor|none|lacks?|lacking|fails? to|absence of|free of"
    r"|rather than|instead of|cannot|can't|hardly any)\b|n't\b"
)
_NOT_NEGATION = re.compile(r"\bnot (?:only|just)\b|\b(?:can't|cannot|could not|couldn't) help\b")
_NEGATION_ZH = re.compile(r"(?:没有?|不|未|无|并非|非)[^不没无]{0,3}$")
_NOT_NEGATION_ZH = re.compile(r"不(?:禁|由|断|停|时|住|仅|但|自觉|得不|过)|忍不住|无比|非常")
_SETTING = re.compile(
    r"\b(?:background|music|soundtrack|atmosphere|environment|lighting)\b|背景|音乐|氛围|环境|光线"
)
_OTHER = re.compile(
    r"(?<!at )(?<!to )(?<!with )(?<!towards )(?<!toward )(?<!of )(?<!from )(?<!facing )(?<!see )"
    r"\bthe other (?:person|man|woman|party|character|people|side|actor)|^\s*对方"
)
_OWNER = re.compile(
    r"\b((?:lip|eye|eyebrow|brow|eyelid|corner|shoulder|cheek|hand|arm)s?|mouth|nose|chin|jaw|head"
    r"|forehead|gaze|voice|pitch)"
    r"(?: of (?:person|voice|(?:the|this|that) (?:person|man|woman|girl|boy|speaker))"
    r"(?: \d+)?(?: \([^()]*\))?)(?='s\b| |[.,;]|$)"
)
"""A part of a person with its owner behind it: "the lips of the person"."""
_LETTER = re.compile(r"intensity ([a-e])\b|\bau ?\d+ ?([a-e])\b")
_DOUBT = re.compile(r"low recognition confidence|may be saying|识别置信度低")
_DESCRIBED = re.compile(r"^(?:a model describes|asked \"[^\"]*\", a model answers)\b")
_OPENING = re.compile(r"[\"“「『]")
_CLOSING = '"”」』'
_SPOKEN = re.compile(r"\"[^\"]*\"|“[^“”]*”|「[^「」]*」|『[^『』]*』")
_PREFIX = re.compile(r"^[^:：]{0,40}[:：]\s*")


@dataclass(frozen=True, slots=True)
class Mention:
    """One cue in a sentence: how strongly it is stated, or that it is denied."""

    cue: str
    negated: bool
    strength: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A clue with the cues that its sentence states, and its reliability in [0, 1]."""

    clue: Clue
    mentions: tuple[Mention, ...]
    reliability: float


def read(clues: Iterable[Clue]) -> tuple[Reading, ...]:
    """Readings of the clues, each clue once, in time order."""
    distinct = {clue.id: clue for clue in clues}.values()

    def time_order(clue: Clue) -> tuple[float, float, str]:  # without a span first
        return (clue.span.start, clue.span.end, clue.id) if clue.span else (-1.0, -1.0, clue.id)

    return tuple(_read_one(clue) for clue in sorted(distinct, key=time_order))


@lru_cache(maxsize=4096)
def mentions_in(text: str, channel: Channel, exact: bool = True) -> tuple[Mention, ...]:
    """The cues that a text states on a channel, the strongest of each once.

    On the channel "text" it is a speaker's words, which `agents/utterances` reads.

    With `exact` a cue is left out where a more exact one is stated ("opens the mouth
    wide" is not also "opens the mouth").
    """
    if channel == "text":
        return tuple(Mention(m.cue, m.negated, m.strength) for m in _weighed(cues_of_words(text)))
    strongest: dict[tuple[str, bool], Mention] = {}
    for sentence in _sentences(text):
        stated = _in_sentence(sentence, channel)
        if exact:
            present = {m.cue for m in stated}
            stated = [m for m in stated if present.isdisjoint(lexicon().cues[m.cue].unless)]
        for mention in stated:
            key = (mention.cue, mention.negated)
            if key not in strongest or strongest[key].strength < mention.strength:
                strongest[key] = mention
    return tuple(strongest[key] for key in sorted(strongest))


def transcript(clue: Clue) -> str:
    """The words that a text clue quotes; the whole sentence if it quotes none."""
    opening, end = _OPENING.search(clue.text), max(map(clue.text.rfind, _CLOSING))
    if opening is not None and end > opening.end():
        return clue.text[opening.end() : end]
    return _PREFIX.sub("", clue.text)


def is_doubtful(clue: Clue) -> bool:
    """True for a transcript of low recognition confidence."""
    if clue.modality != "text":
        return False
    return clue.certainty == "doubtful" or _DOUBT.search(clue.text.casefold()) is not None


def is_described(clue: Clue) -> bool:
    """True for a model's description of a picture."""
    if clue.kind != "measured":
        return clue.kind == "described"
    return clue.modality == "scene" and _DESCRIBED.search(clue.text.casefold()) is not None


def normal_text(text: str) -> str:
    """The text in lower case, with single spaces and straight apostrophes."""
    return " ".join(text.casefold().replace("’", "'").split())


def is_negated(before: str) -> bool:
    """True if a clause's last six words deny what follows (range: VADER)."""
    near = " ".join(_NOT_NEGATION.sub(" ", before).split()[-6:])
    chinese = _NOT_NEGATION_ZH.sub("", before)
    return _NEGATION.search(near) is not None or _NEGATION_ZH.search(chinese) is not None


class CombinedCue(NamedTuple):
    """A combination of the lexicon that a pair of clues forms."""

    key: str
    modality: Modality
    clue_ids: tuple[str, ...]
    weight: float
    """Reliability times strength, of the weaker of the two."""


def combined_cues(readings: Sequence[Reading]) -> Iterator[CombinedCue]:
    """Each pair of clues that forms a combination of the lexicon."""
    stating: dict[str, list[tuple[Clue, float]]] = {}
    for reading in readings:
        for mention in reading.mentions:
            if not mention.negated:
                amount = reading.reliability * mention.strength
                stating.setdefault(mention.cue, []).append((reading.clue, amount))
    for combo in lexicon().combos:
        for (one, a), (two, b) in product(*(stating.get(member, ()) for member in combo.members)):
            if _may_coincide(one, two):
                ids = tuple(dict.fromkeys((one.id, two.id)))
                yield CombinedCue(combo.key, one.modality, ids, min(a, b))


def _may_coincide(one: Clue, two: Clue) -> bool:
    if one.person and two.person and one.person != two.person:
        return False
    return one.span is None or two.span is None or one.span.overlaps(two.span, SLACK)


def parsed(clue: Clue) -> tuple[Mention, ...]:
    """The cues of the clue's sentence, whatever its typed cues are."""
    text = transcript(clue) if clue.modality == "text" else clue.text
    return mentions_in(text, channel_of(clue.modality))


def _typed(clue: Clue) -> tuple[Mention, ...]:
    """The typed cues that the lexicon weighs on the clue's channel."""
    known, channel = lexicon().cues, channel_of(clue.modality)
    own = (m for m in _weighed(clue.cues) if known[m.cue].channel == channel)
    return tuple(Mention(m.cue, m.negated, m.strength) for m in own)


def _weighed(mentions: Iterable[CueMention]) -> Iterator[CueMention]:
    """The mentions of cues that the lexicon weighs."""
    return (m for m in mentions if m.cue in lexicon().cues)


def _read_one(clue: Clue) -> Reading:
    mentions = _typed(clue) if clue.cues else parsed(clue)
    letter = clue.data.get("intensity")
    if isinstance(letter, str) and letter.casefold() in FACS_LETTERS:
        strength = FACS_LETTERS[letter.casefold()]
        mentions = tuple(replace(m, strength=strength) for m in mentions)
    score = clue.quality.score
    trust = score if score >= UNRELIABLE else score * score
    if clue.confidence is not None:
        trust *= clue.confidence
    if is_described(clue):
        trust *= DESCRIBED
        mentions = tuple(
            replace(m, strength=m.strength * INFERRED) if m.cue.startswith("named_") else m
            for m in mentions
        )
    return Reading(clue, mentions, trust * DOUBTFUL_TRANSCRIPT if is_doubtful(clue) else trust)


def _sentences(text: str) -> list[str]:
    """The sentences in lower case, without what they quote."""
    own = _OWNER.sub(r"\1", _SPOKEN.sub(" ", normal_text(text)))
    return [s for s in _SENTENCE.split(own) if s.strip()]


def _in_sentence(sentence: str, channel: Channel) -> list[Mention]:
    mentions = []
    for cue, pattern in lexicon().patterns[channel]:
        for match in pattern.finditer(sentence) if may_match(pattern, sentence) else ():
            if match.group():
                near = sentence[max(0, match.start() - NEARBY) : match.start()]
                before = _CLAUSE.split(near)[-1]
                if not _is_elsewhere(before, sentence, match):
                    strength = _strength(sentence, match, before)
                    mentions.append(Mention(cue, is_negated(before), strength))
    return mentions


def _is_elsewhere(before: str, sentence: str, match: re.Match[str]) -> bool:
    """True if the words are about the setting or about another person."""
    whole = _COMMA.split(sentence[max(0, match.start() - NEARBY) : match.start()])[-1]
    after = sentence[match.end() : match.end() + NEARBY]
    clause = whole + match.group() + _COMMA.split(after)[0]
    return _SETTING.search(clause) is not None or _OTHER.search(before) is not None


def _strength(sentence: str, match: re.Match[str], before: str) -> float:
    """By a FACS letter behind the cue, else by the weakest degree word near it."""
    letter = _LETTER.search(sentence, match.start(), match.end() + NEARBY)
    if letter:
        return FACS_LETTERS[letter.group(1) or letter.group(2)]
    after = _CLAUSE.split(sentence[match.end() : match.end() + NEARBY])[0]
    last, first = " ".join(before.split()[-4:])[-24:], " ".join(after.split()[:3])[:24]
    window = f"{last} {match.group()} {first}"
    factors = [
        factor
        for word, factor in lexicon().degrees.items()
        if (f" {word} " in f" {window} " if word.isascii() else word in window)
    ]
    return min(factors, default=1.0)
