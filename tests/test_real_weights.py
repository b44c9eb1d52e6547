"""With real weights, where they were pulled: what was said and how, and what a face shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from emer.graphs.components import choose
from emer.graphs.settings import load_settings
from emer.tools.caption.description import JSON_TOKENS
from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.tool import Answering, Tool
from emer.tools.types import Span
from tests.fixtures.faces import write_portrait
from tests.fixtures.weights import REAL_WEIGHTS, load_real

pytestmark = [pytest.mark.weights, pytest.mark.slow]

Find = Callable[[str], Path]


@pytest.fixture
def ready() -> Callable[[str], Tool]:
    """Return a function from a tool's name to the tool, or a skip with the command it needs."""
    return load_real


def test_auto_takes_the_recommended_weights(ready):
    for name in ("faster-whisper", "blendshapes"):
        ready(name)
    chosen = choose(load_settings(device="cpu").model_copy(update={"weights": REAL_WEIGHTS}))
    uses = {slot: choice.use for slot, choice in chosen.settings.active_tools.items()}
    assert (uses["face"], uses["speech"]) == ("blendshapes", "faster-whisper")


@pytest.mark.parametrize("name", ["whisper", "faster-whisper", "asr"])
def test_a_famous_sentence_is_heard_at_its_time(name, ready, shared_clip: Find):
    clues = ready(name).observe(Clip.open(shared_clip("audio/jfk.flac")))
    text = " ".join(str(clue.data["transcript"]) for clue in clues).casefold()
    assert "my fellow americans" in text and "what you can do for your country" in text
    assert {clue.data.get("language", "en") for clue in clues} == {"en"}
    words = [word for clue in clues for word in clue.data.get("words", ())]
    country = [start for word, start, _, _ in words if "country" in word.casefold()]
    assert not country or 5.0 < country[0] < 8.5


@pytest.mark.parametrize("name", ["whisper", "faster-whisper"])
def test_german_is_known_and_translated(name, ready, shared_clip: Find):
    clues = ready(name).observe(Clip.open(shared_clip("speech/emodb/03a05Wa.flac")))
    assert clues[0].data["language"] == "de"


@pytest.mark.parametrize("name", ["whisper", "faster-whisper"])
@pytest.mark.parametrize("clip", ["hard/silent_audio.mp4", "hard/noaudio.mp4"])
def test_silence_does_not_become_words(name, clip, ready, shared_clip: Find):
    with pytest.raises(Unobservable):
        ready(name).observe(Clip.open(shared_clip(clip)))


def test_acted_anger_is_told_from_acted_sadness(ready, shared: Path):
    tool, right, judged = ready("speech-emotion"), 0, 0
    for letter, word in (("W", "angry"), ("T", "sad")):
        for path in sorted((shared / "clips/speech/emodb").glob(f"*{letter}[a-z].flac"))[:8]:
            try:
                clues = tool.observe(Clip.open(path))
            except Unobservable:
                continue
            judged += 1
            right += f"classified as {word}" in clues[0].text
    assert judged >= 8 and right / judged > 0.5


def test_a_man_who_starts_to_smile_looks_happy_then(ready, shared_clip: Find):
    clues = ready("deepface").observe(Clip.open(shared_clip("faces/single_face.mp4")))
    happy = [clue for clue in clues if clue.data["class"] == "happy"]
    assert happy and happy[0].span.end > 1.8 and 0.3 < happy[0].span.start < 1.5
    assert {clue.data["class"] for clue in clues} <= {"happy", "surprise"}


def test_a_woman_who_laughs_at_the_end_looks_happy_there_and_not_before(ready, shared_clip: Find):
    clues = ready("deepface").observe(Clip.open(shared_clip("faces/WolfgangLanger_Pexels.mp4")))
    happy = [clue.span for clue in clues if clue.data["class"] == "happy"]
    assert happy and all(span.start > 8.0 for span in happy)


def test_blendshapes_agree_with_the_mesh_on_a_smile(ready, shared_clip: Find):
    clues = ready("blendshapes").observe(Clip.open(shared_clip("faces/single_face.mp4")))
    (smile,) = [clue for clue in clues if clue.data.get("unit") == "smile"]
    assert smile.data["by"] == "geometry and blendshapes"
    assert smile.span.start == pytest.approx(0.6, abs=0.3)


def test_blendshapes_find_no_movement_in_a_photograph(ready, tmp_path: Path):
    clues = ready("blendshapes").observe(Clip.open(write_portrait(tmp_path / "still.mp4", 4.0)))
    assert not any("action_units" in clue.data for clue in clues)


@pytest.mark.parametrize("name", ["talking/WDA_KatieHill_000.mp4", "faces/single_face.mp4"])
def test_a_person_is_described_in_few_words(name, ready, shared_clip: Find):
    clues = ready("captioner").observe(Clip.open(shared_clip(name)))
    text = " ".join(clue.text for clue in clues).casefold()
    assert any(word in text for word in ("woman", "man", "girl", "person", "face"))
    assert all(len(str(clue.data["caption"]).split()) <= JSON_TOKENS for clue in clues)
    assert all(clue.quality.factors["caption_logprob"] > -2.3 for clue in clues)


def test_a_question_about_a_span_is_answered_from_its_frames(ready, shared_clip: Find):
    tool = ready("captioner")
    if not (isinstance(tool, Answering) and tool.answers):
        pytest.skip(f"{tool.source.model} answers no questions")
    clip = Clip.open(shared_clip("talking/WDA_KatieHill_000.mp4"))
    (clue,) = tool.answer(clip, Span(start=2.0, end=4.0), "Is it a woman or a man?")
    assert "woman" in clue.text.split("a model answers")[1]
