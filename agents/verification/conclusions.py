"""Claims of a sentence about emotions, held against the weight of the cited clues."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

from emer.agents.lexicon.cue_parser import read
from emer.agents.lexicon.lexicon import WORD_CUES, Weighting, lexicon
from emer.agents.questions.person_focus import people_in
from emer.agents.rules.fusion import CLEAR, Standing, weigh
from emer.agents.rules.labels import band
from emer.agents.types import Band
from emer.agents.verification.carriers import Carrier
from emer.agents.verification.claims import Claim, Problem
from emer.agents.verification.reader import Item
from emer.agents.verification.vocabulary import families_of
from emer.tools.types import Clue

Stance = Literal["for", "against", "not", "open", "unclear"]
"""For, against, denied, set aside with a hedge, or not to be read."""
BANDS: tuple[Band, ...] = ("low", "medium", "high")
EXTREME, NEARLY = 0.6, 0.05
"""Intensity from which a word is an extreme, and by which it may be missed (by us)."""
GLOSSES: Mapping[str, tuple[str, ...]] = {
    "polite": ("smile_social", "smile"),
    "concentration": ("brow_furrow", "eyes_narrow", "gaze_fixed", "gaze_down", "lips_pressed"),
    "emphasis": ("brow_raise", "inner_brow_raise", "outer_brow_raise", "brow_furrow", "emphasis"),
    "attention": ("camera", "gaze_fixed"),
}
"""Readings that are no emotions, with the cues of which one must be stated."""
_QUIET = ("calm", "serious", "tired")
"""Families that little movement speaks for."""
_DISPLAYED_FROM = 3
"""Degree from which an adverb at an emotion word says more than a reading can."""


@dataclass
class Ground:
    """What conclusions rest on.

    Args:
        weighting: The log-odds of cues.
        clues: All clues of the clip.
        bands: Band of each label of the explanation, by family.
    """

    weighting: Weighting
    clues: Sequence[Clue] = ()
    bands: Mapping[str, Band] = field(default_factory=dict)
    _whole: dict[str, Standing] | None = None

    def standings(self, clues: Sequence[Clue]) -> dict[str, Standing]:
        """The standing of every family on some clues."""
        return {s.family: s for s in weigh(read(clues), self.weighting)}

    @property
    def whole(self) -> dict[str, Standing]:
        """The standing of every family on all clues of the clip."""
        if self._whole is None:
            self._whole = self.standings(self.clues)
        return self._whole


def are_several(clues: Sequence[Clue]) -> bool:
    """True if clues are about different people; those of no one go with any."""
    return any(not one.may_be(other) for one, other in combinations(people_in(clues), 2))


def check_emotions(
    claim: Claim, carriers: Sequence[Carrier], ground: Ground, *, hedged: bool
) -> Iterator[Problem]:
    """Problems of a claim's emotion words, glosses and confidence."""
    yield from _glosses(claim, carriers, hedged)
    emotions = claim.of("emotion")
    if not emotions:
        return
    clues = [carrier.clue for carrier in _of_claim(claim, carriers)]
    if are_several(clues):
        yield Problem("unsupported", "it rests on clues of different people")
        return
    standings = ground.standings(clues)
    for emotion in emotions:
        families = families_of(emotion.value)
        stance = _stance(claim, emotion, hedged)
        problems = [
            next(on_family(standings[family], stance, emotion.value, ground), None)
            for family in families
        ]
        first = problems[0] if problems else Problem("unsupported", "it names no known emotion")
        if all(problem is not None for problem in problems) and first is not None:
            yield first
    for degree in claim.of("degree"):
        near = claim.nearest(degree)
        if near in emotions and _says_more(claim, degree, near, hedged=hedged):
            yield Problem("unsupported", "it is more certain or stronger than a reading can be")
    yield from _bands(claim, standings, ground)


def check_unclear(claim: Claim, carriers: Sequence[Carrier], ground: Ground) -> Iterator[Problem]:
    """Problems of "no clear emotion": its clues must not speak for one."""
    if any(item.value == "unclear" for item in claim.of("open")):
        standings = ground.standings([carrier.clue for carrier in carriers])
        moved = [s for s in standings.values() if s.family not in _QUIET]
        if any(standing.support >= CLEAR for standing in moved):
            yield Problem("unsupported", "its clues speak for an emotion")


def _says_more(claim: Claim, degree: Item, emotion: Item, *, hedged: bool) -> bool:
    """True for a degree that no clue can carry, unless against or denied."""
    is_strong = int(degree.value) >= _DISPLAYED_FROM and not (hedged and degree.text == "很")
    return is_strong and _stance(claim, emotion, hedged) not in ("against", "not")


def _of_claim(claim: Claim, carriers: Sequence[Carrier]) -> list[Carrier]:
    """The clues of the person and channel that a claim names; else all."""
    channels = {item.value for item in claim.of("channel")}
    named = [c for c in carriers if not claim.person or c.person in (None, claim.person)]
    narrowed = [c for c in named if not channels or c.channel in channels]
    return narrowed if channels and not claim.of("hit", "cue", "verbatim") else named


def _stance(claim: Claim, emotion: Item, hedged: bool) -> Stance:
    """How a claim speaks of an emotion, by the words before it or "is not shown"."""
    if any(item.value == "denied" for item in claim.of("against")):
        return "unclear" if claim.of("deny") else "not"
    words = [item for item in claim.of("for", "against", "deny") if item.end <= emotion.start]
    denied = emotion in claim.denied
    kinds = [item.kind if item.value != "contrast" else "contrast" for item in words]
    if denied:
        return "unclear" if "against" in kinds or "contrast" in kinds else "not"
    stances = [kind for kind in kinds if kind != "deny"]
    last = stances[-1] if stances else "for"
    if "deny" in kinds and not claim.of("hit", "cue", "seen"):
        return "not" if last == "for" else "unclear"
    if last == "contrast":
        return "open" if hedged else "against"
    return "against" if last == "against" else "for"


def on_family(standing: Standing, stance: Stance, word: str, ground: Ground) -> Iterator[Problem]:
    """Problems of an emotion word, by what its clues say of its family."""
    name = lexicon().label_of(standing.family)
    supported, contradicted = bool(standing.supports), bool(standing.contradicts)
    if stance == "unclear":
        yield Problem("unsupported", f"it is not clear whether it speaks for {name}")
    if stance == "for" and not supported:
        yield Problem(
            "contradicted" if contradicted else "unsupported", f"its clues do not speak for {name}"
        )
    if stance == "for" and supported and not _fits_word(word, standing, ground):
        yield Problem("unsupported", f"its clues are too weak for {word}")
    if stance == "against" and not contradicted:
        yield Problem("unsupported", f"its clues do not speak against {name}")
    if stance == "not" and supported and not contradicted:
        yield Problem("contradicted", f"its clues speak for {name}")


def _fits_word(word: str, standing: Standing, ground: Ground) -> bool:
    """True unless a word says more than its family and its cues are not stated.

    An extreme ("furious") needs that intensity on all clues of the clip, a shade ("proud")
    one of its own cues.
    """
    rows = [label for label in lexicon().labels if label.family == standing.family]
    rows = [row for row in rows if word in (row.name, *row.words, *row.words_zh)]
    plain = lexicon().label_of(standing.family)
    whole = ground.whole.get(standing.family, standing) if ground.clues else standing
    intensity = 1 - math.exp(-max(standing.support, whole.support) / 1.6)
    stated = {
        c.evidence.cue
        for c in (*standing.contributions, *whole.contributions)
        if not c.evidence.negated
    }
    named = stated & {prefix + standing.family for prefix in WORD_CUES}
    return not rows or any(
        (row.low < EXTREME or intensity >= row.low - NEARLY)
        and (row.graded or row.name == plain or bool(named or stated & {*row.cues}))
        for row in rows
    )


def _bands(claim: Claim, standings: Mapping[str, Standing], ground: Ground) -> Iterator[Problem]:
    """Problems of a confidence above that of the label and of the clues."""
    for item in claim.of("band"):
        for emotion in claim.of("emotion"):
            held = [
                BANDS.index(of)
                for family in families_of(emotion.value)
                for of in _measured(family, standings, ground)
            ]
            if all(BANDS.index(item.value) > of for of in held):
                yield Problem("unsupported", f"the confidence in {emotion.value} is lower")


def _measured(family: str, standings: Mapping[str, Standing], ground: Ground) -> Iterator[Band]:
    if family in ground.bands:
        yield ground.bands[family]
        return
    yield band(standings[family])
    if ground.clues and family in ground.whole:
        yield band(ground.whole[family])


def _glosses(claim: Claim, carriers: Sequence[Carrier], hedged: bool) -> Iterator[Problem]:
    for gloss in claim.of("gloss"):
        needed = GLOSSES[gloss.value]
        stated = any(
            False in carrier.cues.get(cue, ()) or cue in carrier.seen
            for carrier in carriers
            for cue in needed
        )
        if not stated or not hedged:
            yield Problem("unsupported", f"its clues do not carry {gloss.value} as a reading")
