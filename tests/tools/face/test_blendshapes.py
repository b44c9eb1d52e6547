"""The tool as a whole: real pictures, real networks, a blendshape model with a known answer."""

from __future__ import annotations

from pathlib import Path

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
from emer.tools.types import Span
from tests.fixtures.checkpoints.landmarker import by_mouth, write_task
from tests.fixtures.faces import write_pair, write_portrait

SNEER = ("noseSneerLeft", "noseSneerRight")
SMILE = ("mouthSmileLeft", "mouthSmileRight")


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


def test_what_both_show_is_told_once_as_geometry_measures_it(demo, task):
    smile, mine = (
        next(c for c in tool.observe(Clip.open(demo)) if c.data.get("unit") == "smile")
        for tool in (FaceMesh(), Blendshapes(model=str(task)))
    )
    assert (mine.text, mine.span, mine.quality) == (smile.text, smile.span, smile.quality)
    assert mine.data == {**smile.data, "by": "geometry and blendshapes"}


def test_the_mesh_s_people_and_all_it_says_of_states_stay(task, tmp_path, demo):
    pair = Clip.open(write_pair(tmp_path / "pair.mp4"))
    mesh, mine = FaceMesh().observe(pair), Blendshapes(model=str(task)).observe(pair)
    assert {(c.person, c.text) for c in mesh} == {(c.person, c.text) for c in mine}
    told = {c.text for c in FaceMesh().observe(Clip.open(demo))}
    assert told <= {c.text for c in Blendshapes(model=str(task)).observe(Clip.open(demo))}


def test_it_keeps_the_contract(task, tmp_path):
    clip = Clip.open(write_portrait(tmp_path / "portrait.mp4", seconds=1.2))

    def make() -> Blendshapes:
        return Blendshapes(model=str(task))

    findings = check_tool(make(), clip, again=make)
    assert [f"{f.check}: {f.why}" for f in findings if not f.ok] == []


def test_a_closer_look_stays_in_its_span(demo, task):
    tool, span = Blendshapes(model=str(task)), Span(start=5.0, end=7.2)
    clues = tool.observe(Clip.open(demo), span)
    assert any(c.data.get("unit") == "nose_wrinkle" for c in clues)
    assert all(c.span.overlaps(span) for c in clues)
    with pytest.raises(Unobservable, match="no face was measured between"):
        tool.observe(Clip.open(demo), Span(start=20.0, end=21.0))


def test_a_call_that_is_given_up_ends(demo, task):
    tool, call = Blendshapes(model=str(task), people=1), Call()
    tool.load()
    assert [key.kind for key in POOL.held()] == ["blendshapes"]
    tool.unload()
    assert not POOL.held()
    call.cancel()
    with in_call(call), pytest.raises(Cancelled):
        tool.observe(Clip.open(demo))


def test_a_bundle_without_blendshapes_is_told_on_one_line(demo, tmp_path):
    tool = Blendshapes(model=str(write_task(tmp_path / "plain.task", None)))
    with pytest.raises(WeightsBroken, match="landmarks alone"):
        tool.observe(Clip.open(demo))
    assert not POOL.held()


def test_without_weights_it_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ToolMissing, match="emer models pull face-landmarker"):
        load_tool("blendshapes")


def test_other_weights_are_other_evidence(task, tmp_path):
    other = write_task(tmp_path / "other.task", *by_mouth("cheekPuff"))
    assert Blendshapes(model=str(task)).source != Blendshapes(model=str(other)).source
    with pytest.raises(ConfigError, match="people must be at least 1"):
        Blendshapes(people=0)
