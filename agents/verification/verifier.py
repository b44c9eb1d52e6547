"""The verifier: whether sentences, labels and alternatives follow from the clues.

Deterministic and independent of the writer. It checks that the ids exist; times are in the
clip and in a cited clue's span; quoted words are in a cited text clue; numbers and persons
come from the clues; cues and their polarity match; emotion words are carried by the clues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeVar

from emer.agents.lexicon.lexicon import DEFAULT_WEIGHTING, Weighting
from emer.agents.types import Explanation, Rejection, Sentence
from emer.agents.verification.checks import Cited, Problem, check_label, check_sentence
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

    def finding(
        text: str, ids: Sequence[str], problems: Callable[[tuple[Clue, ...]], Iterable[Problem]]
    ) -> Finding:
        unknown = ", ".join(i for i in ids if i not in known)
        if unknown:
            return Finding(text=text, status="unsupported", why=f"there is no clue {unknown}")
        # A contradiction weighs more than missing support.
        worst = sorted(
            problems(tuple(known[i] for i in ids)), key=lambda p: p.status != "contradicted"
        )
        if not worst:
            return Finding(text=text, status="supported", why="its clues carry it")
        why = "; ".join(dict.fromkeys(p.why for p in worst))
        return Finding(text=text, status=worst[0].status, why=why)

    def on_label(name: str, ids: Sequence[str]) -> Finding:
        return finding(name, ids, lambda cited: check_label(name, cited, weighting))

    def on_sentence(sentence: Sentence) -> Finding:
        return finding(
            sentence.text,
            sentence.clue_ids,
            lambda cited: check_sentence(Cited(sentence, cited, duration), weighting),
        )

    return Verdict(
        sentences=tuple(map(on_sentence, explanation.sentences)),
        labels=tuple(on_label(x.name, x.clue_ids) for x in explanation.labels),
        alternatives=tuple(on_label(x.label, x.clue_ids) for x in explanation.alternatives),
    )


def apply_critique(verdict: Verdict, opinions: Sequence[Opinion]) -> Verdict:
    """The verdict in which what a critic rejects is no longer supported.

    A critic cannot save a sentence, and "unverified" strikes none out.
    """
    sentences = list(verdict.sentences)
    for place, (finding, opinion) in enumerate(zip(sentences, opinions, strict=False)):
        if opinion.verdict == "rejected" and finding.status == "supported":
            why = f"the critic rejects it: {opinion.why}".rstrip(": ")
            sentences[place] = Finding(text=finding.text, status="unsupported", why=why)
    update = {"sentences": tuple(sentences), "opinions": tuple(opinions)}
    return verdict.model_copy(update=update)


def strike(explanation: Explanation, verdict: Verdict) -> Explanation:
    """The explanation without what is not supported.

    Raises:
        ValueError: The verdict is on another explanation.
    """

    def supported(items: Sequence[T], findings: Sequence[Finding]) -> tuple[T, ...]:
        pairs = zip(items, findings, strict=True)
        return tuple(item for item, finding in pairs if finding.status == "supported")

    return explanation.model_copy(
        update={
            "sentences": supported(explanation.sentences, verdict.sentences),
            "labels": supported(explanation.labels, verdict.labels),
            "alternatives": supported(explanation.alternatives, verdict.alternatives),
        }
    )
