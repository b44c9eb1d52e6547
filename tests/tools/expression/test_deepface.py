"""deepface's emotion model on weights in its own format: real loading, known answers."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from emer.tools.errors import ConfigError, ToolMissing, Unobservable, WeightsBroken
from emer.tools.expression.deepface import DeepFaceEmotion, classifier, labels
from emer.tools.face import analysis
from emer.tools.face.tool import FaceMesh
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.runtime.cancellation import Call, Cancelled, in_call
from emer.tools.runtime.model_pool import POOL
from emer.tools.testing.conformance import check_tool
from emer.tools.types import Span
from emer.tools.weights.locate import find
from tests.fixtures.faces import FLAT, NEUTRAL, write_emotion, write_pair, write_portrait
from tests.fixtures.packages import needs

pytestmark = [needs("deepface"), pytest.mark.slow]


@pytest.fixture(scope="module")
def portrait(tmp_path_factory) -> Path:
    return write_portrait(tmp_path_factory.mktemp("clips") / "portrait.mp4")


@pytest.fixture
def clip(portrait: Path) -> Clip:
    return Clip.open(portrait)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return write_emotion(tmp_path / "happy.pth")


@pytest.fixture(autouse=True)
def nothing_loaded():
    yield
    POOL.unload()


def faces(count: int) -> list[np.ndarray]:
    made = np.random.default_rng(0)
    return [made.integers(0, 256, (96, 96), dtype=np.uint8) for _ in range(count)]


def classify(path: Path, batch: int, face_crops: list[np.ndarray]) -> list[tuple[float, ...]]:
    return classifier(find("deepface", str(path)), "cpu", batch)(face_crops)


def test_the_class_is_told_with_the_model_s_probability(weights, clip):
    tool = DeepFaceEmotion(model=str(weights))
    (clue,) = tool.observe(clip)
    classified = (
        "The person's face is classified as happy (probability 0.81, mean of 8 frames, among"
    )
    assert clue.text.startswith(f"{classified} 7 classes of a model) at 0.")
    assert clue.confidence == pytest.approx(0.81, abs=1e-3)
    assert clue.modality == "face" and clue.person == "person 1"
    assert clue.data["class"] == "happy" and clue.data["p_sad"] == pytest.approx(0.04, abs=1e-3)
    assert clue.span.end - clue.span.start > 1.4 and clue.source == tool.source
    assert clue.quality.score > 0.8 and clue.quality.factors["face_px"] > 100


def test_several_people_are_those_of_the_mesh(weights, tmp_path):
    pair = Clip.open(write_pair(tmp_path / "pair.mp4"))
    clues = DeepFaceEmotion(model=str(weights)).observe(pair)
    texts = {clue.person: clue.text for clue in clues}
    places = {
        c.person: c.text.partition(")")[0].partition("(")[2] for c in FaceMesh().observe(pair)
    }
    assert set(texts) == {"person 1", "person 2"} == set(places)
    for person, place in places.items():
        assert texts[person].startswith(f"P{person[1:]}'s face ({place}) is classified as happy")
    first = DeepFaceEmotion(model=str(weights), people=1).observe(pair)
    assert {clue.person for clue in first} == {"person 1"}


def test_the_clip_is_followed_once_for_both_tools(weights, tmp_path, monkeypatch):
    count, follow = [], analysis.follow

    def counted(*args):
        count.append(threading.get_ident())
        return follow(*args)

    monkeypatch.setattr(analysis, "follow", counted)
    path = write_portrait(tmp_path / "own.mp4", seconds=1.2)
    tools = [FaceMesh(), DeepFaceEmotion(model=str(weights))]
    seen: list[int] = []
    threads = [
        threading.Thread(target=lambda t=tool: seen.append(len(t.observe(Clip.open(path)))))
        for tool in tools
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(seen) == 2 and all(seen) and len(count) == 1


@pytest.mark.parametrize(
    ("probabilities", "reason"),
    [(FLAT, r"most: (angry|happy), 0\.15 of 7 classes"), (NEUTRAL, r"most: neutral, 0\.88 of 7")],
)
def test_undecided_or_neutral_is_no_clue(probabilities, reason, tmp_path, clip):
    tool = DeepFaceEmotion(model=str(write_emotion(tmp_path / "w.pth", probabilities)))
    with pytest.raises(Unobservable, match=rf"no face a clear class of emotion \({reason}"):
        tool.observe(clip)


def test_it_says_what_deepface_itself_says(tmp_path, monkeypatch):
    """The same numbers as its plain call, picture by picture."""
    home = tmp_path / "home"
    file = home / ".deepface" / "weights" / "facial_expression_model_weights.pth"
    write_emotion(file, None)
    monkeypatch.setenv("DEEPFACE_HOME", str(home))
    monkeypatch.setenv("DEEPFACE_BACKEND_ENGINE", "pytorch")
    from deepface import DeepFace
    from deepface.modules import modeling

    monkeypatch.delattr(modeling, "cached_models", raising=False)  # of other weights

    face_crops = [*faces(3), np.ascontiguousarray(faces(4)[3][:, :60])]
    for found, face in zip(classify(file, 4, face_crops), face_crops, strict=True):
        (theirs,) = DeepFace.analyze(
            np.repeat(face[..., None], 3, axis=2), actions=["emotion"], detector_backend="skip",
            enforce_detection=False, silent=True,
        )  # fmt: skip
        assert found == pytest.approx([theirs["emotion"][n] / 100 for n in labels()], abs=1e-5)


def test_a_batch_gives_what_each_alone_gives(tmp_path):
    path, face_crops = write_emotion(tmp_path / "random.pth", None), faces(5)
    together, alone = (
        classify(path, 8, face_crops),
        [classify(path, 1, [face])[0] for face in face_crops],
    )
    for a, b in zip(together, alone, strict=True):
        assert a == pytest.approx(b, abs=1e-5) and sum(a) == pytest.approx(1)
    assert len(set(alone)) == 5


def test_it_keeps_the_contract(weights, clip):
    def make() -> DeepFaceEmotion:
        return DeepFaceEmotion(model=str(weights))

    findings = check_tool(make(), clip, again=make)
    assert [f"{f.check}: {f.why}" for f in findings if not f.ok] == []


@pytest.mark.parametrize("how", ["cut short", "another format", "another network", "a pickle"])
def test_a_file_that_cannot_be_read_is_told_on_one_line(how, weights, clip):
    import pickle

    import torch

    if how == "cut short":
        weights.write_bytes(weights.read_bytes()[:5000])
    elif how == "another format":
        weights.write_bytes(b"not a model")
    elif how == "another network":
        torch.save(torch.nn.Linear(3, 3).state_dict(), weights)
    else:
        weights.write_bytes(pickle.dumps({"run": shutil.rmtree}))
    with pytest.raises(WeightsBroken) as error:
        DeepFaceEmotion(model=str(weights)).observe(clip)
    assert str(error.value).startswith(f"deepface cannot load {weights}")
    assert "\n" not in str(error.value) and not POOL.held()


def test_a_closer_look_judges_the_span_alone(weights, clip):
    tool, span = DeepFaceEmotion(model=str(weights)), Span(start=0.5, end=1.5)
    (clue,) = tool.observe(clip, span)
    assert span.start <= clue.span.start < clue.span.end <= span.end
    with pytest.raises(Unobservable, match="turned away, covered or too briefly seen"):
        tool.observe(clip, Span(start=9.0, end=9.5))


def test_a_span_of_two_pictures_is_too_short_and_not_unclear(weights, clip):
    with pytest.raises(Unobservable, match="no face is seen well in more than"):
        DeepFaceEmotion(model=str(weights)).observe(clip, Span(start=0.5, end=0.8))


def test_without_a_face_nothing_is_loaded(weights, tmp_path):
    from tests.fixtures.faces import write_pictures

    grey = write_pictures(tmp_path / "grey.mp4", [np.full((120, 160, 3), 120, np.uint8)] * 12)
    with pytest.raises(Unobservable, match="no face was found in the 12 frames"):
        DeepFaceEmotion(model=str(weights)).observe(Clip.open(grey))
    assert not POOL.held()


def test_a_call_that_is_given_up_ends(weights, clip):
    tool, call = DeepFaceEmotion(model=str(weights)), Call()
    tool.load()
    assert [key.kind for key in POOL.held()] == ["deepface"]
    call.cancel()
    with in_call(call), pytest.raises(Cancelled):
        tool.observe(clip)
    tool.unload()
    assert not POOL.held()


def test_a_call_that_is_given_up_stops_following_the_face(tmp_path):
    path, call = write_portrait(tmp_path / "long.mp4", seconds=1.0), Call()
    call.cancel()
    with in_call(call), pytest.raises(Cancelled):
        analysis.read(Clip.open(path))


def test_without_weights_it_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DEEPFACE_HOME", raising=False)
    with pytest.raises(ToolMissing, match="emer models pull face-emotion"):
        load_tool("deepface")


def test_weights_that_lie_where_deepface_keeps_them_are_found(monkeypatch, tmp_path):
    home = tmp_path / "df"
    monkeypatch.setenv("DEEPFACE_HOME", str(home))
    write_emotion(home / ".deepface" / "weights" / "facial_expression_model_weights.pth")
    assert load_tool("deepface").source.model == "facial_expression_model_weights"


def test_other_weights_are_other_evidence(weights, tmp_path):
    other = write_emotion(tmp_path / "other.pth", NEUTRAL)
    assert DeepFaceEmotion(model=str(weights)).source != DeepFaceEmotion(model=str(other)).source


def test_what_cannot_be_asked_is_refused():
    with pytest.raises(ConfigError, match="people must be at least 1"):
        DeepFaceEmotion(people=0)
