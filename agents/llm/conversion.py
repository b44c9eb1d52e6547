"""Replies as records of reasoning: ids checked, confidence measured.

Probabilities and bands come from the cited clues and the lexicon, never from the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from emer.agents.lexicon.cue_parser import read
from emer.agents.lexicon.lexicon import Weighting, lexicon
from emer.agents.llm import schemas
from emer.agents.llm.clue_list import ClueList
from emer.agents.llm.schemas import Unusable
from emer.agents.rules.explanation import would_change
from emer.agents.rules.fusion import Standing, weigh
from emer.agents.rules.labels import band
from emer.agents.types import (
    BLOCKS,
    Alternative,
    Ask,
    Block,
    Decision,
    Explanation,
    Hypothesis,
    Inquiry,
    Label,
    Sentence,
)
from emer.agents.verification.verifier import Finding, Opinion, Verdict, verify
from emer.tools.types import Clue, Modality, Span

MOST_LABELS = 4
BLOCK_OF: dict[Modality, Block] = {
    "face": "video",
    "scene": "video",
    "audio": "audio",
    "text": "text",
}


class Conversion:
    """Converts replies to one inquiry; `Unusable` if its clues do not support them."""

    def __init__(self, inquiry: Inquiry, disputed: frozenset[str], by: Weighting) -> None:
        """Take the inquiry, the families its modalities disagree over, and the weights."""
        self._inquiry, self._disputed, self._by = inquiry, disputed, by
        self._clues = {clue.id: clue for clue in inquiry.clues}
        self._ids = ClueList(inquiry.clues).ids

    def decision(self, reply: schemas.Deciding) -> tuple[Decision, bool]:
        """The decision before any asks, and whether the model considers it settled.

        Probabilities are measured on each candidate's own clues; one that they do not carry
        is dropped. A question is declined only without candidates.
        """
        if not reply.candidates:
            if reply.declined is None:
                raise Unusable("it names no candidate")
            declined = reply.declined
            return Decision(hypotheses=(), stop_reason="declined", declined=declined), True
        hypotheses = tuple(self._hypothesis(candidate) for candidate in reply.candidates)
        labels = tuple(Label(name=h.label, band="low", clue_ids=h.supports) for h in hypotheses)
        findings = self._verdict(Explanation(labels=labels)).labels
        self._require_one("candidates", findings)
        pairs = zip(hypotheses, findings, strict=True)
        carried = tuple(h for h, finding in pairs if finding.status == "supported")
        return Decision(hypotheses=carried), reply.settled

    def asks(self, reply: schemas.Planning) -> tuple[Ask, ...]:
        """The requested looks; whether they can be carried out is checked later."""
        for look in reply.asks:
            if look.end < look.start:
                raise Unusable(f"an ask ends before it starts: {look.start:g} > {look.end:g}")
        return tuple(
            Ask(
                tool=look.tool,
                span=Span(start=look.start, end=look.end),
                why=look.why,
                question=look.question or None,
            )
            for look in reply.asks
        )

    def explanation(
        self, reply: schemas.Writing, candidates: Sequence[Hypothesis] = ()
    ) -> Explanation:
        """The explanation; bands are measured on the clues cited for each label.

        A label that its clues do not carry may be given those of the decider's candidate.
        `Unusable` when no label is carried all the same; what else is not is struck later.
        """
        decided = {candidate.label: candidate for candidate in candidates}
        inferred = [self._carried(claim, decided) for claim in reply.inferred[:MOST_LABELS]]
        answer = [reply.answer] if reply.answer else []
        written = Explanation(
            sentences=(
                *(self._sentence("answer", claim.text, claim.clues) for claim in answer),
                *self._in_order(reply.observed),
                *(
                    self._sentence("therefore", c.text, (*c.supports, *c.contradicts))
                    for c in inferred
                ),
            ),
            labels=tuple(self._label(claim) for claim in inferred),
            alternatives=tuple(self._alternative(open_) for open_ in reply.open[:2]),
        )
        self._require_one("labels", self._verdict(written).labels)
        return written

    def _verdict(self, explanation: Explanation) -> Verdict:
        return verify(explanation, self._inquiry.clues, self._inquiry.duration, self._by)

    def _carried(
        self, claim: schemas.Inferred, decided: Mapping[str, Hypothesis]
    ) -> schemas.Inferred:
        """The claim, on the clues of the decider's candidate if it cites some of them.

        Without one in common it rests on something else, which may be an order in the clip.
        """
        label, candidate = self._label(claim), decided.get(claim.label.casefold())
        (finding,) = self._verdict(Explanation(labels=(label,))).labels
        common = candidate and set(candidate.supports) & set(label.clue_ids)
        if candidate is None or not common or finding.status == "supported":
            return claim
        return claim.model_copy(update={"supports": list(candidate.supports)})

    @staticmethod
    def _require_one(what: str, findings: Sequence[Finding]) -> None:
        """Raise `Unusable` where no label is carried by the clues cited for it."""
        if all(finding.status != "supported" for finding in findings):
            first = f"{findings[0].text!r}: {findings[0].why}"
            raise Unusable(f"none of its {what} follows from the clues it cites ({first})")

    def _in_order(self, claims: Sequence[schemas.Observed]) -> list[Sentence]:
        """Sentences on what was observed, in the block of their first clue's modality."""
        sentences = []
        for claim in claims:
            modality = self._clues[self._known(claim.clues)[0]].modality
            sentences.append(self._sentence(BLOCK_OF[modality], claim.text, claim.clues))
        return sorted(sentences, key=lambda sentence: BLOCKS.index(sentence.block))

    def _hypothesis(self, candidate: schemas.Candidate) -> Hypothesis:
        supports, contradicts = self._known(candidate.supports), self._known(candidate.contradicts)
        standing = self._standing(candidate.label, (*supports, *contradicts))
        return Hypothesis(
            label=candidate.label.casefold(),
            probability=standing.probability if standing else None,
            supports=supports,
            contradicts=contradicts,
        )

    def _label(self, claim: schemas.Inferred) -> Label:
        standing = self._standing(claim.label, claim.supports)
        return Label(
            name=claim.label.casefold(),
            band=band(standing, standing.family in self._disputed) if standing else "low",
            clue_ids=self._known(claim.supports),
        )

    def _standing(self, label: str, ids: Iterable[str]) -> Standing | None:
        """The label's family on the cited clues; None for a word the lexicon lacks."""
        family, standings = lexicon().family_of(label), weigh(read(self._cited(ids)), self._by)
        return next((s for s in standings if s.family == family), None)

    def _sentence(self, block: Block, text: str, ids: Iterable[str]) -> Sentence:
        return Sentence(block=block, text=" ".join(text.split()), clue_ids=self._known(ids))

    def _alternative(self, reading: schemas.Open) -> Alternative:
        family = lexicon().family_of(reading.label)
        return Alternative(
            label=reading.label.casefold(),
            would_change=would_change(read(self._inquiry.clues), family) if family else "",
            clue_ids=self._known(reading.supports),
        )

    def _known(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Clues' own ids, each once; `Unusable` names those that stand for no clue."""
        cited = tuple(dict.fromkeys(ids))
        invented = [id for id in cited if id not in self._ids]
        if invented:
            raise Unusable(f"there is no clue {', '.join(map(repr, invented[:3]))}")
        return tuple(dict.fromkeys(self._ids[id] for id in cited))

    def _cited(self, ids: Iterable[str]) -> tuple[Clue, ...]:
        return tuple(self._clues[id] for id in self._known(ids))


def opinions(reply: schemas.Criticising, sentences: Sequence[Sentence]) -> tuple[Opinion, ...]:
    """The critic's opinion of each sentence; unverified if it gave none."""
    by_number = {verdict.sentence: verdict for verdict in reply.verdicts}
    numbers = range(1, len(sentences) + 1)
    for unknown in sorted(set(by_number) - set(numbers)):
        raise Unusable(f"there is no sentence {unknown}")
    none = schemas.Verdict(sentence=1, verdict="unverified")
    verdicts = (by_number.get(number, none) for number in numbers)
    return tuple(Opinion(verdict=v.verdict, why=v.why) for v in verdicts)
