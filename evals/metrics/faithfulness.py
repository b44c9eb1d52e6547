"""Faithfulness of explanations: citations, deleted and corrupted evidence.

- citations: the cited clues exist;
- contradiction: the verifier finds a sentence or label at odds with its clues (counted where
  the answer is verified, see `emer.evals.systems.system.Draft`);
- consistency: each label's level-1 class (wheel 1) is also that of an emotion word in the text;
- deletion (ERASER's comprehensiveness, DeYoung et al. 2020): taking out the clues that a
  label cites lowers its probability, more so than taking out as many others;
- drop: without the modality whose clues a label cites most, the label loses probability;
- flip: with the words of its cited clues turned to their opposites, so does it;
- shift: with one of several cited clues moved away in time, it does not gain, and the
  sentences that cite the moved clue give its new time (the verifier checks them).
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from emer.agents.reasoner import Reasoner
from emer.agents.types import Budget, Explanation, Inquiry, Label
from emer.agents.verification.verifier import verify
from emer.evals.metrics.emotion_words import (
    Language,
    labels_in,
    language_of,
    rows_of,
    word_pattern,
)
from emer.evals.metrics.open_vocabulary import Labels
from emer.evals.metrics.wheel import Lexicon
from emer.tools.types import Clue, Span

NO_TOOLS = Budget(rounds=0, tool_calls=0)
"""No further tool calls: the clues are fixed."""


@dataclass(frozen=True, slots=True)
class Count:
    """A count of cases, and of those that qualify."""

    part: int
    whole: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """A label's probability with all clues, and without some.

    `others` is None when there are not as many others.
    """

    before: float
    after: float
    others: float | None


def citations(explanation: Explanation, clues: Sequence[Clue]) -> Count:
    """Number of citations, in sentences and labels, of clues that exist."""
    known = {clue.id for clue in clues}
    citing = [x.clue_ids for x in explanation.sentences] + [x.clue_ids for x in explanation.labels]
    cited = [i for ids in citing for i in ids]
    return Count(sum(i in known for i in cited), len(cited))


def consistency(labels: Labels, text: str, lexicon: Lexicon) -> Count:
    """Number of labels with a class that the text's emotion words also have.

    Labels that wheel 1 does not know take no part.
    """
    wheel = lexicon.wheels[0]
    classes = [c for label in labels if (c := lexicon.m3(label, wheel, 1))]
    stated = {lexicon.m3(word, wheel, 1) for word in labels_in(text)}
    return Count(sum(c in stated for c in classes), len(classes))


TABLE = Path(__file__).parent / "opposites.csv"

Kind = Literal["drop", "flip", "shift"]
SHIFT = 1.0
"""Seconds that a clue is moved at least (domain rule of a moment: half a second)."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """A label's probability before and after a corruption of its evidence."""

    kind: Kind
    before: float
    after: float
    fits: bool
    """Whether it moves the label the right way."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A reasoner, and the question, clues and clip length (s) that it was given."""

    reasoner: Reasoner
    question: str
    clues: Sequence[Clue]
    duration: float

    def inquiry(self, clues: Sequence[Clue]) -> Inquiry:
        """Inquiry with other clues, and no further tool calls."""
        return Inquiry(
            question=self.question, clues=tuple(clues), budget=NO_TOOLS, duration=self.duration
        )

    def claim(self, label: str, clues: Sequence[Clue]) -> float:
        """Probability that the reasoner gives a label; 0 where it is not considered."""
        hypotheses = self.reasoner.decide(self.inquiry(clues)).hypotheses
        return max((h.probability or 0.0 for h in hypotheses if h.label == label), default=0.0)


def delete(evidence: Evidence, label: Label) -> Deletion:
    """Probability of a label without the clues it cites, and without as many others."""
    clues, name = evidence.clues, label.name
    rest = [clue for clue in clues if clue.id not in label.clue_ids]
    cited = len(clues) - len(rest)
    others = None
    if len(rest) >= cited:
        drawn = {clue.id for clue in random.Random(name).sample(rest, cited)}
        others = evidence.claim(name, [clue for clue in clues if clue.id not in drawn])
    before, after = evidence.claim(name, clues), evidence.claim(name, rest)
    return Deletion(before, after, others)


def corrupt(evidence: Evidence, label: Label) -> list[Corruption]:
    """Every corruption that can be made of the evidence for a label."""
    corruptions = []
    for kind, spoil in CORRUPTIONS.items():
        if (clues := spoil(evidence, label)) is None:
            continue
        before, after = (
            evidence.claim(label.name, evidence.clues),
            evidence.claim(label.name, clues),
        )
        fits = after < before
        if kind == "shift":
            fits = after <= before and _times_follow(evidence, clues)
        corruptions.append(Corruption(kind, before, after, fits))
    return corruptions


def flip(text: str) -> str:
    """Sentence with each word that has an opposite turned to it; else as it is."""
    table, pattern = _opposites(language_of(text))

    def opposite(match: re.Match[str]) -> str:
        word = table[match.group().lower()]
        return word.capitalize() if match.group()[0].isupper() else word

    return pattern.sub(opposite, text)


def _drop(evidence: Evidence, label: Label) -> list[Clue] | None:
    counts = Counter(c.modality for c in evidence.clues if c.id in label.clue_ids)
    if not counts:
        return None
    main = min(counts, key=lambda m: (-counts[m], m))
    return [c for c in evidence.clues if c.modality != main]


def _flip(evidence: Evidence, label: Label) -> list[Clue] | None:
    turned = {c.id: flip(c.text) for c in evidence.clues if c.id in label.clue_ids}
    changed = {c.id for c in evidence.clues if turned.get(c.id, c.text) != c.text}
    if not changed:
        return None
    return [_with(c, text=turned[c.id]) if c.id in changed else c for c in evidence.clues]


def _shift(evidence: Evidence, label: Label) -> list[Clue] | None:
    """Clues with the first cited one at the clip's other end, if that is far enough."""
    cited = [(c, c.span) for c in evidence.clues if c.id in label.clue_ids and c.span is not None]
    if len(cited) < 2:
        return None
    (first, span), duration = cited[0], evidence.duration
    start = 0.0 if span.start > duration - span.end else max(0.0, duration - span.length)
    if abs(start - span.start) < SHIFT:
        return None
    moved = _with(first, span=Span(start=start, end=min(start + span.length, duration)))
    return [moved if c.id == first.id else c for c in evidence.clues]


CORRUPTIONS: Mapping[Kind, Callable[[Evidence, Label], list[Clue] | None]] = {
    "drop": _drop,
    "flip": _flip,
    "shift": _shift,
}
"""The spoilt clues of each kind of corruption, None where it cannot be made."""


def _times_follow(evidence: Evidence, clues: Sequence[Clue]) -> bool:
    """Whether the explanation of moved clues states their times only."""
    inquiry = evidence.inquiry(clues)
    explanation = evidence.reasoner.explain(inquiry, evidence.reasoner.decide(inquiry))
    findings = verify(explanation, clues, evidence.duration).sentences
    return all("time" not in finding.why for finding in findings)


def _with(clue: Clue, **changes: object) -> Clue:
    fields = {name: value for name, value in clue if name != "id"}
    return Clue.model_validate({**fields, **changes})


@cache
def _opposites(language: Language) -> tuple[dict[str, str], re.Pattern[str]]:
    """The opposite of each word of a language, and a pattern of these words."""
    pairs = [(row["one"], row["other"]) for row in rows_of(TABLE) if row["lang"] == language]
    table = {b: a for a, b in pairs} | dict(pairs)
    return table, re.compile(word_pattern(table, language), re.IGNORECASE)
