"""The `rules` reasoner: offline, deterministic, without weights.

It reads clue sentences with the cue lexicon, weighs them per emotion family, keeps
disagreements, asks for another look where that could decide something, and writes the
explanation.
"""

from __future__ import annotations

from emer.agents.lexicon.lexicon import load_weighting, reasoner_name
from emer.agents.questions.not_shown import relevant_missing, unclear_question
from emer.agents.rules.case import case_of
from emer.agents.rules.explanation import write_explanation
from emer.agents.rules.fusion import conflict_records
from emer.agents.rules.labels import hypotheses
from emer.agents.rules.planner import is_sure, plan_asks, required_asks, spent_reason, stop_reason
from emer.agents.types import Decision, Explanation, Inquiry


class Rules:
    """A reasoner of lexicon and arithmetic; see `emer.agents.reasoner.Reasoner`."""

    def __init__(self, weights: str = "") -> None:
        """Weigh by the lexicon, or by a folder that `emer-eval fit` wrote."""
        self.weighting = load_weighting(weights)
        self.name = reasoner_name("rules", self.weighting)

    def decide(self, inquiry: Inquiry) -> Decision:
        """Weigh the clues; ask for more, or stop and give the reason."""
        case, budget = case_of(inquiry, self.weighting), inquiry.budget
        required = required_asks(case, inquiry)
        if required:
            asks, reason = required, spent_reason(budget)
        else:
            sure = is_sure(case.standings)
            asks = () if sure else plan_asks(case, inquiry.asked, inquiry.tools)
            reason = stop_reason(case.standings, asks, budget)
        return Decision(
            hypotheses=hypotheses(case.standings),
            conflicts=conflict_records(case.disputes),
            asks=() if reason else asks[: budget.tool_calls],
            stop_reason=reason,
        )

    def explain(self, inquiry: Inquiry, decision: Decision) -> Explanation:
        """Write the explanation that the clues carry; it may abstain."""
        case = case_of(inquiry, self.weighting)
        missing = (*relevant_missing(inquiry), *unclear_question(inquiry))
        return write_explanation(case, missing, frozenset(r.text for r in inquiry.rejected))
