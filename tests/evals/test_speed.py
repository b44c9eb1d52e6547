"""The speed benchmark measures what it says it measures; no test depends on a duration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emer.evals import decoding, orchestration
from emer.evals.cli import app
from emer.evals.loops import loop_clip
from emer.evals.measure import at_least, at_most
from emer.tools.clip import Clip
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
    decoding._share(clip, convert=True)
    assert decodes == [0]
    names = [measure.name for measure in decoding.measure_decoding(clip)]
    assert len(names) == len(set(names)) == 3


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
    monkeypatch.setattr("emer.evals.speed.measure_speed", lambda *_, **__: found)
    table = CliRunner().invoke(app, ["speed", str(clip)])
    assert table.exit_code == 1
    assert "| a | 2 x | at most 1 x | **no** |" in table.stdout
    shown = json.loads(CliRunner().invoke(app, ["speed", str(clip), "--json"]).stdout)
    assert [row["held"] for row in shown] == [False, True]
