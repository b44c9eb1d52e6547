"""From a leaderboard to the tables that are shown of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from emer.evals.report.board import Board, Pair, Row
from emer.evals.report.columns import (
    CLOSED,
    CONFIDENCE,
    COSTS,
    EXPLANATIONS,
    HEADLINE,
    LABELS,
    Column,
)
from emer.evals.report.tables import Group, Table
from emer.evals.systems.system import Input

HEADINGS: Mapping[Input, str] = {
    "nothing": "Floors: look at nothing",
    "clip": "On the clip itself",
    "human clues": "On human clues",
    "human clues, masked": "On human clues, masked",
    "subtitle": "On the words alone",
}
READING = (
    "F of mean precision and mean recall, in percent. Rows of different inputs do not compare: "
    "human clues (oracle perception) are what people wrote of the clip, who had perceived it "
    "already; masked, their emotion words are taken out."
)


def tables(board: Board) -> list[Table]:
    """Return every table that has rows."""
    found = [labels(board), closed(board), explanations(board), confidence(board), costs(board)]
    found.append(differences(board))
    return [table for table in found if not table.empty]


def labels(board: Board, columns: Sequence[Column] = LABELS) -> Table:
    """Return the leaderboard of label scores."""
    used = [c for c in columns if any(c.key in row.scores for row in board.rows)]
    main = next(c for c in HEADLINE if c.key == board.main)
    ahead, rest = [c for c in used if c in HEADLINE], [c for c in used if c not in HEADLINE]
    titles = ["system", *(c.title for c in ahead), f"{main.title} over the best floor"]
    titles += [*(c.title for c in rest), "empty"]
    groups = [
        Group(HEADINGS[given], [_labels_row(row, ahead, rest, main) for row in rows])
        for given, rows in board.groups.items()
    ]
    return Table("Open-vocabulary labels", READING, titles, groups, tuple(_notes(board)))


def closed(board: Board) -> Table:
    """Return the table of scores against one class, or a sentiment, per clip."""
    lead = (
        "Hit: any label has the human label's level-1 class, mean over the wheels; a hit is "
        "cheap with many labels, which hits per class named shows. Weighted F1: one class a clip."
    )
    return _scores("One class per clip, and sentiment", lead, board, CLOSED)


def explanations(board: Board) -> Table:
    """Return the table of what explanations state and rest on."""
    lead = (
        "Cues: the signs that an explanation names, against those of the human one; a cue that "
        "people did not write down counts as invented, though it may be in the clip. On human "
        "clues an explanation repeats what people wrote, so that cues say little there."
    )
    if any("clue_overlap" in row.scores for row in board.rows):
        lead += f" Overlaps run from 1 to 10 and are those of judge={board.judge} alone."
    return _scores("Explanations", lead, board, EXPLANATIONS)


def confidence(board: Board) -> Table:
    """Return the table of calibration and of the probes of evidence."""
    lead = (
        "Right: the first label's level-1 class on wheel 1 is among the human ones. The probes "
        "spoil the evidence of the first label: its claim should move the way the title says."
    )
    return _scores("Confidence, and evidence that is spoilt", lead, board, CONFIDENCE)


def costs(board: Board) -> Table:
    """Return the table of what answers took, of systems that were run here."""
    return _scores("Cost", "Per clip, on this machine.", board, COSTS)


def differences(board: Board) -> Table:
    """Return the paired differences; bold where the interval leaves out zero."""
    titles = ["left minus right", *(c.title for c in HEADLINE)]
    rows = [_pair_row(pair) for pair in board.pairs]
    lead = "On the same clips, in points; * marks an interval that leaves out zero."
    return Table("Differences", lead, titles, [Group("", rows)])


def _labels_row(
    row: Row, ahead: Sequence[Column], rest: Sequence[Column], main: Column
) -> list[str]:
    empty = str(row.counts["empty"])
    if row.counts["failed"]:
        empty += f" ({row.counts['failed']} failed)"
    return [
        _name(row),
        *(column.cell(row.scores.get(column.key)) for column in ahead),
        main.cell(row.over_floor, signed=True),
        *(column.cell(row.scores.get(column.key)) for column in rest),
        empty,
    ]


def _name(row: Row) -> str:
    return f"{row.card.name} †" if row.spam else row.card.name


def _scores(title: str, lead: str, board: Board, columns: Sequence[Column]) -> Table:
    """Return a table of the columns that any row has, with the rows that have any of them."""
    used = [c for c in columns if any(c.key in row.scores for row in board.rows)]
    groups = []
    for given, rows in board.groups.items():
        having = [row for row in rows if any(c.key in row.scores for c in used)]
        cells = [[row.card.name, *(c.cell(row.scores.get(c.key)) for c in used)] for row in having]
        groups.append(Group(HEADINGS[given], cells))
    return Table(title, lead, ["system", *(c.title for c in used)], groups)


def _pair_row(pair: Pair) -> list[str]:
    name = f"{pair.left} - {pair.right}" + ("" if pair.same_input else " (other input)")
    cells = []
    for column in HEADLINE:
        estimate = pair.scores.get(column.key)
        mark = " *" if estimate is not None and estimate.resolved else ""
        cells.append(column.cell(estimate, signed=True) + mark)
    return [name, *cells]


def _notes(board: Board) -> Iterator[str]:
    yield board.method + "."
    yield f"People gave {board.human_labels:.2f} labels per clip."
    if any(row.spam for row in board.rows):
        yield "† gives many more labels than people do: recall bought with quantity."
    yield "An empty answer scores 0; labels that the lexicon lacks are dropped, as officially."
    yield from board.notes
