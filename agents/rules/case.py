"""The case of an inquiry: its topic, the weighed clues and the chosen labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from emer.agents.lexicon.cue_parser import Reading, read
from emer.agents.lexicon.lexicon import DEFAULT_WEIGHTING, Channel, Weighting, channel_of, lexicon
from emer.agents.questions.not_shown import topic_for
from emer.agents.questions.person_focus import focus
from emer.agents.questions.question import Topic
from emer.agents.rules.fusion import (
    Contribution,
    Dispute,
    Evidence,
    Standing,
    find_disputes,
    soften_speech_brows,
    weigh,
)
from emer.agents.rules.labels import Choice, band, choose
from emer.agents.types import Band, Inquiry
from emer.tools.text import listed
from emer.tools.types import Clue

_PLACES: dict[Channel, str] = {
    "visual": "in the video",
    "audio": "in the audio",
    "text": "in the text",
}
PER_CHANNEL = 2
_DESCRIBED = " that a model describes"
"""Added to a cue that was not measured."""


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
    """

    topic: Topic
    readings: Sequence[Reading]
    standings: Sequence[Standing]
    disputes: Sequence[Dispute]
    duration: float
    weighting: Weighting = DEFAULT_WEIGHTING

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
    readings = soften_speech_brows(focus(read(inquiry.clues), topic))
    standings = weigh(readings, weighting)
    disputes = find_disputes(standings)
    return Case(topic, readings, standings, disputes, inquiry.duration, weighting)


class Basis(NamedTuple):
    """Cues in words, and the clues that state them."""

    words: str
    clue_ids: tuple[str, ...]


def basis(contributions: Iterable[Contribution]) -> Basis | None:
    """The strongest stated cues of each channel; None if there is none."""
    stated = [c.evidence for c in contributions if c.counts and not c.evidence.negated]
    parts: list[str] = []
    ids: list[str] = []
    for channel, place in _PLACES.items():
        by_group: dict[str, Evidence] = {}
        for evidence in stated:
            if channel_of(evidence.modality) == channel:
                by_group.setdefault(evidence.group, evidence)
        phrases = _merged(list(by_group.values())[:PER_CHANNEL])
        if phrases:
            parts.append(f"{listed([f'the {_bare(p)}' for p in phrases])} {place}")
            ids += [i for cited in phrases.values() for i in cited]
    return Basis(listed(parts), tuple(dict.fromkeys(ids))) if parts else None


def _merged(evidence: Sequence[Evidence]) -> dict[str, tuple[str, ...]]:
    """Phrases with their clues; one that another contains is merged into it.

    "furrowed brows" goes into "furrowed brows with narrowed eyes".
    """
    phrases = {
        lexicon().phrase_of(e.cue) + (_DESCRIBED if e.described else ""): e.clue_ids
        for e in evidence
    }
    merged: dict[str, tuple[str, ...]] = {}
    for phrase, ids in phrases.items():
        longer = (o for o in phrases if o != phrase and f" {_bare(phrase)} " in f" {o} ")
        whole = next(longer, phrase)
        merged[whole] = tuple(dict.fromkeys((*merged.get(whole, ()), *ids)))
    return merged


def _bare(phrase: str) -> str:
    return re.sub(r"^(?:an?|the) ", "", phrase)
