"""Citation scores of an explanation, in the manner of MuRGAt (arXiv 2602.11509).

- coverage: the share of verifiable sentences that cite a clue there is;
- recall: the share of those that all their clues together carry;
- precision: the share of citations that count: the clue exists, and its sentence is carried by it
  alone or not without it;
- attribution is the harmonic mean of recall and precision, the score its product with coverage;
- seconds: the share of the time stated in a sentence that is inside the spans of its clues.

MuRGAt lets a model split sentences into facts and judge them; here the sentence is the unit and
the verifier the judge, so that scores repeat exactly, and do not compare with the published ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from emer.agents.types import Sentence
from emer.evals.metrics.bootstrap import Estimate, proportion
from emer.evals.metrics.cue_overlap import cues_in
from emer.evals.metrics.grounding import result
from emer.tools.types import Clue, Span

OBSERVATIONS = ("video", "audio", "text")
UNKNOWN = "no such clue"
"""Modality of a citation whose id no clue has."""
ROUNDING = 0.05
"""Seconds by which a time with one decimal may miss a span."""

_NUMBER = r"\d{1,6}(?:\.\d{1,6})?"
_UNIT = r"(?:s\b|sec\b|seconds?\b|秒)"
_TIME = re.compile(
    rf"(?<![\d.])({_NUMBER})\s*(?:{_UNIT})?(?:\s*(?:-|\u2013|to|到|至)\s*({_NUMBER}))?\s*{_UNIT}"
)
_LENGTH = re.compile(r"(?:\b(?:for|of|lasting|lasts|than)\s+(?:about\s+)?|停顿了?|持续了?|长约?)$")


@dataclass(frozen=True, slots=True)
class Share:
    """A count of cases, and of those that qualify."""

    part: int
    whole: int

    @property
    def estimate(self) -> Estimate:
        return proportion(self.part, self.whole)


@dataclass(slots=True)
class Attribution:
    """Counts of verifiable sentences and of citations, and overlaps of stated times."""

    verifiable: int = 0
    covered: int = 0
    carried: int = 0
    cited: Counter[str] = field(default_factory=Counter)
    """Citations by the modality of their clue, `UNKNOWN` if there is none."""
    counting: Counter[str] = field(default_factory=Counter)
    """Of these, those that count."""
    overlaps: list[float] = field(default_factory=list)
    """Share of the stated time in the cited spans, of each sentence that states any."""

    def add(self, other: Attribution) -> None:
        """Count the sentences of another explanation too."""
        self.verifiable += other.verifiable
        self.covered += other.covered
        self.carried += other.carried
        self.cited.update(other.cited)
        self.counting.update(other.counting)
        self.overlaps += other.overlaps

    @property
    def coverage(self) -> Share:
        return Share(self.covered, self.verifiable)

    @property
    def recall(self) -> Share:
        return Share(self.carried, self.covered)

    @property
    def precision(self) -> Share:
        return Share(self.counting.total(), self.cited.total())

    @property
    def by_modality(self) -> dict[str, Share]:
        """Precision of the citations of each modality."""
        return {name: Share(self.counting[name], n) for name, n in sorted(self.cited.items())}

    @property
    def attribution(self) -> float | None:
        """Harmonic mean of recall and precision; None without a citation."""
        if not self.covered:
            return None
        recall, precision = self.recall.estimate.value, self.precision.estimate.value
        return 2 * recall * precision / (recall + precision) if recall + precision else 0.0

    @property
    def score(self) -> float | None:
        """Coverage times attribution; None where nothing is verifiable."""
        if not self.verifiable:
            return None
        return self.coverage.estimate.value * (self.attribution or 0.0)

    @property
    def seconds(self) -> float | None:
        """Mean overlap of stated times and cited spans; None where none is stated."""
        return fmean(self.overlaps) if self.overlaps else None


def attribution(
    sentences: Sequence[Sentence], clues: Sequence[Clue], duration: float
) -> Attribution:
    """Citation counts of the sentences over the clues of a clip of `duration` seconds."""
    known = {clue.id: clue for clue in clues}
    counts = Attribution()
    for sentence in filter(is_verifiable, sentences):
        cited = [known[i] for i in dict.fromkeys(sentence.clue_ids) if i in known]
        counts.verifiable += 1
        counts.cited[UNKNOWN] += len({*sentence.clue_ids} - {*known})
        counts.cited.update(clue.modality for clue in cited)
        if not cited:
            continue
        counts.covered += 1
        if _carried(sentence, cited, duration):
            counts.carried += 1
            counts.counting.update(_counting(sentence, cited, duration))
        if (overlap := time_overlap(sentence.text, cited)) is not None:
            counts.overlaps.append(overlap)
    counts.cited += Counter()  # drops the modalities that nothing cites
    return counts


def is_verifiable(sentence: Sentence) -> bool:
    """Whether a sentence states what can be seen, heard or read; else it concludes."""
    observes = sentence.block in OBSERVATIONS
    return observes or bool(cues_in(sentence.text)) or any(stated_times(sentence.text))


def time_overlap(text: str, clues: Sequence[Clue]) -> float | None:
    """Mean share of the stated times in the clues' spans; None where none is stated.

    A clue without a span is about the whole clip.
    """
    shares = [_inside(time, clues) for time in stated_times(text)]
    return fmean(shares) if shares else None


def stated_times(text: str) -> Iterator[Span]:
    """The times of a text in seconds; a length ("a pause of 1.0 s") is none."""
    for match in _TIME.finditer(text.casefold()):
        start, end = float(match[1]), float(match[2] or match[1])
        if start <= end and not _LENGTH.search(text.casefold()[: match.start()]):
            yield Span(start=start, end=end)


def _inside(time: Span, clues: Sequence[Clue]) -> float:
    spans = sorted((c.span.start - ROUNDING, c.span.end + ROUNDING) for c in clues if c.span)
    if len(spans) < len(clues):
        return 1.0
    if time.length == 0:
        return float(any(start <= time.start <= end for start, end in spans))
    covered, reached = 0.0, time.start
    for start, end in spans:
        begin = max(reached, start)
        reached = max(reached, min(end, time.end))
        covered += max(0.0, reached - begin)
    return covered / time.length


def _counting(sentence: Sentence, cited: Sequence[Clue], duration: float) -> Iterator[str]:
    """Modalities of the citations that count, of a sentence that all of them carry."""
    for clue in cited:
        rest = [other for other in cited if other.id != clue.id]
        if _carried(sentence, [clue], duration) or not _carried(sentence, rest, duration):
            yield clue.modality


def _carried(sentence: Sentence, clues: Sequence[Clue], duration: float) -> bool:
    if not clues:
        return False
    citing = sentence.model_copy(update={"clue_ids": tuple(clue.id for clue in clues)})
    return result(citing, clues, duration).outcome == "kept"
