"""Details of a sentence against its clues: times, quotes, numbers, persons, content."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from emer.agents.cues import mentions_in, transcript
from emer.agents.types import Sentence
from emer.agents.vocabulary import Channel
from emer.tools.types import Clue

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
