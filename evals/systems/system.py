"""The contract of a system under test, and its prediction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from pydantic import Field

from emer.agents.types import Explanation, Hypothesis
from emer.evals.data.types import Sample
from emer.tools.types import Clue, Param, Record

Input = Literal["clip", "human clues", "human clues, masked", "subtitle", "nothing"]
"""Input of a system. Scores on different inputs do not compare: a person who
described the clip has already seen what a system on the raw clip has yet to see."""

INPUTS: tuple[Input, ...] = ("clip", "human clues", "human clues, masked", "subtitle", "nothing")


class Card(Record):
    """A system's name, input, description, and what its answers depend on."""

    name: str
    input: Input
    what: str
    provenance: Mapping[str, Param] = Field(default_factory=dict)


class Cost(Record):
    """Cost of an answer; None where it was not measured."""

    seconds: float | None = None
    tool_calls: int | None = None
    """Tool calls, without those answered by the evidence store."""
    ran: Mapping[str, int] = Field(default_factory=dict)
    """Tool calls by slot; a call on a part of the clip is "face, closer"."""
    rounds: int | None = None
    requests: int | None = None
    """Requests to language models; a repair is another."""
    tokens: int | None = None
    """Read and written by language models."""
    money: float | None = None
    """Price of those at the settings' rates; None without rates."""
    fallbacks: int | None = None
    """Steps that the rules took because the model's reply was unusable."""


class Draft(Record):
    """The verifier's counts of the first draft of an explanation."""

    parts: int
    """Sentences and labels."""
    unsupported: int
    contradicted: int


class Prediction(Record):
    """A system's answer on one clip.

    Systems of emer give an explanation with its clues and hypotheses; foreign ones give labels
    and, at best, a text.
    """

    name: str
    labels: tuple[str, ...] = ()
    text: str = ""
    explanation: Explanation | None = None
    clues: tuple[Clue, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    duration: float | None = None
    """The clip's length in seconds, where a system knew it."""
    draft: Draft | None = None
    cost: Cost = Cost()
    failed: str | None = None
    """Why there is no answer; it scores as an empty one and is counted."""

    @property
    def first(self) -> tuple[str, float | None] | None:
        """The first label, None where there is none, and its probability if one is stated."""
        if not self.labels:
            return None
        probabilities = (h.probability for h in self.hypotheses if h.label == self.labels[0])
        return self.labels[0], max(
            (stated for stated in probabilities if stated is not None), default=None
        )


class System(Protocol):
    """A system under test: it names the emotion that a clip displays.

    An answer depends on the sample alone, so that samples may be answered in any order
    and side by side. An error on one clip is raised and costs that clip only.
    """

    @property
    def card(self) -> Card: ...

    def answer(self, sample: Sample) -> Prediction: ...
