"""`emer tools bench`: what is measured is what was done."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.runtime.memo import Memo
from emer.tools.testing.benchmark import bench, gpu_peak
from emer.tools.testing.clips import tone, write_trial
from emer.tools.testing.fakes import FakeTool
from emer.tools.types import Clue, Span

pytestmark = pytest.mark.slow
"""Each call that is measured opens the clip, in a process of its own."""


class Timed(FakeTool):
    """Takes a twentieth of a second."""

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        threading.Event().wait(0.05)
        return super().observe(clip, span)


class Meeting(FakeTool):
    """Returns where three threads observe at once; fails where they do not."""

    three = threading.Barrier(3)

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        if threading.current_thread() is not threading.main_thread():
            self.three.wait(timeout=60)
        return super().observe(clip, span)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_trial(
        tmp_path_factory.mktemp("benchmark") / "film.mp4", seconds=2.0, sound=tone(2.0)
    )


def test_time_frames_memory_and_the_curve_are_measured(film):
    found = bench(lambda: Timed("c", "face", [("The person smiles.", 0.1, 0.5)]), film, (1, 3))
    assert (found.frames, found.clues, found.unobservable) == (20, 1, None)
    assert found.clip_seconds == pytest.approx(2.0, abs=0.1)
    assert found.alone >= 0.05 and found.per_frame == pytest.approx(found.alone / 20)
    assert [point.at_once for point in found.curve] == [1, 3]
    for point in found.curve:
        each = point.seconds / (point.at_once * found.clip_seconds)
        assert point.per_clip_second == pytest.approx(each)
    assert found.megabytes >= 0 and found.gpu_megabytes is None


def test_calls_at_once_are_made_at_once(film):
    found = bench(lambda: Meeting("m", "face", [("The person smiles.", 0.1, 0.5)]), film, (3,))
    assert [point.at_once for point in found.curve] == [3]


class Keeps(FakeTool):
    """Works once for a clip and keeps it for all of its kind."""

    kept: Memo[int] = Memo(2)
    worked = looked = 0

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        cls = type(self)
        cls.looked += 1
        self.kept.get(clip.sha256, self.work)
        return super().observe(clip, span)

    def work(self) -> int:
        type(self).worked += 1
        return 0


def test_what_a_tool_kept_of_the_clip_is_not_measured(film):
    bench(lambda: Keeps("k", "face", [("The person smiles.", 0.1, 0.5)]), film, (1, 3), repeats=2)
    assert Keeps.worked == Keeps.looked == 1 + 2 + 1 + 3


@pytest.mark.parametrize(("peak", "megabytes"), [(5e6, [2.0]), (3e6, [])])
def test_a_gpu_s_memory_is_what_came_on_top_or_unknown(peak, megabytes, monkeypatch):
    """CTranslate2 takes its own, of which torch knows nothing: that is not 0 MB."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    for name, value in (("reset_peak_memory_stats", None), ("memory_allocated", 3e6),
                        ("max_memory_allocated", peak)):  # fmt: skip
        monkeypatch.setattr(torch.cuda, name, lambda _, value=value: value)
    with gpu_peak({"device": "cuda:0"}) as found:
        assert found == []
    assert found == megabytes


def test_a_tool_that_breaks_is_not_measured(film):
    def make() -> FakeTool:
        return FakeTool("broken", "face", fail=RuntimeError("no lens"))

    with pytest.raises(RuntimeError, match="no lens"):
        bench(make, film, (1,))
    silent = FakeTool("silent", "face", fail=Unobservable("no face was found"))
    assert bench(lambda: silent, film, (1,), repeats=1).unobservable == "no face was found"


def test_each_batch_is_tried_with_the_most_looks_at_once(film):
    made = []

    def batched(size: int) -> FakeTool:
        made.append(size)
        return FakeTool("b", "face", [("The person smiles.", 0.1, 0.5)])

    found = bench(lambda: batched(0), film, (1, 3), repeats=1, batched=(batched, (2, 4)))
    assert [(point.batch, point.at_once) for point in found.batches] == [(2, 3), (4, 3)]
    assert made[-6:] == [2, 2, 2, 4, 4, 4] and found.curve[0].batch is None
