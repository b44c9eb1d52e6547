"""Clue sentences of speech, the same for every recogniser."""

from __future__ import annotations

from collections.abc import Sequence

from emer.tools.types import Span

UNSURE = "low recognition confidence"
"""Marks words that may be wrong, for the reader of the sentence."""
_QUOTES = {ord(mark): "'" for mark in '"“”„«»'}


def quoted(text: str) -> str:
    """The words on one line, without quotation marks that would end the quotation."""
    return " ".join(text.split()).translate(_QUOTES)


def says(text: str, sure: bool) -> str:
    """The sentence of an utterance, marked when it may be wrong."""
    if sure:
        return f'The person says: "{quoted(text)}".'
    return f'The person may be saying: "{quoted(text)}" ({UNSURE}).'


def translated(text: str, language: str, sure: bool) -> str:
    """The sentence of a translation into English by the recogniser."""
    clause = "the person says" if sure else "the person may be saying"
    mark = "" if sure else f" ({UNSURE})"
    return f'Translated from {language} into English, {clause}: "{quoted(text)}"{mark}.'


def not_recognised(speech: Sequence[Span]) -> str:
    """The reason why there are no words although there is speech."""
    return (
        f"speech is heard at {times(speech)} but the words could not be recognised; "
        "give them with --subtitle"
    )


def times(speech: Sequence[Span], most: int = 4) -> str:
    """The stretches as "0.3-2.1 s, 3.4-5.0 s", the first `most` of many."""
    shown = ", ".join(f"{s.start:.1f}-{s.end:.1f} s" for s in speech[:most])
    rest = len(speech) - most
    if rest <= 0:
        return shown
    return f"{shown} and {rest} more time{'s' * (rest > 1)}"
