"""Replies as records of reasoning: ids and times checked, confidence measured.

Probabilities and bands come from the cited clues and the lexicon, never from the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from emer.agents.lexicon.cue_parser import read
from emer.agents.lexicon.lexicon import Weighting, channel_of, lexicon
from emer.agents.llm.schemas import (
    Candidate,
    Criticising,
    Deciding,
    Disagreement,
    Line,
    Named,
    Open,
    Planning,
    Unusable,
    Writing,
)
from emer.agents.rules.explanation import distinguishing_cues
from emer.agents.rules.fusion import CHANNEL_WORDS, Standing, weigh
from emer.agents.rules.labels import band
from emer.agents.types import (
    Alternative,
    Ask,
    Band,
    Conflict,
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

    def hypotheses(self, reply: Deciding) -> tuple[Hypothesis, ...]:
        """Return the candidates with the probability measured on their own clues."""
        if not reply.candidates and reply.declined is None:
            raise Unusable("it names no candidate")
        return tuple(self._hypothesis(candidate) for candidate in reply.candidates)

    def conflicts(self, reply: Deciding) -> tuple[Conflict, ...]:
        """Return the conflicts between two channels, in words of ours."""
        real = (c for c in reply.conflicts if channel_of(c.left) != channel_of(c.right))
        return tuple(self._conflict(conflict) for conflict in real)

    def asks(self, reply: Planning) -> tuple[Ask, ...]:
        """Return the requested looks; whether they can be carried out is checked later."""
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

    def explanation(self, reply: Writing) -> Explanation:
        """Return the explanation; bands are measured on the clues cited for each label.

        `Unusable` when nothing of it follows from its clues; what does not is struck later.
        """
        written = Explanation(
            sentences=tuple(self._sentence(line) for line in reply.sentences),
            labels=tuple(
                Label(
                    name=named.name.casefold(),
                    band=self._band(named),
                    clue_ids=self._known(named.clue_ids),
                )
                for named in reply.labels[:MOST_LABELS]
            ),
            alternatives=tuple(self._alternative(open_) for open_ in reply.alternatives[:2]),
        )
        self._require_some_support(written)
        return written

    def _require_some_support(self, written: Explanation) -> None:
        verdict = verify(written, self._inquiry.clues, self._inquiry.duration, self._by)
        for name, findings in (("sentences", verdict.sentences), ("labels", verdict.labels)):
            if findings and all(finding.status != "supported" for finding in findings):
                worst = f"{findings[0].text!r}: {findings[0].why}"
                raise Unusable(f"none of its {name} follows from the clues it cites ({worst})")

    def _hypothesis(self, candidate: Candidate) -> Hypothesis:
        supports, contradicts = self._known(candidate.supports), self._known(candidate.contradicts)
        cited = self._cited((*supports, *contradicts))
        return Hypothesis(
            label=candidate.label.casefold(),
            probability=probability_of(candidate.label, cited, self._by),
            supports=supports,
            contradicts=contradicts,
        )

    def _band(self, named: Named) -> Band:
        return band_of(named.name, self._cited(named.clue_ids), self._disputed, self._by)

    def _conflict(self, conflict: Disagreement) -> Conflict:
        text = load("rules/conflict").substitute(
            left=CHANNEL_WORDS[channel_of(conflict.left)],
            left_label=conflict.left_label,
            right=CHANNEL_WORDS[channel_of(conflict.right)],
            right_label=conflict.right_label,
        )
        ids = self._known(conflict.clue_ids)
        if len(ids) < 2:
            raise Unusable("a conflict cites one clue only")
        return Conflict(left=conflict.left, right=conflict.right, text=text, clue_ids=ids)

    def _sentence(self, line: Line) -> Sentence:
        ids = self._known(line.clue_ids)
        sentence = Sentence(block=line.block, text=" ".join(line.text.split()), clue_ids=ids)
        cited = Cited(sentence, self._cited(ids), self._inquiry.duration)
        for problem in check_times(cited):
            raise Unusable(f"{problem.why} (in {sentence.text!r})")
        return sentence

    def _alternative(self, reading: Open) -> Alternative:
        """Return the alternative with the cues that would support it."""
        family = lexicon().family_of(reading.label)
        would = ""
        if family is not None:
            cues = distinguishing_cues(read(self._inquiry.clues), family)
            would = load("rules/would_change").substitute(cues=cues)
        return Alternative(
            label=reading.label.casefold(),
            would_change=would,
            clue_ids=self._known(reading.clue_ids),
        )

    def _known(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Return the ids, each once; `Unusable` names those that stand for no clue."""
        given = tuple(dict.fromkeys(ids))
        invented = [id for id in given if id not in self._clues]
        if invented:
            raise Unusable(f"there is no clue {', '.join(map(repr, invented[:3]))}")
        return given

    def _cited(self, ids: Iterable[str]) -> tuple[Clue, ...]:
        return tuple(self._clues[id] for id in self._known(ids))


def opinions(reply: Criticising, sentences: Sequence[Sentence]) -> tuple[Opinion, ...]:
    """Return the critic's opinion of each sentence; unverified if it gave none."""
    given = {verdict.sentence: verdict for verdict in reply.verdicts}
    unknown = sorted(set(given) - set(range(1, len(sentences) + 1)))
    if unknown:
        raise Unusable(f"there is no sentence {unknown[0]}")
    verdicts = (given.get(number) for number in range(1, len(sentences) + 1))
    return tuple(
        Opinion(verdict="unverified") if v is None else Opinion(verdict=v.verdict, why=v.why)
        for v in verdicts
    )


def probability_of(label: str, clues: Sequence[Clue], by: Weighting) -> float | None:
    """Return the label's probability on these clues, None where nothing measures it."""
    standing = _standing(label, clues, by)
    return None if standing is None else standing.probability


def band_of(label: str, clues: Sequence[Clue], disputed: frozenset[str], by: Weighting) -> Band:
    """Return the label's band on these clues; low where nothing measures it."""
    standing = _standing(label, clues, by)
    return "low" if standing is None else band(standing, standing.family in disputed)


def _standing(label: str, clues: Sequence[Clue], by: Weighting) -> Standing | None:
    family = lexicon().family_of(label)
    return next((s for s in weigh(read(clues), by) if s.family == family), None)
