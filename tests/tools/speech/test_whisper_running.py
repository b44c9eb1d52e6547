"""How speech models run: precision, memory, batches in common, arguments and settings."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from emer.graphs.settings import load_settings
from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.runtime.cancellation import Call, in_call
from emer.tools.runtime.device import Machine, configure, cpu_threads
from emer.tools.runtime.model_pool import POOL
from emer.tools.speech.openai_whisper import Whisper
from emer.tools.tool import Heavy
from emer.tools.types import Span
from emer.tools.weights.locate import find
from tests.fixtures.packages import needs
from tests.fixtures.trusted import write_trusted
from tests.tools.speech.conftest import ENGLISH, GERMAN, made

pytestmark = pytest.mark.slow


@needs("whisper")
@pytest.mark.parametrize("process", ["bfloat16", "float16"])
def test_16_bit_of_the_process_is_what_the_library_can_and_noted(process, checkpoint, spoken):
    path = checkpoint()
    plain = made("whisper", path).observe(Clip.open(spoken))
    configure(Machine(dtype=process))
    try:
        tool = made("whisper", path)
        with in_call(Call()) as call:
            clues = tool.observe(Clip.open(spoken))
        assert [dict(key.options)["precision"] for key in POOL.held()] == ["float32"]
    finally:
        configure(None)
    assert isinstance(tool, Heavy) and tool.hardware["dtype"] == "float32"
    assert call.notes == (f"openai-whisper does not compute in {process} here; it ran in float32",)
    assert [clue.text for clue in clues] == [clue.text for clue in plain]


@needs("whisper")
def test_16_bit_of_the_tool_is_refused_on_a_cpu(checkpoint):
    tool = made("whisper", checkpoint(), dtype="float16", device="cpu")
    with pytest.raises(ConfigError, match=r"whisper\.dtype: .* float16 on a CPU; write float32"):
        _ = tool.hardware  # type: ignore[attr-defined]


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
    assert not POOL.held()


@needs("whisper", "faster_whisper")
def test_a_file_of_16_bit_that_computes_in_32_takes_twice_its_room(checkpoint):
    path = checkpoint("ctranslate")
    tool = made("faster-whisper", path, compute="float32", device="cpu")
    assert isinstance(tool, Heavy)
    tool.load()
    assert [*POOL.held().values()] == [2 * find("faster-whisper", str(path)).gigabytes]


@needs("whisper", "faster_whisper")
def test_a_batch_that_does_not_fit_is_halved_and_noted(checkpoint, talk, monkeypatch):
    from faster_whisper import WhisperModel

    encode, path = WhisperModel.encode, checkpoint("ctranslate")

    def cramped(self: object, features: np.ndarray) -> object:
        if len(features) > 1:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return encode(self, features)

    tool = made("faster-whisper", path)
    plain = [clue.id for clue in tool.observe(Clip.open(talk))]
    monkeypatch.setattr(WhisperModel, "encode", cramped)
    with in_call(Call()) as call:
        again = [clue.id for clue in made("faster-whisper", path).observe(Clip.open(talk))]
    assert again == plain
    assert call.notes[0] == "cpu has no memory for 4 at a time; went on with 2"


@needs("whisper", "faster_whisper")
def test_several_clips_at_once_share_batches(checkpoint, spoken, monkeypatch):
    from faster_whisper import WhisperModel

    sizes: list[int] = []
    encode = WhisperModel.encode

    def counting(self: object, features: np.ndarray) -> object:
        sizes.append(len(features))
        return encode(self, features)

    monkeypatch.setattr(WhisperModel, "encode", counting)
    tools = [made("faster-whisper", checkpoint("ctranslate"), batch=8) for _ in range(8)]
    threads = [
        threading.Thread(target=lambda tool=tool: tool.observe(Clip.open(spoken))) for tool in tools
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(sizes) == 8 and len(sizes) < 8


@needs("whisper", "faster_whisper")
def test_how_it_runs_is_told_and_is_no_part_of_the_evidence(checkpoint):
    one = made("faster-whisper", checkpoint("ctranslate"), batch=2, device="cpu")
    other = made("faster-whisper", checkpoint("ctranslate"), batch=7)
    assert one.source == other.source
    assert isinstance(one, Heavy) and isinstance(other, Heavy)
    assert (one.hardware["batch"], other.hardware["batch"]) == (2, 7)
    assert one.hardware["device"] == "cpu" and one.hardware["threads"] == cpu_threads()
    assert made("faster-whisper", checkpoint("ctranslate", GERMAN)).source != one.source


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("whisper", {"beam": 0}, "beam must be at least 1"),
        ("whisper", {"language": "Klingon"}, r"whisper\.language: there is no language 'Klingon'"),
        ("whisper", {"model": "huge"}, "whisper has no model 'huge'; known: large-v3"),
        ("faster-whisper", {"compute": "int3"}, r"faster-whisper\.compute: 'int3'; write int8"),
        (
            "whisper",
            {"dtype": "bfloat16"},
            "whisper.dtype: openai-whisper does not compute in bfloat16; w",
        ),
        ("whisper", {"dtype": "int8"}, "dtype 'int8': write auto, float32, float16 or bfloat16"),
        ("asr", {"dtype": "int8"}, "dtype 'int8': write auto, float32, float16 or bfloat16"),
        ("speech-emotion", {"dtype": "int8"}, "dtype 'int8': write auto, float32, float16 or"),
        ("captioner", {"dtype": "int8"}, "dtype 'int8': write auto, float32, float16 or"),
    ],
)
def test_arguments_that_cannot_be_are_one_line(name, arguments, message):
    pytest.importorskip("whisper", reason="openai-whisper is not installed")
    pytest.importorskip("faster_whisper", reason="faster-whisper is not installed")
    with pytest.raises(ConfigError, match=message):
        load_tool(name, arguments)


def test_without_weights_each_names_the_command_that_gets_them():
    for name in ("whisper", "faster-whisper", "asr"):
        with pytest.raises(ToolMissing) as error:
            load_tool(name)
        assert error.value.install.startswith(("emer models pull ", "pip install "))


@needs("whisper")
def test_the_settings_choose_it_with_its_arguments(checkpoint, spoken, tmp_path):
    from emer.graphs.components import choose, load_tools

    file = tmp_path / "emer.toml"
    write_trusted(file, f'profile = "models"\n[tools.speech]\nmodel = "{checkpoint()}"\nbeam = 1\n')
    tools, _ = load_tools(choose(load_settings(file)).settings)
    assert isinstance(tools["speech"], Whisper) and tools["speech"].hardware["batch"] == 1
    (clue,) = tools["speech"].observe(Clip.open(spoken), Span(start=0.0, end=3.7))
    assert clue.data["transcript"] == ENGLISH
