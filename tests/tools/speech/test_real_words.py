"""Real Whisper weights, where they are: known words, their times, languages, no words in noise."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emer.evals.metrics.forced_alignment import aligned_words
from emer.evals.metrics.word_errors import matches, units, word_errors
from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.tool import Tool
from emer.tools.types import Clue
from tests.fixtures.packages import needs
from tests.fixtures.sounds import NO_SPEECH, RATE, quiet, write

pytestmark = [pytest.mark.weights, pytest.mark.slow]

WEIGHTS = os.environ.get("EMER_WEIGHTS")
BASE, TINY = "Systran--faster-whisper-base", "Systran--faster-whisper-tiny.en"
KIDS, DOGS = "Kids are talking by the door", "Dogs are sitting by the door"
ENGLISH = {
    "03-01-01-01-01-01-02": KIDS, "03-01-05-02-02-01-01": DOGS,
    "03-01-04-02-01-01-07": KIDS, "03-01-02-02-02-01-12": DOGS,
}  # fmt: skip
"""RAVDESS: the fifth number of a name is the sentence."""
GERMAN = {
    "08a01Na": "Der Lappen liegt auf dem Eisschrank", "03a07Nc": "In sieben Stunden wird es soweit",
}  # fmt: skip
"""EmoDB: letters three to five of a name are the sentence."""


@pytest.fixture
def real() -> Callable[..., Tool]:
    """Return a function from a model and arguments to faster-whisper, or skip."""

    def load(model: str = BASE, **arguments: object) -> Tool:
        if WEIGHTS is None:
            pytest.skip("EMER_WEIGHTS names no folder of real weights")
        folder = Path(WEIGHTS) / "hub" / model
        if not folder.is_dir():
            pytest.skip(f"{folder} is absent; ../shared/tools/real-weights brings it")
        return load_tool("faster-whisper", {"model": str(folder), **arguments})  # type: ignore[dict-item]

    return load


def spoken(clues: list[Clue]) -> list[Clue]:
    return [clue for clue in clues if "translated_from" not in clue.data]


def heard(clues: list[Clue]) -> str:
    return " ".join(str(clue.data["transcript"]) for clue in spoken(clues))


@pytest.mark.parametrize("model", [BASE, TINY])
def test_acted_english_sentences_are_heard(model, real, shared_clip):
    tool, wrong = real(model), 0
    for name, words in ENGLISH.items():
        clues = tool.observe(Clip.open(shared_clip(f"speech/ravdess/{name}.flac")))
        wrong += word_errors(units(words, "en"), units(heard(clues), "en")).wrong
        assert clues[0].certainty == "stated" and clues[0].data["language"] == "en"
    assert wrong <= 2, "of 24 words"


def test_german_is_heard_and_a_translation_stands_behind_its_original(real, shared_clip):
    tool, wrong = real(), 0
    for name, words in GERMAN.items():
        clues = tool.observe(Clip.open(shared_clip(f"speech/emodb/{name}.flac")))
        wrong += word_errors(units(words, "de"), units(heard(clues), "de")).wrong
        assert {clue.data["language"] for clue in spoken(clues)} == {"de"}
        kinds = ["translated_from" in clue.data for clue in clues]
        assert kinds == sorted(kinds) and not kinds[0]
        english = clues[-1]
        assert english.data["original"] == heard(clues)
    assert wrong <= 3, "of 12 words"


@needs("opencc")
def test_mandarin_of_a_film_is_heard_in_simplified_characters(real, shared_clip):
    clues = real().observe(Clip.open(shared_clip("emer/sample_00000694.mp4")))
    said = "我算是听出来了一个让我赶紧走一个不让我去你们你们一个个都不是好东西我这么大年纪了"
    errors = word_errors(units(said, "zh"), units(heard(clues), "zh")[: len(said)])
    assert errors.wrong <= 4 and clues[0].data["language"] == "zh"
    assert all(clue.data["language_probability"] > 0.9 for clue in spoken(clues))


def test_words_begin_when_they_are_said(real, shared_clip, tmp_path):
    """Sentences that begin at known times behind pauses; words inside by forced alignment."""
    parts, known, begins = [quiet(0.6)], [], []
    for (name, words), pause in zip(ENGLISH.items(), (0.4, 0.9, 1.6, 0.5), strict=True):
        sound = np.array(Clip.open(shared_clip(f"speech/ravdess/{name}.flac")).samples())
        audible = np.flatnonzero(np.abs(sound) > 0.02 * np.abs(sound).max())[[0, -1]]
        begins.append(sum(map(len, parts)) / RATE)
        shift = begins[-1] - audible[0] / RATE
        known += [(word.text, shift + word.start) for word in aligned_words(sound, words)]
        parts += [sound[audible[0] : audible[1]], quiet(pause)]
    clues = real().observe(Clip.open(write(tmp_path / "talk.wav", np.concatenate(parts))))
    timed = [word for clue in spoken(clues) for word in clue.data["words"]]
    texts = ["".join(units(word[0], "en")) for word in timed]
    pairs = matches([text for text, _ in known], texts)
    late = {i: timed[j][1] - known[i][1] for i, j in pairs}
    assert len(pairs) >= 20 and statistics.median(map(abs, late.values())) <= 0.12
    first = [abs(timed[j][1] - begins[i // 6]) for i, j in pairs if i % 6 == 0]
    assert statistics.median(first) <= 0.12, "words behind a pause"
    assert [word[1] for word in timed] == sorted(word[1] for word in timed)


@pytest.mark.parametrize("name", NO_SPEECH)
def test_sounds_that_are_no_speech_do_not_become_words(name, real, tmp_path):
    with pytest.raises(Unobservable):
        real().observe(Clip.open(write(tmp_path / f"{name}.wav", NO_SPEECH[name]())))


def test_a_window_that_fits_hears_what_a_whole_one_hears(real, shared_clip):
    clip = Clip.open(shared_clip("audio/jfk.flac"))
    texts = [heard(real(window=each, translate=False).observe(clip)) for each in ("fit", "whole")]
    assert "what your country can do for you" in texts[0]
    errors = word_errors(units(texts[1], "en"), units(texts[0], "en"))
    assert errors.wrong <= 1
