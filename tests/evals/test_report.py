"""The leaderboard, and the report that is made of it."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib
import pytest

from emer.evals.data.datasets import read_set
from emer.evals.data.locations import DataFolder
from emer.evals.metrics.bootstrap import Estimate
from emer.evals.report.build import ReportSettings, produce
from emer.evals.report.leaderboard import Board, build
from emer.evals.report.measure import Job, measure, other_jobs, reasoner_jobs
from emer.evals.report.plots import intervals
from emer.evals.report.scorecard import Column, Ruler
from emer.evals.report.tables import Group, Report, Table, html, labels, markdown
from emer.evals.systems.baselines import constant, read_stored
from emer.evals.systems.oracle import OnHumanClues
from tests.fixtures.evals import datasets, plain_reasoner

PLAIN = plain_reasoner.Plain()


@pytest.fixture(scope="module")
def produced(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Return the report on the small data folder."""
    folder = DataFolder(datasets.write_folder(tmp_path_factory.mktemp("data")))
    settings = ReportSettings(folder.lexicon(), workers=1, times=200, against="good")
    return produce(read_set(folder), folder, OnHumanClues(PLAIN), settings)


def test_every_input_is_a_group_of_its_own(produced: Report) -> None:
    groups = {
        group: [row.card.name for row in rows] for group, rows in produced.board.groups.items()
    }
    assert list(groups) == ["nothing", "clip", "human clues", "human clues, masked", "subtitle"]
    assert groups["clip"] == ["good"]
    assert set(groups["human clues"]) == {"plain/full", "plain/full/zh"}
    assert "plain/masked/stepwise" in groups["human clues, masked"]
    assert groups["subtitle"] == ["plain/text only"]


def test_floors_are_in_the_tables_of_labels_and_of_explanations(produced: Report) -> None:
    for table in produced.tables[:3]:
        assert table.groups[0].heading == "Floors: look at nothing"
        assert table.groups[0].rows


def test_scores_and_differences_have_intervals(produced: Report) -> None:
    good = next(row for row in produced.board.rows if row.card.name == "good")
    assert good.scores["level1"].low < good.scores["level1"].value < good.scores["level1"].high
    assert good.over_floor is not None
    assert good.over_floor.low < good.over_floor.value
    pair = next(p for p in produced.board.pairs if p.left == "plain/full/zh" and p.right == "good")
    assert not pair.same_input
    assert any("(other input)" in row[0] for row in produced.tables[-1].groups[0].rows)


def test_probes_and_costs_are_those_of_our_reasoner(produced: Report) -> None:
    rows = {row.card.name: row.scores for row in produced.board.rows}
    assert {"deletion", "drop", "ece", "seconds"} <= rows["plain/masked"].keys()
    assert "seconds" not in rows["good"]
    assert rows["plain/masked"]["citations"].value == 1


def test_the_page_stands_alone(produced: Report) -> None:
    page = produced.page
    assert page.count("<svg") == 4
    assert not re.search(r"<(?:script|link|img|iframe)\b|@import|url\(http", page)
    assert not re.search(r"(?:src|href)=[\"'](?!#|data:)", page)
    assert "plain/masked" in produced.markdown
    assert "n = 8 clips of emer-v2" in page


def test_a_matplotlibrc_of_the_working_folder_changes_no_plot(
    produced: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could have LaTeX run."""
    before = intervals(produced.board)
    for name, value in (("text.usetex", True), ("lines.linewidth", 9.0), ("figure.dpi", 7.0)):
        monkeypatch.setitem(matplotlib.rcParams, name, value)
    assert intervals(produced.board) == before


def test_many_labels_are_marked(tmp_path: Path) -> None:
    folder = DataFolder(datasets.write_folder(tmp_path))
    dataset = read_set(folder)
    ruler = Ruler(dataset, folder.lexicon())
    everything = [("joy", "sorrow", "anger", "bliss", "rage")] * 8
    spam = read_stored(datasets.write_labels(tmp_path / "spam.csv", everything))
    honest = read_stored(tmp_path / "predictions" / "good.csv")
    jobs = [Job(constant(("joy",))), Job(spam), Job(honest)]
    board = build(ruler, measure(ruler, jobs), times=50)
    marks = {row.card.name: row.spam for row in board.rows}
    assert marks == {"constant: joy": False, "spam": True, "good": False}
    table = labels(board)
    assert any(row[0] == "spam †" for group in table.groups for row in group.rows)
    assert any("†" in note for note in table.notes)
    scores = next(r.scores for r in board.rows if r.card.name == "spam")
    assert scores["level1_first3"].value != scores["level1"].value


@pytest.mark.slow
def test_processes_give_what_one_gives(tmp_path: Path) -> None:
    folder = DataFolder(datasets.write_folder(tmp_path))
    dataset = read_set(folder)
    ruler = Ruler(dataset, folder.lexicon())
    jobs = other_jobs(dataset, folder)[:3]
    boards = [build(ruler, measure(ruler, jobs, workers=w), times=50) for w in (1, 2)]
    assert _values(boards[0]) == _values(boards[1])


def _values(board: Board) -> list[tuple[str, dict[str, Estimate]]]:
    return [(row.card.name, dict(row.scores)) for row in board.rows]


def test_a_reasoner_is_only_measured_on_clues_that_are_there(tmp_path: Path) -> None:
    datasets.write_folder(tmp_path)
    (tmp_path / "emer_v2.csv").unlink()
    dataset = read_set(DataFolder(tmp_path))
    assert reasoner_jobs(dataset, OnHumanClues(PLAIN)) == []
    assert any("there are no human clues" in note for note in dataset.notes)


def test_the_eighteen_stored_systems_and_the_six_baselines(shared: Path) -> None:
    folder = DataFolder(shared / "data" / "emer")
    found = produce(
        read_set(folder),
        folder,
        OnHumanClues(PLAIN),
        ReportSettings(folder.lexicon(), workers=1, times=100),
    )
    groups = found.board.groups
    assert len(groups["clip"]) == 18
    best = groups["nothing"][0]
    assert best.card.name == "constant: 5 labels"
    wanted = {"exact": 0.224, "m1": 0.286, "level1": 0.464, "level2": 0.366}
    for key, value in wanted.items():
        assert best.scores[key].value == pytest.approx(value, abs=6e-4)
    version1 = found.tables[-1]
    assert len(version1.groups[0].rows) == 2 + 6 + 1
    assert "judge=offline-1" in version1.lead


def test_cells_say_what_there_is() -> None:
    column = Column("x", "x")
    assert column.cell(Estimate(0.561, 0.502, 0.617)) == "56.1 (50.2 to 61.7)"
    assert column.cell(Estimate(0.05, -0.01, 0.1), signed=True) == "+5.0 (-1.0 to 10.0)"
    assert column.cell(None) == column.cell(Estimate(float("nan"), 0, 0)) == "\u2013"


def test_names_cannot_break_out_of_a_table() -> None:
    table = Table("t", "l", ["a"], [Group("<b>", [["<script>|x", "1 (0 to 2)"]])], ["<i>"])
    shown = html(table)
    assert "<script>" not in shown
    assert "&lt;script&gt;|x" in shown
    assert "1<small>0 to 2</small>" in shown
    assert "<script>\\|x" in markdown(table)
