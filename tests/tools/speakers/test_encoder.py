"""The voice encoder: real weights tell speakers apart; damaged ones are one clear error."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emer.tools.errors import ToolMissing, WeightsBroken
from emer.tools.media.clip import Clip
from emer.tools.runtime.device import Machine, configure
from emer.tools.speakers.encoder import LENGTH, VoiceEncoder, encoder, find_weights
from emer.tools.speakers.voices import Voices, voices_by_embedding
from emer.tools.speech.vad import speech_frames
from emer.tools.weights.locate import Need
from tests.fixtures.sounds import quiet

pytestmark = pytest.mark.slow
REAL = os.environ.get("EMER_WEIGHTS")


def need_of(path: Path) -> Need:
    return Need(model="voice-encoder", path=path, fingerprint="0", gigabytes=0.0)


def test_weights_that_are_absent_are_named_with_their_place(tmp_path: Path) -> None:
    configure(Machine(weights=tmp_path))
    with pytest.raises(ToolMissing, match="voice"):
        find_weights()


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 cut short"])
def test_damaged_weights_are_one_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "voice_encoder.pt"
    path.write_bytes(content)
    with pytest.raises(WeightsBroken, match="speakers cannot load"):
        VoiceEncoder(need_of(path))


def test_weights_that_would_run_code_are_refused(tmp_path: Path) -> None:
    import torch

    class Harmful:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "harm"),)

    path = tmp_path / "voice_encoder.pt"
    torch.save({"model_state": Harmful()}, path)
    with pytest.raises(WeightsBroken):
        VoiceEncoder(need_of(path))
    assert not (tmp_path / "harm").exists()


def test_embeddings_have_length_one_and_do_not_depend_on_their_batch(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(3)
    lstm, linear = torch.nn.LSTM(40, 256, 3), torch.nn.Linear(256, 256)
    state = {f"lstm.{k}": v for k, v in lstm.state_dict().items()}
    state |= {f"linear.{k}": v for k, v in linear.state_dict().items()}
    path = tmp_path / "voice_encoder.pt"
    torch.save({"model_state": state}, path)
    network = VoiceEncoder(need_of(path))
    windows = np.random.default_rng(1).random((5, LENGTH, 40)).astype(np.float32)
    found = network.embed([*windows])
    assert found.shape == (5, 256)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert np.allclose(found[2], network.embed([windows[2]])[0], atol=1e-5)


@pytest.mark.weights
@pytest.mark.parametrize(
    ("actors", "voices"), [(("01", "02"), 2), (("09", "12"), 2), (("02", "02"), 0)]
)
def test_two_real_speakers_are_told_apart_and_one_is_not(
    actors: tuple[str, str], voices: int, shared_clip: Callable[[str], Path]
) -> None:
    folder = Path(REAL or "/nowhere")
    configure(Machine(weights=folder))
    try:
        need = find_weights()
    except ToolMissing as error:
        pytest.skip(str(error))
    found = _conversation(actors, need, shared_clip("speech/ravdess"))
    assert len(found.voices) == voices, found.similarity
    if voices:
        ends = [turn for voice in found.voices for turn in voice.turns]
        assert len(ends) >= 2


def _conversation(actors: tuple[str, str], need: Need, folder: Path) -> Voices:
    """Four neutral or calm sentences of each actor, in turns."""
    files = [sorted(folder.glob(f"03-01-0[124]-*-{actor}.flac"))[:8] for actor in actors]
    turns = [path for pair in zip(files[0][:4], files[1][-4:], strict=True) for path in pair]
    sound = np.concatenate([np.append(Clip.open(path).samples(), quiet(0.3)) for path in turns])
    return voices_by_embedding(sound, speech_frames(sound), encoder(need))
