"""The demo's clip shows and says what its script says, and the tools find it there."""

from __future__ import annotations

import json
from itertools import islice

import numpy as np
import pytest

from emer.app.commands.demo import match_script
from emer.app.demo_clip import copy_clip, load_script
from emer.tools.media.clip import Clip
from emer.tools.types import Span
from tests.fixtures.demo.generator import FPS, encode, pictures, script_record, sound_track
from tests.fixtures.demo.script import LENGTH, SCRIPT, SPEECH_START, WORDS, levels

LIDS = ((145, 159), (374, 386))
"""Points in the middle of the lower and upper lid, each eye."""
NEAR = 0.15
"""Seconds a found event may be off its script."""


@pytest.fixture(scope="module")
def clip(demo_clip):
    return Clip.open(demo_clip)


@pytest.fixture(scope="module")
def found(clip):
    from emer.tools.face.tool import FaceMesh

    return {m.movement: m.clue for m in match_script(FaceMesh().observe(clip), load_script())}


def test_every_movement_grows_holds_and_goes_within_the_clip():
    for action in SCRIPT:
        assert 0 < action.onset < action.apex <= action.release < action.offset < LENGTH
        assert action.level(action.onset) == action.level(action.offset) == 0
        assert action.level(action.apex) == action.level(action.release) == action.strength
    assert all(level == 0 for level in levels(0.0).values())


def test_the_clip_has_the_scripted_length_with_picture_and_sound(clip):
    assert clip.duration == pytest.approx(LENGTH, abs=0.05)
    assert (clip.video.width, clip.video.fps) == (512, 25)
    assert clip.notes == ()


def test_the_voice_sets_in_when_scripted(clip):
    loud = np.flatnonzero(np.abs(clip.samples()) > 0.03) / 16_000
    assert loud[0] == pytest.approx(SPEECH_START, abs=NEAR)
    assert loud[-1] < next(a for a in SCRIPT if a.name == "smile").onset


@pytest.mark.parametrize("movement", ["brows up", "smile"])
def test_the_face_tool_finds_the_movement_at_its_time(found, movement):
    action = next(action for action in SCRIPT if action.name == movement)
    span, (start, end) = found[movement].span, action.visible()
    assert span.start == pytest.approx(start, abs=NEAR)
    assert span.end == pytest.approx(end, abs=NEAR)


def test_a_movement_is_visible_from_a_tenth_of_its_size():
    for action in SCRIPT:
        start, end = action.visible()
        assert action.onset < start < action.apex and action.release < end < action.offset
        assert action.level(start) == pytest.approx(0.1 * action.strength)
        assert action.level(end) == pytest.approx(0.1 * action.strength)


def test_the_face_tool_finds_both_blinks(found):
    blinks = [action for action in SCRIPT if action.name == "blink"]
    times = found["blink"].data["at"]
    assert len(times) == len(blinks)
    assert all(b.onset - NEAR < at < b.offset for b, at in zip(blinks, times, strict=True))


def test_the_speech_tool_hears_the_words(clip):
    from emer.tools.speech.pocketsphinx import PocketSphinx

    heard = PocketSphinx().observe(clip)[0].text.lower()
    words = "".join(letter for letter in WORDS.lower() if letter.isalpha() or letter in "' ")
    assert words in heard


def test_the_script_of_the_asset_is_the_generator_s():
    assert load_script().model_dump(mode="json") == json.loads(json.dumps(script_record()))


def test_the_generator_draws_the_asset_s_first_second(clip, tmp_path):
    """With the first blink: the same landmarks, in pixels of 512, and the same sound."""
    sound = sound_track()
    path = tmp_path / "part.mp4"
    encode(path, sound[:16_000], islice(pictures(sound), FPS))
    again = Clip.open(path)
    drawn, stored = _landmarks(again), _landmarks(clip)
    assert np.abs(drawn - stored).mean(axis=(1, 2)).max() < 1.0
    assert _lid_gap(drawn) == pytest.approx(_lid_gap(stored), abs=1.2)
    assert np.ptp(_lid_gap(stored)) > 2.4  # a blink: more than the tolerance
    assert again.samples()[:15_000] == pytest.approx(clip.samples()[:15_000], abs=0.01)


def _landmarks(clip):
    """Return the face mesh of each frame of the first second, in pixels: (frames, points, 2)."""
    import mediapipe

    frames = list(clip.frames(span=Span(start=0, end=0.97)))
    with mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True) as mesh:
        faces = [mesh.process(f.rgb()).multi_face_landmarks[0].landmark for f in frames]
    return np.array([[(point.x * 512, point.y * 512) for point in face] for face in faces])


def _lid_gap(landmarks):
    """Return how far the lids are apart, in pixels, the mean of both eyes: (frames,)."""
    return np.mean([landmarks[:, low, 1] - landmarks[:, up, 1] for low, up in LIDS], axis=0)


def test_an_interrupted_copy_never_has_the_final_name(tmp_path):
    taken = tmp_path / "demo.mp4"
    taken.mkdir()
    (taken / "note").touch()
    with pytest.raises(OSError):
        copy_clip(taken)
    assert list(tmp_path.iterdir()) == [taken]


def test_demo_explains_its_clip_and_shows_the_truth_beside(emer, demo_clip, tmp_path):
    copy = tmp_path / "kept.mp4"
    record = json.loads(emer("demo", "--keep", copy, "--json").stdout)
    assert copy.read_bytes() == demo_clip.read_bytes()
    assert [match["movement"] for match in record["script"]] == [a.name for a in SCRIPT]
    smile = next(m["clue"]["id"] for m in record["script"] if m["movement"] == "smile")
    assert smile in {i for s in record["explanation"]["sentences"] for i in s["clue_ids"]}
    shown = emer("trace", "show").stdout
    assert smile in shown and "mesh, whole clip" in shown
