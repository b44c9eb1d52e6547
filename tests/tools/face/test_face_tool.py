"""The face tools as a whole: written and real clips, real networks, scores with a known answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from emer.agents.lexicon.cue_parser import mentions_in
from emer.app.demo_clip import CLIP
from emer.tools.errors import ConfigError, ToolMissing, Unobservable, WeightsBroken
from emer.tools.face.tool import Blendshapes, FaceMesh
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.runtime.cancellation import Call, Cancelled, in_call
from emer.tools.runtime.model_pool import POOL
from emer.tools.testing.conformance import check_tool
from emer.tools.types import Clue, Span
from tests.fixtures import puppet
from tests.fixtures.checkpoints.landmarker import by_mouth, write_task
from tests.fixtures.faces import write_pair, write_pictures, write_portrait

Observe = Callable[..., list[Clue]]
FEELINGS = "happy sad angry afraid surprise fear joy disgust neutral emotion feels".split()  # noqa: SIM905
SNEER = ("noseSneerLeft", "noseSneerRight")
SMILE = ("mouthSmileLeft", "mouthSmileRight")


@pytest.fixture(scope="module")
def mesh() -> FaceMesh:
    return FaceMesh()


@pytest.fixture(scope="module")
def observe(mesh: FaceMesh, shared_clip: Callable[[str], Path]) -> Observe:
    """Return the mesh's clues of a real clip or a span of it; each is observed once.

    The analysis of two clips stays in memory: tests on the same clip stand together.
    """

    @cache
    def clues(name: str, span: Span | None = None) -> list[Clue]:
        return list(mesh.observe(Clip.open(shared_clip(name)), span))

    return clues


def texts(clues: list[Clue]) -> str:
    return " ".join(clue.text for clue in clues)


def test_a_clip_without_a_face_says_so(mesh: FaceMesh, tmp_path: Path) -> None:
    path = write_pictures(tmp_path / "grey.mp4", [np.full((120, 160, 3), 120, np.uint8)] * 12)
    with pytest.raises(Unobservable, match="no face was found in the 12 frames looked at"):
        mesh.observe(Clip.open(path))


def test_a_dark_clip_without_a_face_says_that_it_is_dark(mesh: FaceMesh, tmp_path: Path) -> None:
    path = write_pictures(tmp_path / "dark.mp4", [np.full((120, 160, 3), 4, np.uint8)] * 12)
    with pytest.raises(Unobservable, match="dark"):
        mesh.observe(Clip.open(path))


@pytest.mark.slow
def test_a_photograph_moves_nothing(mesh: FaceMesh, tmp_path: Path) -> None:
    clues = mesh.observe(
        Clip.open(write_pictures(tmp_path / "still.mp4", [puppet.portrait()] * 100))
    )
    assert not any("action_units" in clue.data for clue in clues)
    assert "stay where they rest throughout" in texts(list(clues))


@pytest.mark.slow
def test_the_tool_keeps_its_contract(tmp_path: Path) -> None:
    clip = Clip.open(write_pictures(tmp_path / "still.mp4", [puppet.portrait()] * 60))
    broken = [f for f in check_tool(FaceMesh(), clip) if not f.ok]
    assert broken == []


@pytest.mark.slow
def test_a_man_who_starts_to_smile(observe: Observe, shared_clip: Callable[[str], Path]) -> None:
    clues = observe("faces/single_face.mp4")
    (smile,) = [c for c in clues if c.data.get("unit") == "smile"]
    assert smile.text.startswith("The person smiles strongly")
    assert smile.span is not None
    assert smile.span.start == pytest.approx(0.6, abs=0.2)
    assert smile.data["intensity"] in ("D", "E")
    assert all(c.confidence is None for c in clues)
    duration = Clip.open(shared_clip("faces/single_face.mp4")).duration
    assert all(c.span is None or c.span.end <= duration for c in clues)


@pytest.mark.slow
def test_the_same_clip_twice_gives_the_same_clues(shared_clip: Callable[[str], Path]) -> None:
    path = shared_clip("faces/single_face.mp4")
    first = [c.id for c in FaceMesh().observe(Clip.open(path))]
    again = [c.id for c in FaceMesh().observe(Clip.open(path))]
    assert first == again


@pytest.mark.slow
def test_a_closer_look_stays_in_its_span(observe: Observe) -> None:
    span = Span(start=9.0, end=11.8)
    clues = observe("faces/liveportrait_d3.mp4", span)
    assert "opens the mouth wide" in texts(clues)
    assert all(c.span is not None and c.span.overlaps(span) for c in clues)
    assert "shuts the left eye" not in texts(clues)
    assert "shuts the left eye" in texts(observe("faces/liveportrait_d3.mp4"))


def between(clues: list[Clue], words: str) -> list[tuple[float, float]]:
    """Return the spans of the clues that say these words."""
    found = [c.span for c in clues if words in c.text and c.span is not None]
    return [(span.start, span.end) for span in found]


@pytest.mark.slow
def test_a_winking_woman_is_not_said_to_raise_one_corner(observe: Observe) -> None:
    clues = observe("faces/liveportrait_d3.mp4")
    text = texts(clues)
    assert "shuts the left eye alone" in text and "shuts the right eye alone" in text
    assert "one corner" not in text and "smiles" not in text
    (first, second) = sorted(between(clues, "furrows the brows"))
    assert first == pytest.approx((3.6, 5.6), abs=0.25)
    assert second == pytest.approx((7.6, 9.0), abs=0.25)


@pytest.mark.slow
def test_a_jaw_moved_at_will_is_told_as_that(observe: Observe) -> None:
    clues = observe("faces/liveportrait_d18.mp4")
    text = texts(clues)
    assert "corners of the mouth down" not in text and "smiles" not in text
    assert "stretches the lips" not in text
    assert "brows" not in text
    assert between(clues, "opens the mouth wide") == [
        pytest.approx((2.0, 3.3), abs=0.2), pytest.approx((3.8, 5.2), abs=0.2),
    ]  # fmt: skip
    assert between(clues, "lowers the jaw") == [pytest.approx((0.5, 1.4), abs=0.25)]
    assert "sideways" in text


@pytest.mark.slow
def test_crying_behind_a_hand_and_laughing_later(observe: Observe) -> None:
    """A hand lies over her mouth at 2.5-9.2 s, and over an eye at 4.0-5.7 s."""
    clues = observe("faces/WolfgangLanger_Pexels.mp4")
    (start, end), = between(clues, "inner eyebrows and draws the brows together")  # fmt: skip
    assert start < 1.0 and 2.5 < end < 4.6
    ((_, end),) = between(clues, "pulls the corners of the mouth back")
    assert end < 3.2
    smiles = between(clues, "smiles")
    assert smiles and min(start for start, _ in smiles) > 9.0
    hidden = [c for c in clues if c.span and c.span.start > 2.8 and c.span.end < 5.9]
    assert not [c for c in hidden if "mouth" in c.text or "lips" in c.text]


@pytest.mark.slow
def test_no_clue_names_a_feeling(observe: Observe) -> None:
    text = texts(observe("faces/WolfgangLanger_Pexels.mp4"))
    assert not [word for word in FEELINGS if word in text.lower()]


@pytest.mark.slow
def test_what_a_hand_half_covers_has_a_low_quality(observe: Observe) -> None:
    name = "faces/WolfgangLanger_Pexels.mp4"
    closer = observe(name, Span(start=6.0, end=8.8))
    mouth = [c for c in closer if "mouth" in c.text or "lips" in c.text]
    assert all(c.quality.score < 0.75 for c in mouth)
    uncovered = observe(name, Span(start=13.0, end=17.0))
    assert [c for c in uncovered if "smiles" in c.text and c.quality.score > 0.85]


@pytest.mark.slow
def test_a_face_that_leaves(observe: Observe) -> None:
    clues = observe("hard/face_noface.mov")
    assert max(c.span.end for c in clues if c.span) < 3.0
    assert all(c.quality.factors["tracked_share"] < 0.6 for c in clues)
    with pytest.raises(Unobservable, match="no face was measured between"):
        observe("hard/face_noface.mov", Span(start=4.0, end=6.0))


@pytest.mark.slow
def test_two_people_are_told_apart_by_place(observe: Observe) -> None:
    clues = observe("hard/two_faces_left_speaks.mp4")
    assert {c.person for c in clues} == {"person 1", "person 2"}
    assert "(on the left)" in texts(clues) and "(on the right)" in texts(clues)


@pytest.mark.slow
def test_a_cartoon_has_no_face(observe: Observe) -> None:
    with pytest.raises(Unobservable, match="in the 95 frames looked at"):
        observe("hard/no_face.mp4")


@pytest.mark.slow
def test_a_turned_picture_gives_the_same_movements(observe: Observe) -> None:
    turned = observe("hard/rotate_pixels_and_meta.mp4")
    plain = observe("talking/WDA_KatieHill_000.mp4")
    units = [{c.data["unit"] for c in clues if "unit" in c.data} for clues in (turned, plain)]
    assert {"smile", "brow_raise"} <= units[0] & units[1]


@pytest.fixture(scope="module")
def demo() -> Path:
    return Path(str(CLIP))


@pytest.fixture(scope="module")
def task(tmp_path_factory) -> Path:
    """Weights that take the demo's smile for a smile, and for a wrinkled nose."""
    return write_task(tmp_path_factory.mktemp("task") / "mouth.task", *by_mouth(*SNEER, *SMILE))


@pytest.fixture(autouse=True)
def nothing_loaded():
    yield
    POOL.unload()


@pytest.mark.slow
def test_what_only_blendshapes_show_is_added_with_its_own_quality(demo, task):
    tool = Blendshapes(model=str(task))
    clues = {clue.data.get("unit"): clue for clue in tool.observe(Clip.open(demo))}
    nose = clues["nose_wrinkle"]
    assert nose.text.startswith("The person wrinkles the nose") and "(AU9, intensity" in nose.text
    assert nose.span.start == pytest.approx(5.2, abs=0.3)
    assert nose.span.end == pytest.approx(7.0, abs=0.3)
    assert nose.data["by"] == "blendshapes" and "peak_iod" not in nose.data
    assert nose.data["peak_score"] == pytest.approx(0.65, abs=0.25)
    assert nose.quality.factors["unit_quality"] == 0.25 >= nose.quality.score
    assert nose.source == tool.source and nose.confidence is None
    assert {m.cue for m in mentions_in(nose.text, "visual")} == {"nose_wrinkle"}


@pytest.mark.slow
def test_what_both_show_is_told_once_as_geometry_measures_it(demo, task):
    smile, mine = (
        next(c for c in tool.observe(Clip.open(demo)) if c.data.get("unit") == "smile")
        for tool in (FaceMesh(), Blendshapes(model=str(task)))
    )
    assert (mine.text, mine.span, mine.quality) == (smile.text, smile.span, smile.quality)
    assert mine.data == {**smile.data, "by": "geometry and blendshapes"}


@pytest.mark.slow
def test_the_mesh_s_people_and_all_it_says_of_states_stay(task, tmp_path, demo):
    pair = Clip.open(write_pair(tmp_path / "pair.mp4"))
    mesh, mine = FaceMesh().observe(pair), Blendshapes(model=str(task)).observe(pair)
    assert {(c.person, c.text) for c in mesh} == {(c.person, c.text) for c in mine}
    sentences = {c.text for c in FaceMesh().observe(Clip.open(demo))}
    assert sentences <= {c.text for c in Blendshapes(model=str(task)).observe(Clip.open(demo))}


@pytest.mark.slow
def test_blendshapes_keep_the_contract(task, tmp_path):
    clip = Clip.open(write_portrait(tmp_path / "face.mp4", seconds=1.2))

    def make() -> Blendshapes:
        return Blendshapes(model=str(task))

    findings = check_tool(make(), clip, again=make)
    assert [f"{f.check}: {f.why}" for f in findings if not f.ok] == []


@pytest.mark.slow
def test_blendshapes_in_a_closer_look_stay_in_its_span(demo, task):
    tool, span = Blendshapes(model=str(task)), Span(start=5.0, end=7.2)
    clues = tool.observe(Clip.open(demo), span)
    assert any(c.data.get("unit") == "nose_wrinkle" for c in clues)
    assert all(c.span.overlaps(span) for c in clues)
    with pytest.raises(Unobservable, match="no face was measured between"):
        tool.observe(Clip.open(demo), Span(start=20.0, end=21.0))


@pytest.mark.slow
def test_a_call_that_is_given_up_ends(demo, task):
    tool, call = Blendshapes(model=str(task), people=1), Call()
    tool.load()
    assert [key.kind for key in POOL.held()] == ["blendshapes"]
    tool.unload()
    assert not POOL.held()
    call.cancel()
    with in_call(call), pytest.raises(Cancelled):
        tool.observe(Clip.open(demo))


@pytest.mark.slow
def test_a_bundle_without_blendshapes_is_told_on_one_line(demo, tmp_path):
    tool = Blendshapes(model=str(write_task(tmp_path / "plain.task", None)))
    with pytest.raises(WeightsBroken, match="landmarks alone"):
        tool.observe(Clip.open(demo))
    assert not POOL.held()


def test_without_weights_it_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ToolMissing, match="emer models pull face-landmarker"):
        load_tool("blendshapes")


@pytest.mark.slow
def test_other_weights_are_other_evidence(task, tmp_path):
    other = write_task(tmp_path / "other.task", *by_mouth("cheekPuff"))
    assert Blendshapes(model=str(task)).source != Blendshapes(model=str(other)).source
    with pytest.raises(ConfigError, match="people must be at least 1"):
        Blendshapes(people=0)
