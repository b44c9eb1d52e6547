"""Grounding: what the verifier lets through of sentences whose truth is known.

A false sentence passes if it reaches the user as it was written. A true one is kept if it does, or
if its clue's own words do; else it is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from emer.agents.types import Explanation, Sentence
from emer.agents.verification.verifier import Verdict, settle, verify
from emer.prompts.prompt import language_in
from emer.tools.types import Clue

Outcome = Literal["kept", "replaced", "struck"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a sentence, what the user reads ("" if struck), and why."""

    outcome: Outcome
    shown: str
    why: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of false and true sentences, and of what became of them."""

    false: int = 0
    false_passed: int = 0
    true: int = 0
    true_kept: int = 0
    true_as_written: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.false + other.false,
            self.false_passed + other.false_passed,
            self.true + other.true,
            self.true_kept + other.true_kept,
            self.true_as_written + other.true_as_written,
        )


def checked(
    explanation: Explanation, clues: Sequence[Clue], duration: float
) -> tuple[Explanation, Verdict]:
    """What the verifier leaves of an explanation (clip length in seconds), and why."""
    verdict = verify(explanation, clues, duration)
    return settle(explanation, verdict, clues), verdict


def result(sentence: Sentence, clues: Sequence[Clue], duration: float) -> Result:
    """What becomes of one sentence over the clues of a clip of `duration` seconds."""
    draft = Explanation(sentences=(sentence,), language=language_in(sentence.text) or "en")
    left, verdict = checked(draft, clues, duration)
    why = verdict.sentences[0].why
    if not left.sentences:
        return Result("struck", "", why)
    text = " ".join(x.text for x in left.sentences)
    return Result("kept" if text == sentence.text else "replaced", text, why)


def tally(is_true: bool, outcome: Outcome) -> Tally:
    """The counts of one sentence."""
    kept = outcome == "kept"
    if not is_true:
        return Tally(false=1, false_passed=int(kept))
    return Tally(true=1, true_kept=int(outcome != "struck"), true_as_written=int(kept))
