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
from emer.evals.report.scorecard import HEADLINE, Ruler, Scorecard
from emer.evals.systems.system import INPUTS, Card, Input

SPAM = 1.25
"""More labels than this times the human number are marked (chosen by us)."""
FLOOR = "the best floor"
HEADLINES = [column.key for column in HEADLINE]


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

    ruler: Ruler
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    judge: str = ""
    """Judge of the clue and label overlaps, "" without any."""
    notes: tuple[str, ...] = ()
    times: int = TIMES

    @property
    def groups(self) -> dict[Input, list[Row]]:
        order: tuple[Input, ...] = ("nothing", *(i for i in INPUTS if i != "nothing"))
        groups = {i: [row for row in self.rows if row.card.input == i] for i in order}
        return {
            i: sorted(rows, key=lambda row: -np.nan_to_num(row.scores[self.ruler.main].value))
            for i, rows in groups.items()
            if rows
        }

    @property
    def method(self) -> str:
        return (
            f"n = {len(self.ruler.golds)} clips of {self.ruler.dataset.name}; emotion-wheel "
            f"lexicon: {self.ruler.edition}; set-level grouping: {self.ruler.grouper.name}; in "
            f"brackets {COVERAGE:.0%} intervals of a paired bootstrap over clips "
            f"({self.times:,} draws, seed {SEED})"
        )


def build(
    ruler: Ruler,
    entries: Sequence[Scorecard],
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
    main = ruler.main
    known = {entry.card.name: entry for entry in entries}
    compared = [(known[a], known[b]) for a, b in pairs if {a, b} <= known.keys()]
    statistics = _statistics(entries, compared, main)
    estimates = estimate(statistics, len(ruler.golds), times)

    def row(entry: Scorecard) -> Row:
        card, name = entry.card, entry.card.name
        scores = {key: estimates[name, key] for key in entry.statistics}
        spam = card.input != "nothing" and scores["labels"].value > SPAM * ruler.human_labels
        return Row(card, scores, entry.counts, estimates.get((name, FLOOR, main)), spam)

    def pair(left: Scorecard, right: Scorecard) -> Pair:
        names = left.card.name, right.card.name
        scores = {key: estimates[*names, key] for key in HEADLINES if (*names, key) in estimates}
        return Pair(*names, left.card.input == right.card.input, scores)

    rows = tuple(row(entry) for entry in entries)
    differences = tuple(pair(left, right) for left, right in compared)
    return Board(ruler, rows, differences, judge, tuple(notes), times)


def _statistics(
    entries: Sequence[Scorecard], compared: Sequence[tuple[Scorecard, Scorecard]], main: str
) -> dict[tuple[str, ...], Statistic]:
    """Scores by system and key, differences by both systems (or `FLOOR`) and key."""
    floors = [entry for entry in entries if entry.card.input == "nothing"]
    floor = max(floors, key=lambda f: value(f.statistics[main], len(f.predictions)), default=None)
    statistics: dict[tuple[str, ...], Statistic] = {}
    for entry in entries:
        scores, name = entry.statistics, entry.card.name
        statistics |= {(name, key): statistic for key, statistic in scores.items()}
        if floor is not None and entry.card.input != "nothing":
            statistics[name, FLOOR, main] = Difference(scores[main], floor.statistics[main])
    for left, right in compared:
        ours, theirs = left.statistics, right.statistics
        for key in HEADLINES:
            if key in ours and key in theirs:
                names = left.card.name, right.card.name
                statistics[*names, key] = Difference(ours[key], theirs[key])
    return statistics
