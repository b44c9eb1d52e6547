"""The demo's clip shows and says what its script says, and the tools find it there."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from emer.app import demo
from emer.app.commands.demo import matches
from emer.app.script import LENGTH, SCRIPT, SPEECH_START, WORDS, levels
from emer.tools.media.clip import Clip

NEAR = 0.15
"""Seconds a found event may be off its script."""


@pytest.fixture(scope="module")
def clip(demo_clip):
    return Clip.open(demo_clip)


@pytest.fixture(scope="module")
def found(clip):
    from emer.tools.face.tool import FaceMesh

    return {m.movement: m.clue for m in matches(FaceMesh().observe(clip))}


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


def test_the_same_pictures_and_sounds_every_time():
    first, again = demo._sound(), demo._sound()
    assert np.array_equal(first, again)
    pictures = ([*islice(demo._pictures(first), 14)][-1] for _ in range(2))
    assert np.array_equal(*pictures)


def test_a_half_written_clip_is_never_left_behind(tmp_path, monkeypatch):
    def stop(sound):
        yield np.zeros((512, 512, 3), dtype=np.uint8)
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "_pictures", stop)
    with pytest.raises(KeyboardInterrupt):
        demo.make_demo(tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []


def test_demo_explains_its_clip_and_shows_the_truth_beside(emer, demo_clip, monkeypatch, tmp_path):
    kept = tmp_path / "kept.mp4"
    monkeypatch.setattr(demo, "make_demo", lambda path: Path(demo_clip).rename(path))
    record = json.loads(emer("demo", "--keep", kept, "--json").stdout)
    kept.rename(demo_clip)
    assert [match["movement"] for match in record["script"]] == [a.name for a in SCRIPT]
    smile = next(m["clue"]["id"] for m in record["script"] if m["movement"] == "smile")
    assert smile in {i for s in record["explanation"]["sentences"] for i in s["clue_ids"]}
    shown = emer("trace", "show").stdout
    assert smile in shown and "mesh, whole clip" in shown
