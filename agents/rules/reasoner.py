"""The `rules` reasoner: offline, deterministic, without weights.

It reads clue sentences with a cue lexicon, weighs them per emotion family, keeps
disagreements, asks for another look where that could decide something, and writes the
explanation. The stages are in their own files; this one puts them in order.
"""

from __future__ import annotations

from collections.abc import Sequence

from emer.agents.lexicon.cue_parser import read
from emer.agents.lexicon.lexicon import DEFAULT_WEIGHTING, Weighting, load_weighting, reasoner_name
from emer.agents.questions.not_shown import unclear_question, topic_for
from emer.agents.questions.person_focus import focus
from emer.agents.rules.case import Case
from emer.agents.rules.explanation import write_explanation
from emer.agents.rules.fusion import Standing, conflict_records, find_disputes, soften_speech_brows, weigh
from emer.agents.rules.labels import choose, words_of
from emer.agents.rules.planner import Case, is_sure, required_asks, plan_asks, spent_reason, stop_reason
from emer.agents.types import Decision, Explanation, Hypothesis, Inquiry

FAINT = 0.35
"""Families below this are not listed unless they lead (chosen by us)."""


class Rules:
    """A reasoner made of a lexicon and arithmetic; see `emer.agents.reasoner.Reasoner`."""

    def __init__(self, weights: str = "") -> None:
        """Weigh as the literature does, or by a folder that `emer-eval fit` wrote."""
        self.weighting = load_weighting(weights)
        self.name = reasoner_name("rules", self.weighting)

    def decide(self, inquiry: Inquiry) -> Decision:
        """Weigh the clues; ask for more, or stop and say why."""
        scene, budget = case_of(inquiry, self.weighting), inquiry.budget
        needed = required_asks(scene, inquiry)
        sure = is_sure(scene.standings)
        wanted = needed if needed or sure else plan_asks(scene, inquiry.asked, inquiry.tools)
        reason = spent_reason(budget) if needed else stop_reason(scene.standings, wanted, budget)
        return Decision(
            hypotheses=_hypotheses(scene.standings),
            conflict_records=conflict_records(scene.disputes),
            asks=() if reason else wanted[: budget.tool_calls],
            stop_reason=reason,
        )

    def explain(self, inquiry: Inquiry, decision: Decision) -> Explanation:
        """Write the explanation that the clues carry; it may abstain."""
        scene = case_of(inquiry, self.weighting)
        case = Case(
            topic=scene.topic,
            readings=scene.readings,
            standings=scene.standings,
            disputes=scene.disputes,
            chosen=choose(scene.standings),
            duration=inquiry.duration,
            weighting=self.weighting,
        )
        missing = (*inquiry.missing, *unclear_question(inquiry))
        return write_explanation(case, missing, frozenset(r.text for r in inquiry.rejected))


def case_of(inquiry: Inquiry, by: Weighting = DEFAULT_WEIGHTING) -> Case:
    """Return how the rules read and weigh an inquiry."""
    topic = topic_for(inquiry)
    readings = soften_speech_brows(focus(read(inquiry.clues), topic))
    standings = weigh(readings, by)
    return Case(topic, readings, standings, find_disputes(standings), inquiry.duration)


def _hypotheses(standings: Sequence[Standing]) -> tuple[Hypothesis, ...]:
    """Return the leading families' labels with the clues for and against them."""
    listed = [
        s for i, s in enumerate(standings) if s.supports and (i == 0 or s.probability >= FAINT)
    ]
    return tuple(
        Hypothesis(
            label=choice.name,
            probability=choice.probability,
            supports=standing.supports,
            contradicts=standing.contradicts,
        )
        for standing in listed
        for choice in words_of(standing)
    )
