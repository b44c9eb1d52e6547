"""Evidence fusion: log-odds of emotion families, and disputes between channels.

Each family is a question of its own (a clip may display two): a flat prior plus
reliability * strength * weight, the largest of each correlated group, one modality's sum
capped, through a logistic function. Weights are in `lexicon/weights.csv`, unless a
`Weighting` replaces them.

A loud, high, fast voice tells arousal first (Scherer 2003): what it adds to families that the
words do not speak for, and takes from those that they do, counts for less where they are clear.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from emer.agents.lexicon.cue_parser import Reading, combined_cues, is_described
from emer.agents.lexicon.lexicon import (
    CHANNELS,
    DEFAULT_WEIGHTING,
    Channel,
    Weighting,
    channel_of,
    lexicon,
)
from emer.agents.questions.person_focus import by_person
from emer.agents.types import Conflict
from emer.prompts.prompt import Language, load, term
from emer.tools.types import MODALITIES, Clue, Modality, Span

PRIOR = -1.2
"""Log-odds of a family before any clue (chosen by us).

People who describe a face freely name about three of the dozen kinds of emotion that they
distinguish.
"""
CAP = 2.5
"""Most log-odds by which one modality may move a family (chosen by us)."""
TEMPERATURE = 1.15
"""Softens the probabilities: cues of one expression are never quite independent."""
WORTH_CITING = 0.1
"""Log-odds from which a clue is cited for or against a family (chosen by us)."""
MOMENT = 1.0
"""Seconds within which a clue can speak against another one (chosen by us).

A smile at the end of a clip does not contradict the tears at its beginning.
"""
DENIAL = 0.5
"""Weight of a denied cue against a family, as a share of the cue's weight for it."""
CLEAR = 0.7
"""Log-odds from which a channel counts as pointing to a family (chosen by us)."""
POLAR = 0.4
"""Valence from which a family counts as pleasant or unpleasant (chosen by us)."""
CHANNEL_WORDS: dict[Channel, str] = {"visual": "seen", "audio": "heard", "text": "said"}

AROUSAL = frozenset(
    {"loud", "shout", "pitch_up", "pitch_jump", "fast", "varied", "tense_sharp", "urgent",
     "emphasis", "voice_high_arousal"}
)  # fmt: skip
"""Cues of a voice that is high in arousal, whatever the emotion."""
WORDED = 0.5
"""Factor on them for and against families, where words tell which one it is (by us)."""
SAID = 0.4
"""Log-odds of the words from which they speak for a family (chosen by us)."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A cue (or a combination) with the clues that state it.

    Args:
        cue: Its key in the lexicon.
        group: Of correlated cues only the largest counts.
        modality: The modality whose sum it goes into.
        clue_ids: The clues that state it.
        negated: It is denied.
        weight: Reliability times strength.
        spans: When its clues hold; a clue without a span holds throughout.
        described: It rests on a model's description of a picture.
    """

    cue: str
    group: str
    modality: Modality
    clue_ids: tuple[str, ...]
    negated: bool
    weight: float
    spans: tuple[Span, ...] = ()
    described: bool = False

    def meets(self, other: Evidence) -> bool:
        """True if the two can hold at one moment, give or take `MOMENT` seconds."""
        return all(a.overlaps(b, MOMENT) for a in self.spans for b in other.spans)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What evidence adds to a family; `counts` if it is its group's largest."""

    evidence: Evidence
    value: float
    counts: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A family's probability and every contribution to it, the largest first."""

    family: str
    log_odds: float
    probability: float
    contributions: tuple[Contribution, ...]
    by_modality: Mapping[Modality, float]

    @property
    def supports(self) -> tuple[str, ...]:
        """Ids of the clues for the family, the strongest first."""
        return _ids(c for c in self.contributions if c.value >= WORTH_CITING)

    @property
    def contradicts(self) -> tuple[str, ...]:
        """Ids of the clues against it, the strongest first."""
        return _ids(c for c in reversed(self.contributions) if c.value <= -WORTH_CITING)

    @property
    def strongest(self) -> Evidence | None:
        """The strongest evidence for the family."""
        return next((c.evidence for c in self.contributions if c.value > 0), None)

    @property
    def channels(self) -> frozenset[Channel]:
        """Channels whose clues together speak for the family."""
        return frozenset(channel for channel in CHANNELS if _in_channel(self, channel) > 0.05)

    @property
    def support(self) -> float:
        """Sum of the log-odds for it, after correlated cues are grouped."""
        return math.fsum(c.value for c in self.contributions if c.counts and c.value > 0)


@dataclass(frozen=True, slots=True)
class ChannelLead:
    """The polar family that one channel points to most, and the clues for it."""

    channel: Channel
    modality: Modality
    standing: Standing
    clue_ids: tuple[str, ...]


Dispute = tuple[ChannelLead, ChannelLead]
"""Two channels that point to families of opposite valence."""


def weigh(
    readings: Sequence[Reading], weighting: Weighting = DEFAULT_WEIGHTING
) -> tuple[Standing, ...]:
    """The standing of every family, the most probable first.

    Each rests on one person's clues, and on those about no one in particular: on those of the
    person who shows most of it.
    """
    parts = by_person(readings)
    evidence = {  # sorted among equal values
        own: sorted(gather(part), key=lambda e: (e.cue, e.clue_ids)) for own, part in parts.items()
    }
    wording = {own: _wording(items, weighting) for own, items in evidence.items()}
    first = sorted(parts, key=lambda own: (-_amount(parts[own]), sorted(own)))

    def standing(family: str) -> Standing:
        of_each = [
            (own, _standing(family, evidence[own], wording[own], weighting)) for own in first
        ]
        return max(of_each, key=lambda each: _own_support(*each))[1]

    standings = map(standing, lexicon().families)
    return tuple(sorted(standings, key=lambda s: (-s.log_odds, s.family)))


def _amount(readings: Sequence[Reading]) -> float:
    """Reliability times strength of all that is stated."""
    return math.fsum(r.reliability * m.strength for r in readings for m in r.mentions)


def _own_support(own: frozenset[str], standing: Standing) -> float:
    """Log-odds for the family by a person's own clues."""
    return math.fsum(
        c.value
        for c in standing.contributions
        if c.counts and c.value > 0 and not own.isdisjoint(c.evidence.clue_ids)
    )


def gather(readings: Sequence[Reading]) -> tuple[Evidence, ...]:
    """The evidence of all readings: single cues, then combinations."""
    cues = lexicon().cues
    single = [
        Evidence(
            cue=mention.cue,
            group=cues[mention.cue].group,
            modality=reading.clue.modality,
            clue_ids=(reading.clue.id,),
            negated=mention.negated,
            weight=reading.reliability * mention.strength,
            spans=_spans([reading.clue]),
            described=is_described(reading.clue),
        )
        for reading in readings
        for mention in reading.mentions
    ]
    clues = {reading.clue.id: reading.clue for reading in readings}
    combined = [
        Evidence(
            cue=combo.key,
            group=combo.key,
            modality=combo.modality,
            clue_ids=combo.clue_ids,
            negated=False,
            weight=combo.weight,
            spans=_spans(clues[id] for id in combo.clue_ids),
            described=any(is_described(clues[id]) for id in combo.clue_ids),
        )
        for combo in combined_cues(readings)
    ]
    return (*single, *combined)


def arousal(standing: Standing) -> float:
    """Mean arousal in [-1, 1] of the evidence for a family, by weight."""
    table = lexicon().arousal
    pairs = [
        (c.evidence.weight, table[c.evidence.cue])
        for c in standing.contributions
        if c.value > 0 and not c.evidence.negated and c.evidence.cue in table
    ]
    total = math.fsum(weight for weight, _ in pairs)
    return math.fsum(w * a for w, a in pairs) / total if total else 0.0


def find_disputes(standings: Sequence[Standing]) -> tuple[Dispute, ...]:
    """Pairs of channels that point to families of opposite valence."""
    families = lexicon().families
    leads = [lead for channel in CHANNELS if (lead := _lead(channel, standings))]
    valences = [families[lead.standing.family].valence for lead in leads]
    pairs = combinations(zip(leads, valences, strict=True), 2)
    return tuple((one, two) for (one, a), (two, b) in pairs if a * b < 0)


def conflict_records(disputes: Sequence[Dispute]) -> tuple[Conflict, ...]:
    """The disputes as records, with both readings and their clues."""
    return tuple(
        Conflict(
            left=one.modality,
            right=two.modality,
            text=dispute_text("conflict", one, two),
            clue_ids=dispute_ids(one, two),
        )
        for one, two in disputes
    )


def dispute_text(
    template: str, one: ChannelLead, two: ChannelLead, language: Language = "en"
) -> str:
    """The template's sentence on two channels and the families they point to."""
    return load(f"rules/{language}/{template}").substitute(
        left=term(CHANNEL_WORDS[one.channel], language),
        left_label=lexicon().label_in(one.standing.family, language),
        right=term(CHANNEL_WORDS[two.channel], language),
        right_label=lexicon().label_in(two.standing.family, language),
    )


def dispute_ids(one: ChannelLead, two: ChannelLead) -> tuple[str, ...]:
    """The clues of both sides, each once."""
    return tuple(dict.fromkeys((*one.clue_ids, *two.clue_ids)))


@dataclass(frozen=True, slots=True)
class _Wording:
    """What words speak for: log-odds by family, and the evidence of clear words."""

    families: Mapping[str, float]
    evidence: tuple[Evidence, ...]

    def factor(self, family: str, item: Evidence, value: float) -> float:
        """Factor on a contribution of an aroused voice."""
        speaks_for = self.families.get(family, 0.0) >= SAID
        if item.cue not in AROUSAL or speaks_for == (value > 0):
            return 1.0
        return WORDED if any(item.meets(words) for words in self.evidence) else 1.0


def _wording(evidence: Sequence[Evidence], weighting: Weighting) -> _Wording:
    said = [item for item in evidence if item.modality == "text" and not item.negated]
    families: dict[str, float] = {}
    for family in lexicon().families:
        valued = [(_value(item, weighting.log_odds(item.cue, family)), item) for item in said]
        counted = (_grouped(p for p in valued if (p[0] > 0) == sign) for sign in (True, False))
        families[family] = math.fsum(c.value for part in counted for c in part if c.counts)
    most = max(families, key=lambda family: families[family])
    clear = [item for item in said if weighting.log_odds(item.cue, most) > 0]
    return _Wording(families, tuple(clear) if families[most] >= CLEAR else ())


def _standing(
    family: str, evidence: Sequence[Evidence], wording: _Wording, weighting: Weighting
) -> Standing:
    contributions = _contributions(family, evidence, wording, weighting)
    sums: dict[Modality, float] = {}
    for modality in MODALITIES:
        values = [c.value for c in contributions if c.counts and c.evidence.modality == modality]
        if values:
            sums[modality] = max(-CAP, min(CAP, math.fsum(values)))
    log_odds = PRIOR + math.fsum(sums.values())
    probability = round(1 / (1 + math.exp(-log_odds / TEMPERATURE)), 4)
    return Standing(family, round(log_odds, 6), probability, contributions, sums)


def _contributions(
    family: str, evidence: Sequence[Evidence], wording: _Wording, weighting: Weighting
) -> tuple[Contribution, ...]:
    full = [(_value(item, weighting.log_odds(item.cue, family)), item) for item in evidence]
    valued = [(value * wording.factor(family, item, value), item) for value, item in full]
    supporting = _grouped((value, item) for value, item in valued if value > 0)
    # Evidence against a family bears on it only when its strongest support holds.
    opposing = _grouped(
        (value, item)
        for value, item in valued
        if value < 0 and (not supporting or item.meets(supporting[0].evidence))
    )
    return tuple(sorted(supporting + opposing, key=lambda c: -c.value))


def _grouped(valued: Iterable[tuple[float, Evidence]]) -> list[Contribution]:
    """Contributions, the largest first; the first of each correlated group counts."""
    groups: set[str] = set()
    contributions = []
    for value, item in sorted(valued, key=lambda pair: -abs(pair[0])):
        contributions.append(Contribution(item, value, counts=item.group not in groups))
        groups.add(item.group)
    return contributions


def _value(item: Evidence, weight: float) -> float:
    """Signed log-odds; denying a cue is weak evidence, and only against."""
    if not item.negated:
        return item.weight * weight
    return -DENIAL * item.weight * weight if weight > 0 else 0.0


def _lead(channel: Channel, standings: Sequence[Standing]) -> ChannelLead | None:
    """Where a channel points; None where it is not clear."""
    families = lexicon().families
    candidates = [s for s in standings if abs(families[s.family].valence) >= POLAR]
    best = max(candidates, key=lambda s: (_in_channel(s, channel), s.family), default=None)
    if best is None or _in_channel(best, channel) < CLEAR:
        return None
    supporting = (c for c in best.contributions if c.value > 0)
    of_channel = [c for c in supporting if channel_of(c.evidence.modality) == channel]
    return ChannelLead(channel, of_channel[0].evidence.modality, best, _ids(of_channel)[:3])


def _in_channel(standing: Standing, channel: Channel) -> float:
    modalities = (m for m in MODALITIES if channel_of(m) == channel)
    return math.fsum(standing.by_modality.get(m, 0.0) for m in modalities)


def _spans(clues: Iterable[Clue]) -> tuple[Span, ...]:
    return tuple(clue.span for clue in clues if clue.span is not None)


def _ids(contributions: Iterable[Contribution]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(i for c in contributions for i in c.evidence.clue_ids))
