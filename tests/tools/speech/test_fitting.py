"""Windows that fit the sound, on tiny checkpoints that say a known text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emer.tools.errors import ConfigError
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.speech.faster_whisper import FasterWhisper, compute_type, encoder_rows
from emer.tools.speech.segmentation import fitted_frames, transcribe_fitted
from emer.tools.speech.transcript import ScoredText, Transcript, Window
from emer.tools.tool import Tool
from tests.fixtures.checkpoints.whisper import Script
from tests.fixtures.packages import needs

pytestmark = pytest.mark.slow


def made(path: Path, **arguments: object) -> Tool:
    return load_tool("faster-whisper", {"model": str(path), **arguments})  # type: ignore[dict-item]


def encoded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Return what will list the shape of each spectrogram that is encoded."""
    from faster_whisper import WhisperModel

    shapes: list[tuple[int, ...]] = []
    real = WhisperModel.encode

    def encode(self: object, features: Any) -> object:
        shapes.append(tuple(features.shape))
        return real(self, features)

    monkeypatch.setattr(WhisperModel, "encode", encode)
    return shapes


def silent(seconds: float) -> Window:
    return Window(np.zeros(int(16_000 * seconds), np.float32), "a")


def test_the_window_is_the_sound_and_two_seconds_in_whole_ones():
    assert [fitted_frames(silent(s)) for s in (0.1, 3.4, 9.0)] == [300, 600, 1100]
    assert fitted_frames(silent(28.5)) == fitted_frames(silent(30.0)) == 3000


def test_what_is_heard_in_a_window_does_not_depend_on_the_others_of_its_batch():
    asked: list[tuple[list[float], int]] = []

    def hear(windows: Sequence[Window], frames: int) -> list[Transcript]:
        asked.append(([len(w.sound) / 16_000 for w in windows], frames))
        return [Transcript(ScoredText(f"{frames}", -0.1), ()) for _ in windows]

    found = transcribe_fitted([silent(s) for s in (3.4, 9.0, 3.5, 29.0)], hear)
    assert asked == [([3.4, 3.5], 600), ([9.0], 1100), ([29.0], 3000)]
    assert [each.original.text for each in found] == ["600", "1100", "600", "3000"]


def test_a_window_of_a_language_in_doubt_is_decoded_whole():
    def hear(windows: Sequence[Window], frames: int) -> list[Transcript]:
        text = ScoredText(f"{frames}", -0.1)
        return [Transcript(text, (), languages={"de": 0.5, "nl": 0.4}) for _ in windows]

    (found,) = transcribe_fitted([silent(3.4)], hear)
    assert found.original.text == "3000"


@needs("whisper", "faster_whisper")
def test_a_window_that_fits_encodes_the_sound_and_two_seconds(checkpoint, spoken, monkeypatch):
    shapes = encoded(monkeypatch)
    path = checkpoint("ctranslate", Script(begins=0.6, step=0.2))
    whole, fit = made(path, window="whole"), made(path)
    (there,), (here,) = whole.observe(Clip.open(spoken)), fit.observe(Clip.open(spoken))
    assert shapes == [(1, 80, 3000), (1, 80, 600)]  # of 3.7 s with what is around it
    assert here.data["transcript"] == there.data["transcript"]
    times = [[word[:3] for word in clue.data["words"]] for clue in (here, there)]
    assert [word[0] for word in times[0]] == [word[0] for word in times[1]]
    assert [w[1] for w in times[0]] == pytest.approx([w[1] for w in times[1]], abs=0.25)
    assert here.source.params["window"] == "fit" and "window" not in there.source.params
    assert here.id != there.id
    assert [c.text for c in whole.observe(Clip.open(spoken))] == [there.text], "whole again"


@needs("whisper", "faster_whisper")
def test_what_is_not_sure_in_it_is_heard_again_in_a_whole_one(checkpoint, spoken, monkeypatch):
    shapes = encoded(monkeypatch)
    path = checkpoint("ctranslate", Script(fog=180.0))
    texts = [
        [clue.text for clue in made(path, window=w).observe(Clip.open(spoken))]
        for w in ("whole", "fit")
    ]
    assert texts[0] == texts[1]
    assert shapes == [(1, 80, 3000), (1, 80, 600), (1, 80, 3000)]


def test_a_wider_search_takes_whole_windows():
    """Real base weights wrote 2 of 12 short sentences twice in windows that fit (evals/LOG.md)."""
    greedy, wide = FasterWhisper(), FasterWhisper(beam=5)
    assert greedy.options().fit and not wide.options().fit


def test_a_window_of_another_kind_is_refused():
    with pytest.raises(ConfigError, match=r"faster-whisper\.window: 'short'; write whole or fit"):
        load_tool("faster-whisper", {"window": "short"})
    with pytest.raises(ConfigError, match=r"whisper\.window: 'fit'; openai-whisper pads every"):
        load_tool("whisper", {"window": "fit"})


@needs("whisper", "faster_whisper")
def test_what_a_gpu_encoded_in_bfloat16_is_divided_by_language():
    """NumPy has no such numbers; with one language nothing is divided."""
    import ctranslate2

    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    view = ctranslate2.StorageView.from_array(rows).to(ctranslate2.DataType.bfloat16)
    assert np.asarray(encoder_rows(view, [2, 0])).tolist() == [[4, 5], [0, 1]]
    assert encoder_rows(view, [0, 1, 2]) is view


def test_8_bit_is_completed_by_16_bit_where_the_device_knows_it():
    cpu, gpu = {"int8", "int8_float32", "float32"}, {"int8", "int8_float16", "float16", "float32"}
    assert [compute_type("int8", known) for known in (cpu, gpu)] == ["int8", "int8_float16"]
    assert compute_type("float32", gpu) == "float32"
