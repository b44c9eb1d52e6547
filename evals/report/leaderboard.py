"""The leaderboard: scores and differences of systems with intervals."""

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
"""More labels than this times the human number are marked (chosen by us)."""


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
    """All rows, grouped by input, and the requested differences."""

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
    """Judge of the clue and label overlaps, "" without any."""
    notes: tuple[str, ...] = ()
    times: int = TIMES
    seed: int = SEED

    @property
    def groups(self) -> dict[Input, list[Row]]:
        order: tuple[Input, ...] = ("nothing", *(i for i in INPUTS if i != "nothing"))
        groups = {i: [row for row in self.rows if row.card.input == i] for i in order}
        return {
            i: sorted(rows, key=lambda row: -np.nan_to_num(row.scores[self.main].value))
            for i, rows in groups.items()
            if rows
        }

    @property
    def method(self) -> str:
        """The method, in one sentence."""
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
    """Leaderboard; every interval rests on the same draws of clips.

    Args:
        ruler: Human labels of the clips.
        entries: Systems.
        pairs: Names of systems whose differences are shown.
        notes: Remarks below the tables.
        judge: Name of the judge.
        times: Draws of the bootstrap.

    """
    main, floor = ruler.main, _best_floor(entries, ruler.main)
    known = {entry.card.name: entry for entry in entries}
    compared = [(known[a], known[b]) for a, b in pairs if {a, b} <= known.keys()]
    statistics = _statistics(entries, compared, floor, main)
    estimates = estimate(statistics, len(ruler.names), times)
    human = float(np.mean([len(gold.labels) for gold in ruler.golds]))
    return Board(
        dataset=ruler.dataset,
        clips=len(ruler.names),
        edition=ruler.edition,
        main=main,
        grouping=ruler.grouping,
        human_labels=human,
        rows=tuple(_row(entry, estimates, human, main) for entry in entries),
        pairs=tuple(_pair(left, right, estimates) for left, right in compared),
        judge=judge,
        notes=tuple(notes),
        times=times,
    )


def _statistics(
    entries: Sequence[Entry], compared: Sequence[tuple[Entry, Entry]], floor: Entry | None,
    main: str,
) -> dict[str, Statistic]:  # fmt: skip
    statistics: dict[str, Statistic] = {}
    for entry in entries:
        for key, statistic in entry.scorecard.statistics.items():
            statistics[_key("score", entry, key)] = statistic
        if floor is not None and entry.card.input != "nothing":
            statistics[_key("floor", entry, main)] = _minus(entry, floor, main)
    for left, right in compared:
        for column in _shared(left, right):
            statistics[_key("pair", left, column.key, right)] = _minus(left, right, column.key)
    return statistics


def _key(kind: str, entry: Entry, score: str, other: Entry | None = None) -> str:
    systems = entry.card.name if other is None else f"{entry.card.name} - {other.card.name}"
    return f"{kind}\0{systems}\0{score}"


def _row(entry: Entry, estimates: Mapping[str, Estimate], human: float, main: str) -> Row:
    scores = {key: estimates[_key("score", entry, key)] for key in entry.scorecard.statistics}
    return Row(
        card=entry.card,
        scores=scores,
        counts=entry.scorecard.counts,
        over_floor=estimates.get(_key("floor", entry, main)),
        spam=entry.card.input != "nothing" and scores["labels"].value > SPAM * human,
    )


def _pair(left: Entry, right: Entry, estimates: Mapping[str, Estimate]) -> Pair:
    keys = [column.key for column in _shared(left, right)]
    return Pair(
        left=left.card.name,
        right=right.card.name,
        same_input=left.card.input == right.card.input,
        scores={key: estimates[_key("pair", left, key, right)] for key in keys},
    )


def _minus(left: Entry, right: Entry, key: str) -> Statistic:
    return Difference(left.scorecard.statistics[key], right.scorecard.statistics[key])


def _shared(left: Entry, right: Entry) -> list[Column]:
    both = left.scorecard.statistics.keys() & right.scorecard.statistics.keys()
    return [column for column in HEADLINE if column.key in both]


def _best_floor(entries: Sequence[Entry], main: str) -> Entry | None:
    floors = [entry for entry in entries if entry.card.input == "nothing"]
    return max(
        floors,
        key=lambda e: value(e.scorecard.statistics[main], e.scorecard.clips),
        default=None,
    )
