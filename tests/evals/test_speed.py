"""The speed benchmark measures what it says it measures; no test depends on a duration."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import av
import pytest
from typer.testing import CliRunner

from emer.evals.cli import app
from emer.evals.speed import pipeline
from emer.evals.speed.measure import (
    Measure,
    Paired,
    at_least,
    at_most,
    busy_seconds,
    gpu_note,
    in_turn,
    others_share,
)
from emer.evals.speed.peak_memory import loop_clip
from emer.tools.media.clip import Clip
from tests.fixtures.clips import Written, write_clip

TIMES = [k / 25 for k in range(50)]
GREYS = [20 + 4 * k for k in range(50)]


def use_instant_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    for slot, table in pipeline.INSTANT_TOOLS.items():
        for key, value in table.items():
            monkeypatch.setenv(f"EMER_TOOLS__{slot}__{key}".upper(), value)


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


def test_copies_of_a_clip_have_hashes_of_their_own(clip: Path, tmp_path: Path) -> None:
    copies = [loop_clip(clip, tmp_path / f"{k}.mkv", 0, str(k)) for k in range(2)]
    opened = [Clip.open(path) for path in (clip, *copies)]
    assert len({each.sha256 for each in opened}) == 3
    assert {each.duration for each in opened} == {opened[0].duration}


def test_four_readers_share_one_decode_and_apart_each_decodes(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    real = av.open
    monkeypatch.setattr(av, "open", lambda *a, **k: (opened.append(a[0]), real(*a, **k))[1])
    assert pipeline.decode_apart(clip) == 4 * 50
    assert len(opened) == 4
    opened.clear()
    assert [*Clip.open(clip).frames()]
    alone = len(opened)
    opened.clear()
    assert pipeline.decode_shared(clip, convert=True) == 4 * 50
    assert len(opened) == alone
    assert pipeline.decode_bare(clip) == pipeline.decode_bare(clip, convert=True) == 50


def test_works_take_turns_so_that_the_machines_load_meets_all_alike() -> None:
    order: list[str] = []
    numbers = iter(range(6))

    def work(name: str) -> float:
        order.append(name)
        return next(numbers)

    found = in_turn({"a": lambda: work("a"), "b": lambda: work("b")}, 3)
    assert order == ["a", "b"] * 3
    assert found == {"a": [0, 2, 4], "b": [1, 3, 5]}


def test_others_share_is_what_this_process_did_not_do() -> None:
    assert others_share(busy=6, ours=2, elapsed=4, cores=2) == pytest.approx((6 - 2) / (2 * 4))
    assert others_share(busy=1, ours=2, elapsed=4, cores=2) == 0
    assert others_share(busy=9, ours=0, elapsed=1, cores=2) == 1


def test_busy_seconds_hold_this_process_and_never_run_back() -> None:
    cores, process = busy_seconds()
    assert 0 < process <= cores
    sum(range(100_000))
    later = busy_seconds()
    assert later[0] >= cores and later[1] >= process


def test_a_ratio_is_of_the_least_and_the_medians_stand_beside_it() -> None:
    pair = Paired([2.0, 1.0, 4.0], [6.0, 30.0, 8.0], 0.25)
    assert pair.ratio == 6.0
    assert pair.summary(2, "clip").startswith("3 : 0.5 s a clip, least of 3 (medians 4.00 x)")


@pytest.mark.slow
def test_decoding_is_measured_with_its_floor(clip: Path) -> None:
    measures = pipeline.measure_decoding(clip)
    assert "with nothing shared or kept" in measures[2].detail
    assert [each.goal for each in measures] == [2.5, 1.5, 1.5]


@pytest.mark.slow
def test_whole_runs_are_measured_side_by_side_and_one_by_one(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With instant tools: what is measured, how often, and that the second calls no tool."""
    use_instant_tools(monkeypatch)
    found = pipeline.measure_running(clip)
    assert [each.unit for each in found] == ["x", "x", "s", "calls"]
    assert found[3].value == 0
    assert f"least of {pipeline.RUN_ROUNDS}" in found[0].detail


@pytest.mark.slow
def test_peak_memory_is_that_of_two_processes(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With instant tools and short loops: each process explains a looped clip and reports."""
    use_instant_tools(monkeypatch)
    monkeypatch.setattr(pipeline, "SHORT", 2.0)
    monkeypatch.setattr(pipeline, "LONG", 4.0)
    peak, growth = pipeline.measure_memory(clip)
    assert (peak.unit, peak.goal, growth.unit) == ("MB", 1500.0, "x")
    assert 20 < peak.value < 1500 and growth.value == pytest.approx(1, abs=0.2)


@pytest.mark.slow
def test_the_controllers_cost_and_state_are_measured(clip: Path) -> None:
    time, size = pipeline.measure_orchestration(clip)
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
    def noisy(_: Path) -> list[Measure]:
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
        return []

    for part in ("decoding", "orchestration", "running"):
        monkeypatch.setattr(f"emer.evals.speed.pipeline.measure_{part}", noisy)
    assert pipeline.measure_speed(clip, memory=False, say=lambda what: os.write(1, b".")) == []
    out, err = capfd.readouterr()
    assert (out, err) == ("...", "")


def driver(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program called nvidia-smi, which then sleeps, before all others."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@pytest.mark.slow
def test_gpu_utilisation_comes_from_nvidia_smi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    driver(tmp_path, monkeypatch, f"printf '0\\n90\\n80\\n[N/A]\\n100\\n5\\n'; echo done > {ready}")
    note = gpu_note("cuda:0", ready.read_text)
    assert note == "; GPU busy 90% of the time"


@pytest.mark.slow
def test_nvidia_smi_is_asked_about_the_gpu_that_cuda_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CUDA_VISIBLE_DEVICES and the order of a mixed machine give it another number there."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    asked = tmp_path / "asked"
    os.mkfifo(asked)
    driver(tmp_path, monkeypatch, f"echo 50; echo $1 > {asked}")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda _: SimpleNamespace(uuid="4f-a0")
    )
    note = gpu_note("cuda:1", asked.read_text)
    assert note == "; GPU busy 50% of the time"


def test_without_nvidia_smi_the_reason_stands_in_the_detail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done: list[int] = []
    note = gpu_note("cuda:0", lambda: done.append(0))
    assert note == "; GPU utilisation unknown: nvidia-smi is not installed"
    assert gpu_note("cpu", lambda: done.append(1)) == "" and done == [0, 1]
