"""Claims of a sentence against its clues: cues with their polarity, and emotion words."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from emer.agents.checks import Cited, Problem
from emer.agents.cues import Mention, is_negated, mentions_in, read
from emer.agents.fusion import Standing, weigh
from emer.agents.vocabulary import Channel, channel_of, emotion_words, lexicon
from emer.agents.weighting import Weighting
from emer.tools.types import Clue

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
