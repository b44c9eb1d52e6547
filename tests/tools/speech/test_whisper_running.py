"""How speech models run: precision, memory, batches in common, arguments and settings."""

from __future__ import annotations

import threading

import pytest

from emer.graphs.settings import load_settings
from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.media.clip import Clip
from emer.tools.runtime import device
from emer.tools.runtime.cancellation import Call, at_work
from emer.tools.runtime.device import Machine, forget, use
from emer.tools.runtime.model_pool import SHELF
from emer.tools.speech.whisper import Whisper
from emer.tools.tool import Heavy, load_tool
from emer.tools.types import Span
from emer.tools.weights.locate import find
from tests.tools.speech.conftest import ENGLISH, GERMAN, made, needs

RUNS = {"auto": "float32", "float16": "float16"}
"""What runs on a CPU where the process asks for bfloat16, by what the tool asks for."""


@needs("whisper")
def test_16_bit_gives_what_32_bit_gives_within_a_thousandth(checkpoint, spoken):
    full = made("whisper", checkpoint("openai", GERMAN)).observe(Clip.open(spoken))
    half = made("whisper", checkpoint("openai", GERMAN), dtype="float16").observe(Clip.open(spoken))
    assert [c.text for c in full] == [c.text for c in half]
    for a, b in zip(full, half, strict=True):
        assert a.quality.factors["asr_logprob"] == pytest.approx(
            b.quality.factors["asr_logprob"], abs=2e-3
        )


@needs("whisper")
@pytest.mark.parametrize("own", ["auto", "float16"])
def test_bfloat16_of_the_process_is_what_the_library_can_and_noted(own, checkpoint, spoken):
    path = checkpoint()
    plain = made("whisper", path).observe(Clip.open(spoken))
    use(Machine(dtype="bfloat16"))
    try:
        tool = made("whisper", path, dtype=own)
        with at_work(Call()) as call:
            clues = tool.observe(Clip.open(spoken))
        assert RUNS[own] in [dict(key.options)["precision"] for key in SHELF.held()]
    finally:
        forget()
    assert isinstance(tool, Heavy) and tool.hardware["dtype"] == RUNS[own]
    told = ("openai-whisper decodes in no bfloat16; it ran in float32",)
    assert call.notes == (told if own == "auto" else ())
    assert [clue.text for clue in clues] == [clue.text for clue in plain]


@needs("whisper", "faster_whisper")
def test_what_a_cpu_cannot_compute_is_refused_before_anything_is_loaded(checkpoint):
    """By what says how it runs, which a run asks before its trace begins."""
    import ctranslate2

    known = ctranslate2.get_supported_compute_types("cpu")
    for compute in {"float16", "bfloat16"} - known:
        tool = made("faster-whisper", checkpoint("ctranslate"), compute=compute, device="cpu")
        with pytest.raises(
            ConfigError, match=rf"compute: cpu cannot do {compute}; it can do .*int8"
        ):
            _ = tool.hardware  # type: ignore[attr-defined]
    assert not SHELF.held()


@needs("whisper", "faster_whisper")
def test_a_file_of_16_bit_that_computes_in_32_takes_twice_its_room(checkpoint):
    path = checkpoint("ctranslate")
    tool = made("faster-whisper", path, compute="float32", device="cpu")
    assert isinstance(tool, Heavy)
    tool.load()
    assert [*SHELF.held().values()] == [2 * find("faster-whisper", str(path)).gigabytes]


@needs("whisper")
def test_a_batch_that_does_not_fit_is_halved_and_noted(checkpoint, talk, monkeypatch):
    import torch
    import whisper.model

    forward = whisper.model.AudioEncoder.forward

    def cramped(self: object, x: torch.Tensor) -> torch.Tensor:
        if len(x) > 1:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return forward(self, x)

    tool = made("whisper", checkpoint())
    plain = [clue.id for clue in tool.observe(Clip.open(talk))]
    monkeypatch.setattr(whisper.model.AudioEncoder, "forward", cramped)
    with at_work(Call()) as call:
        again = [clue.id for clue in made("whisper", checkpoint()).observe(Clip.open(talk))]
    assert again == plain
    assert call.notes[0] == "cpu has no memory for 3 at a time; went on with 1"


@needs("whisper")
def test_several_clips_at_once_share_batches(checkpoint, spoken, monkeypatch):
    import whisper.model

    sizes: list[int] = []
    forward = whisper.model.AudioEncoder.forward

    def counting(self: object, x: object) -> object:
        sizes.append(len(x))  # type: ignore[arg-type]
        return forward(self, x)

    monkeypatch.setattr(whisper.model.AudioEncoder, "forward", counting)
    tools = [made("whisper", checkpoint(), batch=8) for _ in range(8)]
    threads = [
        threading.Thread(target=lambda tool=tool: tool.observe(Clip.open(spoken))) for tool in tools
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(sizes) == 8 and len(sizes) < 8


@needs("whisper")
def test_how_it_runs_is_told_and_is_no_part_of_the_evidence(checkpoint):
    one = made("whisper", checkpoint(), batch=2, device="cpu")
    other = made("whisper", checkpoint(), batch=7)
    assert one.source == other.source
    assert isinstance(one, Heavy) and isinstance(other, Heavy)
    assert (one.hardware["batch"], other.hardware["batch"]) == (2, 7)
    assert one.hardware["device"] == "cpu" and one.hardware["threads"] == device.threads()
    assert made("whisper", checkpoint("openai", GERMAN)).source != one.source


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("whisper", {"beam": 0}, "beam must be at least 1"),
        ("whisper", {"language": "Klingon"}, r"whisper\.language: there is no language 'Klingon'"),
        ("whisper", {"model": "huge"}, "whisper has no model 'huge'; known: large-v3"),
        ("faster-whisper", {"compute": "int3"}, r"faster-whisper\.compute: 'int3'; write int8"),
        (
            "whisper",
            {"dtype": "bfloat16"},
            "whisper.dtype: openai-whisper decodes in no bfloat16; w",
        ),
        ("whisper", {"dtype": "int8"}, "dtype 'int8': write auto, float32, float16 or bfloat16"),
        ("asr", {"dtype": "int8"}, "dtype 'int8': write auto, float32, float16 or bfloat16"),
        ("speech-emotion", {"dtype": "int8"}, "dtype 'int8': write auto, float32, float16 or"),
        ("captioner", {"dtype": "int8"}, "dtype 'int8': write auto, float32, float16 or"),
    ],
)
def test_arguments_that_cannot_be_are_one_line(name, arguments, said):
    pytest.importorskip("whisper", reason="openai-whisper is not installed")
    pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
    with pytest.raises(ConfigError, match=said):
        load_tool(name, arguments)


def test_without_weights_each_names_the_command_that_gets_them():
    for name in ("whisper", "faster-whisper", "asr"):
        with pytest.raises(ToolMissing) as error:
            load_tool(name)
        assert error.value.install.startswith(("emer models pull ", "pip install "))


@needs("whisper")
def test_the_settings_choose_it_with_its_arguments(checkpoint, spoken, tmp_path):
    from emer.graphs.loading import choose, load_tools

    file = tmp_path / "emer.toml"
    file.write_text(
        f'profile = "models"\n[tools.speech]\nmodel = "{checkpoint()}"\nbeam = 1\nbatch = 2\n'
    )
    tools, _ = load_tools(choose(load_settings(file)).settings)
    assert isinstance(tools["speech"], Whisper) and tools["speech"].hardware["batch"] == 2
    (clue,) = tools["speech"].observe(Clip.open(spoken), Span(start=0.0, end=3.7))
    assert clue.data["transcript"] == ENGLISH
