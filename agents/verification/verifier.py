"""The verifier: whether each sentence, label and alternative follows from its clues.

Deterministic and independent of who wrote the explanation. Checked are: the ids exist;
times lie in the clip and in a cited clue's span; quoted words are in a cited text clue;
numbers and persons come from the clues; cues and their polarity match; emotion words
are carried by the cited clues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
Status = Literal["supported", "contradicted", "unsupported"]


class Finding(Record):
    """What the verifier thinks of one sentence, label or alternative, and why."""

    text: str
    status: Status
    why: str


class Opinion(Record):
    """What a critic holds of one sentence."""

    verdict: Literal["confirmed", "rejected", "unverified"]
    why: str = ""


class Verdict(Record):
    """Findings in the order of the explanation's sentences, labels and alternatives."""

    sentences: tuple[Finding, ...] = ()
    labels: tuple[Finding, ...] = ()
    alternatives: tuple[Finding, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    """A critic's, one for each sentence; none where nobody criticised."""

    @property
    def rejected(self) -> tuple[Rejection, ...]:
        """The sentences that are not supported, and why."""
        return tuple(
            Rejection(text=f.text, why=f.why) for f in self.sentences if f.status != "supported"
        )

    @property
    def holds(self) -> bool:
        """Whether everything is supported."""
        found = (*self.sentences, *self.labels, *self.alternatives)
        return all(f.status == "supported" for f in found)


def verify(
    explanation: Explanation, clues: Sequence[Clue], duration: float, by: Weighting = DEFAULT_WEIGHTING
) -> Verdict:
    """Return the verdict on an explanation of a clip of `duration` seconds.

    `by` says what cues weigh, where somebody chose other weights than those that ship.
    """
    known = {clue.id: clue for clue in clues}
    return Verdict(
        sentences=tuple(_on_sentence(s, known, duration, by) for s in explanation.sentences),
        labels=tuple(_on_label(x.name, x.clue_ids, known, by) for x in explanation.labels),
        alternatives=tuple(
            _on_label(x.label, x.clue_ids, known, by) for x in explanation.alternatives
        ),
    )


def apply_critique(verdict: Verdict, opinions: Sequence[Opinion]) -> Verdict:
    """Return the verdict in which what a critic rejects is no longer supported.

    A critic cannot save a sentence, and "unverified" strikes none out.
    """
    pairs = zip(verdict.sentences, opinions, strict=False)
    heeded = tuple(_heeded(finding, opinion) for finding, opinion in pairs)
    kept = (*heeded, *verdict.sentences[len(heeded) :])
    return verdict.model_copy(update={"sentences": kept, "opinions": tuple(opinions)})


def _heeded(finding: Finding, opinion: Opinion) -> Finding:
    if opinion.verdict != "rejected" or finding.status != "supported":
        return finding
    why = f"the critic rejects it: {opinion.why}".rstrip(": ")
    return finding.model_copy(update={"status": "unsupported", "why": why})


def strike(explanation: Explanation, verdict: Verdict) -> Explanation:
    """Return the explanation without what is not supported.

    `ValueError` if the verdict is on another explanation.
    """
    return explanation.model_copy(
        update={
            "sentences": _kept(explanation.sentences, verdict.sentences),
            "labels": _kept(explanation.labels, verdict.labels),
            "alternatives": _kept(explanation.alternatives, verdict.alternatives),
        }
    )


def _kept(items: Sequence[T], findings: Sequence[Finding]) -> tuple[T, ...]:
    pairs = zip(items, findings, strict=True)
    return tuple(item for item, finding in pairs if finding.status == "supported")


def _on_sentence(
    sentence: Sentence, known: Mapping[str, Clue], duration: float, by: Weighting
) -> Finding:
    unknown = [i for i in sentence.clue_ids if i not in known]
    if unknown:
        return _finding(sentence.text, [_no_such_clue(unknown)])
    cited = Cited(sentence, tuple(known[i] for i in sentence.clue_ids), duration)
    problems = [*check_details(cited), *check_cues(cited), *check_emotions(cited, by)]
    return _finding(sentence.text, problems)


def _on_label(
    name: str, clue_ids: Sequence[str], known: Mapping[str, Clue], by: Weighting
) -> Finding:
    unknown = [i for i in clue_ids if i not in known]
    if unknown:
        return _finding(name, [_no_such_clue(unknown)])
    return _finding(name, list(check_label(name, [known[i] for i in clue_ids], by)))


def _no_such_clue(unknown: Sequence[str]) -> Problem:
    return Problem("unsupported", f"there is no clue {', '.join(unknown)}")


def _finding(text: str, problems: Sequence[Problem]) -> Finding:
    """Return the finding; a contradiction weighs more than missing support."""
    worst = sorted(problems, key=lambda p: p.status != "contradicted")
    if not worst:
        return Finding(text=text, status="supported", why="its clues carry it")
    why = "; ".join(dict.fromkeys(p.why for p in worst))
    return Finding(text=text, status=worst[0].status, why=why)
