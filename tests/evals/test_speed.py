"""The speed benchmark measures what it says it measures; no test depends on a duration."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emer.evals.cli import app
from emer.evals.speed import measure, pipeline
from emer.evals.speed import pipeline as orchestration
from emer.evals.speed import pipeline as running
from emer.evals.speed import pipeline as speed
from emer.evals.speed.measure import Neighbours, at_least, at_most, in_turn
from emer.evals.speed.pipeline import loop_clip
from emer.tools.media.clip import Clip
from tests.clips import Written, write_clip

TIMES = [k / 25 for k in range(50)]
GREYS = [20 + 4 * k for k in range(50)]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Return two seconds of a picture that brightens."""
    return write_clip(tmp_path / "ramp.mkv", Written(TIMES, GREYS))


@pytest.mark.parametrize(("value", "above", "below"), [(1.0, True, True), (1.1, True, False)])
def test_a_goal_is_held_from_its_own_side(value: float, above: bool, below: bool) -> None:
    assert at_least("x", value, "x", 1.0, "").held is above
    assert at_most("x", value, "x", 1.0, "").held is below


def test_a_looped_clip_plays_the_clip_again(clip: Path, tmp_path: Path) -> None:
    looped = Clip.open(loop_clip(clip, tmp_path / "long.mkv", 5.0))
    assert looped.duration == pytest.approx(6.0, abs=0.2)
    means = [float(frame.rgb().mean()) for frame in looped.frames()]
    assert len(means) == 150
    assert means[0] == pytest.approx(means[50], abs=2) == pytest.approx(means[100], abs=2)


def test_four_tools_share_one_decode_and_alone_each_decodes(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decodes: list[int] = []
    real = Clip._decode
    monkeypatch.setattr(
        Clip, "_decode", lambda self, first: (decodes.append(first), real(self, first))[1]
    )
    pipeline._share(clip, convert=True)
    assert decodes == [0]
    names = [each.name for each in pipeline.measure_decoding(clip)]
    assert len(names) == len(set(names)) == 3


def test_works_take_turns_so_that_the_machines_load_meets_all_alike() -> None:
    order: list[str] = []
    numbers = iter(range(6))

    def work(name: str) -> float:
        order.append(name)
        return next(numbers)

    found = in_turn({"a": lambda: work("a"), "b": lambda: work("b")}, 3)
    assert order == ["a", "b"] * 3
    assert found == {"a": [0, 2, 4], "b": [1, 3, 5]}


def test_neighbours_are_what_this_process_did_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = iter([(100.0, 10.0), (106.0, 12.0)])
    clock = iter([50.0, 54.0])
    monkeypatch.setattr(measure, "_busy_seconds", lambda: next(counted))
    monkeypatch.setattr(measure.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(measure.os, "cpu_count", lambda: 2)
    assert Neighbours().share == pytest.approx((6 - 2) / (2 * 4))


def test_busy_seconds_hold_this_process_and_never_run_back() -> None:
    whole, own = measure._busy_seconds()
    assert 0 < own <= whole
    sum(range(100_000))
    later = measure._busy_seconds()
    assert later[0] >= whole and later[1] >= own


def test_the_bare_decode_and_its_floor_look_at_every_picture(clip: Path) -> None:
    assert len([*pipeline._decode(clip)]) == 50
    found = pipeline.measure_decoding(clip)
    assert "with nothing shared or kept" in found[2].detail
    assert [each.goal for each in found] == [2.5, 1.5, 1.5]


def test_whole_runs_are_measured_side_by_side_and_one_by_one(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With instant tools: what is measured, how often, and that the second asks nobody."""
    for slot, use in orchestration.TOOLS.items():
        monkeypatch.setenv(f"EMER_TOOLS__{slot.upper()}__USE", use)
    found = running.measure_running(clip)
    assert [each.unit for each in found] == ["x", "x", "s", "calls"]
    assert found[3].value == 0
    assert f"least of {running.ROUNDS}" in found[0].detail


def test_the_controllers_cost_and_state_are_measured(clip: Path) -> None:
    time, size = orchestration.measure_orchestration(clip)
    assert time.unit == "ms"
    assert 0 < size.value <= size.goal == 64


def test_a_clip_without_a_picture_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    absent = CliRunner().invoke(app, ["speed", str(tmp_path / "nowhere.mp4")])
    assert absent.exit_code == 2
    assert absent.stderr.count("\n") == 1
    assert "nowhere.mp4" in absent.stderr


def test_json_and_table_show_every_measure(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [at_most("a", 2.0, "x", 1.0, "2 : 1"), at_least("b", 2.0, "x", 1.0, "2 : 1")]
    monkeypatch.setattr("emer.evals.speed.pipeline.measure_speed", lambda *_, **__: found)
    table = CliRunner().invoke(app, ["speed", str(clip)])
    assert table.exit_code == 1
    assert "| a | 2 x | at most 1 x | **no** |" in table.stdout
    shown = json.loads(CliRunner().invoke(app, ["speed", str(clip), "--json"]).stdout)
    assert [row["held"] for row in shown] == [False, True]


def test_native_start_up_lines_do_not_reach_the_terminal(
    clip: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def noisy(_: Path) -> list[measure.Measure]:
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
        return []

    for part in ("decoding", "orchestration", "running"):
        monkeypatch.setattr(f"emer.evals.speed.pipeline.measure_{part}", noisy)
    assert speed.measure_speed(clip, memory=False, say=lambda what: os.write(1, b".")) == []
    out, err = capfd.readouterr()
    assert (out, err) == ("...", "")
