"""Replies as records of reasoning: ids and times checked, confidence measured.

Probabilities and bands come from the cited clues and the lexicon, never from the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from emer.agents.lexicon.cue_parser import read
from emer.agents.lexicon.lexicon import Weighting, channel_of, lexicon
from emer.agents.llm import schemas
from emer.agents.llm.schemas import Unusable
from emer.agents.rules.explanation import would_change
from emer.agents.rules.fusion import CHANNEL_WORDS, Standing, weigh
from emer.agents.rules.labels import band
from emer.agents.types import (
    Alternative,
    Ask,
    Conflict,
    Decision,
    Explanation,
    Hypothesis,
    Inquiry,
    Label,
    Sentence,
)
from emer.agents.verification.checks import Cited, check_times
from emer.agents.verification.verifier import Opinion, verify
from emer.prompts.prompt import load
from emer.tools.types import Clue, Span

MOST_LABELS = 4


class Conversion:
    """Converts replies to one inquiry; `Unusable` if its clues do not support them."""

    def __init__(self, inquiry: Inquiry, disputed: frozenset[str], by: Weighting) -> None:
        """Take the inquiry, the families its modalities disagree over, and the weights."""
        self._inquiry, self._disputed, self._by = inquiry, disputed, by
        self._clues = {clue.id: clue for clue in inquiry.clues}

    def decision(self, reply: schemas.Deciding) -> tuple[Decision, bool]:
        """The decision before any asks, and whether the model considers it settled.

        Probabilities are measured on each candidate's own clues; conflicts between two
        channels are put in words of ours.
        """
        if not reply.candidates and reply.declined is None:
            raise Unusable("it names no candidate")
        hypotheses = tuple(self._hypothesis(candidate) for candidate in reply.candidates)
        real = (c for c in reply.conflicts if channel_of(c.left) != channel_of(c.right))
        decision = Decision(
            hypotheses=hypotheses,
            conflicts=tuple(self._conflict(conflict) for conflict in real),
            stop_reason="declined" if reply.declined else None,
            declined=reply.declined,
        )
        return decision, reply.settled

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

    def explanation(self, reply: schemas.Writing) -> Explanation:
        """The explanation; bands are measured on the clues cited for each label.

        `Unusable` when nothing of it follows from its clues; what does not is struck later.
        """
        written = Explanation(
            sentences=tuple(self._sentence(line) for line in reply.sentences),
            labels=tuple(self._label(named) for named in reply.labels[:MOST_LABELS]),
            alternatives=tuple(self._alternative(open_) for open_ in reply.alternatives[:2]),
        )
        verdict = verify(written, self._inquiry.clues, self._inquiry.duration, self._by)
        for name, findings in (("sentences", verdict.sentences), ("labels", verdict.labels)):
            if findings and all(finding.status != "supported" for finding in findings):
                worst = f"{findings[0].text!r}: {findings[0].why}"
                raise Unusable(f"none of its {name} follows from the clues it cites ({worst})")
        return written

    def _hypothesis(self, candidate: schemas.Candidate) -> Hypothesis:
        supports, contradicts = self._known(candidate.supports), self._known(candidate.contradicts)
        standing = self._standing(candidate.label, (*supports, *contradicts))
        return Hypothesis(
            label=candidate.label.casefold(),
            probability=standing.probability if standing else None,
            supports=supports,
            contradicts=contradicts,
        )

    def _label(self, named: schemas.Named) -> Label:
        standing = self._standing(named.name, named.clue_ids)
        return Label(
            name=named.name.casefold(),
            band=band(standing, standing.family in self._disputed) if standing else "low",
            clue_ids=self._known(named.clue_ids),
        )

    def _standing(self, label: str, ids: Iterable[str]) -> Standing | None:
        """The label's family on the cited clues; None for a word the lexicon lacks."""
        family, standings = lexicon().family_of(label), weigh(read(self._cited(ids)), self._by)
        return next((s for s in standings if s.family == family), None)

    def _conflict(self, conflict: schemas.Disagreement) -> Conflict:
        text = load("rules/en/conflict").substitute(
            left=CHANNEL_WORDS[channel_of(conflict.left)],
            left_label=conflict.left_label,
            right=CHANNEL_WORDS[channel_of(conflict.right)],
            right_label=conflict.right_label,
        )
        ids = self._known(conflict.clue_ids)
        if len(ids) < 2:
            raise Unusable("a conflict cites one clue only")
        return Conflict(left=conflict.left, right=conflict.right, text=text, clue_ids=ids)

    def _sentence(self, line: schemas.Line) -> Sentence:
        ids = self._known(line.clue_ids)
        sentence = Sentence(block=line.block, text=" ".join(line.text.split()), clue_ids=ids)
        cited = Cited(sentence, self._cited(ids), self._inquiry.duration)
        for problem in check_times(cited):
            raise Unusable(f"{problem.why} (in {sentence.text!r})")
        return sentence

    def _alternative(self, reading: schemas.Open) -> Alternative:
        family = lexicon().family_of(reading.label)
        return Alternative(
            label=reading.label.casefold(),
            would_change=would_change(read(self._inquiry.clues), family) if family else "",
            clue_ids=self._known(reading.clue_ids),
        )

    def _known(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Return the ids, each once; `Unusable` names those that stand for no clue."""
        known = tuple(dict.fromkeys(ids))
        invented = [id for id in known if id not in self._clues]
        if invented:
            raise Unusable(f"there is no clue {', '.join(map(repr, invented[:3]))}")
        return known

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
