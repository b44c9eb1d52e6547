"""Checks of a sentence against its clues: times, quotes, numbers, cues, emotions."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from emer.agents.lexicon.cue_parser import Mention, is_negated, mentions_in, read, transcript
from emer.agents.lexicon.lexicon import WORD_CUES, Channel, Weighting, channel_of, lexicon
from emer.agents.rules.fusion import Standing, weigh
from emer.agents.types import Sentence
from emer.tools.types import Clue

SLACK = 0.5
"""Seconds by which a time may miss a cited span: rounding, "around" (by us)."""
IN_CLIP = 0.05
"""Seconds by which a time may pass the clip's end: one frame and rounding."""
SHARED_WORDS = 0.5
"""Share of a description's content words that its clues must contain (by us)."""
NEAR_WORDS = 4
"""Words before an emotion word in which "against" refers to it (by us)."""

Status = Literal["contradicted", "unsupported"]
Stance = Literal["for", "against", "not"]

_TIME = re.compile(
    r"(?P<length>\b(?:for|lasting|lasts|of) (?:about )?)?(?<!\d)(?P<start>\d{1,9}(?:\.\d{1,9})?)"
    r"(?:\s{0,3}(?:-|–|to)\s{0,3}(?P<end>\d{1,9}(?:\.\d{1,9})?))?\s{0,3}(?:s\b|sec\b|seconds?\b|秒)"
)
_QUOTES = re.compile(
    '"([^"]+)"|“([^“”]+)”|「([^「」]+)」|『([^『』]+)』|‘([^‘’]+)’|(?<!\\w)\'([^\'"]+)\'(?!\\w)'
)
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?")
_CLUE_NUMBER = re.compile(r"(?<![A-Za-z\d.])\d+(?:\.\d+)?")
_PERSON = re.compile(r"\bperson (\d+)\b")
_WORD = re.compile(r"[a-z]{4,}|[\u4e00-\u9fff]")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_COMMON = """
video audio text clip time goes also besides later while then with that this from there
their they them when where which what words heard reads says said saying speaker subtitle
person voice question around recognition confidence something appears seems looks being
have been into over some very
"""
_PART = re.compile(r"[,;，；。、]|\.(?=\s|$)")
_AGAINST = re.compile(r"\b(?:against|rather than|instead of)\b")
_CHECKED: dict[str, tuple[Channel, ...]] = {
    "video": ("visual",),
    "audio": ("audio",),
    "text": (),
    "answer": ("visual", "audio"),
    "therefore": ("visual", "audio"),
}
_CONCLUDING = ("answer", "therefore")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a sentence."""

    status: Status
    why: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A sentence with the clues it cites, in a clip of `duration` seconds."""

    sentence: Sentence
    clues: tuple[Clue, ...]
    duration: float

    @property
    def unquoted(self) -> str:
        """The sentence in lower case without its quotations."""
        return " ".join(_QUOTES.sub(" ", self.sentence.text).casefold().split())


def check_sentence(cited: Cited, weighting: Weighting) -> Iterator[Problem]:
    """Problems of times, quotes, numbers, persons, content, cues and emotions."""
    for check in (check_times, _quotes, _numbers, _persons, _content, _cues):
        yield from check(cited)
    standings = {s.family: s for s in weigh(read(cited.clues), weighting)}
    for family, stance in _emotions(cited.unquoted):
        yield from _on_family(standings[family], stance)


def check_times(cited: Cited) -> Iterator[Problem]:
    """Times outside the clip or in none of the cited spans."""
    for match in _TIME.finditer(cited.unquoted):
        values = [float(v) for v in (match["start"], match["end"]) if v]
        words = match.group().strip()
        if max(values) > cited.duration + IN_CLIP:
            yield Problem("contradicted", f"{words} is beyond the clip's {cited.duration:g} s")
        elif not any(_has_times(clue, values, bool(match["length"])) for clue in cited.clues):
            yield Problem("unsupported", f"no cited clue is at {words}")


def _has_times(clue: Clue, values: list[float], is_length: bool) -> bool:
    if set(values) <= set(_numbers_in(clue)):
        return True
    span = clue.span
    if span is None or is_length:
        return span is not None and max(values) <= span.length + SLACK
    return all(span.start - SLACK <= v <= span.end + SLACK for v in values)


def _quotes(cited: Cited) -> Iterator[Problem]:
    texts = [transcript(c) for c in cited.clues if c.modality == "text"]
    if cited.sentence.block != "text":
        texts += [c.text for c in cited.clues]
    known = [f" {_normal(text)} " for text in texts]
    for match in _QUOTES.finditer(cited.sentence.text):
        words = _normal(next(group for group in match.groups() if group))
        if words and not any(f" {words} " in text for text in known):
            yield Problem("unsupported", f"the words {match.group()} are in no cited clue")


def _normal(text: str) -> str:
    """Words in lower case, without punctuation; Chinese by character."""
    return " ".join(re.findall(r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+", text.casefold()))


def _numbers(cited: Cited) -> Iterator[Problem]:
    """Numbers that are no times and stand in none of the cited clues."""
    rest = _PERSON.sub(" ", _TIME.sub(" ", cited.unquoted))
    known = {number for clue in cited.clues for number in _numbers_in(clue)}
    for number in _NUMBER.findall(rest):
        if abs(float(number)) not in known:
            yield Problem("unsupported", f"no cited clue says {number}")


def _numbers_in(clue: Clue) -> list[float]:
    """Numbers of a clue's sentence and data; digits inside a word do not count."""
    data = json.dumps(clue.model_dump(mode="json")["data"])
    return [float(number) for number in _CLUE_NUMBER.findall(f"{clue.text} {data}")]


def _persons(cited: Cited) -> Iterator[Problem]:
    known = " ".join(f"{c.person or ''} {c.text}".casefold() for c in cited.clues)
    for number in _PERSON.findall(cited.unquoted):
        if not re.search(rf"\bperson {number}\b", known):
            yield Problem("unsupported", f"no cited clue is about person {number}")


def _content(cited: Cited) -> Iterator[Problem]:
    """A description that shares too few words with the clues it cites.

    In another language than theirs it must state a cue by name; whether they state the same
    one is left to `_cues`.
    """
    if cited.sentence.block not in ("video", "audio"):
        return
    is_chinese = _CHINESE.search(cited.unquoted) is not None
    if is_chinese != any(_CHINESE.search(clue.text) for clue in cited.clues):
        if not mentions_in(cited.unquoted, _CHECKED[cited.sentence.block][0]):
            yield Problem("unsupported", "it describes nothing that can be held against its clues")
        return
    words = {w[:4] for w in _WORD.findall(cited.unquoted) if w not in _COMMON.split()}
    known = {w[:4] for c in cited.clues for w in _WORD.findall(c.text.casefold())}
    if words and len(words & known) < SHARED_WORDS * len(words):
        yield Problem("unsupported", "most of what it describes is in no cited clue")


def _cues(cited: Cited) -> Iterator[Problem]:
    """Cues of the sentence that its clues do not state, or state the other way."""
    text = cited.unquoted
    if cited.sentence.block in _CONCLUDING:
        text = _any_emotion().sub(" ", text)
    for channel in _CHECKED[cited.sentence.block]:
        stated = _stated(cited, channel)
        for claim in _signs(text, channel):
            yield from _on_cue(claim, stated)


def check_label(name: str, clues: Sequence[Clue], weighting: Weighting) -> Iterator[Problem]:
    """Why the clues do not carry a label; words unknown to the lexicon pass."""
    if not clues:
        yield Problem("unsupported", "it cites no clue")
        return
    family = lexicon().family_of(name)
    if family:
        standing = next(s for s in weigh(read(clues), weighting) if s.family == family)
        yield from _on_family(standing, "for")


@lru_cache(maxsize=1)
def _any_emotion() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{word})" for word in lexicon().emotion_words.values()))


def _signs(text: str, channel: Channel, exact: bool = True) -> list[Mention]:
    return [m for m in mentions_in(text, channel, exact) if not m.cue.startswith(WORD_CUES)]


def _stated(cited: Cited, channel: Channel) -> list[Mention]:
    """What the cited clues state on a channel.

    A conclusion may call any cited clue by the lexicon's phrase for its cue.
    """
    mentions: list[Mention] = []
    for clue in cited.clues:
        if channel_of(clue.modality) == channel:
            mentions += _signs(clue.text, channel, exact=False)
        if cited.sentence.block in _CONCLUDING:
            mentions += [
                replace(sign, negated=mention.negated)
                for mention in read([clue])[0].mentions
                for sign in _signs(lexicon().phrase_of(mention.cue), channel, exact=False)
            ]
    return mentions


def _on_cue(claim: Mention, stated: Sequence[Mention]) -> Iterator[Problem]:
    cues = lexicon().cues
    cue, same = cues[claim.cue], {m.negated for m in stated if m.cue == claim.cue}
    opposite = {m.cue for m in stated if not m.negated} & set(cue.opposites)
    if claim.negated in same:
        return
    if same:
        yield Problem("contradicted", f"its clues say the opposite about {cue.phrase}")
    elif opposite and not claim.negated:
        other = cues[min(opposite)].phrase
        yield Problem("contradicted", f"its clues state {other}, not {cue.phrase}")
    else:
        yield Problem("unsupported", f"no cited clue states {cue.phrase}")


def _emotions(text: str) -> Iterator[tuple[str, Stance]]:
    """Families that a text names, and whether it speaks for or against them."""
    for family, words in lexicon().emotion_words.items():
        for match in re.finditer(words, text):
            before = _PART.split(text[: match.start()])[-1]
            near = " ".join(before.split()[-NEAR_WORDS:])
            if _AGAINST.search(near):
                yield family, "against"
            else:
                yield family, "not" if is_negated(before) else "for"


def _on_family(standing: Standing, stance: Stance) -> Iterator[Problem]:
    name, supported = lexicon().label_of(standing.family), bool(standing.supports)
    contradicted = bool(standing.contradicts)
    if stance == "for" and not supported:
        status: Status = "contradicted" if contradicted else "unsupported"
        yield Problem(status, f"its clues do not speak for {name}")
    if stance == "against" and not contradicted:
        yield Problem("unsupported", f"its clues do not speak against {name}")
    if stance == "not" and supported and not contradicted:
        yield Problem("contradicted", f"its clues speak for {name}")
