"""What an explanation is written from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from emer.agents.lexicon.cue_parser import Reading
from emer.agents.lexicon.lexicon import DEFAULT_WEIGHTING, Channel, Weighting, channel_of, lexicon
from emer.agents.questions.question import Topic
from emer.agents.rules.fusion import Contribution, ChannelLead, Standing
from emer.agents.rules.labels import Choice
from emer.agents.rules.phrases import listed
from emer.tools.types import Clue

WHERE: dict[Channel, str] = {
    "visual": "in the video",
    "audio": "in the audio",
    "text": "in the text",
}
DESCRIBED = " that a model describes"
"""What is added to a cue that nobody measured."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked about, the weighed clues and the labels chosen for them."""

    topic: Topic
    readings: Sequence[Reading]
    standings: Sequence[Standing]
    disputes: Sequence[tuple[ChannelLead, ChannelLead]]
    chosen: Sequence[Choice]
    duration: float
    weighting: Weighting = DEFAULT_WEIGHTING

    @property
    def families(self) -> tuple[Standing, ...]:
        """Standings of the chosen labels, each once."""
        return tuple({c.standing.family: c.standing for c in self.chosen}.values())

    def clues(self, channel: Channel) -> list[Clue]:
        """Return the channel's clues in time order."""
        return [r.clue for r in self.readings if channel_of(r.clue.modality) == channel]

    def relevance(self) -> dict[str, float]:
        """Return how much each clue moves the families in question, either way."""
        moved: dict[str, float] = {}
        for standing in self.families or self.standings[:2]:
            for c in standing.contributions:
                for clue_id in c.evidence.clue_ids:
                    moved[clue_id] = moved.get(clue_id, 0.0) + abs(c.value)
        return moved


@dataclass(frozen=True, slots=True)
class Basis:
    """Cues named in words, and the clues that state them."""

    words: str
    clue_ids: tuple[str, ...]


def basis(contributions: Iterable[Contribution], per_channel: int = 2) -> Basis | None:
    """Return the strongest stated cues of each channel, or None if there is none."""
    ordered = list(contributions)
    parts: list[str] = []
    ids: list[str] = []
    for channel, where in WHERE.items():
        says = _without_doubles(dict(_says(ordered, channel, per_channel)))
        if says:
            parts.append(f"{listed(f'the {plain(s)}' for s in says)} {where}")
            ids += [i for found in says.values() for i in found]
    if not parts:
        return None
    return Basis(listed(parts), tuple(dict.fromkeys(ids)))


def _without_doubles(says: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return cues with their clues; one that another's words contain is told with that one.

    "furrowed brows" and "furrowed brows with narrowed eyes" are one thing to say.
    """
    found: dict[str, tuple[str, ...]] = {}
    for say, ids in says.items():
        whole = next((o for o in says if o != say and f" {plain(say)} " in f" {o} "), say)
        found[whole] = tuple(dict.fromkeys((*found.get(whole, ()), *ids)))
    return found


def plain(say: str) -> str:
    """Return a cue's name without its article."""
    return re.sub(r"^(?:an?|the) ", "", say)


def _says(
    contributions: Sequence[Contribution], channel: Channel, most: int
) -> Iterator[tuple[str, tuple[str, ...]]]:
    groups: set[str] = set()
    for c in contributions:
        e = c.evidence
        fits = channel_of(e.modality) == channel and not e.negated and c.counts
        if fits and e.group not in groups and len(groups) < most:
            groups.add(e.group)
            said_by = DESCRIBED if e.described else ""
            yield f"{lexicon().say(e.cue)}{said_by}", e.clue_ids
