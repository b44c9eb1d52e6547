"""From an inquiry to a checked explanation, whoever reasons: the steps, and all in a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from emer.agents.lexicon.lexicon import weighting_of
from emer.agents.questions.declined import decline_reason
from emer.agents.questions.not_shown import absence_reason, missing_evidence, people_shown
from emer.agents.reasoner import Critical, Reasoner
from emer.agents.types import Budget, Decision, Explanation, Inquiry, Missing, Rejection
from emer.agents.verification.verifier import Verdict, apply_critique, strike, verify
from emer.tools.types import Record

ATTEMPTS = 2
"""How often an explanation is written before what does not hold is dropped."""


class ReasoningResult(Record):
    """Where a reasoner stands on an inquiry, and what of its explanation holds."""

    decision: Decision
    explanation: Explanation


def reason(reasoner: Reasoner, inquiry: Inquiry, left: Callable[[], Budget]) -> ReasoningResult:
    """Return what the reasoner makes of the clues there are; nothing can be looked at again.

    `left` says before each step what may still be spent.
    """

    def now(rejected: tuple[Rejection, ...] = ()) -> Inquiry:
        update = {"tools": (), "budget": left(), "rejected": rejected}
        return inquiry.model_copy(update=update)

    decision = decide(reasoner, now())
    rejected: tuple[Rejection, ...] = ()
    for attempt in range(1, ATTEMPTS + 1):
        written = explain(reasoner, now(rejected), decision)
        verdict = examine(reasoner, now(rejected), written, last=attempt == ATTEMPTS)
        rejected = verdict.rejected
        if not rejected:
            break
    return ReasoningResult(decision=decision, explanation=strike(written, verdict))


def decide(reasoner: Reasoner, inquiry: Inquiry) -> Decision:
    """Return the reasoner's decision; nobody needs to be asked where there is none to take."""
    if asked := decline_reason(inquiry.question, (turn.question for turn in inquiry.history)):
        return Decision(hypotheses=(), stop_reason="declined", declined=asked)
    if not inquiry.clues:
        return Decision(hypotheses=(), stop_reason="no_evidence")
    if absence_reason(inquiry):
        return Decision(hypotheses=(), stop_reason="not_shown")
    return reasoner.decide(inquiry)


def explain(reasoner: Reasoner, inquiry: Inquiry, decision: Decision) -> Explanation:
    """Return the explanation as it is written; without a clue it abstains, whoever reasons.

    Of somebody who is not there nothing is said but who is.
    """
    written = Explanation(declined=decision.declined)
    if decision.stop_reason == "not_shown":
        written = Explanation(sentences=people_shown(inquiry))
    elif inquiry.clues and decision.declined is None:
        written = reasoner.explain(inquiry, decision)
    named = missing_evidence(inquiry) if decision.declined is None else ()
    missing = sorted_missing((*written.missing, *inquiry.missing, *named))
    return written.model_copy(update={"missing": missing})


def examine(reasoner: Reasoner, inquiry: Inquiry, written: Explanation, *, last: bool) -> Verdict:
    """Return the verifier's verdict, and the critic's where the verifier lets the draft pass."""
    verdict = verify(written, inquiry.clues, inquiry.duration, weighting_of(reasoner))
    if isinstance(reasoner, Critical) and (last or not verdict.rejected):
        verdict = apply_critique(verdict, reasoner.criticise(inquiry, written))
    return verdict


def sorted_missing(records: Iterable[Missing]) -> tuple[Missing, ...]:
    """Return what is missing, each once, by modality and reason."""
    return tuple(sorted({*records}, key=lambda record: (record.modality, record.why)))
