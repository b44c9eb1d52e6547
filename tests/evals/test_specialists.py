"""The measures of tools with a model: equal work on both sides, sizes that are told, bad input.

With sizes that nobody publishes, so that the real libraries run in seconds; nothing depends on
how long they take.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from emer.evals.cli import app
from emer.evals.specialists import captions, expressions, hearing
from emer.evals.specialists.captioner_weights import write_captioner
from emer.evals.specialists.corpus import measure_corpus
from emer.evals.specialists.sizes import CAPTIONERS, WHISPER, CaptionerSize, WhisperSize
from emer.evals.specialists.whisper_tokens import tokens_of
from emer.evals.speed import measure, models
from emer.evals.speed import models as setups
from emer.evals.speed.measure import Compared, NoGpu, Unmeasured, at_least, busy
from emer.evals.speed.models import Report, Request, Setup, Unequal, measure_models, sizes_for
from emer.tools.caption.caption_filter import MOST_TOKENS
from emer.tools.caption.captioner import Captioner
from emer.tools.caption.vlm import Loaded
from emer.tools.media.clip import Clip
from emer.tools.runtime.model_pool import SHELF
from tests.caption_kit import compiled_anew, without_a_compiler
from tests.clips import Written, write_clip

MINI = WhisperSize(name="mini", width=64, heads=1, encoder_layers=1, decoder_layers=2)
TEXT = {
    "vocab_size": 300, "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1,
    "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 2048,
}  # fmt: skip
SMOL = CaptionerSize(
    name="smol-mini", kind="Idefics3", text=TEXT, pixels=64, per_picture=1,
    vision={"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1,
            "num_attention_heads": 2, "image_size": 64, "patch_size": 16},
)  # fmt: skip
QWEN = CaptionerSize(
    name="qwen-mini", kind="Qwen2_5_VL", text=TEXT, pixels=64,
    vision={"depth": 1, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2,
            "out_hidden_size": 64, "patch_size": 4, "spatial_merge_size": 2,
            "temporal_patch_size": 2, "window_size": 16, "fullatt_block_indexes": [0]},
)  # fmt: skip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return three seconds with a picture that brightens and a voice-like sound."""
    times = [k / 10 for k in range(30)]
    sound = np.random.default_rng(0).normal(0, 0.1, 3 * 16_000).astype(np.float32)
    path = tmp_path_factory.mktemp("clip") / "ramp.mkv"
    return write_clip(path, Written(times, [20 + 4 * k for k in range(30)], sound=sound))


@pytest.fixture
def setup(clip: Path, tmp_path: Path) -> Setup:
    return Setup(Clip.open(clip), "cpu", tmp_path / "weights", MINI, SMOL, 1)


@pytest.fixture(autouse=True)
def _nothing_stays(tmp_path: Path):
    (tmp_path / "weights").mkdir()
    yield
    SHELF.unload()


def test_the_sizes_are_those_that_are_published():
    """Parameters in millions, as openai-whisper's README and the models' pages say."""
    import torch
    from whisper.model import AudioEncoder, ModelDimensions, TextDecoder

    said = {"tiny": 39, "base": 74, "small": 244, "large-v3-turbo": 809}
    with torch.device("meta"):
        for name, millions in said.items():
            d = ModelDimensions(**WHISPER[name].dims)
            hears = AudioEncoder(
                d.n_mels, d.n_audio_ctx, d.n_audio_state, d.n_audio_head, d.n_audio_layer
            )
            writes = TextDecoder(
                d.n_vocab, d.n_text_ctx, d.n_text_state, d.n_text_head, d.n_text_layer
            )
            weights = [*hears.parameters(), *writes.parameters()]
            count = sum(weight.numel() for weight in weights) / 1e6
            assert count == pytest.approx(millions, rel=0.05), name


def test_the_captioners_have_the_parameters_of_the_published_ones():
    import torch
    import transformers

    from emer.evals.specialists.captioner_weights import _SPECIAL, _config

    said = {"smolvlm-256m": 256, "qwen2.5-vl-3b": 3750}
    for name, millions in said.items():
        size = CAPTIONERS[name]
        with torch.device("meta"):
            config = getattr(transformers, f"{size.kind}Config")(
                **_config(size, ("<pad>", "<end>", "<unk>", *_SPECIAL[size.kind]))
            )
            model = getattr(transformers, f"{size.kind}ForConditionalGeneration")(config)
        model.tie_weights()
        count = sum(weight.numel() for weight in model.parameters()) / 1e6
        assert count == pytest.approx(millions, rel=0.03), name


def test_both_recognisers_must_write_the_text_of_the_weights(setup, monkeypatch):
    monkeypatch.setattr(hearing, "LONG_TEXT", " And then we made tea and phoned our sister.")
    whisper, fitting = hearing.measure_whisper(setup)
    assert whisper.name == "whisper mini, 5 s clips : openai-whisper's loop"
    assert whisper.goal is None and whisper.held and whisper.value > 0
    assert fitting.name == "whisper mini, 5 s clips, windows that fit : openai-whisper's loop"
    short, fit, full, own = hearing.measure_faster_whisper(setup)
    assert "same 20 tokens of each" in short.detail and short.goal == 6.0
    assert "windows that fit" in fit.name and "same 20 tokens of each" in fit.detail
    count = len(tokens_of().encode(hearing.LONG_TEXT))
    assert f"same {count} tokens of each" in full.detail and "beam 5" in full.name
    assert "its library's own example" in own.name and own.goal is None
    assert not [path for path in setup.folder.iterdir() if "source" in path.name]


def test_a_side_that_writes_something_else_makes_no_row(setup):
    other = hearing.random_state(MINI, " Something else.")
    hearing.write_openai(setup.folder / "random-whisper-mini-20.pt", MINI, other)
    with pytest.raises(Unequal, match=r"openai-whisper wrote 'Something else\.'"):
        hearing.measure_whisper(setup)


def test_deepface_is_compared_where_it_says_the_same(setup, monkeypatch):
    (row,) = expressions.measure_deepface(setup)
    assert row.name.startswith("deepface, 16 faces at once") and row.goal == 3.0
    assert "DEEPFACE_HOME" not in os.environ
    real = expressions._loop
    monkeypatch.setattr(expressions, "_loop", lambda faces: [p[::-1] for p in real(faces)])
    with pytest.raises(Unequal, match="differ from ours"):
        expressions.measure_deepface(setup)


@pytest.mark.parametrize("size", [SMOL, QWEN])
def test_a_captioner_writes_as_much_on_both_sides(setup, size):
    mini = replace(setup, captioner=size)
    rows = {"": captions.measure_captioner(mini)}
    if size is QWEN:
        rows[", compiled"] = captions.measure_steps(mini, compiled=True)
    for how, (speed, step) in rows.items():
        assert f"captioner {size.name}{how}, on 8 frames" in speed.name
        assert f"wrote {MOST_TOKENS} tokens" in speed.detail
        assert step.unit == "x" and step.at_most and step.value > 0
        # 40 tokens of a batch of eight, so 39 times lie between them.
        assert "median of 39 steps" in step.detail


def test_steps_that_were_not_compiled_make_no_row(setup, monkeypatch, tmp_path):
    without_a_compiler(monkeypatch)
    with compiled_anew(tmp_path), pytest.raises(Unequal, match="could not be compiled"):
        captions.measure_steps(setup, compiled=True)


def test_a_captioner_that_ends_early_makes_no_row(setup):
    from transformers import AutoModelForImageTextToText

    folder = write_captioner(setup.folder / "random-smol-mini-float32", SMOL)
    model = AutoModelForImageTextToText.from_pretrained(folder)
    model.generation_config.eos_token_id = [*range(300)]
    model.save_pretrained(folder)
    with pytest.raises(Unequal, match="40 tokens"):
        captions.measure_captioner(setup)


@pytest.mark.parametrize("tied", [True, False])
def test_what_writing_reads_is_all_but_what_sees_and_is_looked_up(setup, tied):
    """The layers, and the words once: a tied head is the embedding, another is read instead."""
    size = SMOL.model_copy(update={"tied": tied})
    folder = write_captioner(setup.folder / "made", size)
    tool = Captioner(str(folder), device="cpu")
    tool.load()
    with captions._model(tool) as loaded:
        assert isinstance(loaded, Loaded)
        text = loaded.model.model.text_model
        expected = 4 * sum(weight.numel() for weight in text.parameters())
        assert captions._read_each_step(loaded.model) == expected


def test_a_ratio_is_of_the_least_and_the_medians_are_told():
    found = Compared((2.0, 1.0, 4.0), (6.0, 30.0, 8.0), 0.25)
    assert found.ratio == 6.0
    assert found.told(2, "clip").startswith("3 : 0.5 s a clip, least of 3 (medians 4.00 x)")


def test_the_goals_are_those_of_the_device(setup):
    assert setup.goal(gpu=20.0, cpu=3.0) == 3.0
    assert replace(setup, device="cuda:0").goal(gpu=20.0, cpu=3.0) == 20.0
    assert [size.name for size in sizes_for("cuda:0", ())] == ["large-v3-turbo", "qwen2.5-vl-3b"]
    assert [size.name for size in sizes_for("cpu", ("tiny",))] == ["tiny", "smolvlm-256m"]


def test_weights_that_were_not_finished_are_not_taken_for_whole(setup):
    def broken(path: Path) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        setup.kept("a", broken)
    assert not (setup.folder / "a").exists()
    setup.kept("a", lambda path: path.write_text("whole"))
    assert setup.kept("a", broken).read_text() == "whole"


def test_how_busy_a_gpu_is_comes_from_nvidia_smi(tmp_path, monkeypatch):
    """With a program of that name, which tells and then goes on for as long as it may."""
    told = tmp_path / "told"
    os.mkfifo(told)
    file = tmp_path / "nvidia-smi"
    file.write_text(
        f"#!/bin/sh\nprintf '0\\n90\\n80\\n[N/A]\\n100\\n5\\n'\necho done > {told}\nexec sleep 60\n"
    )
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with busy("cuda:0") as found:
        assert told.read_text() == "done\n"
    assert found == [0, 90, 80, 100, 5] and measure.mean(found) == 90.0


def test_nvidia_smi_is_asked_about_the_gpu_that_cuda_means(tmp_path, monkeypatch):
    """CUDA_VISIBLE_DEVICES and the order of a mixed machine give it another number there."""
    import torch

    asked = tmp_path / "asked"
    os.mkfifo(asked)
    file = tmp_path / "nvidia-smi"
    file.write_text(f"#!/bin/sh\necho 50\necho $1 > {asked}\nexec sleep 60\n")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda _: SimpleNamespace(uuid="4f-a0")
    )
    with busy("cuda:1"):
        assert asked.read_text() == "--id=GPU-4f-a0\n"


def test_without_a_gpu_the_corpus_is_not_measured(setup, tmp_path, monkeypatch):
    with pytest.raises(NoGpu, match="cpu is no CUDA GPU"):
        measure_corpus(setup)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoGpu, match="not installed"), busy("cuda:0"):
        pass


@pytest.fixture
def mini(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the command know our sizes alone."""
    monkeypatch.setattr(setups, "WHISPER", {"mini": MINI, "large-v3-turbo": MINI})
    monkeypatch.setattr(setups, "CAPTIONERS", {"smol-mini": SMOL, "qwen2.5-vl-3b": SMOL})
    real = {"cpu": ("mini", "smol-mini"), "cuda": ("large-v3-turbo", "qwen2.5-vl-3b")}
    monkeypatch.setattr(setups, "REAL", real)
    monkeypatch.setattr(models, "REAL", real)


def speed(*words: str | Path):
    return CliRunner().invoke(app, ["speed", *map(str, words)])


def test_json_holds_machine_measures_and_what_was_not_measured(clip, mini, tmp_path):
    kept = tmp_path / "kept"
    words = (clip, "--profile", "models", "--only", "whisper", "--rounds", "1", "--keep", kept)
    done = speed(*words, "--device", "cpu", "--json")
    found = json.loads(done.stdout)
    row, _ = found["measures"]
    assert row["name"].startswith("whisper mini") and row["goal"] is None and row["held"]
    assert found["machine"]["device"] == "cpu" and found["machine"]["date"]
    unmeasured = {each["name"]: each["why"] for each in found["unmeasured"]}
    assert "large-v3-turbo" in unmeasured  # the small size never passes for it
    assert unmeasured["large-v3-turbo"].startswith("mini was measured")
    assert any(name.startswith("GPU busy") for name in unmeasured)
    assert "measuring whisper on cpu ..." in done.stderr
    (file,) = kept.glob("*.pt")
    before = file.stat().st_mtime_ns
    speed(*words)
    assert file.stat().st_mtime_ns == before


def test_a_missed_goal_is_exit_code_1_and_the_table_says_what_is_missing(clip, monkeypatch):
    machine = setups.this_machine("cpu")
    report = Report(
        machine, (at_least("a", 2.0, "x", 6.0, "2 : 1"), at_least("b", 2.0, "x", None, "2 : 1")),
        (Unmeasured(name="c", why="no GPU"),),
    )  # fmt: skip
    monkeypatch.setattr("emer.evals.commands.speed.measure_models", lambda *_: report)
    done = speed(clip, "--profile", "models")
    assert done.exit_code == 1
    assert "| a | 2 x | at least 6 x | **no** |" in done.stdout
    assert "| b | 2 x |  |  |" in done.stdout
    assert "- c: no GPU" in done.stdout and machine.date in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--profile", "models", "--size", "huge"), "--size 'huge': write tiny, base, small"),
        (("--profile", "models", "--only", "voice"), "--only 'voice': write whisper, faster"),
        (("--profile", "models", "--device", "gpu"), "write auto, cpu, cuda"),
        (("--profile", "fast"), "--profile 'fast': write embedded or models"),
        (("--size", "tiny"), "--size: only with --profile models"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(clip, words, said):
    done = speed(clip, *words)
    assert done.exit_code == 2 and said in done.stderr
    assert done.stderr.count("\n") == 1 and not done.stdout


def test_a_clip_needs_sound(tmp_path):
    mute = write_clip(tmp_path / "mute.mkv", Written([0.0, 0.1, 0.2], [10, 20, 30]))
    done = speed(mute, "--profile", "models")
    assert done.exit_code == 2 and "needs picture and sound" in done.stderr


def test_what_a_part_lacks_is_told_and_the_others_are_measured(clip, mini, monkeypatch):
    def lacks(_: Setup):
        raise ImportError("No module named 'deepface'")

    row = at_least("whisper", 2.0, "x", None, "")
    parts = {"deepface": lacks, "whisper": lambda _: [row]}
    monkeypatch.setattr(models, "PARTS", parts)
    report = measure_models(Request(clip, "cpu"), lambda _: None)
    assert report.measures == (row,)
    assert report.unmeasured[0] == Unmeasured(name="deepface", why="No module named 'deepface'")


def test_a_cuda_library_that_is_missing_costs_its_rows_only(clip, mini, monkeypatch):
    """As CTranslate2 says it, at its first computation on a GPU."""
    import faster_whisper

    def lacking(*_: object) -> None:
        raise RuntimeError("Library libcublas.so.12 is not found or cannot be loaded")

    monkeypatch.setattr(faster_whisper.WhisperModel, "encode", lacking)
    row = at_least("whisper", 2.0, "x", None, "")
    parts = {"faster-whisper": hearing.measure_faster_whisper, "whisper": lambda _: [row]}
    monkeypatch.setattr(models, "PARTS", parts)
    report = measure_models(Request(clip, "cpu", rounds=1), lambda _: None)
    assert report.measures == (row,)
    assert report.unmeasured[0] == Unmeasured(
        name="faster-whisper",
        why="faster-whisper needs the CUDA library libcublas.so.12: pip install nvidia-cublas-cu12",
    )


def test_ctrl_c_leaves_no_weights_and_no_model(clip, mini, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen = []

    def interrupted(setup: Setup):
        hearing.measure_whisper(setup)
        seen.append([*setup.folder.glob("*.pt")])
        raise KeyboardInterrupt

    monkeypatch.setattr(models, "PARTS", {"whisper": interrupted})
    with pytest.raises(KeyboardInterrupt):
        measure_models(Request(clip, "cpu", rounds=1), lambda _: None)
    assert seen[0] and not [*tmp_path.glob("emer-speed-*")] and not SHELF.held()
