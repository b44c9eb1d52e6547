"""Speed of tools with a model, against their library's own example.

A tool takes part with the weights that `emer models pull` got. Tool and example read the same
copies of the clip on the same cores, in turns, and must come to the same result (`Unequal`). Of
sizes that may not be at hand the model alone is measured, built from its published configuration
with random weights, which write a fixed number of tokens; so a GPU needs no model hub.

For a GPU without a network, on a machine that has one: `pip download -d wheels` of torch,
transformers, faster-whisper, openai-whisper, deepface, werkzeug, nvidia-cublas-cu12 and
nvidia-cudnn-cu12 (CTranslate2 needs the last two) beside emer's own requirements; there:
`pip install --no-index -f wheels emer ...` and `emer-eval speed CLIP --profile models
--device cuda`. For the large models alone (`--only sizes`), torch and transformers do.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from emer.evals.speed.large_models import SIZES, measure_size
from emer.evals.speed.long_speech import measure_long_speech
from emer.evals.speed.measure import (
    Machine,
    Measure,
    Unequal,
    Unmeasured,
    at_least,
    at_most,
    gpu_note,
    paired,
    seconds,
    this_machine,
)
from emer.evals.speed.peak_memory import loop_clip
from emer.tools.errors import ConfigError, EmerError, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.runtime.device import CPU, choose_device, cpu_threads
from emer.tools.runtime.model_pool import POOL
from emer.tools.runtime.native import hush
from emer.tools.tool import Heavy, Tool
from emer.tools.types import Clue
from emer.tools.weights.locate import find

COPIES: Final = {"cpu": 2, "cuda": 16}
"""Copies of the clip observed at once, by kind of device: a full GPU batch."""
SAME_WORDS: Final = 0.9
"""Least share of equal words: another segmentation changes a few (ours)."""
FACES_PER_S: Final = 4
"""Pictures a second that DeepFace's example classifies, as the tool does."""
OCR_GOAL: Final = 0.3
"""CPU seconds per second of clip for reading burnt-in subtitles."""
SPEECH_GOAL: Final = 0.8
"""Voice activity, word times and clues may cost a quarter more (ours)."""

Result = tuple[Hashable, ...]
"""Comparable result of one clip: words, a class, or whether there is a face."""
Example = Callable[[Path], Result]
Work = Callable[[], list[Measure]]


class Comparison(NamedTuple):
    """A library's own example for the model of a tool."""

    load: Callable[[Path, Mapping[str, str]], Example]
    """Example from the weights, with the tool's `hardware` as text."""
    result: Callable[[Sequence[Clue]], Result]
    """The tool's clues in the form of the example's result."""
    what: str
    goal: float | None = None


class SpeedRequest(NamedTuple):
    """A clip, a device, sizes of large models, parts, and rounds."""

    clip: Path
    device: str = "auto"
    sizes: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    rounds: int = 3


class SpeedReport(NamedTuple):
    """The measures, and what could not be measured."""

    machine: Machine
    measures: tuple[Measure, ...]
    unmeasured: tuple[Unmeasured, ...]


def measure_models(request: SpeedRequest, say: Callable[[str], None]) -> SpeedReport:
    """Measure the requested parts; `say` is called with each part's name before it.

    `ConfigError` for a clip, device, size or part that does not exist. What a part lacks (a
    package, weights, memory, equal work) stands beside the measures, with the reason.
    """
    parts = _known(request.only, PARTS, "--only") or PARTS
    sizes = _known(request.sizes, tuple(SIZES), "--size")
    clip = Clip.open(request.clip)
    if clip.video is None or clip.audio is None:
        raise ConfigError(f"{request.clip} needs picture and sound; name a clip with both")
    device = choose_device(request.device)
    rows: list[Measure | Unmeasured] = []
    with TemporaryDirectory(prefix="emer-speed-") as folder, hush(Path(folder) / "native.log"):
        for name, part in _works(request, parts, sizes, device, Path(folder)):
            if isinstance(part, Unmeasured):
                rows.append(part)
            else:
                say(f"{name} on {device}")
                rows += _attempt(name, part)
    measures = tuple(row for row in rows if isinstance(row, Measure))
    unmeasured = tuple(row for row in rows if isinstance(row, Unmeasured))
    return SpeedReport(this_machine(device), measures, unmeasured)


def _known(names: tuple[str, ...], known: Sequence[str], option: str) -> tuple[str, ...]:
    for name in names:
        if name not in known:
            raise ConfigError(f"{option} {name!r}: write {', '.join(known)}")
    return tuple(name for name in known if name in names)


def _works(
    request: SpeedRequest, parts: Sequence[str], sizes: Sequence[str], device: str, folder: Path
) -> Iterator[tuple[str, Work | Unmeasured]]:
    for name in parts:
        if name == "ocr":
            yield name, partial(measure_ocr, request.clip, request.rounds, folder)
        elif name == "long-speech":
            yield name, partial(measure_long_speech, request.clip, device, folder)
        elif name != "sizes":
            yield name, partial(measure_tool, name, request.clip, device, request.rounds, folder)
    for size in SIZES if "sizes" in parts else ():
        if device.startswith("cuda") or size in sizes:
            yield size, partial(measure_size, SIZES[size], device, request.rounds)
        else:
            why = f"it takes minutes on {device}; --device cuda, or --size {size}, measures it"
            yield size, Unmeasured(name=f"{size}, random weights", why=why)


def _attempt(name: str, work: Work) -> Sequence[Measure | Unmeasured]:
    try:
        return work()
    except ConfigError:
        raise
    except Exception as error:  # each library has errors of its own; the other parts go on
        kind = "" if isinstance(error, EmerError | ImportError) else f"{type(error).__name__}: "
        return [Unmeasured(name=name, why=kind + " ".join(str(error).split()))]
    finally:
        POOL.unload()


def measure_tool(
    name: str, path: Path, device: str, rounds: int, folder: Path, **arguments: Any
) -> list[Measure]:
    """Speed of a tool on a clip, against its library's own example where it has one.

    `EmerError` without weights or packages, `Unequal` where the results differ.

    Args:
        name: Name of the tool in the settings.
        path: Clip with picture and sound.
        device: "cpu", "mps" or "cuda:N".
        rounds: Times that each side is measured; the least counts.
        folder: Folder for copies of the clip.
        arguments: Arguments of the tool, as `model`; by default its strongest local weights.
    """
    tool = load_tool(name, arguments if name in ON_CPU else {"device": device, **arguments})
    assert isinstance(tool, Heavy), f"{name} has no model"
    tool.load()
    hardware = {key: str(value) for key, value in tool.hardware.items()}
    count = COPIES.get(device.partition(":")[0], COPIES["cpu"])
    batches = iter(_copies(path, folder / name, rounds + 2, count))
    first = next(batches)
    clues = tool.observe(Clip.open(first[0]))
    utilisation = gpu_note(hardware["device"], partial(_observe_next, tool, batches))
    about = ", ".join(f"{key} {value}" for key, value in hardware.items()) + utilisation
    label, comparison = f"{name} {tool.source.model or ''}".strip(), COMPARISONS.get(name)
    ours = partial(_observe_next, tool, batches)
    if comparison is None:
        least = min(seconds(ours) for _ in range(rounds)) / count
        detail = f"least of {rounds}, {count} at once; {Clip.open(path).duration:.2f} s long"
        detail += f"; no example of its library does the same work; {about}"
        return [at_most(f"{label}, a clip", least, "s", None, detail)]
    example = comparison.load(find(name, str(arguments.get("model", "auto"))).path, hardware)
    alike = require_alike(name, comparison.result(clues), example(first[0]))
    pair = paired(ours, lambda: [example(copy) for copy in first], rounds)
    detail = f"{pair.summary(count, 'clip')}; {count} at once : one by one; {comparison.what}; "
    detail += f"{alike}; {about}"
    title = f"{label} : its library's own example"
    return [at_least(title, pair.ratio, "x", comparison.goal, detail)]


def measure_ocr(path: Path, rounds: int, folder: Path) -> list[Measure]:
    """CPU seconds of the OCR tool per second of clip, of all its threads.

    Its pictures come from the decode that tools share, which does not count. `EmerError` without
    the package.
    """
    tool = load_tool("ocr")
    assert isinstance(tool, Heavy)
    tool.load()
    found, times = 0, []
    for (copy,) in _copies(path, folder / "ocr", rounds, 1):
        clip = Clip.open(copy)
        with suppress(Unobservable):
            start = time.process_time()
            try:
                found = len(tool.observe(clip))
            finally:
                times.append(time.process_time() - start)
    least, detail = min(times) / clip.duration, f"{found} subtitles in {clip.duration:.1f} s"
    title = "ocr, CPU time : the clip's length"
    return [at_most(title, least, "x", OCR_GOAL, f"{detail}; least of {rounds}; one thread")]


def _copies(path: Path, folder: Path, rounds: int, count: int) -> list[list[Path]]:
    """Copies of a clip for each round; each has a hash, by which tools cache."""
    folder.mkdir()
    return [
        [loop_clip(path, folder / f"{k}-{n}{path.suffix}", 0, f"{k}-{n}") for n in range(count)]
        for k in range(rounds)
    ]


def _observe_next(tool: Tool, batches: Iterator[Sequence[Path]]) -> None:
    paths = next(batches)
    with ThreadPoolExecutor(len(paths)) as pool:
        list(pool.map(tool.observe, map(Clip.open, paths)))


def require_alike(name: str, ours: Result, theirs: Result) -> str:
    """Agreement of two results, in words; `Unequal` below `SAME_WORDS`."""
    share = SequenceMatcher(None, ours, theirs, autojunk=False).ratio()
    if share < SAME_WORDS or not ours:
        left, right = (
            repr(" ".join(map(str, side))[:60]) if side else "nothing" for side in (ours, theirs)
        )
        raise Unequal(f"{name} came to {left}, its library's example to {right}")
    return f"{share:.0%} of {len(theirs)} words alike" if len(theirs) > 1 else "same result"


def words_of(text: str) -> Result:
    """Words of a text without case and punctuation."""
    return tuple(re.findall(r"[^\W_]+", text.casefold()))


def _transcript(clues: Sequence[Clue]) -> Result:
    originals = [clue for clue in clues if "translated_from" not in clue.data]
    return words_of(" ".join(str(clue.data["transcript"]) for clue in originals))


def _faster_whisper(weights: Path, hardware: Mapping[str, str]) -> Example:
    from faster_whisper import WhisperModel

    kind, _, number = hardware["device"].partition(":")
    model = WhisperModel(
        str(weights), device=kind, device_index=int(number or 0), local_files_only=True,
        compute_type=hardware["dtype"], cpu_threads=cpu_threads(),
    )  # fmt: skip

    def transcribe(path: Path) -> Result:
        segments, _ = model.transcribe(str(path), beam_size=1, word_timestamps=True)
        return words_of(" ".join(segment.text for segment in segments))

    return transcribe


def _openai_whisper(weights: Path, hardware: Mapping[str, str]) -> Example:
    import whisper

    model = whisper.load_model(str(weights), device=hardware["device"])
    options = {"word_timestamps": True, "fp16": hardware["device"] != CPU}

    def transcribe(path: Path) -> Result:
        sound = Clip.open(path).samples().copy()  # torch must own it
        return words_of(model.transcribe(sound, **options)["text"])

    return transcribe


def _face_landmarker(weights: Path, _: Mapping[str, str]) -> Example:
    from mediapipe import Image, ImageFormat
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        BaseOptions(str(weights)), vision.RunningMode.VIDEO, output_face_blendshapes=True
    )

    def detect(path: Path) -> Result:
        with vision.FaceLandmarker.create_from_options(options) as landmarker:
            faces = [
                landmarker.detect_for_video(
                    Image(ImageFormat.SRGB, frame.rgb()), round(1000 * frame.time)
                ).face_blendshapes
                for frame in Clip.open(path).frames()
            ]
        return (sum(map(bool, faces)) > len(faces) / 2,)

    return detect


def _deepface(weights: Path, hardware: Mapping[str, str]) -> Example:
    import torch

    if torch.cuda.is_available() != hardware["device"].startswith("cuda"):
        raise Unequal("DeepFace.analyze takes the GPU where there is one; hide it for the CPU")
    os.environ |= {"DEEPFACE_HOME": str(weights.parents[2]), "DEEPFACE_BACKEND_ENGINE": "pytorch"}
    from deepface import DeepFace

    options: dict[str, Any] = {"actions": ["emotion"], "enforce_detection": False, "silent": True}

    def analyse(path: Path) -> Result:
        classes = Counter(
            face["dominant_emotion"]
            for frame in Clip.open(path).frames(fps=FACES_PER_S)
            for face in DeepFace.analyze(frame.rgb()[..., ::-1], **options)
        )
        return tuple(name for name, _ in classes.most_common(1))

    return analyse


def _expression(clues: Sequence[Clue]) -> Result:
    classes: Counter[str] = Counter()
    for clue in clues:
        classes[str(clue.data["class"])] += int(str(clue.data["frames"]))
    return tuple(name for name, _ in classes.most_common(1))


COMPARISONS: Final[Mapping[str, Comparison]] = {
    "faster-whisper": Comparison(
        _faster_whisper, _transcript,
        "WhisperModel.transcribe with word times, same beam and precision", SPEECH_GOAL,
    ),
    "whisper": Comparison(
        _openai_whisper, _transcript, "model.transcribe with word times", SPEECH_GOAL
    ),
    "blendshapes": Comparison(
        _face_landmarker, lambda clues: (bool(clues),),
        "FaceLandmarker's 52 scores of each picture; the tool also tracks, calibrates and "
        "judges action units",
    ),
    "deepface": Comparison(
        _deepface, _expression, f"DeepFace.analyze on {FACES_PER_S} pictures a second"
    ),
}  # fmt: skip
PARTS: Final = (
    *COMPARISONS,
    *("asr", "speech-emotion", "captioner", "ocr", "long-speech", "sizes"),
)
ON_CPU: Final = frozenset({"blendshapes"})
"""Tools without a device of their own: MediaPipe's Python runs on the CPU."""
