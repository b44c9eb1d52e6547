"""Tools with a model against their libraries' examples, and large models with random weights.

The real libraries run, on tiny models that nobody publishes; no test depends on a duration.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from emer.evals.cli import app
from emer.evals.speed import models
from emer.evals.speed.large_models import (
    SIZES,
    TOKENS,
    Size,
    bandwidth,
    build_model,
    decoder_bytes,
    generate,
    measure_size,
)
from emer.evals.speed.measure import Unequal, Unmeasured, at_least, this_machine
from emer.evals.speed.models import SpeedReport, SpeedRequest, measure_models, measure_tool
from emer.tools.errors import ToolMissing
from emer.tools.runtime.model_pool import POOL
from tests.fixtures.clips import Written, write_clip
from tests.fixtures.packages import needs

pytestmark = [needs("transformers"), pytest.mark.slow]


LARGE_V3_TURBO, QWEN2_5_VL_3B = SIZES["large-v3-turbo"], SIZES["qwen2.5-vl-3b"]
WHISPER = LARGE_V3_TURBO._replace(
    name="whisper-mini",
    config={
        **LARGE_V3_TURBO.config, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1,
        "encoder_attention_heads": 1, "decoder_attention_heads": 1, "encoder_ffn_dim": 16,
        "decoder_ffn_dim": 16, "num_mel_bins": 8,
    },
)  # fmt: skip
QWEN = QWEN2_5_VL_3B._replace(
    name="qwen-mini",
    config={
        **QWEN2_5_VL_3B.config, "image_token_id": 90, "video_token_id": 91,
        "vision_start_token_id": 92, "vision_end_token_id": 93,
        "text_config": {
            **QWEN2_5_VL_3B.config["text_config"], "vocab_size": 100, "hidden_size": 32,
            "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
            "num_key_value_heads": 2, "bos_token_id": 94, "eos_token_id": 95,
            "rope_parameters": {
                "rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3],
            },
        },
        "vision_config": {
            **QWEN2_5_VL_3B.config["vision_config"], "depth": 1, "hidden_size": 32,
            "intermediate_size": 32, "num_heads": 2, "out_hidden_size": 32,
            "fullatt_block_indexes": [0],
        },
    },
)  # fmt: skip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return three seconds with a picture that brightens and noise."""
    sound = np.random.default_rng(0).normal(0, 0.1, 3 * 16_000).astype(np.float32)
    path = tmp_path_factory.mktemp("clip") / "ramp.mkv"
    times = [k / 10 for k in range(30)]
    return write_clip(path, Written(times, [20 + 4 * k for k in range(30)], sound=sound))


@pytest.fixture(autouse=True)
def _nothing_stays_loaded() -> Any:
    yield
    POOL.unload()


@pytest.mark.parametrize(("size", "millions"), [(LARGE_V3_TURBO, 809), (QWEN2_5_VL_3B, 3755)])
def test_the_sizes_have_as_many_weights_as_the_published_ones(size: Size, millions: float) -> None:
    model = build_model(size, "meta", "bfloat16")
    model.tie_weights()
    count = sum(weight.numel() for weight in model.parameters()) / 1e6
    assert count == pytest.approx(millions, rel=0.01)
    assert model.dtype.itemsize == 2


@pytest.mark.parametrize("size", [WHISPER, QWEN])
def test_a_size_is_measured_in_batches_and_step_by_step(size: Size) -> None:
    speed, step = measure_size(size, "cpu", 1)
    assert speed.name == f"{size.name}, random weights, 2 {size.item}s at once : one by one"
    assert f"both wrote {TOKENS} tokens of each" in speed.detail and speed.value > 0
    assert step.goal is None and step.at_most and step.held


def test_a_step_reads_the_layers_and_the_words_once() -> None:
    """A head that shares the embedding reads it; with a head of its own only that is read."""
    tied = build_model(QWEN, "cpu", "float32")
    language = tied.model.language_model
    expected = 4 * sum(weight.numel() for weight in language.parameters())
    assert decoder_bytes(tied, QWEN.encoder) == expected
    text = {**QWEN.config["text_config"], "tie_word_embeddings": False}
    untied = QWEN._replace(
        config={**QWEN.config, "text_config": text, "tie_word_embeddings": False}
    )
    assert decoder_bytes(build_model(untied, "cpu", "float32"), QWEN.encoder) == expected
    assert decoder_bytes(tied, "") > expected


def test_fewer_tokens_than_asked_for_make_no_row() -> None:
    import torch

    short = SimpleNamespace(generate=lambda **_: torch.zeros(1, 3))
    with pytest.raises(Unequal, match="3 tokens were written instead of 40"):
        generate(short, {}, 40)


def test_bandwidth_is_that_of_a_memory() -> None:
    assert 1e7 < bandwidth("cpu", "float32") < 1e13


def test_results_must_be_alike() -> None:
    expected, other = models.words_of("I'm here, at last!"), models.words_of("I'm HERE at last")
    assert expected == other == ("i", "m", "here", "at", "last")
    assert models.require_alike("asr", expected, other) == "100% of 5 words alike"
    assert models.require_alike("deepface", ("happy",), ("happy",)) == "same result"
    with pytest.raises(Unequal, match=r"asr came to 'i m here at last', .*example to 'no'"):
        models.require_alike("asr", expected, ("no",))
    with pytest.raises(Unequal, match="came to nothing"):
        models.require_alike("asr", (), ())


@pytest.mark.parametrize(
    ("name", "kind", "package"),
    [
        ("faster-whisper", "ctranslate", "faster_whisper"),
        ("whisper", "openai", "whisper"),
    ],
)
def test_a_recogniser_is_compared_where_its_library_writes_the_same_words(
    name: str, kind: str, package: str, shared_clip: Callable[[str], Path], tmp_path: Path
) -> None:
    for needed in (package, "whisper"):
        pytest.importorskip(needed, reason=f"{needed} is not installed")
    from tests.fixtures.checkpoints.whisper import WRITERS, Script, spelled

    path = tmp_path / ("model.pt" if kind == "openai" else "model")
    weights = WRITERS[kind](path, spelled(Script()))
    sound = shared_clip("audio/jfk.flac")
    (row,) = measure_tool(name, sound, "cpu", 1, tmp_path, model=str(weights))
    assert row.name == f"{name} {path.name} : its library's own example"
    assert "100% of 9 words alike" in row.detail and row.goal == models.SPEECH_GOAL


def test_deepface_is_compared_where_it_names_the_same_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("deepface", reason="deepface is not installed")
    for name in ("DEEPFACE_HOME", "DEEPFACE_BACKEND_ENGINE"):  # which the measurement sets
        monkeypatch.setenv(name, "")
    from tests.fixtures.faces import write_emotion, write_portrait

    folder = tmp_path / ".deepface" / "weights"
    weights = write_emotion(folder / "facial_expression_model_weights.pth")
    portrait = write_portrait(tmp_path / "portrait.mp4")
    (row,) = measure_tool("deepface", portrait, "cpu", 1, tmp_path, model=str(weights))
    assert "same result" in row.detail and "4 pictures a second" in row.detail


def speed(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["speed", *map(str, words)])


def test_what_cannot_be_measured_is_reported_with_its_reason(clip: Path) -> None:
    done = speed(clip, "--profile", "models", "--device", "cpu", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert list(found) == ["machine", "measures", "unmeasured"]
    assert {each["name"].partition(",")[0] for each in found["measures"]} <= {"ocr"}
    assert found["machine"]["device"] == "cpu" and found["machine"]["date"]
    reasons = {each["name"]: each["why"] for each in found["unmeasured"]}
    assert len(reasons) + len(found["measures"]) == len(models.PARTS) - 1 + len(SIZES)
    assert "emer models pull faster-whisper" in reasons["faster-whisper"]
    assert "--size large-v3-turbo" in reasons["large-v3-turbo, random weights"]
    assert "measuring whisper on cpu ..." in done.stderr


def test_an_error_of_a_library_costs_its_part_only(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = at_least("asr", 2.0, "x", None, "")

    def measured(name: str, *_: object) -> list[Any]:
        if name == "asr":
            return [row]
        raise (
            ToolMissing(name, "its package", "pip install it")
            if name == "whisper"
            else (ValueError("no such\nlayer"))
        )

    monkeypatch.setattr(models, "measure_tool", measured)
    request = SpeedRequest(clip, "cpu", only=("whisper", "asr", "captioner"))
    report = measure_models(request, lambda _: None)
    assert report.measures == (row,)
    assert report.unmeasured == (
        Unmeasured(name="whisper", why="whisper needs its package: pip install it"),
        Unmeasured(name="captioner", why="ValueError: no such layer"),
    )


def test_a_size_is_measured_where_it_is_named(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "SIZES", {"whisper-mini": WHISPER, "qwen2.5-vl-3b": QWEN})
    request = SpeedRequest(clip, "cpu", sizes=("whisper-mini",), only=("sizes",), rounds=1)
    report = measure_models(request, lambda _: None)
    assert {each.name.split(",")[0] for each in report.measures} == {"whisper-mini"}
    assert [each.name for each in report.unmeasured] == ["qwen2.5-vl-3b, random weights"]


def test_a_missed_goal_is_exit_code_1_and_the_table_says_what_is_missing(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = this_machine("cpu")
    report = SpeedReport(
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
    ("words", "message"),
    [
        (("--profile", "models", "--size", "huge"), "--size 'huge': write large-v3-turbo, qwen"),
        (("--profile", "models", "--only", "voice"), "--only 'voice': write faster-whisper, whis"),
        (("--profile", "models", "--device", "gpu"), "write auto, cpu, cuda"),
        (("--profile", "fast"), "--profile 'fast': write embedded or models"),
        (("--size", "large-v3-turbo"), "--size: only with --profile models"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    clip: Path, words: tuple[str, ...], message: str
) -> None:
    done = speed(clip, *words)
    assert done.exit_code == 2 and message in done.stderr
    assert done.stderr.count("\n") == 1 and not done.stdout


def test_a_clip_needs_sound(tmp_path: Path) -> None:
    mute = write_clip(tmp_path / "mute.mkv", Written([0.0, 0.1, 0.2], [10, 20, 30]))
    done = speed(mute, "--profile", "models")
    assert done.exit_code == 2 and "needs picture and sound" in done.stderr


def test_ctrl_c_leaves_no_copies(
    clip: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folders: list[Path] = []

    def interrupted(_: str, __: Path, ___: str, ____: int, folder: Path) -> None:
        folders.append(folder)
        assert folder.is_dir()
        raise KeyboardInterrupt

    monkeypatch.setattr(models, "measure_tool", interrupted)
    with pytest.raises(KeyboardInterrupt):
        measure_models(SpeedRequest(clip, "cpu", rounds=1), lambda _: None)
    assert folders and not folders[0].exists()


@needs("rapidocr")
def test_ocr_is_measured_in_cpu_time_of_the_clip(clip: Path) -> None:
    request = SpeedRequest(clip, only=("ocr",), rounds=1)
    (row,) = measure_models(request, lambda _: None).measures
    assert row.name == "ocr, CPU time : the clip's length"
    assert row.value > 0 and row.goal == 0.3 and row.at_most
