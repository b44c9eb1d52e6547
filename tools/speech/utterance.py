"""Utterances: words of one clue, up to a real pause, sentences whole."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from emer.tools.speech.languages import CHINESE
from emer.tools.speech.transcript import TimedWord
from emer.tools.types import Span

PAUSE = 0.5
"""Seconds of silence that end an utterance behind the end of a sentence."""
LONG_PAUSE = 1.0
"""Seconds of silence that end an utterance where no ends of sentences are written.

Pauses above are a class of their own, rare inside a sentence (Campione & Veronis 2002)."""
LONGEST_PAUSE = 2.0
"""Seconds of silence that end an utterance inside a sentence (chosen by us; an orator's: 1.1)."""
LONGEST = 15.0
"""Seconds above which an utterance without such a pause is divided between sentences (ours)."""
ENDS = tuple(".?!…。？！؟।")  # noqa: RUF001
"""Marks that end a sentence."""
_CLOSING = "\"'”’»)]）】」』"  # noqa: RUF001
Word = TypeVar("Word", bound=TimedWord)


def utterances(words: Sequence[Word]) -> list[list[Word]]:
    """The words in groups; words of one sentence part only at a long pause."""
    inside = LONGEST_PAUSE if any(map(ends_sentence, words)) else LONG_PAUSE
    groups: list[list[Word]] = []
    for word in words:
        before = groups[-1][-1] if groups else None
        pause = PAUSE if before is not None and ends_sentence(before) else inside
        if before is not None and word.start - before.end < pause:
            groups[-1].append(word)
        else:
            groups.append([word])
    return [part for group in groups for part in _divided(group)]


def text_of(words: Sequence[TimedWord], language: str | None) -> str:
    """The text of words; in Chinese with commas at pauses where no mark is written.

    Whisper often writes none there, and without spaces a line of clauses cannot be read.
    """
    parts = [word.text for word in words[:1]]
    for before, after in pairwise(words):
        silent = after.start - before.end >= PAUSE
        if language == CHINESE and silent and before.text.rstrip()[-1:].isalnum():
            parts.append("，")  # noqa: RUF001
        parts.append(after.text)
    return "".join(parts).strip()


def ends_sentence(word: TimedWord) -> bool:
    """True for a word with the mark of a sentence's end."""
    return word.text.strip().rstrip(_CLOSING).endswith(ENDS)


def span_of(words: Sequence[TimedWord], within: Span) -> Span:
    """Span of the words in tenths of a second, inside another."""
    start = max(within.start, round(words[0].start, 1))
    end = min(within.end, round(words[-1].end, 1))
    return Span(start=min(start, end), end=end)


def _divided(words: list[Word]) -> list[list[Word]]:
    """Words that last longer than `LONGEST`, divided at clear ends of sentences."""
    if words[-1].end - words[0].start <= LONGEST:
        return [words]
    pauses = {n: b.start - a.end for n, (a, b) in enumerate(pairwise(words), 1)}
    ends = [n for n in pauses if ends_sentence(words[n - 1])]
    if not ends:
        return [words]
    middle = len(words) / 2
    at = max(ends, key=lambda n: (round(pauses[n], 1), -abs(n - middle)))
    return [*_divided(words[:at]), *_divided(words[at:])]
