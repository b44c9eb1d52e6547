"""Runs go on where they were stopped, lose nothing, and mix nothing up."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from emer.evals.data.types import Dataset, Gold, Sample
from emer.evals.runs.runner import RunFile, answers, run, slug
from emer.evals.systems.system import Card, Prediction
from emer.tools.errors import ConfigError, ToolMissing

NAMES = [f"c{n}" for n in range(6)]
DATASET = Dataset(
    name="mine",
    samples=tuple(Sample(name=n) for n in NAMES),
    golds={n: Gold(labels=("joy",)) for n in NAMES},
)


@dataclass
class Counting:
    """Answers with the clip's name; raises what it is told to on the clips it is told to."""

    raises: dict[str, BaseException] = field(default_factory=dict)
    version: int = 1
    asked: list[str] = field(default_factory=list)

    @property
    def card(self) -> Card:
        return Card(name="counting: 1/2", input="clip", what="x", provenance={"v": self.version})

    def answer(self, sample: Sample) -> Prediction:
        self.asked.append(sample.name)
        if sample.name in self.raises:
            raise self.raises[sample.name]
        return Prediction(name=sample.name, labels=(sample.name,))


def test_answers_come_in_the_order_of_the_clips_and_are_on_disk(tmp_path: Path) -> None:
    found = run(Counting(), DATASET, tmp_path, workers=3)
    assert [p.labels for p in found] == [(n,) for n in NAMES]
    header, stored = RunFile(tmp_path / "counting_1_2.jsonl").read()
    assert (header.system.name, header.dataset) == ("counting: 1/2", "mine")
    assert list(stored.values()) == found or set(stored) == set(NAMES)


def test_what_is_answered_is_not_asked_again(tmp_path: Path) -> None:
    run(Counting(), DATASET, tmp_path)
    again = Counting()
    seen: list[str] = []
    found = run(again, DATASET, tmp_path, done=lambda p: seen.append(p.name))
    assert again.asked == []
    assert seen == [p.name for p in found] == NAMES


def test_a_failure_costs_its_clip_only_and_is_tried_again(tmp_path: Path) -> None:
    broken = Counting(raises={"c2": ValueError("no\nluck"), "c4": ConfigError("no words")})
    found = run(broken, DATASET, tmp_path)
    assert [p.failed for p in found if p.failed] == ["ValueError: no luck", "no words"]
    better = Counting()
    assert all(p.failed is None for p in run(better, DATASET, tmp_path))
    assert better.asked == ["c2", "c4"]


def test_a_package_that_is_missing_is_said_at_once(tmp_path: Path) -> None:
    system = Counting(raises={"c1": ToolMissing("x", "y", "pip install y")})
    with pytest.raises(ToolMissing):
        run(system, DATASET, tmp_path)
    assert system.asked == ["c0", "c1"]


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_keeps_what_was_finished(tmp_path: Path, workers: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(Counting(raises={"c3": KeyboardInterrupt()}), DATASET, tmp_path, workers=workers)
    rest = Counting()
    assert [p.name for p in run(rest, DATASET, tmp_path)] == NAMES
    assert "c3" in rest.asked
    assert "c0" not in rest.asked


def test_a_torn_last_line_is_answered_again(tmp_path: Path) -> None:
    run(Counting(), DATASET, tmp_path)
    path = tmp_path / "counting_1_2.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    rest = Counting()
    run(rest, DATASET, tmp_path)
    assert rest.asked == ["c5"]
    assert len(RunFile(path).read()[1]) == 6


def test_another_systems_file_is_refused(tmp_path: Path) -> None:
    run(Counting(), DATASET, tmp_path)
    with pytest.raises(ConfigError, match=r"counting_1_2\.jsonl.*other settings.*--fresh"):
        run(Counting(version=2), DATASET, tmp_path)
    fresh = Counting(version=2)
    run(fresh, DATASET, tmp_path, fresh=True)
    assert fresh.asked == NAMES


def test_a_file_that_is_no_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"event": "header"}\n')
    with pytest.raises(ConfigError, match=r"x\.jsonl is not a run of emer-eval"):
        RunFile(tmp_path / "x.jsonl").read()


def test_answers_are_made_side_by_side(tmp_path: Path) -> None:
    gate = threading.Barrier(3, timeout=20)

    class Waiting(Counting):
        def answer(self, sample: Sample) -> Prediction:
            if sample.name in NAMES[:3]:
                gate.wait()
            return super().answer(sample)

    assert all(p.failed is None for p in run(Waiting(), DATASET, tmp_path, workers=3))


def test_kept_answers_are_of_this_system_and_these_clips_only(tmp_path: Path) -> None:
    for changed, asked in (({}, 6), ({}, 0), ({"version": 2}, 6)):
        system = Counting(**changed)
        assert len(answers(system, "mine", DATASET.samples, tmp_path)) == 6
        assert len(system.asked) == asked
    other = [s.model_copy(update={"subtitle": "new"}) for s in DATASET.samples]
    system = Counting(version=2)
    answers(system, "mine", other, tmp_path)
    assert len(system.asked) == 6
    assert len(list(tmp_path.glob("*.jsonl"))) == 1  # earlier versions are dropped


def test_file_names_are_safe() -> None:
    assert slug("chat: ../../etc/passwd") == "chat_.._.._etc_passwd"
    assert slug("///") == "system"
