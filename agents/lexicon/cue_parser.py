"""Cues of foreign and human sentences.

Reading a clue's sentence: which cues it states, how strongly, and which it denies.

Cues that mean more together: found when they overlap in time on one person.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from emer.agents.lexicon.lexicon import Channel, Lexicon, channel_of, lexicon
from emer.tools.types import Clue, Modality

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)


FACS_LETTERS = {"a": 0.4, "b": 0.65, "c": 0.9, "d": 1.15, "e": 1.35}
"""Strength of FACS intensity letters, trace to maximum (order: FACS; values: ours)."""

UNRELIABLE = 0.3
"""Quality below this is squared down: it was measured, but hardly (chosen by us)."""

DOUBTFUL_TRANSCRIPT = 0.1
"""What is left of words that the recogniser itself does not trust (chosen by us)."""

DESCRIBED = 0.5
"""What is left of a sentence that a model says of a picture: it was not measured (chosen by us)."""

INFERRED = 0.5
"""What is left of an emotion word in it: inferred from signs that count themselves (by us)."""

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
_LETTER = re.compile(r"intensity ([a-e])\b|\bau ?\d+ ?([a-e])\b")
_DOUBT = re.compile(r"low recognition confidence|may be saying|识别置信度低")
_DESCRIBED = re.compile(r"^(?:a model describes|asked \"[^\"]*\", a model answers)\b")
_QUOTED = re.compile(r"[\"“「『](.+)[\"”」』]", re.DOTALL)
_SPOKEN = re.compile(r"\"[^\"]*\"|“[^”]*”|「[^」]*」|『[^』]*』")
_PREFIX = re.compile(r"^[^:：]{0,40}[:：]\s*")


@dataclass(frozen=True, slots=True)
class Mention:
    """One cue in a sentence: how strongly it is stated, or that it is denied."""

    cue: str
    negated: bool
    strength: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A clue with the cues that its sentence states and how far to trust it."""

    clue: Clue
    mentions: tuple[Mention, ...]
    reliability: float


def read(clues: Iterable[Clue]) -> tuple[Reading, ...]:
    """Return the readings of the clues, each clue once, in time order."""
    distinct = {clue.id: clue for clue in clues}
    return tuple(_read_one(clue) for clue in sorted(distinct.values(), key=time_order))


def time_order(clue: Clue) -> tuple[float, float, str]:
    """Return the sorting key of a clue: those without a span first, then by time."""
    return (clue.span.start, clue.span.end, clue.id) if clue.span else (-1.0, -1.0, clue.id)


@lru_cache(maxsize=4096)
def mentions_in(text: str, channel: Channel, exact: bool = True) -> tuple[Mention, ...]:
    """Return the cues that a text states on a channel, the strongest of each once.

    With `exact` a cue is left out where a more exact one is stated ("opens the mouth
    wide" is not also "opens the mouth").
    """
    found: dict[tuple[str, bool], Mention] = {}
    for sentence in _sentences(text, channel):
        stated = _in_sentence(sentence, channel)
        for mention in _unsuppressed(stated) if exact else stated:
            key = (mention.cue, mention.negated)
            if key not in found or found[key].strength < mention.strength:
                found[key] = mention
    return tuple(found[key] for key in sorted(found))


def transcript(clue: Clue) -> str:
    """Return the words that a text clue quotes; the whole sentence if it quotes none."""
    quoted = _QUOTED.search(clue.text)
    return quoted.group(1) if quoted else _PREFIX.sub("", clue.text)


def is_doubtful(clue: Clue) -> bool:
    """Tell whether the recogniser said that it does not trust its words."""
    return clue.modality == "text" and _DOUBT.search(clue.text.casefold()) is not None


def is_described(clue: Clue) -> bool:
    """Tell whether a model says it of a picture, which is less than a measurement."""
    return clue.modality == "scene" and _DESCRIBED.search(clue.text.casefold()) is not None


def _inferred(mention: Mention) -> Mention:
    """Return a mention of a described clue; an emotion word weighs less than a sign."""
    if not mention.cue.startswith("named_"):
        return mention
    return Mention(mention.cue, mention.negated, mention.strength * INFERRED)


def _read_one(clue: Clue) -> Reading:
    text = transcript(clue) if clue.modality == "text" else clue.text
    mentions = mentions_in(text, channel_of(clue.modality))
    letter = clue.data.get("intensity")
    if isinstance(letter, str) and letter.casefold() in FACS_LETTERS:
        strength = FACS_LETTERS[letter.casefold()]
        mentions = tuple(Mention(m.cue, m.negated, strength) for m in mentions)
    if is_described(clue):
        mentions = tuple(map(_inferred, mentions))
    return Reading(clue, mentions, _reliability(clue))


def _reliability(clue: Clue) -> float:
    score = clue.quality.score
    trust = score if score >= UNRELIABLE else score * score
    if clue.confidence is not None:
        trust *= clue.confidence
    if is_described(clue):
        trust *= DESCRIBED
    return trust * DOUBTFUL_TRANSCRIPT if is_doubtful(clue) else trust


def _sentences(text: str, channel: Channel) -> list[str]:
    """Return the text's sentences in lower case; a transcript stays in one piece."""
    plain = " ".join(text.casefold().replace("’", "'").split())
    plain = plain if channel == "text" else _SPOKEN.sub(" ", plain)
    return [plain] if channel == "text" else [s for s in _SENTENCE.split(plain) if s.strip()]


def _in_sentence(sentence: str, channel: Channel) -> list[Mention]:
    lexical = lexicon()
    found = []
    for cue, pattern in lexical.patterns[channel]:
        for match in pattern.finditer(sentence):
            if match.group():
                before = _CLAUSE.split(sentence[: match.start()])[-1]
                if channel == "text" or not _elsewhere(before, sentence, match):
                    found.append(_mention(cue, sentence, match, before, channel, lexical))
    return found


def _mention(
    cue: str,
    sentence: str,
    match: re.Match[str],
    before: str,
    channel: Channel,
    lexical: Lexicon,
) -> Mention:
    if channel == "text":
        return Mention(cue, is_negated(before), 1.0)
    letter = _LETTER.search(sentence, match.start())
    if letter:
        strength = FACS_LETTERS[letter.group(1) or letter.group(2)]
    else:
        after = _CLAUSE.split(sentence[match.end() :])[0]
        strength = _degree(f"{_last(before)} {match.group()} {_first(after)}", lexical)
    return Mention(cue, is_negated(before), strength)


def _unsuppressed(mentions: list[Mention]) -> list[Mention]:
    """Drop a cue where a more exact one was found in the same sentence."""
    present = {m.cue for m in mentions}
    cues = lexicon().cues
    return [m for m in mentions if not present & set(cues[m.cue].unless)]


def _elsewhere(before: str, sentence: str, match: re.Match[str]) -> bool:
    """Tell whether the words are about the setting or about somebody else."""
    whole = _COMMA.split(sentence[: match.start()])[-1]
    clause = whole + match.group() + _COMMA.split(sentence[match.end() :])[0]
    return _SETTING.search(clause) is not None or _OTHER.search(before) is not None


def is_negated(before: str) -> bool:
    """Tell whether the end of a clause denies what follows (VADER looks back as far)."""
    near = " ".join(_NOT_NEGATION.sub(" ", before).split()[-6:])
    chinese = _NOT_NEGATION_ZH.sub("", before)
    return _NEGATION.search(near) is not None or _NEGATION_ZH.search(chinese) is not None


def _degree(window: str, lexical: Lexicon) -> float:
    """Return the factor of the degree words near a cue: the weakest one speaks."""
    spaced = f" {window} "
    factors = [
        factor
        for word, factor in lexical.degrees.items()
        if (f" {word} " in spaced if word.isascii() else word in window)
    ]
    return min(factors, default=1.0)


def _last(text: str) -> str:
    return " ".join(text.split()[-4:])[-24:]


def _first(text: str) -> str:
    return " ".join(text.split()[:3])[:24]


SLACK = 0.5
"""Seconds between two cues that still count as together (chosen by us)."""

CombinedCue = tuple[str, Modality, tuple[str, ...], float]
"""Combination, modality, the clues it rests on, reliability times strength."""


def combined_cues(readings: Sequence[Reading]) -> Iterator[CombinedCue]:
    """Yield every pair of clues that forms a combination of the lexicon."""
    for combo in lexicon().combos:
        first, second = (list(_stating(readings, member)) for member in combo.members)
        for (one, a), (two, b) in product(first, second):
            if may_coincide(one.clue, two.clue):
                ids = tuple(dict.fromkeys((one.clue.id, two.clue.id)))
                yield combo.key, one.clue.modality, ids, min(a, b)


def may_coincide(one: Clue, two: Clue) -> bool:
    """Tell whether two clues can be about one person at one moment."""
    if one.person and two.person and one.person != two.person:
        return False
    if one.span is None or two.span is None:
        return True
    return one.span.overlaps(two.span, SLACK)


def _stating(readings: Sequence[Reading], cue: str) -> Iterator[tuple[Reading, float]]:
    for reading in readings:
        for mention in reading.mentions:
            if mention.cue == cue and not mention.negated:
                yield reading, reading.reliability * mention.strength
