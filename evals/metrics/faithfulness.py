"""Whether an explanation rests on what it cites.

- citations: the cited clues exist;
- contradiction: the verifier finds a sentence or label at odds with its clues (counted where
  the answer is verified, see `emer.evals.systems.system.Draft`);
- consistency: each label's level-1 class (wheel 1) is also that of an emotion word in the text;
- deletion (ERASER's comprehensiveness, DeYoung et al. 2020): taking out the clues that a
  label cites lowers its probability, more so than taking out as many others.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from emer.agents.reasoner import Reasoner
from emer.agents.types import Budget, Explanation, Inquiry, Label
from emer.evals.metrics.emotion_words import labels_in
from emer.evals.metrics.overlap import Labels
from emer.evals.metrics.wheel import Lexicon
from emer.tools.types import Clue

AT_ONCE = Budget(rounds=0, tool_calls=0)
"""Nothing may be asked: the clues are what they are."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many of how many."""

    part: int
    whole: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """A label's probability with all clues, without those it cites, without as many others.

    `others` is None when there are not as many others.
    """

    label: str
    before: float
    after: float
    others: float | None

    @property
    def lowered(self) -> bool:
        """Whether taking out the cited clues lowers the claim."""
        return self.after < self.before


def citations(explanation: Explanation, clues: Sequence[Clue]) -> Count:
    """Return how many of the citations of sentences and labels exist."""
    known = {clue.id for clue in clues}
    citing = [x.clue_ids for x in explanation.sentences] + [x.clue_ids for x in explanation.labels]
    cited = [i for ids in citing for i in ids]
    return Count(sum(i in known for i in cited), len(cited))


def consistency(labels: Labels, text: str, lexicon: Lexicon) -> Count:
    """Return how many labels have a class that the text's emotion words also have.

    Labels that wheel 1 does not know take no part.
    """
    wheel = lexicon.wheels[0]
    classes = [c for label in labels if (c := lexicon.m3(label, wheel, 1))]
    named = {lexicon.m3(word, wheel, 1) for word in labels_in(text)}
    return Count(sum(c in named for c in classes), len(classes))


def delete(
    reasoner: Reasoner, label: Label, question: str, clues: Sequence[Clue], duration: float
) -> Deletion:
    """Return what becomes of a label's claim when its clues are taken out."""
    cited = set(label.clue_ids)
    rest = [clue for clue in clues if clue.id not in cited]
    gone = len(clues) - len(rest)
    others = None
    if len(rest) >= gone:
        drawn = {c.id for c in random.Random(label.name).sample(rest, gone)}
        others = claim(reasoner, label.name, question, _without(clues, drawn), duration)
    return Deletion(
        label=label.name,
        before=claim(reasoner, label.name, question, clues, duration),
        after=claim(reasoner, label.name, question, rest, duration),
        others=others,
    )


def claim(
    reasoner: Reasoner, label: str, question: str, clues: Sequence[Clue], duration: float
) -> float:
    """Return the probability that a reasoner gives a label; 0 where it is not considered."""
    inquiry = Inquiry(question=question, clues=tuple(clues), budget=AT_ONCE, duration=duration)
    decision = reasoner.decide(inquiry)
    return max((h.probability or 0.0 for h in decision.hypotheses if h.label == label), default=0.0)


def _without(clues: Sequence[Clue], gone: set[str]) -> list[Clue]:
    return [clue for clue in clues if clue.id not in gone]
