"""A GPU says what a CPU says, and 16 bit what 32 bit says, within the tolerance that we state.

The GPU's part runs where there is one; everywhere, precisions are compared on the CPU, and a
device that only says it is a GPU refuses what was not moved to it. Weights that spell a text must
give the same words; weights left to chance, whose answer depends on what is shown, the same
probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from emer.tools.caption.captioner import caption_model, processor_of
from emer.tools.caption.description import VisualPrompt
from emer.tools.expression.deepface import classifier
from emer.tools.registry import load_tool
from emer.tools.runtime.device import CPU, TOLERANCE, RunOptions, available_devices
from emer.tools.runtime.model_pool import POOL
from emer.tools.speech.asr_tool import AsrTool
from emer.tools.speech.faster_whisper import FasterWhisper
from emer.tools.speech.openai_whisper import Whisper
from emer.tools.speech.transcript import AsrOptions, Window
from emer.tools.speech.transformers_asr import Asr
from emer.tools.voice.model import recogniser
from emer.tools.weights.locate import Need, find
from tests.fixtures.checkpoints.caption import room, write_blip, write_qwen, write_smolvlm
from tests.fixtures.checkpoints.ctc import melody, write_ctc
from tests.fixtures.checkpoints.voice import write_classes, write_ratings
from tests.fixtures.checkpoints.whisper import (
    Script,
    spelled,
    write_ctranslate,
    write_openai,
    write_transformers,
)
from tests.fixtures.faces import write_emotion

pytestmark = pytest.mark.slow

HALF_SURE = Script(fog=150.0)
"""A text whose words are neither certain nor unlikely, so that a precision can be seen."""

Outputs = Sequence[tuple[str, Sequence[float]]]
"""Words, and the numbers from 0 to 1 that go with them."""
Read = Callable[[Need, str, str], Outputs]
"""From weights, device and precision to the model's outputs."""


class Case(NamedTuple):
    """A tool's model, what it is given, and the precisions that a CPU has for it."""

    write: Callable[[Path], Path]
    tool: str
    read: Read
    others: tuple[str, ...]


def sounds() -> list[np.ndarray]:
    made = np.random.default_rng(0)
    return [made.normal(0, 0.1, 16_000 * n).astype(np.float32) for n in (2, 3)]


def _transcripts(tool: AsrTool, windows: list[Window]) -> Read:
    def read(need: Need, device: str, precision: str) -> Outputs:
        options = AsrOptions(device, precision, 4, 1, False, 2)
        return [
            (each.original.text,
             [float(np.exp(each.original.logprob)), *(word.probability for word in each.words)])
            for each in tool.recogniser(need, options)(windows)
        ]  # fmt: skip

    return read


NOISE = [Window(sound, str(n)) for n, sound in enumerate(sounds())]
TUNES = [Window(melody(text), text) for text in ("HELLO", "GOOD NEWS")]
whisper, faster_whisper = _transcripts(Whisper(), NOISE), _transcripts(FasterWhisper(), NOISE)
asr = _transcripts(Asr(), TUNES)


def speech_emotion(need: Need, device: str, precision: str) -> Outputs:
    emotions = recogniser(need, RunOptions(device, precision, 4), "")(sounds())
    return [(" ".join(each.labels), each.outputs) for each in emotions]


def deepface(need: Need, device: str, _: str) -> Outputs:
    made = np.random.default_rng(0)
    faces = [made.integers(0, 255, (96, 96)).astype(np.uint8) for _ in range(5)]
    return [("", each) for each in classifier(need, device, 4)(faces)]


def captioner(need: Need, device: str, precision: str) -> Outputs:
    prompts = [VisualPrompt((room(seed),)) for seed in (1, 2)]
    inputs = [processor_of(need)(each, precision) for each in prompts]
    written = caption_model(need, RunOptions(device, precision, 2))(inputs)
    return [(each.text, [float(np.exp(each.logprob or 0.0))]) for each in written]


CASES = {
    "whisper": Case(
        lambda path: write_openai(path / "m.pt", spelled(HALF_SURE)), "whisper",
        whisper, (),
    ),
    "faster-whisper": Case(
        lambda path: write_ctranslate(path / "m", spelled(HALF_SURE)), "faster-whisper",
        faster_whisper, (),
    ),
    "asr": Case(lambda path: write_ctc(path / "m"), "asr", asr, ("bfloat16", "float16")),
    "speech-emotion": Case(
        lambda path: write_classes(path / "m", probabilities=None), "speech-emotion",
        speech_emotion, ("bfloat16", "float16"),
    ),
    "deepface": Case(lambda path: write_emotion(path / "m.pth", None), "deepface", deepface, ()),
    "captioner": Case(
        lambda path: write_smolvlm(path / "m"), "captioner", captioner, ("bfloat16", "float16")
    ),
    "captioner-qwen": Case(
        lambda path: write_qwen(path / "m"), "captioner", captioner, ("bfloat16", "float16")
    ),
    "captioner-blip": Case(
        lambda path: write_blip(path / "m"), "captioner", captioner, ("bfloat16", "float16")
    ),
    "asr-whisper": Case(
        lambda path: write_transformers(path / "m", spelled(HALF_SURE)), "asr", asr,
        ("bfloat16", "float16"),
    ),
    "ratings": Case(
        lambda path: write_ratings(path / "m", None), "speech-emotion", speech_emotion,
        ("bfloat16", "float16"),
    ),
}  # fmt: skip

PACKAGES = {
    "whisper": "whisper", "faster-whisper": "faster_whisper", "deepface": "deepface",
    "asr-whisper": "whisper",
}  # fmt: skip


def outputs(name: str, folder: Path, device: str, precision: str) -> Outputs:
    case = CASES[name]
    try:
        return case.read(find(case.tool, str(_written(name, folder))), device, precision)
    finally:
        POOL.unload()


def _written(name: str, folder: Path) -> Path:
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip(PACKAGES.get(name, "transformers"), reason="its package is not installed")
    whole = folder / name
    if not whole.exists():
        whole.mkdir()
        CASES[name].write(whole)
    return next(path for path in sorted(whole.iterdir()) if path.stem == "m")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("precision")


def require_equal(found: Outputs, reference: Outputs, within: float) -> None:
    assert len(found) == len(reference) > 1
    for (words, numbers), (same, others) in zip(found, reference, strict=True):
        assert words == same
        assert list(numbers) == pytest.approx(list(others), abs=within)


@pytest.mark.parametrize(
    ("name", "precision"), [(name, other) for name, case in CASES.items() for other in case.others]
)
def test_16_bit_says_what_32_bit_says(name, precision, folder):
    reference = outputs(name, folder, "cpu", "float32")
    found = outputs(name, folder, "cpu", precision)
    require_equal(found, reference, TOLERANCE)
    numbers = [number for _, numbers in reference for number in numbers]
    if any(0.01 < number < 0.99 for number in numbers):
        assert found != reference  # it did compute in another precision


def test_8_bit_writes_the_same_words_and_is_named_in_the_source(folder):
    """Its probabilities are others: by 0.14 here, which is why it is no 16 bit."""
    name = "faster-whisper"
    reference, found = (outputs(name, folder, "cpu", kind) for kind in ("float32", "int8"))
    assert [words for words, _ in found] == [words for words, _ in reference]
    tool = load_tool(name, {"model": str(_written(name, folder)), "compute": "int8"})
    assert tool.source.params["precision"] == "int8"


@pytest.mark.parametrize("name", [name for name in CASES if name != "faster-whisper"])
def test_all_that_a_gpu_computes_with_is_moved_there_and_of_one_precision(name, folder):
    """On a device whose tensors meet no others: see far_device.py. CTranslate2 has no such."""
    pytest.importorskip("torch", reason="torch is not installed")
    from tests.fixtures.simulated_gpu import far_device

    reference = outputs(name, folder, "cpu", "float32")
    with far_device() as gpu:
        found = outputs(name, folder, gpu, "float16")
    require_equal(found, reference, TOLERANCE)


@pytest.mark.parametrize("name", CASES)
def test_a_gpu_says_what_a_cpu_says(name, folder):
    gpus = [device.name for device in available_devices() if device.name != CPU]
    if not gpus:
        pytest.skip("this machine has no GPU")
    if name == "faster-whisper" and gpus[0] == "mps":
        pytest.skip("CTranslate2 knows no mps")
    reference = outputs(name, folder, "cpu", "float32")
    for precision in ("float32", "float16"):
        require_equal(outputs(name, folder, gpus[0], precision), reference, TOLERANCE)
