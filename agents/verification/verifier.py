"""The verifier: whether sentences, labels and alternatives follow from the clues.

Deterministic and independent of the writer. What cannot be read is not carried: every word
of a sentence must belong to a cue, a degree, a time, a count, an order, a person, a
quotation, a number or an emotion that a cited clue carries. An observation that is not
carried is replaced by its clues' own words, a conclusion in odd words by one of ours
(`replacements`), everything else is struck.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeVar

from emer.agents.lexicon.lexicon import DEFAULT_WEIGHTING, Weighting, lexicon
from emer.agents.types import Block, Explanation, Rejection, Sentence
from emer.agents.verification.checks import Cited, check_label, check_sentence
from emer.agents.verification.claims import Problem
from emer.agents.verification.conclusions import Ground
from emer.agents.verification.reader import CONCLUDING
from emer.agents.verification.replacements import REJECTED, replacements
from emer.tools.types import Clue, Record

T = TypeVar("T")


class Finding(Record):
    """The verifier's result on one sentence, label or alternative."""

    text: str
    status: Literal["supported", "contradicted", "unsupported"]
    why: str
    outcome: Literal["", "kept", "replaced", "struck"] = ""
    """What becomes of it; empty in traces of version 0.1."""
    replacement: str = ""
    """What stands instead, if it is replaced."""


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
    bands = {family: x.band for x in explanation.labels if (family := lexicon().family_of(x.name))}
    ground = Ground(weighting, tuple(clues), bands)

    def on_label(name: str, ids: Sequence[str]) -> Finding:
        cited, unknown = _cited(ids, known)
        return _finding(name, unknown or check_label(name, cited, ground))

    findings = []
    previous: dict[Block, tuple[Clue, ...]] = {}
    for sentence in explanation.sentences:
        cited, unknown = _cited(sentence.clue_ids, known)
        before = previous.get(sentence.block, ())
        case = Cited(sentence, cited, duration, before)
        findings.append(_finding(sentence.text, unknown or check_sentence(case, ground)))
        previous[sentence.block] = (*before, *cited) if sentence.block in CONCLUDING else cited
    verdict = Verdict(
        sentences=tuple(findings),
        labels=tuple(on_label(x.name, x.clue_ids) for x in explanation.labels),
        alternatives=tuple(on_label(x.label, x.clue_ids) for x in explanation.alternatives),
    )
    return with_outcomes(explanation, verdict, clues)


def _cited(
    ids: Sequence[str], known: dict[str, Clue]
) -> tuple[tuple[Clue, ...], tuple[Problem, ...]]:
    """The clues of some ids, and the problem of those that there are not."""
    unknown = ", ".join(i for i in ids if i not in known)
    problems = (Problem("unsupported", f"there is no clue {unknown}"),) if unknown else ()
    return tuple(known[i] for i in ids if i in known), problems


def _finding(text: str, problems: Iterable[Problem]) -> Finding:
    # A contradiction weighs more than missing support.
    worst = sorted(problems, key=lambda p: p.status != "contradicted")
    if not worst:
        return Finding(text=text, status="supported", why="its clues carry it")
    why = "; ".join(dict.fromkeys(p.why for p in worst))
    return Finding(text=text, status=worst[0].status, why=why)


def with_outcomes(explanation: Explanation, verdict: Verdict, clues: Sequence[Clue]) -> Verdict:
    """The verdict with what becomes of each sentence, label and alternative.

    Args:
        explanation: What the verdict is on.
        verdict: Findings with their status.
        clues: All clues of the clip.

    Raises:
        ValueError: The verdict is on another explanation.
    """
    instead = _replacements(explanation, verdict, clues)

    def settled(finding: Finding, words: Sequence[Sentence] = ()) -> Finding:
        outcome = "kept" if finding.status == "supported" else "replaced" if words else "struck"
        text = " ".join(sentence.text for sentence in words)
        return finding.model_copy(update={"outcome": outcome, "replacement": text})

    pairs = zip(verdict.sentences, instead, strict=True)
    return verdict.model_copy(
        update={
            "sentences": tuple(settled(finding, words) for finding, words in pairs),
            "labels": tuple(map(settled, verdict.labels)),
            "alternatives": tuple(map(settled, verdict.alternatives)),
        }
    )


def _replacements(
    explanation: Explanation, verdict: Verdict, clues: Sequence[Clue]
) -> list[tuple[Sentence, ...]]:
    reasons = [None if f.status == "supported" else f.why for f in verdict.sentences]
    return replacements(explanation, reasons, clues)


def apply_critique(
    verdict: Verdict, opinions: Sequence[Opinion], explanation: Explanation, clues: Sequence[Clue]
) -> Verdict:
    """The verdict in which what a critic rejects is no longer supported.

    A critic cannot save a sentence, and "unverified" strikes none out.

    Args:
        verdict: The verifier's.
        opinions: The critic's, one for each sentence.
        explanation: What both are on.
        clues: All clues of the clip.
    """
    sentences = list(verdict.sentences)
    for place, (finding, opinion) in enumerate(zip(sentences, opinions, strict=False)):
        if opinion.verdict == "rejected" and finding.status == "supported":
            why = f"{REJECTED}: {opinion.why}".rstrip(": ")
            sentences[place] = Finding(text=finding.text, status="unsupported", why=why)
    update = {"sentences": tuple(sentences), "opinions": tuple(opinions)}
    settled = verdict.model_copy(update=update)
    return with_outcomes(explanation, settled, clues)


def settle(explanation: Explanation, verdict: Verdict, clues: Sequence[Clue]) -> Explanation:
    """What is carried, and for lost observations their clues' own words.

    Args:
        explanation: What was verified.
        verdict: The verdict on it.
        clues: All clues of the clip.

    Raises:
        ValueError: The verdict is on another explanation.
    """
    instead = _replacements(explanation, verdict, clues)
    triples = zip(explanation.sentences, verdict.sentences, instead, strict=True)

    def supported(items: Sequence[T], findings: Sequence[Finding]) -> tuple[T, ...]:
        pairs = zip(items, findings, strict=True)
        return tuple(item for item, finding in pairs if finding.status == "supported")

    def lines() -> Iterator[Sentence]:
        for sentence, finding, words in triples:
            yield from (sentence,) if finding.status == "supported" else words

    return explanation.model_copy(
        update={
            "sentences": tuple(lines()),
            "labels": supported(explanation.labels, verdict.labels),
            "alternatives": supported(explanation.alternatives, verdict.alternatives),
        }
    )
