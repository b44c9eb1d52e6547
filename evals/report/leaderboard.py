"""The leaderboard: systems side by side, each score and difference with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emer.evals.metrics.bootstrap import (
    COVERAGE,
    SEED,
    TIMES,
    Difference,
    Estimate,
    Statistic,
    estimate,
    value,
)
from emer.evals.report.scorecard import HEADLINE, Column, Ruler, Scorecard
from emer.evals.systems.system import INPUTS, Card, Input, Prediction

SPAM = 1.25
"""More labels than this times the people's are marked: recall is cheap (chosen by us)."""


@dataclass(frozen=True)
class Entry:
    """A system's scorecard and the answers it was made from."""

    scorecard: Scorecard
    predictions: Sequence[Prediction]

    @property
    def card(self) -> Card:
        return self.scorecard.card


@dataclass(frozen=True)
class Row:
    """A system's scores, and how far its main score is above the best floor's."""

    card: Card
    scores: Mapping[str, Estimate]
    counts: Mapping[str, int]
    over_floor: Estimate | None
    spam: bool


@dataclass(frozen=True)
class Pair:
    """Two systems on the same clips: left minus right for each headline score."""

    left: str
    right: str
    same_input: bool
    scores: Mapping[str, Estimate]


@dataclass(frozen=True)
class Board:
    """All rows, grouped by input, and the differences asked for."""

    dataset: str
    clips: int
    edition: str
    grouping: str
    human_labels: float
    main: str
    """The key of the score that systems are ranked by."""
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    judge: str = ""
    """Whose clue and label overlaps are shown, "" if nobody's."""
    notes: tuple[str, ...] = ()
    times: int = TIMES
    seed: int = SEED

    @property
    def groups(self) -> dict[Input, list[Row]]:
        order: tuple[Input, ...] = ("nothing", *(i for i in INPUTS if i != "nothing"))
        found = {i: [r for r in self.rows if r.card.input == i] for i in order}
        return {
            i: sorted(rows, key=lambda r: -np.nan_to_num(r.scores[self.main].value))
            for i, rows in found.items()
            if rows
        }

    @property
    def method(self) -> str:
        """How the numbers were made, in one sentence."""
        return (
            f"n = {self.clips} clips of {self.dataset}; emotion-wheel lexicon: {self.edition}; "
            f"set-level grouping: {self.grouping}; in brackets {COVERAGE:.0%} intervals of a "
            f"paired bootstrap over clips ({self.times:,} draws, seed {self.seed})"
        )


def build(
    ruler: Ruler,
    entries: Sequence[Entry],
    pairs: Sequence[tuple[str, str]] = (),
    notes: Sequence[str] = (),
    judge: str = "",
    times: int = TIMES,
) -> Board:
    """Leaderboard; every interval rests on the same draws of clips."""
    main, floor = ruler.main, _best_floor(entries, ruler.main)
    known = {entry.card.name: entry for entry in entries}
    wanted = [(left, right) for left, right in pairs if {left, right} <= known.keys()]
    statistics: dict[tuple[str, str, str], Statistic] = {}
    for entry in entries:
        for key, statistic in entry.scorecard.statistics.items():
            statistics["score", entry.card.name, key] = statistic
        if floor is not None and entry.card.input != "nothing":
            statistics["floor", entry.card.name, main] = _minus(entry, floor, main)
    for left, right in wanted:
        for column in _shared(known[left], known[right]):
            difference = _minus(known[left], known[right], column.key)
            statistics["pair", f"{left} - {right}", column.key] = difference
    named = {"\0".join(key): statistic for key, statistic in statistics.items()}
    found = estimate(named, len(ruler.names), times)
    human = float(np.mean([len(gold.labels) for gold in ruler.golds]))
    return Board(
        dataset=ruler.dataset,
        clips=len(ruler.names),
        edition=ruler.edition,
        main=ruler.main,
        grouping=ruler.grouping,
        human_labels=human,
        rows=tuple(_row(entry, found, human, main) for entry in entries),
        pairs=tuple(_pair(known[left], known[right], found) for left, right in wanted),
        judge=judge,
        notes=tuple(notes),
        times=times,
    )


def _row(entry: Entry, found: Mapping[str, Estimate], human: float, main: str) -> Row:
    name, card = entry.card.name, entry.card
    scores = {k: found[f"score\0{name}\0{k}"] for k in entry.scorecard.statistics}
    return Row(
        card=entry.card,
        scores=scores,
        counts=entry.scorecard.counts,
        over_floor=found.get(f"floor\0{name}\0{main}"),
        spam=card.input != "nothing" and scores["labels"].value > SPAM * human,
    )


def _pair(left: Entry, right: Entry, found: Mapping[str, Estimate]) -> Pair:
    a, b = left.card.name, right.card.name
    return Pair(
        left=a,
        right=b,
        same_input=left.card.input == right.card.input,
        scores={c.key: found[f"pair\0{a} - {b}\0{c.key}"] for c in _shared(left, right)},
    )


def _minus(left: Entry, right: Entry, key: str) -> Statistic:
    return Difference(left.scorecard.statistics[key], right.scorecard.statistics[key])


def _shared(left: Entry, right: Entry) -> list[Column]:
    """Headline scores that both have."""
    both = left.scorecard.statistics.keys() & right.scorecard.statistics.keys()
    return [column for column in HEADLINE if column.key in both]


def _best_floor(entries: Sequence[Entry], main: str) -> Entry | None:
    floors = [entry for entry in entries if entry.card.input == "nothing"]
    return max(
        floors,
        key=lambda e: value(e.scorecard.statistics[main], e.scorecard.clips),
        default=None,
    )
