"""The verifier: whether sentences, labels and alternatives follow from the clues.

Deterministic and independent of the writer. It checks that the ids exist; times are in the
clip and in a cited clue's span; quoted words are in a cited text clue; numbers and persons
come from the clues; cues and their polarity match; emotion words are carried by the clues.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeVar

from emer.agents.lexicon.lexicon import DEFAULT_WEIGHTING, Weighting
from emer.agents.types import Explanation, Rejection, Sentence
from emer.agents.verification.checks import (
    Cited,
    Problem,
    check_cues,
    check_details,
    check_emotions,
    check_label,
)
from emer.tools.types import Clue, Record

T = TypeVar("T")


class Finding(Record):
    """The verifier's result on one sentence, label or alternative."""

    text: str
    status: Literal["supported", "contradicted", "unsupported"]
    why: str


class Opinion(Record):
    """A critic's opinion on one sentence."""

    verdict: Literal["confirmed", "rejected", "unverified"]
    why: str = ""


class Verdict(Record):
    """Findings in the order of the explanation's sentences, labels and alternatives."""

    sentences: tuple[Finding, ...] = ()
    labels: tuple[Finding, ...] = ()
    alternatives: tuple[Finding, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    """A critic's, one for each sentence; none where there was no critic."""

    @property
    def rejected(self) -> tuple[Rejection, ...]:
        """The sentences that are not supported, and why."""
        return tuple(
            Rejection(text=f.text, why=f.why) for f in self.sentences if f.status != "supported"
        )

    @property
    def holds(self) -> bool:
        """Whether everything is supported."""
        findings = (*self.sentences, *self.labels, *self.alternatives)
        return all(f.status == "supported" for f in findings)


def verify(
    explanation: Explanation,
    clues: Sequence[Clue],
    duration: float,
    weighting: Weighting = DEFAULT_WEIGHTING,
) -> Verdict:
    """The verdict on an explanation.

    Args:
        explanation: What is checked.
        clues: All clues of the clip.
        duration: Length of the clip in seconds.
        weighting: Log-odds of cues, where they are not the lexicon's.

    """
    known = {clue.id: clue for clue in clues}

    def on_label(name: str, clue_ids: Sequence[str]) -> Finding:
        problems = _unknown_ids(clue_ids, known) or check_label(
            name, [known[i] for i in clue_ids], weighting
        )
        return _finding(name, problems)

    return Verdict(
        sentences=tuple(
            _finding(s.text, _problems(s, known, duration, weighting))
            for s in explanation.sentences
        ),
        labels=tuple(on_label(x.name, x.clue_ids) for x in explanation.labels),
        alternatives=tuple(on_label(x.label, x.clue_ids) for x in explanation.alternatives),
    )


def apply_critique(verdict: Verdict, opinions: Sequence[Opinion]) -> Verdict:
    """The verdict in which what a critic rejects is no longer supported.

    A critic cannot save a sentence, and "unverified" strikes none out.
    """
    pairs = zip(verdict.sentences, opinions, strict=False)
    criticised = tuple(_criticised(finding, opinion) for finding, opinion in pairs)
    sentences = (*criticised, *verdict.sentences[len(criticised) :])
    return verdict.model_copy(update={"sentences": sentences, "opinions": tuple(opinions)})


def strike(explanation: Explanation, verdict: Verdict) -> Explanation:
    """The explanation without what is not supported.

    Raises:
        ValueError: The verdict is on another explanation.

    """
    return explanation.model_copy(
        update={
            "sentences": _supported(explanation.sentences, verdict.sentences),
            "labels": _supported(explanation.labels, verdict.labels),
            "alternatives": _supported(explanation.alternatives, verdict.alternatives),
        }
    )


def _supported(items: Sequence[T], findings: Sequence[Finding]) -> tuple[T, ...]:
    pairs = zip(items, findings, strict=True)
    return tuple(item for item, finding in pairs if finding.status == "supported")


def _criticised(finding: Finding, opinion: Opinion) -> Finding:
    if opinion.verdict != "rejected" or finding.status != "supported":
        return finding
    why = f"the critic rejects it: {opinion.why}".rstrip(": ")
    return finding.model_copy(update={"status": "unsupported", "why": why})


def _problems(
    sentence: Sentence, known: Mapping[str, Clue], duration: float, weighting: Weighting
) -> Iterator[Problem]:
    if unknown := _unknown_ids(sentence.clue_ids, known):
        yield from unknown
        return
    cited = Cited(sentence, tuple(known[i] for i in sentence.clue_ids), duration)
    yield from check_details(cited)
    yield from check_cues(cited)
    yield from check_emotions(cited, weighting)


def _unknown_ids(clue_ids: Sequence[str], known: Mapping[str, Clue]) -> list[Problem]:
    unknown = [i for i in clue_ids if i not in known]
    return [Problem("unsupported", f"there is no clue {', '.join(unknown)}")] if unknown else []


def _finding(text: str, problems: Iterable[Problem]) -> Finding:
    # A contradiction weighs more than missing support.
    worst = sorted(problems, key=lambda p: p.status != "contradicted")
    if not worst:
        return Finding(text=text, status="supported", why="its clues carry it")
    why = "; ".join(dict.fromkeys(p.why for p in worst))
    return Finding(text=text, status=worst[0].status, why=why)
