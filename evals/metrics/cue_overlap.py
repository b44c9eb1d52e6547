"""Cues named in explanations, and how those of a system agree with the human ones.

A cue is one of the concepts of concepts.csv (what EMER's annotators name most, worded by
us), or the words quoted from the subtitle. Presence is what counts, not how often or when.
A cue that is absent from the human text is called invented; it may still be in the clip.

Modality completeness, our own definition (no published one is known to us), is the share of
picture, sound and words of which an explanation states at least one clue. In free text a
modality is present when the text has its part ("In the video", "在音频中") or names one of its
cues; the words also when quoted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from emer.agents.types import Explanation
from emer.evals.metrics.bootstrap import Harmonic, ratio
from emer.evals.metrics.emotion_words import Language, is_denied, language_of, rows_of
from emer.evals.metrics.open_vocabulary import Overlap

TABLE = Path(__file__).parent / "concepts.csv"

Channel = Literal["visual", "acoustic", "textual"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)

SAME_QUOTE = 0.5
"""Share of a shorter quotation's words that the other must have (ours)."""

_QUOTES = re.compile(r"[\"“”「『](.+?)[\"“”」』]")
_TOKEN = re.compile(r"[a-z0-9']+|[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Cue:
    """A concept of a channel; for the textual one, the words that are quoted."""

    channel: Channel
    name: str


class Agreement(NamedTuple):
    """Cues of one explanation against a human one."""

    matched: frozenset[Cue]
    missed: frozenset[Cue]
    invented: frozenset[Cue]


@lru_cache(maxsize=20_000)
def cues_in(text: str) -> frozenset[Cue]:
    """Cues that a text names, without the denied ones ("no smile")."""
    language = language_of(text)
    quotes = [_plain(q) for q in _QUOTES.findall(text)]
    lowered = _QUOTES.sub(" ", text).lower()
    concepts = {
        cue
        for cue, pattern in _patterns(language)
        if any(not is_denied(lowered[: m.start()], language) for m in pattern.finditer(lowered))
    }
    return frozenset(concepts | {Cue("textual", quote) for quote in quotes if quote})


def agree(gold: str, predicted: str) -> Agreement:
    """Cues that a predicted explanation shares with the human one, misses and invents."""
    human, ours = cues_in(gold), cues_in(predicted)
    matches = {cue: _match(cue, human) for cue in ours}
    matched = frozenset(match for match in matches.values() if match is not None)
    invented = frozenset(cue for cue, match in matches.items() if match is None)
    return Agreement(matched, human - matched, invented)


def cue_scores(agreements: Sequence[Agreement]) -> Overlap:
    """Precision and recall of cues, summed over clips."""
    matched = [len(a.matched) for a in agreements]
    precision = ratio(matched, [len(a.matched) + len(a.invented) for a in agreements])
    recall = ratio(matched, [len(a.matched) + len(a.missed) for a in agreements])
    return Overlap(precision, recall, Harmonic(precision, recall))


def _match(cue: Cue, human: frozenset[Cue]) -> Cue | None:
    if cue.channel != "textual":
        return cue if cue in human else None
    quotes = sorted((o for o in human if o.channel == "textual"), key=lambda quote: quote.name)
    return next((q for q in quotes if _shared(cue.name, q.name) >= SAME_QUOTE), None)


def _shared(left: str, right: str) -> float:
    a, b = set(left.split()), set(right.split())
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


def _plain(quote: str) -> str:
    return " ".join(_TOKEN.findall(quote.lower()))


@cache
def _patterns(language: Language) -> tuple[tuple[Cue, re.Pattern[str]], ...]:
    channels: dict[str, Channel] = {channel: channel for channel in CHANNELS}
    return tuple(
        (Cue(channels[row["channel"]], row["concept"]), re.compile(row[language]))
        for row in rows_of(TABLE)
        if row[language]
    )


_PARTS: dict[Channel, re.Pattern[str]] = {
    "visual": re.compile(r"\bin the video\b|在视频中|画面", re.IGNORECASE),
    "acoustic": re.compile(r"\bin the audio\b|在音频中|声音", re.IGNORECASE),
    "textual": re.compile(r"\bin the text\b|\bsubtitles?\b|在文本中|字幕", re.IGNORECASE),
}
_BLOCKS: dict[str, Channel] = {"video": "visual", "audio": "acoustic", "text": "textual"}


def present_in(explanation: Explanation | str) -> frozenset[Channel]:
    """Modalities that an explanation, or a free text, states a clue of."""
    if isinstance(explanation, Explanation):
        return frozenset(_BLOCKS[b] for b in explanation.by_modality if b in _BLOCKS)
    cued = {cue.channel for cue in cues_in(explanation)}
    return frozenset(c for c in CHANNELS if c in cued or _PARTS[c].search(explanation))


def completeness(explanation: Explanation | str) -> float:
    return len(present_in(explanation)) / len(CHANNELS)
