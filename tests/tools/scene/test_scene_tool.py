"""The tool on real files: clues are true, bounded by the clip, and the same each time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.scene.tool import Camera
from emer.tools.tool import Tool
from emer.tools.types import Clue, Span
from tests.fixtures.clips import Written, write_clip

Observe = Callable[..., list[Clue]]
MONOLOGUE, TALKING = "labelled/cM3Yna7AavY_1.mp4", "talking/WDA_KatieHill_000.mp4"
PAIR, PERFORMANCE = "hard/two_faces_left_speaks.mp4", "hard/short_hamilton_clip.mp4"


@pytest.fixture(scope="module")
def camera() -> Camera:
    return Camera()


@pytest.fixture(scope="module")
def observe(camera: Camera, shared_clip: Callable[[str], Path]) -> Observe:
    """Return the clues of a real clip or a span of it; each is observed once for all tests.

    The camera remembers two clips: tests on the same clip stand together.
    """

    @cache
    def clues(name: str, span: Span | None = None) -> list[Clue]:
        return look(camera, shared_clip(name), span)

    return clues


def texts(clues: list[Clue]) -> str:
    return "\n".join(clue.text for clue in clues)


def look(camera: Camera, path: Path, span: Span | None = None) -> list[Clue]:
    return list(camera.observe(Clip.open(path), span))


def test_it_is_a_tool_and_built_in() -> None:
    tool = load_tool("camera", {"fps": 4.0})
    assert isinstance(tool, Tool)
    assert (tool.modality, tool.source.tool) == ("scene", "camera")
    assert tool.source.params["fps"] == 4.0


def test_sound_alone_has_no_scene(camera: Camera, tmp_path: Path) -> None:
    sound = np.zeros(16_000, np.float32)
    with pytest.raises(Unobservable):
        look(camera, write_clip(tmp_path / "a.wav", Written(sound=sound)))


def test_a_written_clip_has_its_cut_and_its_light(camera: Camera, tmp_path: Path) -> None:
    times = [i / 25 for i in range(50)]
    path = write_clip(tmp_path / "a.mp4", Written(times, [20] * 25 + [230] * 25))
    found = look(camera, path)
    assert "The shot changes 1 time (at 1.0 s)." in texts(found)
    assert "No person's face is clearly visible in the picture." in texts(found)
    assert "dark at 0.0-1.0 s" in texts(found) or "black at 0.0-1.0 s" in texts(found)
    assert "The picture is bright at 1.0-2.0 s" in texts(found)


def test_a_span_with_no_picture_is_unobservable(camera: Camera, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", Written([0.0, 0.04], [20, 20]))
    with pytest.raises(Unobservable):
        look(camera, path, Span(start=5.0, end=6.0))


@pytest.mark.slow
def test_a_talking_head(observe: Observe, shared_clip: Callable[[str], Path]) -> None:
    found = observe(TALKING)
    assert "The person is shown in a close-up in one continuous shot" in texts(found)
    assert "One person is visible throughout" in texts(found)
    assert not any(word in texts(found) for word in ("hand", "leans", "arms", "shot changes"))
    length = Clip.open(shared_clip(TALKING)).duration
    assert all(clue.span is not None and clue.span.end <= length + 0.1 for clue in found)
    assert all(clue.confidence is None and 0 < clue.quality.score <= 1 for clue in found)


@pytest.mark.slow
def test_a_closer_look_that_finds_no_hand_says_so(observe: Observe) -> None:
    found = observe(TALKING, Span(start=1.0, end=1.5))
    assert "No hand is in view at 1.0-1.5 s." in texts(found)


@pytest.mark.slow
def test_hands_and_leaning_of_a_monologue(observe: Observe) -> None:
    found = observe(MONOLOGUE)
    under = [clue.span for clue in found if "held under the chin" in clue.text]
    assert len(under) == 1
    assert under[0] is not None
    assert under[0].start == pytest.approx(4.5, abs=0.4)
    raised = [clue.span for clue in found if "raises a hand" in clue.text]
    assert [round(span.start) for span in raised if span] == [8]
    assert any("leans forward" in c.text and c.span and 3.5 < c.span.start < 4.5 for c in found)


@pytest.mark.slow
def test_a_closer_look_stays_in_its_span_and_says_what_the_rest_is_like(observe: Observe) -> None:
    span = Span(start=4.0, end=5.5)
    found = observe(MONOLOGUE, span)
    assert "leans forward" in texts(found)
    assert "moves more at 4.0-5.5 s than in the rest of the shot" in texts(found)
    assert all(c.span and span.start <= c.span.start and c.span.end <= span.end for c in found)
    assert not {clue.id for clue in found} & {clue.id for clue in observe(MONOLOGUE)}


@pytest.mark.slow
def test_shots_and_people_of_a_performance(observe: Observe) -> None:
    found = observe(PERFORMANCE)
    assert "The shot changes 3 times (at 1.5, 3.6 and 7.9 s)." in texts(found)
    assert "people are visible at the same time at 7.9" in texts(found)
    assert "The person gestures with the hands at" in texts(found)
    assert "The picture is dark" in texts(found)
    assert all(clue.person is None for clue in found)


@pytest.mark.slow
def test_across_cuts_people_stay_nameless_in_a_closer_look(observe: Observe) -> None:
    found = observe(PERFORMANCE, Span(start=4.5, end=6.0))
    assert any("raises a hand" in clue.text for clue in found)
    assert all(clue.person is None for clue in found)


@pytest.mark.slow
def test_two_people_side_by_side_keep_their_names_in_a_closer_look(observe: Observe) -> None:
    assert "2 people are visible at the same time" in texts(observe(PAIR))
    closer = observe(PAIR, Span(start=2.0, end=2.6))
    assert closer and not any("The person" in clue.text for clue in closer)


@pytest.mark.slow
def test_a_hand_over_the_face_is_seen_while_it_is_there(observe: Observe) -> None:
    found = observe("faces/WolfgangLanger_Pexels.mp4")
    near = [clue.span for clue in found if "A hand is near the face" in clue.text]
    assert len(near) == 1
    assert near[0] is not None
    assert 2.2 <= near[0].start <= 3.2
    assert 9.0 <= near[0].end <= 9.8
    assert any("covers the mouth with a hand" in clue.text for clue in found)
    covers = [c.span for c in found if "covers the face with a hand" in c.text]
    assert covers
    assert all(span is not None and span.start >= 3.5 and span.end <= 6.5 for span in covers)
    assert "shot changes" not in texts(found)


@pytest.mark.slow
def test_a_bare_face_has_no_hands(observe: Observe) -> None:
    assert "hand" not in texts(observe("faces/liveportrait_d3.mp4"))


@pytest.mark.slow
def test_a_camera_that_follows_someone(observe: Observe) -> None:
    found = observe("labelled/test_Surprise_0083.mp4")
    assert "The camera moves to the right" in texts(found)
    assert "keeps a hand in front of the chest" in texts(found)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["no_face.mp4", "nasa_13013.mp4", "bitmap.mp4", "testsrc2_vp9.webm", "no_duration.webm"],
)
def test_where_nobody_is_nobody_is_found(observe: Observe, name: str) -> None:
    found = observe(f"hard/{name}")
    assert "No person's face is clearly visible in the picture." in texts(found)
    assert "The picture is" in texts(found)
    assert not any(word in texts(found) for word in ("The person", "hand", "body"))


@pytest.mark.slow
def test_the_same_clip_gives_the_same_clues(shared_clip: Callable[[str], Path]) -> None:
    path, span = shared_clip("labelled/test_Anger_0001.mp4"), Span(start=0.5, end=1.0)
    one, two = Camera(fps=2.0), Camera(fps=2.0)
    assert look(one, path) == look(two, path)
    assert look(one, path, span) == look(two, path, span)


def test_the_models_load_at_the_first_look_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("emer.tools.scene.tool.Networks", refuse)
    assert Camera().description
