"""The steps from an inquiry to a verified explanation, for any reasoner."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from emer.agents.lexicon.lexicon import weighting_of
from emer.agents.questions.answerability import decline_reason
from emer.agents.questions.not_shown import (
    absence_reason,
    missing_evidence,
    people_shown,
    relevant_missing,
)
from emer.agents.reasoner import Critical, Reasoner
from emer.agents.types import Budget, Decision, Explanation, Inquiry, Missing, Rejection
from emer.agents.verification.verifier import Verdict, apply_critique, settle, verify
from emer.prompts.prompt import translated_reason
from emer.tools.types import Record

ATTEMPTS = 2
"""Drafts of an explanation; what the last one's clues do not carry is settled."""


class ReasoningResult(Record):
    """A reasoner's decision on an inquiry, and its verified explanation."""

    decision: Decision
    explanation: Explanation


def reason(reasoner: Reasoner, inquiry: Inquiry, left: Callable[[], Budget]) -> ReasoningResult:
    """Decide, explain and verify on the clues given; no tool can be asked.

    `left` returns before each step what may still be spent.
    """

    def now(rejected: tuple[Rejection, ...] = ()) -> Inquiry:
        update = {"tools": (), "budget": left(), "rejected": rejected}
        return inquiry.model_copy(update=update)

    decision = decide(reasoner, now())
    rejected: tuple[Rejection, ...] = ()
    for attempt in range(1, ATTEMPTS + 1):
        draft = explain(reasoner, now(rejected), decision)
        verdict = examine(reasoner, now(rejected), draft, last=attempt == ATTEMPTS)
        rejected = verdict.rejected
        if not rejected:
            break
    return ReasoningResult(decision=decision, explanation=settle(draft, verdict, inquiry.clues))


def decide(reasoner: Reasoner, inquiry: Inquiry) -> Decision:
    """The reasoner's decision; it is not called where the outcome is certain."""
    reason = decline_reason(inquiry.question, (turn.question for turn in inquiry.history))
    if reason is not None:
        return Decision(hypotheses=(), stop_reason="declined", declined=reason)
    if not inquiry.clues:
        return Decision(hypotheses=(), stop_reason="no_evidence")
    if absence_reason(inquiry):
        return Decision(hypotheses=(), stop_reason="not_shown")
    return reasoner.decide(inquiry)


def explain(reasoner: Reasoner, inquiry: Inquiry, decision: Decision) -> Explanation:
    """The reasoner's draft and what is missing; without a clue it abstains.

    If the question is about a person who is not shown, the draft names those who are.
    """
    language = inquiry.answer_language
    draft = Explanation(declined=decision.declined, language=language)
    if decision.stop_reason == "not_shown":
        draft = Explanation(sentences=people_shown(inquiry), language=language)
    elif inquiry.clues and decision.declined is None:
        draft = reasoner.explain(inquiry, decision)
    not_shown = missing_evidence(inquiry) if decision.declined is None else ()
    found = (*draft.missing, *relevant_missing(inquiry), *not_shown)
    missing = sorted_missing(
        m.model_copy(update={"why": translated_reason(m.why, language)}) for m in found
    )
    return draft.model_copy(update={"missing": missing})


def examine(reasoner: Reasoner, inquiry: Inquiry, draft: Explanation, *, last: bool) -> Verdict:
    """The verifier's verdict, and the critic's if the verifier passes the draft."""
    verdict = verify(draft, inquiry.clues, inquiry.duration, weighting_of(reasoner))
    if isinstance(reasoner, Critical) and (last or not verdict.rejected):
        opinions = reasoner.criticise(inquiry, draft)
        verdict = apply_critique(verdict, opinions, draft, inquiry.clues)
    return verdict


def sorted_missing(records: Iterable[Missing]) -> tuple[Missing, ...]:
    """Distinct records, by modality and reason."""
    return tuple(sorted({*records}, key=lambda record: (record.modality, record.why)))
