"""Voice models on tiny folders in transformers' own format: real loading, known answers."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from emer.tools.errors import ConfigError, ToolMissing, Unobservable, WeightsBroken
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.runtime.cancellation import Call, Cancelled, in_call
from emer.tools.runtime.device import RunOptions
from emer.tools.runtime.model_pool import POOL
from emer.tools.testing.clips import tone
from emer.tools.testing.conformance import check_tool
from emer.tools.types import Span
from emer.tools.voice.model import Emotions, recogniser
from emer.tools.voice.speech_emotion import SpeechEmotion
from emer.tools.voice.stretches import signal_to_noise
from emer.tools.weights.locate import find
from tests.fixtures.checkpoints.voice import write_classes, write_ratings
from tests.fixtures.clips import Written, write_clip
from tests.fixtures.packages import needs
from tests.fixtures.paths import ROOT

pytestmark = [needs("transformers"), pytest.mark.slow]

SPOKEN = ROOT / "tests" / "fixtures" / "demo" / "speech.flac"
FLAT = (0.26, 0.25, 0.25, 0.24)


@pytest.fixture
def clip() -> Clip:
    return Clip.open(SPOKEN)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_classes(tmp_path / "angry")


@pytest.fixture(autouse=True)
def nothing_loaded():
    yield
    POOL.unload()


def sounds(*lengths: int) -> list[np.ndarray]:
    made = np.random.default_rng(0)
    return [made.normal(0, 0.1, length).astype(np.float32) for length in lengths]


def hear(folder: Path, batch: int, *heard: np.ndarray) -> list[tuple[float, ...]]:
    run = recogniser(find("speech-emotion", str(folder)), RunOptions("cpu", "float32", batch), "")
    return [judged.outputs for judged in run(heard)]


@pytest.mark.parametrize("kind", ["Wav2Vec2", "Hubert", "WavLM"])
def test_the_class_is_told_with_the_model_s_probability(kind, tmp_path, clip):
    tool = SpeechEmotion(model=str(write_classes(tmp_path / kind, kind=kind)))
    (clue,) = tool.observe(clip)
    assert clue.text.startswith(
        "The voice is classified as angry (probability 0.81 among 4 classes"
    )
    assert clue.confidence == pytest.approx(0.81, abs=1e-3) and clue.modality == "audio"
    assert clue.data["p_hap"] == pytest.approx(0.05, abs=1e-3)
    assert 0 < clue.quality.score <= 1 and set(clue.quality.factors) == {"snr_db", "speech_s"}
    assert clue.source == tool.source and 0 <= clue.span.start < clue.span.end <= clip.duration


def test_a_model_that_is_undecided_gives_no_clue(tmp_path, clip):
    tool = SpeechEmotion(model=str(write_classes(tmp_path / "flat", probabilities=FLAT)))
    with pytest.raises(Unobservable, match=r"undecided about the voice \(most: neutral, 0.26"):
        tool.observe(clip)


def test_ratings_of_the_two_layer_head_are_told_as_such(tmp_path, clip):
    tool = SpeechEmotion(model=str(write_ratings(tmp_path / "rated")))
    texts = [clue.text for clue in tool.observe(clip)]
    assert [text.split(" (")[0] for text in texts] == [
        "The voice is rated high in arousal", "The voice is rated low in valence",
    ]  # fmt: skip
    assert all(clue.confidence is None for clue in tool.observe(clip))
    middling = SpeechEmotion(model=str(write_ratings(tmp_path / "mid", (0.5, 0.5, 0.5))))
    with pytest.raises(Unobservable, match="middle of every scale"):
        middling.observe(clip)
    wide = SpeechEmotion(model=str(tmp_path / "rated"), lowest=-1.0, highest=1.0)
    assert "from -1 to 1" in wide.observe(clip)[0].text


def test_the_two_layer_head_computes_what_its_authors_publish(tmp_path):
    """Dense, tanh, output over the mean of the encoder's frames (Wagner et al. 2023)."""
    import torch
    from safetensors.torch import load_file
    from transformers import AutoFeatureExtractor, Wav2Vec2Model

    folder = write_ratings(tmp_path / "random", None)
    (sound,) = sounds(20_000)
    (found,) = hear(folder, 1, sound)
    encoder = Wav2Vec2Model.from_pretrained(folder).eval()
    weights = load_file(folder / "model.safetensors")
    values = AutoFeatureExtractor.from_pretrained(folder)(
        sound, sampling_rate=16_000, return_tensors="pt"
    ).input_values
    with torch.no_grad():
        mean = encoder(values).last_hidden_state.mean(dim=1)
        inner = mean @ weights["classifier.dense.weight"].T + weights["classifier.dense.bias"]
        out = torch.tanh(inner) @ weights["classifier.out_proj.weight"].T
        out = out + weights["classifier.out_proj.bias"]
    assert found == pytest.approx(out[0].tolist(), abs=1e-5)


@pytest.mark.parametrize("mask", [True, False])
def test_a_batch_gives_what_each_alone_gives(mask, tmp_path):
    folder = write_classes(tmp_path / "random", probabilities=None, mask=mask)
    heard = sounds(30_000, 12_000, 20_000)
    together, alone = hear(folder, 8, *heard), [hear(folder, 1, one)[0] for one in heard]
    for a, b in zip(together, alone, strict=True):
        assert a == pytest.approx(b, abs=1e-5)
    assert len({row for row in alone}) == 3 and all(sum(r) == pytest.approx(1) for r in alone)


def test_ratings_in_a_batch_hear_nothing_of_the_padding(tmp_path):
    folder = write_ratings(tmp_path / "random", None)
    heard = sounds(30_000, 12_000)
    for a, b in zip(hear(folder, 8, *heard), [hear(folder, 1, s)[0] for s in heard], strict=True):
        assert a == pytest.approx(b, abs=1e-5)


def test_a_pytorch_bin_is_read_for_its_tensors(tmp_path, clip):
    folder = write_classes(tmp_path / "bin", pickled=True)
    assert {f.suffix for f in folder.iterdir()} == {".json", ".bin"}
    assert "angry" in SpeechEmotion(model=str(folder)).observe(clip)[0].text


def test_it_keeps_the_contract(folder, clip):
    def make() -> SpeechEmotion:
        return SpeechEmotion(model=str(folder))

    findings = check_tool(make(), clip, again=make)
    assert [f"{f.check}: {f.why}" for f in findings if not f.ok] == []


def test_a_head_that_the_folder_lacks_is_not_filled_with_chance(folder, clip):
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    renamed = {name.replace("projector.", "classifier.dense."): w for name, w in weights.items()}
    save_file(renamed, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsBroken, match=r"it lacks projector\.bias, projector\.weight"):
        SpeechEmotion(model=str(folder)).observe(clip)


@pytest.mark.parametrize("how", ["cut short", "another format", "no head"])
def test_a_folder_that_cannot_be_read_is_told_on_one_line(how, folder, clip):
    weights = folder / "model.safetensors"
    if how == "cut short":
        weights.write_bytes(weights.read_bytes()[:500])
    elif how == "another format":
        weights.write_bytes(b"not a model")
    else:
        config = (folder / "config.json").read_text()
        (folder / "config.json").write_text(config.replace('"wav2vec2"', '"bert"'))
    with pytest.raises(WeightsBroken) as error:
        SpeechEmotion(model=str(folder)).observe(clip)
    assert str(error.value).startswith(f"speech-emotion cannot load {folder}")
    assert "\n" not in str(error.value) and not POOL.held()


def test_a_model_for_something_else_is_said_to_be_so_first(tmp_path, clip):
    from tests.fixtures.checkpoints.ctc import write_ctc

    with pytest.raises(WeightsBroken, match=r"ForCTC is no model that judges how a voice sounds"):
        SpeechEmotion(model=str(write_ctc(tmp_path / "words"))).observe(clip)


def test_numbered_classes_are_named_by_the_user_or_refused(tmp_path, clip):
    folder = write_classes(tmp_path / "numbered", [f"LABEL_{n}" for n in range(4)])
    with pytest.raises(ConfigError, match=r"names its classes label_0"):
        SpeechEmotion(model=str(folder)).observe(clip)
    tool = SpeechEmotion(model=str(folder), labels="calm, happy, furious, sad")
    assert "classified as furious" in tool.observe(clip)[0].text
    assert tool.source != SpeechEmotion(model=str(folder)).source


def test_a_model_for_another_rate_of_samples_is_refused(folder, clip):
    file = folder / "preprocessor_config.json"
    file.write_text(file.read_text().replace("16000", "8000"))
    with pytest.raises(WeightsBroken, match="it hears 8000 Hz"):
        SpeechEmotion(model=str(folder)).observe(clip)


def test_what_is_no_voice_is_not_judged(folder, tmp_path):
    tool = SpeechEmotion(model=str(folder))
    silent = write_clip(tmp_path / "silent.wav", Written(sound=np.zeros(32_000, np.float32)))
    with pytest.raises(Unobservable, match="silent"):
        tool.observe(Clip.open(silent))
    hum = write_clip(tmp_path / "hum.wav", Written(sound=tone(3.0)))
    with pytest.raises(Unobservable, match="no voice is heard"):
        tool.observe(Clip.open(hum))
    assert not POOL.held(), "nothing was loaded for it"


def test_a_closer_look_judges_the_span_alone(folder, clip):
    tool = SpeechEmotion(model=str(folder))
    span = Span(start=2.2, end=3.6)
    (clue,) = tool.observe(clip, span)
    assert span.start <= clue.span.start and clue.span.end <= span.end
    assert clue.quality.factors["speech_s"] <= span.length + 0.01
    with pytest.raises(Unobservable, match="s of voice is heard"):
        tool.observe(clip, Span(start=2.2, end=2.5))


@pytest.mark.parametrize("write", [write_classes, write_ratings])
@pytest.mark.parametrize("span", [None, (0.93, 2.27), (1.26, 3.14), (0.5, 3.99)])
def test_a_sentence_tells_no_time_outside_the_clue_s_span(write, span, tmp_path, clip):
    within = Span(start=span[0], end=span[1]) if span else Span(start=0.0, end=clip.duration)
    clues = SpeechEmotion(model=str(write(tmp_path / "m"))).observe(clip, within if span else None)
    assert clues
    for clue in clues:
        (times,) = re.findall(r"at (\d+\.\d)-(\d+\.\d) s\.", clue.text)
        assert tuple(map(float, times)) == (clue.span.start, clue.span.end)
        assert within.start <= clue.span.start < clue.span.end <= within.end


def test_nothing_outside_a_closer_look_is_judged(folder, clip, monkeypatch):
    """Not even the silence that is kept around speech elsewhere."""
    heard: list[int] = []
    monkeypatch.setattr(
        "emer.tools.voice.model.classify",
        lambda run, loaded, sounds: [
            heard.append(len(s)) or Emotions(loaded.labels, (0.1, 0.7, 0.1, 0.1)) for s in sounds
        ],
    )
    SpeechEmotion(model=str(folder)).observe(clip, Span(start=1.0, end=2.0))
    assert sum(heard) <= 16_000


def test_little_and_noisy_speech_lowers_the_quality(folder, tmp_path):
    clean = np.array(Clip.open(SPOKEN).samples())
    hiss = np.random.default_rng(0).normal(0, 0.02, len(clean)).astype(np.float32)
    noisy = write_clip(tmp_path / "noisy.wav", Written(sound=clean + hiss))
    tool = SpeechEmotion(model=str(folder))
    good, bad = (tool.observe(Clip.open(p))[0].quality for p in (SPOKEN, noisy))
    assert bad.score < good.score and bad.factors["snr_db"] < good.factors["snr_db"]
    span = [Span(start=0.5, end=1.0)]
    burst = np.zeros(32_000, np.float32)
    burst[8_000:16_000] = 0.1
    burst += np.random.default_rng(1).normal(0, 0.01, 32_000).astype(np.float32)
    assert signal_to_noise(burst, span) == pytest.approx(20.0, abs=1.5)


def test_a_call_that_is_given_up_ends(folder, clip):
    tool, call = SpeechEmotion(model=str(folder)), Call()
    tool.load()
    call.cancel()
    with in_call(call), pytest.raises(Cancelled):
        tool.observe(clip)
    tool.unload()
    assert not POOL.held()


def test_without_weights_it_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ToolMissing, match="emer models pull voice-superb-er"):
        load_tool("speech-emotion")


def test_other_weights_are_other_evidence(folder, tmp_path):
    other = write_classes(tmp_path / "other", probabilities=(0.7, 0.1, 0.1, 0.1))
    assert SpeechEmotion(model=str(folder)).source != SpeechEmotion(model=str(other)).source
    copy = shutil.copytree(folder, tmp_path / "angry" / "copy")
    assert (
        SpeechEmotion(model=str(copy)).source.params["weights"]
        != SpeechEmotion(model=str(other)).source.params["weights"]
    )
