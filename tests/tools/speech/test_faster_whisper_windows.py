"""Windows of faster-whisper that fit the sound, on tiny checkpoints that say a known text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emer.tools.clip import Clip
from emer.tools.errors import ConfigError
from emer.tools.speech import ctranslate
from emer.tools.tool import Tool, load_tool
from tests.tools.speech.conftest import needs
from tests.whisper_kit import Script


def made(path: Path, **arguments: object) -> Tool:
    return load_tool("faster-whisper", {"model": str(path), **arguments})


def encoded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Return what will list the shape of each spectrogram that faster-whisper encodes."""
    from faster_whisper import WhisperModel

    shapes: list[tuple[int, ...]] = []
    real = WhisperModel.encode

    def encode(self: object, features: np.ndarray) -> object:
        shapes.append(features.shape)
        return real(self, features)

    monkeypatch.setattr(WhisperModel, "encode", encode)
    return shapes


@needs("whisper", "faster_whisper")
def test_a_window_that_fits_encodes_the_sound_and_two_seconds(checkpoint, spoken, monkeypatch):
    shapes = encoded(monkeypatch)
    path = checkpoint("ctranslate", Script(begins=0.6, step=0.2))
    whole, fit = made(path), made(path, window="fit")
    (there,), (here,) = whole.observe(Clip.open(spoken)), fit.observe(Clip.open(spoken))
    assert shapes == [(1, 80, 3000), (1, 80, 600)]  # of 3.4 s with what is around it
    assert here.data["transcript"] == there.data["transcript"]
    assert [word[0] for word in here.data["words"]] == [word[0] for word in there.data["words"]]
    assert here.source.params["window"] == "fit" and "window" not in there.source.params
    assert here.id != there.id


@needs("whisper", "faster_whisper")
def test_what_is_not_sure_in_it_is_heard_again_in_a_whole_one(checkpoint, spoken, monkeypatch):
    shapes = encoded(monkeypatch)
    path = checkpoint("ctranslate", Script(fog=180.0))
    told = [
        [clue.text for clue in made(path, window=w).observe(Clip.open(spoken))]
        for w in ("whole", "fit")
    ]
    assert told[0] == told[1]
    assert shapes == [(1, 80, 3000), (1, 80, 600), (1, 80, 3000)]


def test_a_window_of_another_kind_is_refused():
    with pytest.raises(ConfigError, match="window: 'short'; write whole or fit"):
        load_tool("faster-whisper", {"window": "short"})


@needs("whisper", "faster_whisper")
def test_what_a_gpu_encoded_in_bfloat16_is_divided_by_language():
    """NumPy has no such numbers; with one language nothing is divided."""
    import ctranslate2

    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    view = ctranslate2.StorageView.from_array(rows).to(ctranslate2.DataType.bfloat16)
    assert np.asarray(ctranslate._rows(view, [2, 0])).tolist() == [[4, 5], [0, 1]]
    assert ctranslate._rows(view, [0, 1, 2]) is view


def test_8_bit_is_completed_by_16_bit_where_the_device_knows_it():
    cpu, gpu = {"int8", "int8_float32", "float32"}, {"int8", "int8_float16", "float16", "float32"}
    assert [ctranslate._compute("int8", known) for known in (cpu, gpu)] == ["int8", "int8_float16"]
    assert ctranslate._compute("float32", gpu) == "float32"
