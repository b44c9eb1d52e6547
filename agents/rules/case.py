"""The case of an inquiry: its topic, the weighed clues and the chosen labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from emer.agents.lexicon.cue_parser import Reading, read
from emer.agents.lexicon.lexicon import DEFAULT_WEIGHTING, Weighting
from emer.agents.questions.form import PLAIN, Form, form_of, is_short
from emer.agents.questions.not_shown import topic_for
from emer.agents.questions.person_focus import focus
from emer.agents.questions.question import Topic
from emer.agents.rules.fusion import (
    Dispute,
    Standing,
    find_disputes,
    weigh,
)
from emer.agents.rules.labels import Choice, band, choose
from emer.agents.rules.review_bounds import weigh_reviewed
from emer.agents.rules.speech_brows import soften_speech_brows
from emer.agents.types import Band, Inquiry
from emer.prompts.prompt import Language
from emer.tools.types import Clue


@dataclass(frozen=True)
class Case:
    """What a decision and an explanation are made from.

    Args:
        topic: What the question is about.
        readings: The clues with their cues and reliabilities, in time order.
        standings: Every emotion family, the most probable first.
        disputes: Pairs of channels that point to families of opposite valence.
        duration: Length of the clip in seconds.
        weighting: The log-odds of cues.
        everything: The readings of all people, in time order.
        form: How the question asks.
        language: Of the answer.
        question: The question itself.
        is_part: Only some of the clues are weighed, those of a moment or a channel.
        is_short: Only the question is answered, without a report on the whole clip.
    """

    topic: Topic
    readings: Sequence[Reading]
    standings: Sequence[Standing]
    disputes: Sequence[Dispute]
    duration: float
    weighting: Weighting = DEFAULT_WEIGHTING
    everything: Sequence[Reading] = ()
    form: Form = PLAIN
    language: Language = "en"
    question: str = ""
    is_short: bool = False
    is_part: bool = False

    def of(self, readings: Iterable[Reading]) -> Case:
        """The case of these readings only."""
        chosen = tuple(readings)
        standings = weigh(chosen, self.weighting)
        disputes = find_disputes(standings)
        return replace(self, readings=chosen, standings=standings, disputes=disputes, is_part=True)

    def standing(self, family: str) -> Standing:
        """The standing of a family."""
        return next(s for s in self.standings if s.family == family)

    @cached_property
    def everyone(self) -> tuple[Clue, ...]:
        """The clues of all people in time order."""
        return tuple(r.clue for r in self.everything or self.readings)

    @cached_property
    def chosen(self) -> tuple[Choice, ...]:
        """The labels; none where the clues do not carry a reading."""
        return choose(self.standings)

    @cached_property
    def families(self) -> tuple[Standing, ...]:
        """Standings of the chosen labels, each once."""
        return tuple({c.standing.family: c.standing for c in self.chosen}.values())

    @cached_property
    def clues(self) -> tuple[Clue, ...]:
        """All clues in time order."""
        return tuple(r.clue for r in self.readings)

    def band(self, standing: Standing) -> Band:
        """Confidence band of a family in this case."""
        return band(standing, standing.family in self.disputed)

    @cached_property
    def disputed(self) -> frozenset[str]:
        """The families that the disputes are about."""
        return frozenset(lead.standing.family for pair in self.disputes for lead in pair)

    @cached_property
    def relevance(self) -> dict[str, float]:
        """Log-odds by which each clue moves the families in question, either way."""
        moved: dict[str, float] = {}
        for standing in self.families or self.standings[:2]:
            for c in standing.contributions:
                for clue_id in c.evidence.clue_ids:
                    moved[clue_id] = moved.get(clue_id, 0.0) + abs(c.value)
        return moved


def case_of(inquiry: Inquiry, weighting: Weighting = DEFAULT_WEIGHTING) -> Case:
    """The inquiry's clues, read and weighed for its question."""
    topic = topic_for(inquiry)
    everything = soften_speech_brows(read(inquiry.clues))
    readings = focus(everything, topic)
    rejected = focus(soften_speech_brows(read(inquiry.struck)), topic) if inquiry.struck else ()
    standings = weigh_reviewed(readings, rejected, weighting)
    return Case(
        topic=topic,
        readings=readings,
        standings=standings,
        disputes=find_disputes(standings),
        duration=inquiry.duration,
        weighting=weighting,
        everything=everything,
        form=form_of(inquiry.question, topic),
        language=inquiry.answer_language,
        question=inquiry.question,
        is_short=is_short(inquiry, topic),
    )
