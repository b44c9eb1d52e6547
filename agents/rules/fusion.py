"""Log-odds per family; conflicts; brows while speaking.

Weighing: readings become log-odds per emotion family, and clues for and against.

Each family is a question of its own (a clip may display two): a flat prior plus
reliability * strength * weight, the largest of each correlated group, one modality's
sum capped, through a logistic function. Weights are in `lexicon/weights.csv`, unless a
`Weighting` says otherwise.

Channels that disagree: what is seen, heard and said, each read on its own.

Brows that stress what is said: moved while speaking, they say less of emotion.

Speakers raise their brows, or lower them for a word, to underline what they say (Ekman
1979, "About brows: emotional and conversational signals"), so a raise while speaking,
and a short frown, count for less than the same in silence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from emer.agents.lexicon.cue_parser import Mention, Reading, combined_cues, is_described
from emer.agents.lexicon.lexicon import CHANNELS, DEFAULT_WEIGHTING, Channel, Weighting, channel_of, lexicon
from emer.agents.types import Conflict
from emer.prompts.prompt import load
from emer.tools.types import MODALITIES, Clue, Modality, Span

PRIOR = -1.2
"""Log-odds of a family before any clue: people who describe a face freely name about
three of the dozen kinds of emotion that they tell apart (chosen by us)."""
CAP = 2.5
"""No modality may move a family by more log-odds than this (chosen by us)."""
TEMPERATURE = 1.15
"""Softens the probabilities: cues of one expression are never quite independent."""
WORTH_CITING = 0.1
"""Log-odds from which a clue is cited for or against a family (chosen by us)."""
MOMENT = 1.0
"""Seconds within which a clue can speak against another one (chosen by us): a smile at the
end of a clip does not unsay the tears at its beginning."""
DENIAL = 0.5
"""A denied cue speaks against a family half as much as the cue would speak for it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A cue (or a combination) with the clues that state it."""

    cue: str
    group: str
    modality: Modality
    clue_ids: tuple[str, ...]
    negated: bool
    weight: float
    """Reliability times strength."""
    reliability: float
    spans: tuple[Span, ...] = ()
    """When its clues hold; a clue without a span holds throughout."""
    described: bool = False
    """Whether it rests on what a model says of a picture."""

    def meets(self, other: Evidence) -> bool:
        """Tell whether the two can hold at one moment, give or take `MOMENT` seconds."""
        return all(a.overlaps(b, MOMENT) for a in self.spans for b in other.spans)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one piece of evidence adds to a family; `counts` if it is its group's largest."""

    evidence: Evidence
    value: float
    counts: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a family stands: its probability and every contribution, largest first."""

    family: str
    log_odds: float
    probability: float
    contributions: tuple[Contribution, ...]
    by_modality: Mapping[Modality, float]

    @property
    def supports(self) -> tuple[str, ...]:
        """Ids of the clues that speak for the family, the strongest first."""
        return _ids(c for c in self.contributions if c.value >= WORTH_CITING)

    @property
    def contradicts(self) -> tuple[str, ...]:
        """Ids of the clues that speak against it, the strongest first."""
        return _ids(c for c in reversed(self.contributions) if c.value <= -WORTH_CITING)

    @property
    def strongest(self) -> Evidence | None:
        """The evidence that speaks most for the family, if any does."""
        return next((c.evidence for c in self.contributions if c.value > 0), None)

    @property
    def channels(self) -> frozenset[Channel]:
        """Channels (seen, heard, said) whose clues together speak for the family."""
        total: dict[Channel, float] = {}
        for modality, value in self.by_modality.items():
            channel = channel_of(modality)
            total[channel] = total.get(channel, 0.0) + value
        return frozenset(channel for channel, value in total.items() if value > 0.05)

    @property
    def support(self) -> float:
        """Sum of the log-odds that speak for it, after correlated cues are grouped."""
        return math.fsum(c.value for c in self.contributions if c.counts and c.value > 0)


def weigh(readings: Sequence[Reading], by: Weighting = DEFAULT_WEIGHTING) -> tuple[Standing, ...]:
    """Return the standing of every family, the most probable first."""
    evidence = gather(readings)
    standings = (_standing(family, evidence, by) for family in lexicon().families)
    return tuple(sorted(standings, key=lambda s: (-s.log_odds, s.family)))


def gather(readings: Sequence[Reading]) -> tuple[Evidence, ...]:
    """Return the evidence of all readings: single cues, then combinations."""
    cues = lexicon().cues
    single = [
        Evidence(
            cue=mention.cue,
            group=cues[mention.cue].group,
            modality=reading.clue.modality,
            clue_ids=(reading.clue.id,),
            negated=mention.negated,
            weight=reading.reliability * mention.strength,
            reliability=reading.reliability,
            spans=_spans([reading.clue]),
            described=is_described(reading.clue),
        )
        for reading in readings
        for mention in reading.mentions
    ]
    clues = {reading.clue.id: reading.clue for reading in readings}
    together = [
        Evidence(
            cue=combo,
            group=combo,
            modality=modality,
            clue_ids=ids,
            negated=False,
            weight=weight,
            reliability=0.0,
            spans=_spans(clues[id] for id in ids),
            described=any(is_described(clues[id]) for id in ids),
        )
        for combo, modality, ids, weight in combined_cues(readings)
    ]
    return tuple(single + together)


def arousal(standing: Standing) -> float:
    """Return the arousal in [-1, 1] that the counted evidence for a family displays."""
    table = lexicon().arousal
    pairs = [
        (c.evidence.weight, table[c.evidence.cue])
        for c in standing.contributions
        if c.value > 0 and not c.evidence.negated and c.evidence.cue in table
    ]
    total = math.fsum(weight for weight, _ in pairs)
    return math.fsum(w * a for w, a in pairs) / total if total else 0.0


def _standing(family: str, evidence: Sequence[Evidence], by: Weighting) -> Standing:
    contributions = _contributions(family, evidence, by)
    sums: dict[Modality, float] = {}
    for modality in MODALITIES:
        own = [c.value for c in contributions if c.counts and c.evidence.modality == modality]
        if own:
            sums[modality] = max(-CAP, min(CAP, math.fsum(own)))
    log_odds = PRIOR + math.fsum(sums.values())
    probability = round(1 / (1 + math.exp(-log_odds / TEMPERATURE)), 4)
    return Standing(family, round(log_odds, 6), probability, contributions, sums)


def _contributions(
    family: str, evidence: Sequence[Evidence], by: Weighting
) -> tuple[Contribution, ...]:
    valued = [(_value(item, by.log_odds(item.cue, family)), item) for item in evidence]
    favour = _largest_count([pair for pair in valued if pair[0] > 0])
    against = _largest_count([pair for pair in valued if pair[0] < 0 and _bears(pair[1], favour)])
    return tuple(sorted(favour + against, key=lambda c: (-c.value, *_key(c.evidence))))


def _largest_count(valued: list[tuple[float, Evidence]]) -> list[Contribution]:
    """Return the contributions, of which the largest of each correlated group counts."""
    seen: set[str] = set()
    found = []
    for value, item in sorted(valued, key=lambda pair: (-abs(pair[0]), *_key(pair[1]))):
        found.append(Contribution(item, value, counts=item.group not in seen))
        seen.add(item.group)
    return found


def _bears(item: Evidence, favour: Sequence[Contribution]) -> bool:
    """Tell whether evidence against a family holds when what speaks most for it does."""
    return not favour or item.meets(favour[0].evidence)


def _key(item: Evidence) -> tuple[str, tuple[str, ...]]:
    return (item.cue, item.clue_ids)


def _value(item: Evidence, weight: float) -> float:
    """Return the signed log-odds; denying a cue is weak evidence, and only against."""
    if not item.negated:
        return item.weight * weight
    return -DENIAL * item.weight * weight if weight > 0 else 0.0


def _spans(clues: Iterable[Clue]) -> tuple[Span, ...]:
    return tuple(clue.span for clue in clues if clue.span is not None)


def _ids(contributions: Iterable[Contribution]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(i for c in contributions for i in c.evidence.clue_ids))


CLEAR = 0.7
"""Log-odds from which a channel counts as pointing somewhere (chosen by us)."""
POLAR = 0.4
"""Valence from which a family counts as pleasant or unpleasant (chosen by us)."""

CHANNEL_WORDS: dict[Channel, str] = {"visual": "seen", "audio": "heard", "text": "said"}


@dataclass(frozen=True, slots=True)
class ChannelLead:
    """The polar family that one channel points to most, and the clues that do so."""

    channel: Channel
    modality: Modality
    standing: Standing
    clue_ids: tuple[str, ...]

    @property
    def valence(self) -> float:
        """Valence of the family."""
        return lexicon().families[self.standing.family].valence


def find_disputes(standings: Sequence[Standing]) -> tuple[tuple[ChannelLead, ChannelLead], ...]:
    """Return the pairs of channels that point to families of opposite valence."""
    pulls = [pull for channel in CHANNELS if (pull := _pull(channel, standings))]
    return tuple((one, two) for one, two in combinations(pulls, 2) if one.valence * two.valence < 0)


def conflict_records(disputes: Sequence[tuple[ChannelLead, ChannelLead]]) -> tuple[Conflict, ...]:
    """Return the disputes as records, with both readings and their clues."""
    return tuple(_conflict(one, two) for one, two in disputes)


def disputed_families(disputes: Sequence[tuple[ChannelLead, ChannelLead]]) -> frozenset[str]:
    """Return the families that a dispute is about."""
    return frozenset(pull.standing.family for pair in disputes for pull in pair)


def _conflict(one: ChannelLead, two: ChannelLead) -> Conflict:
    text = load("rules/conflict").substitute(
        left=CHANNEL_WORDS[one.channel],
        left_label=lexicon().head(one.standing.family),
        right=CHANNEL_WORDS[two.channel],
        right_label=lexicon().head(two.standing.family),
    )
    ids = tuple(dict.fromkeys((*one.clue_ids, *two.clue_ids)))
    return Conflict(left=one.modality, right=two.modality, text=text, clue_ids=ids)


def _pull(channel: Channel, standings: Sequence[Standing]) -> ChannelLead | None:
    """Return where a channel points, or None where it points nowhere in particular."""
    families = lexicon().families
    polar = [s for s in standings if abs(families[s.family].valence) >= POLAR]
    best = max(polar, key=lambda s: (_in_channel(s, channel), s.family), default=None)
    if best is None or _in_channel(best, channel) < CLEAR:
        return None
    own = [
        c for c in best.contributions if c.value > 0 and channel_of(c.evidence.modality) == channel
    ]
    ids = tuple(dict.fromkeys(i for c in own for i in c.evidence.clue_ids))
    return ChannelLead(channel, own[0].evidence.modality, best, ids[:3])


def _in_channel(standing: Standing, channel: Channel) -> float:
    own = (m for m in MODALITIES if channel_of(m) == channel)
    return math.fsum(standing.by_modality.get(m, 0.0) for m in own)


RAISES = frozenset({"brow_raise", "inner_brow_raise", "outer_brow_raise"})
FROWNS = frozenset({"brow_furrow"})
A_WORD = 1.25
"""Seconds up to which a frown can underline a word or two (chosen by us)."""
EMPHASIS = 0.5
"""What is left of a brow raise's strength while speaking (chosen by us)."""

_SPEAKING = re.compile(r"\bmouth moves as in speech\b")


def soften_speech_brows(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Return the readings with brow raises turned down where the same person speaks."""
    speech = [r for r in readings if _SPEAKING.search(r.clue.text)]
    return tuple(_softened(r) if _during(r, speech) else r for r in readings)


def _during(reading: Reading, speech: Sequence[Reading]) -> bool:
    span = reading.clue.span
    return span is not None and any(
        other.clue.span is not None
        and other.clue.person == reading.clue.person
        and other.clue.span.overlaps(span)
        for other in speech
    )


def _softened(reading: Reading) -> Reading:
    span = reading.clue.span
    beats = RAISES | FROWNS if span is not None and span.length <= A_WORD else RAISES
    return replace(reading, mentions=tuple(_beat(m, beats) for m in reading.mentions))


def _beat(mention: Mention, beats: frozenset[str]) -> Mention:
    if mention.cue not in beats:
        return mention
    return Mention(mention.cue, mention.negated, mention.strength * EMPHASIS)
