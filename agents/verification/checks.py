"""Ids, times, quotes, cues, emotions.

Details of a sentence against its clues: times, quotes, numbers, persons, content.

Claims of a sentence against its clues: cues with their polarity, and emotion words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from emer.agents.lexicon.cue_parser import Mention, is_negated, mentions_in, read, transcript
from emer.agents.lexicon.lexicon import Channel, Weighting, channel_of, emotion_words, lexicon
from emer.agents.rules.fusion import Standing, weigh
from emer.agents.types import Sentence
from emer.tools.types import Clue

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)


SLACK = 0.5
"""Seconds by which a time may miss a cited span: rounding and "around" (chosen by us)."""
IN_CLIP = 0.05
"""Seconds by which a time may pass the clip's end: one frame and rounding."""
SHARED_WORDS = 0.5
"""Share of a description's content words that its clues must contain (chosen by us)."""

_TIME = re.compile(
    r"(?P<length>\b(?:for|lasting|lasts|of) (?:about )?)?(?P<start>\d+(?:\.\d+)?)"
    r"(?:\s*(?:-|–|to)\s*(?P<end>\d+(?:\.\d+)?))?\s*(?:s\b|sec\b|seconds?\b|秒)"
)
_QUOTES = re.compile(
    '"([^"]+)"|“([^”]+)”|「([^」]+)」|『([^』]+)』|‘([^’]+)’|(?<!\\w)\'([^\'"]+)\'(?!\\w)'
)
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?")
_GIVEN = re.compile(r"(?<![A-Za-z\d.])\d+(?:\.\d+)?")
_PERSON = re.compile(r"\bperson (\d+)\b")
_WORD = re.compile(r"[a-z]{4,}|[\u4e00-\u9fff]")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_CHANNELS: dict[str, Channel] = {"video": "visual", "audio": "audio"}
_COMMON = """
video audio text clip time goes also besides later while then with that this from there
their they them when where which what words heard reads says said saying speaker subtitle
person voice question around recognition confidence something appears seems looks being
have been into over some very
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a sentence."""

    status: Literal["contradicted", "unsupported"]
    why: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A sentence with the clues it cites, in a clip of `duration` seconds."""

    sentence: Sentence
    clues: tuple[Clue, ...]
    duration: float

    @property
    def unquoted(self) -> str:
        """The sentence in lower case without what it quotes."""
        return " ".join(_QUOTES.sub(" ", self.sentence.text).casefold().split())


def check_details(cited: Cited) -> Iterator[Problem]:
    """Yield what is wrong with the sentence's times, quotes, numbers, persons and content."""
    checks: tuple[Callable[[Cited], Iterator[Problem]], ...] = (
        check_times,
        _quotes,
        _numbers,
        _persons,
        _content,
    )
    for check in checks:
        yield from check(cited)


def check_times(cited: Cited) -> Iterator[Problem]:
    """Yield times that lie outside the clip or in none of the cited spans."""
    for match in _TIME.finditer(cited.unquoted):
        values = [float(v) for v in (match["start"], match["end"]) if v]
        said = match.group().strip()
        if max(values) > cited.duration + IN_CLIP:
            yield Problem("contradicted", f"{said} is beyond the clip's {cited.duration:g} s")
        elif not _is_written(values, cited.clues):
            check = _is_length if match["length"] else _is_inside
            if not any(check(values, clue) for clue in cited.clues):
                yield Problem("unsupported", f"no cited clue is at {said}")


def _is_inside(values: list[float], clue: Clue) -> bool:
    return clue.span is not None and all(
        clue.span.start - SLACK <= v <= clue.span.end + SLACK for v in values
    )


def _is_length(values: list[float], clue: Clue) -> bool:
    return clue.span is not None and max(values) <= clue.span.length + SLACK


def _is_written(values: list[float], clues: tuple[Clue, ...]) -> bool:
    return any(set(values) <= {float(n) for n in _numbers_in(clue)} for clue in clues)


def _quotes(cited: Cited) -> Iterator[Problem]:
    texts = [transcript(c) for c in cited.clues if c.modality == "text"]
    if cited.sentence.block != "text":
        texts += [c.text for c in cited.clues]
    said = [f" {_normal(text)} " for text in texts]
    for match in _QUOTES.finditer(cited.sentence.text):
        words = _normal(next(group for group in match.groups() if group))
        if words and not any(f" {words} " in text for text in said):
            yield Problem("unsupported", f"the words {match.group()} are in no cited clue")


def _normal(text: str) -> str:
    """Return the words in lower case, without punctuation; Chinese by character."""
    return " ".join(re.findall(r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+", text.casefold()))


def _numbers(cited: Cited) -> Iterator[Problem]:
    """Yield numbers that are no times and stand in none of the cited clues."""
    rest = _PERSON.sub(" ", _TIME.sub(" ", cited.unquoted))
    known = {float(n) for clue in cited.clues for n in _numbers_in(clue)}
    for number in _NUMBER.findall(rest):
        if abs(float(number)) not in known:
            yield Problem("unsupported", f"no cited clue says {number}")


def _numbers_in(clue: Clue) -> list[str]:
    """Return the numbers of a clue's sentence and data; digits inside a word are none."""
    data = json.dumps(clue.model_dump(mode="json")["data"])
    return _GIVEN.findall(f"{clue.text} {data}")


def _persons(cited: Cited) -> Iterator[Problem]:
    known = " ".join(f"{c.person or ''} {c.text}".casefold() for c in cited.clues)
    for number in _PERSON.findall(cited.unquoted):
        if not re.search(rf"\bperson {number}\b", known):
            yield Problem("unsupported", f"no cited clue is about person {number}")


def _content(cited: Cited) -> Iterator[Problem]:
    """Yield a description that shares too few words with the clues it cites.

    Where it is written in another language than they are, it must state a cue by name:
    whether they state the same one is checked with the cues.
    """
    if cited.sentence.block not in ("video", "audio"):
        return
    if _translates(cited):
        if not mentions_in(cited.unquoted, _CHANNELS[cited.sentence.block]):
            yield Problem("unsupported", "it describes nothing that can be held against its clues")
        return
    words = {_stem(w) for w in _WORD.findall(cited.unquoted) if w not in _COMMON.split()}
    known = {_stem(w) for c in cited.clues for w in _WORD.findall(c.text.casefold())}
    if words and len(words & known) < SHARED_WORDS * len(words):
        yield Problem("unsupported", "most of what it describes is in no cited clue")


def _translates(cited: Cited) -> bool:
    """Tell whether the sentence is in Chinese and its clues are not, or the other way round."""
    told = any(_CHINESE.search(clue.text) for clue in cited.clues)
    return told != (_CHINESE.search(cited.unquoted) is not None)


def _stem(word: str) -> str:
    return word[:4]


# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)


Stance = Literal["for", "against", "not"]

NEAR_WORDS = 4
"""Words before an emotion word in which "against" belongs to it (by us)."""

_PART = re.compile(r"[,;，；。、]|\.(?=\s|$)")
_AGAINST = re.compile(r"\b(?:against|rather than|instead of)\b")
_SPOKEN: dict[str, tuple[Channel, ...]] = {
    "video": ("visual",),
    "audio": ("audio",),
    "text": (),
    "answer": ("visual", "audio"),
    "therefore": ("visual", "audio"),
}
_CONCLUDING = ("answer", "therefore")


@lru_cache(maxsize=1)
def _any_emotion() -> re.Pattern[str]:
    lexical = lexicon()
    words = (emotion_words(lexical.labels, family) for family in lexical.families)
    return re.compile("|".join(f"(?:{word})" for word in words))


def check_cues(cited: Cited) -> Iterator[Problem]:
    """Yield cues of the sentence that its clues do not state, or state the other way."""
    text = cited.unquoted
    if cited.sentence.block in _CONCLUDING:
        text = _any_emotion().sub(" ", text)
    for channel in _SPOKEN[cited.sentence.block]:
        for claim in _cues(text, channel):
            stated = _stated(cited, channel)
            problem = _on_cue(claim, stated)
            if problem:
                yield problem


def check_emotions(cited: Cited, by: Weighting) -> Iterator[Problem]:
    """Yield emotion words of the sentence that its clues do not carry."""
    standings = {s.family: s for s in weigh(read(cited.clues), by)}
    for family, stance in _emotions(cited.unquoted):
        yield from _on_family(standings[family], stance)


def check_label(name: str, clues: Sequence[Clue], by: Weighting) -> Iterator[Problem]:
    """Yield why the clues do not carry a label; words unknown to the lexicon pass."""
    if not clues:
        yield Problem("unsupported", "it cites no clue")
        return
    family = lexicon().family_of(name)
    if family:
        standing = next(s for s in weigh(read(clues), by) if s.family == family)
        yield from _on_family(standing, "for")


def _cues(text: str, channel: Channel, exact: bool = True) -> list[Mention]:
    """Return the cues of a text, without the words for emotions."""
    found = mentions_in(text, channel, exact)
    return [m for m in found if not m.cue.startswith(("named_", "heard_", "said_"))]


def _stated(cited: Cited, channel: Channel) -> list[Mention]:
    """Return what the cited clues state on a channel.

    A conclusion may call any cited clue by the name that we have for its cue.
    """
    found: list[Mention] = []
    for clue in cited.clues:
        if channel_of(clue.modality) == channel:
            found += _cues(clue.text, channel, exact=False)
        if cited.sentence.block in _CONCLUDING:
            says = ((lexicon().say(m.cue), m.negated) for m in read([clue])[0].mentions)
            found += [
                replace(named, negated=negated)
                for say, negated in says
                for named in _cues(say, channel, exact=False)
            ]
    return found


def _on_cue(claim: Mention, stated: Sequence[Mention]) -> Problem | None:
    cues = lexicon().cues
    say = cues[claim.cue].say
    same = [m for m in stated if m.cue == claim.cue]
    if any(m.negated == claim.negated for m in same):
        return None
    if same:
        return Problem("contradicted", f"its clues say the opposite about {say}")
    opposite = {m.cue for m in stated if not m.negated} & set(cues[claim.cue].opposites)
    if opposite and not claim.negated:
        return Problem("contradicted", f"its clues state {cues[min(opposite)].say}, not {say}")
    return Problem("unsupported", f"no cited clue states {say}")


def _emotions(text: str) -> Iterator[tuple[str, Stance]]:
    """Yield the families that a text names, and whether it speaks for or against them."""
    labels = lexicon().labels
    for family in lexicon().families:
        for match in re.finditer(emotion_words(labels, family), text):
            before = _PART.split(text[: match.start()])[-1]
            near = " ".join(before.split()[-NEAR_WORDS:])
            if _AGAINST.search(near):
                yield family, "against"
            else:
                yield family, "not" if is_negated(before) else "for"


def _on_family(standing: Standing, stance: Stance) -> Iterator[Problem]:
    name = lexicon().head(standing.family)
    speaks_for, speaks_against = bool(standing.supports), bool(standing.contradicts)
    if stance == "for" and not speaks_for:
        status: Literal["contradicted", "unsupported"] = (
            "contradicted" if speaks_against else "unsupported"
        )
        yield Problem(status, f"its clues do not speak for {name}")
    if stance == "against" and not speaks_against:
        yield Problem("unsupported", f"its clues do not speak against {name}")
    if stance == "not" and speaks_for and not speaks_against:
        yield Problem("contradicted", f"its clues speak for {name}")
