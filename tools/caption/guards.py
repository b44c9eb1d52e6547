"""Whether what a captioner wrote may be told: its own doubts, and text that runs in circles.

The limits are chosen by us. A caption that is right word for word is rarely less probable than
one token in three; text from a model that sees nothing in the picture is near chance.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Mapping
from enum import Enum

from emer.tools.caption.records import Written

DOUBT, GUESS = -1.1, -2.3
"""Mean log-probabilities below which a caption is told as doubtful, and not at all."""
REPEATS = 2.4
"""Compression from which text runs in circles (as for speech, Radford et al. 2022)."""
SURE, DOUBTFUL, UNMEASURED = 0.9, 0.2, 0.5
"""Most a score may be: of a sure caption, of a doubtful one, of one without probabilities."""

_WORD = re.compile(r"\w+")


class Verdict(Enum):
    """How a caption may be told."""

    TOLD = "describes"
    DOUBTFUL = "describes, unsurely"
    DROPPED = "not told"


def judge(written: Written) -> tuple[Verdict, str]:
    """Return the verdict, and why a caption is not told."""
    words = [word.casefold() for word in _WORD.findall(written.text)]
    if not any(word.isalpha() for word in words):
        return Verdict.DROPPED, "it wrote no words"
    if in_circles(words):
        return Verdict.DROPPED, "its words go in circles"
    if written.logprob is not None and written.logprob < GUESS:
        return Verdict.DROPPED, f"it guesses (mean log-probability {written.logprob:.1f})"
    sure = written.logprob is None or written.logprob >= DOUBT
    return (Verdict.TOLD if sure else Verdict.DOUBTFUL), ""


def in_circles(words: list[str]) -> bool:
    """Tell whether words repeat: one thrice in a row, three in a row thrice, or mostly the same."""
    if any(a == b == c for a, b, c in zip(words, words[1:], words[2:], strict=False)):
        return True
    threes = Counter(zip(words, words[1:], words[2:], strict=False))
    if threes and max(threes.values()) >= 3:
        return True
    text = " ".join(words).encode()
    few = len(words) >= 8 and len(set(words)) < 0.4 * len(words)
    return few or len(text) / len(zlib.compress(text)) > REPEATS


def score(written: Written, clear: float, verdict: Verdict) -> float:
    """Return the quality: the tokens' mean probability (geometric), halved for a blurred picture.

    `clear` is how sharp the picture is, 0-1.
    """
    sharp = 0.5 + 0.5 * clear
    if written.logprob is None:
        return round(UNMEASURED * sharp, 3)
    sure = min(SURE, math.exp(min(0.0, written.logprob)))
    return round((sure if verdict is Verdict.TOLD else min(sure, DOUBTFUL)) * sharp, 3)


def factors(written: Written, clear: float) -> Mapping[str, float]:
    """Return the measurements behind the score."""
    known = {} if written.logprob is None else {"caption_logprob": round(written.logprob, 3)}
    return {**known, "sharpness": round(clear, 3)}
