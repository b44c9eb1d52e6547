"""What a captioner is shown, and what it writes."""

from __future__ import annotations

from dataclasses import dataclass

from emer.tools.pictures import Rgb

MOST_TOKENS = 40
"""New tokens that a captioner may write."""

DESCRIBE = (
    "Describe in one short sentence what the people in this picture visibly do: face, gaze, "
    "hands, posture. Name only what can be seen, no feelings and no guesses."
)
ANSWER = (
    "These pictures follow each other in a clip. Answer in one short sentence, only with what "
    "can be seen in them; if it cannot be seen, say: it cannot be seen. Question: {question}"
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A picture that is worth a caption, as it will be shown."""

    picture: Rgb
    time: float
    """Seconds from the clip's start."""
    clear: float
    """How sharp it is, 0-1."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Pictures to be described, or asked about."""

    pictures: tuple[Rgb, ...]
    question: str = ""
    """Empty: describe."""

    @property
    def words(self) -> str:
        """What a model that takes words is told."""
        return ANSWER.format(question=self.question) if self.question else DESCRIBE


@dataclass(frozen=True, slots=True)
class Written:
    """What came of it."""

    text: str
    logprob: float | None
    """Mean log-probability of its tokens as the model gave it; None where it gave none."""
    unfinished: bool = False
    """Whether it was cut off at the most tokens."""
