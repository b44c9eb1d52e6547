"""Tools with a model against their library's own example, and large models with random weights.

A tool takes part with the weights that `emer models pull` got. Tool and example read the same
copies of the clip on the same cores, in turns, and must come to the same result (`Unequal`). Of
sizes that may not be at hand the model alone is measured, built from its published configuration
with random weights, which write a fixed number of tokens; so a GPU needs no model hub.

For a GPU without a network, on a machine that has one:
`pip download -d wheels WHEELS`, with the `WHEELS` below beside emer's own requirements; there:
`pip install --no-index -f wheels emer WHEELS` and `emer-eval speed CLIP --profile models
--device cuda`. For the large models alone (`--only sizes`), torch and transformers do.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from emer.evals.speed.large_models import SIZES, measure_size
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
from emer.tools.errors import ConfigError, EmerError
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.runtime.device import CPU, choose_device, cpu_threads
from emer.tools.runtime.model_pool import POOL
from emer.tools.runtime.native import hush
from emer.tools.tool import Heavy, Tool
from emer.tools.types import Clue
from emer.tools.weights.locate import find

WHEELS: Final = (
    "torch", "transformers", "faster-whisper", "openai-whisper", "deepface", "werkzeug",
    "nvidia-cublas-cu12", "nvidia-cudnn-cu12",
)  # fmt: skip
"""Packages of the comparisons; CTranslate2 needs the last two on a GPU."""

COPIES: Final = {"cpu": 2, "cuda": 16}
"""Copies of the clip in a round, all observed at once, by kind of device: on a GPU as many as
fill a batch."""

SAME_WORDS: Final = 0.9
"""Least share of words alike on both sides: greedy decoding of differently cut sound differs in
a word here and there (our judgement)."""

FACES_PER_S: Final = 4
"""Pictures a second that DeepFace's example classifies, as many as the tool keeps of a face."""

SPEECH_GOAL: Final = 0.8
"""Voice activity, word times and clues may cost a quarter of the example's time (our judgement)."""

Result = tuple[Hashable, ...]
"""What a side makes of a clip, in a form that can be compared: words, a class, a face or none."""
Example = Callable[[Path], Result]


class Comparison(NamedTuple):
    """A library's own example for the model of a tool."""

    load: Callable[[Path, Tool], Example]
    """From weights and the tool, whose precision and device the example takes, to the example."""
    result: Callable[[Sequence[Clue]], Result]
    """The tool's clues in the form of the example's result."""
    what: str
    goal: float | None = None


class Request(NamedTuple):
    """What is to be measured: a clip, a device, sizes of large models, parts, and rounds."""

    clip: Path
    device: str = "auto"
    sizes: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    rounds: int = 3


class Report(NamedTuple):
    """The measures, and what could not be measured."""

    machine: Machine
    measures: tuple[Measure, ...]
    unmeasured: tuple[Unmeasured, ...]


def measure_models(request: Request, say: Callable[[str], None]) -> Report:
    """Measure the parts that were asked for; `say` is called with each part's name before it.

    `ConfigError` for a clip, device, size or part that is not there. What a part lacks (a
    package, weights, memory, equal work) stands beside the measures, with the reason.
    """
    parts = _chosen(request.only, PARTS, "--only") or PARTS
    sizes = _chosen(request.sizes, tuple(SIZES), "--size")
    clip = Clip.open(request.clip)
    if clip.video is None or clip.audio is None:
        raise ConfigError(f"{request.clip} needs picture and sound; name a clip with both")
    device = choose_device(request.device)
    found: list[Measure | Unmeasured] = []
    with TemporaryDirectory(prefix="emer-speed-") as folder, hush(Path(folder) / "native.log"):
        for name, part in _works(request, parts, sizes, device, Path(folder)):
            if isinstance(part, Unmeasured):
                found.append(part)
                continue
            say(f"{name} on {device}")
            found += _attempt(name, part)
    measures = tuple(each for each in found if isinstance(each, Measure))
    unmeasured = tuple(each for each in found if isinstance(each, Unmeasured))
    return Report(this_machine(device), measures, unmeasured)


def _chosen(names: tuple[str, ...], known: Sequence[str], option: str) -> tuple[str, ...]:
    for name in names:
        if name not in known:
            raise ConfigError(f"{option} {name!r}: write {', '.join(known)}")
    return tuple(name for name in known if name in names)


Work = Callable[[], list[Measure]]


def _works(
    request: Request, parts: Sequence[str], sizes: Sequence[str], device: str, folder: Path
) -> Iterator[tuple[str, Work | Unmeasured]]:
    """Yield each part by name: a function that measures it, or why it is not measured."""
    for name in parts:
        if name != "sizes":
            yield name, partial(measure_tool, name, request.clip, device, request.rounds, folder)
    on_gpu = device.startswith("cuda")
    for size in SIZES if "sizes" in parts else ():
        if on_gpu or size in sizes:
            yield size, partial(measure_size, SIZES[size], device, request.rounds)
        else:
            why = f"it takes minutes on {device}; --device cuda, or --size {size}, measures it"
            yield size, Unmeasured(name=f"{size}, random weights", why=why)


def _attempt(name: str, work: Work) -> Sequence[Measure | Unmeasured]:
    """Return a part's measures, or why there are none."""
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
    """Return how fast a tool observes a clip, against its library's own example where it has one.

    Args:
        name: of the tool, as in the settings.
        path: a clip with picture and sound.
        device: "cpu", "mps" or "cuda:N".
        rounds: times that each side is measured; the least counts.
        folder: for copies of the clip.
        arguments: of the tool, as `model`; without it, the strongest weights that are here.

    Raises:
        EmerError: weights or packages are missing, or (`Unequal`) the results differ.

    """
    tool = load_tool(name, arguments if name in ON_CPU else {"device": device, **arguments})
    assert isinstance(tool, Heavy), f"{name} has no model"
    tool.load()
    count = COPIES.get(device.partition(":")[0], COPIES["cpu"])
    batches = iter(_copies(path, folder / name, rounds + 2, count))
    first = next(batches)
    clues = tool.observe(Clip.open(first[0]))
    used = gpu_note(_device(tool), lambda: _observe(tool, next(batches)))
    about = ", ".join(f"{key} {value}" for key, value in tool.hardware.items())
    label = f"{name} {tool.source.model or ''}".strip()
    comparison = COMPARISONS.get(name)
    if comparison is None:
        took = min(seconds(lambda: _observe(tool, next(batches))) for _ in range(rounds)) / count
        detail = f"least of {rounds}, {count} at once; {Clip.open(path).duration:.2f} s long"
        detail += "; no example of its library does the same work"
        return [at_most(f"{label}, a clip", took, "s", None, f"{detail}; {about}{used}")]
    weights = find(name, str(arguments.get("model", "auto"))).path
    example = comparison.load(weights, tool)
    alike = require_alike(name, comparison.result(clues), example(first[0]))
    pair = paired(
        lambda: _observe(tool, next(batches)), lambda: [example(copy) for copy in first], rounds
    )
    return [at_least(f"{label} : its library's own example", pair.ratio, "x", comparison.goal,
            f"{pair.summary(count, 'clip')}; {count} at once : one by one; {comparison.what}; "
            f"{alike}; {about}{used}")]  # fmt: skip


def _copies(path: Path, folder: Path, rounds: int, count: int) -> list[list[Path]]:
    """Return copies of a clip for each round: a tool remembers what it saw of a hash."""
    folder.mkdir()
    return [
        [loop_clip(path, folder / f"{k}-{n}{path.suffix}", 0, f"{k}-{n}") for n in range(count)]
        for k in range(rounds)
    ]


def _observe(tool: Tool, paths: Sequence[Path]) -> None:
    """Have the tool observe all the clips, side by side."""
    with ThreadPoolExecutor(len(paths)) as pool:
        list(pool.map(tool.observe, map(Clip.open, paths)))


def require_alike(name: str, ours: Result, theirs: Result) -> str:
    """Return in words how alike two results are; `Unequal` where fewer than `SAME_WORDS`."""
    share = SequenceMatcher(None, ours, theirs, autojunk=False).ratio()
    if share < SAME_WORDS or not ours:
        raise Unequal(f"{name} came to {_short(ours)}, its library's example to {_short(theirs)}")
    return f"{share:.0%} of {len(theirs)} words alike" if len(theirs) > 1 else "same result"


def _short(result: Result) -> str:
    text = " ".join(map(str, result))
    return repr(text[:60]) if text else "nothing"


def words_of(text: str) -> Result:
    """Return the words of a text without case and punctuation."""
    return tuple(re.findall(r"[^\W_]+", text.casefold()))


def _transcript(clues: Sequence[Clue]) -> Result:
    own = [clue for clue in clues if "translated_from" not in clue.data]
    return words_of(" ".join(str(clue.data["transcript"]) for clue in own))


def _faster_whisper(weights: Path, tool: Tool) -> Example:
    from faster_whisper import WhisperModel

    kind, _, number = _device(tool).partition(":")
    model = WhisperModel(
        str(weights), device=kind, device_index=int(number or 0), local_files_only=True,
        compute_type=_dtype(tool), cpu_threads=cpu_threads(),
    )  # fmt: skip

    def transcribe(path: Path) -> Result:
        segments, _ = model.transcribe(str(path), beam_size=1, word_timestamps=True)
        return words_of(" ".join(segment.text for segment in segments))

    return transcribe


def _openai_whisper(weights: Path, tool: Tool) -> Example:
    import whisper

    device = _device(tool)
    model = whisper.load_model(str(weights), device=device)

    def transcribe(path: Path) -> Result:
        sound, half = Clip.open(path).samples().copy(), device != CPU  # torch must own it
        return words_of(model.transcribe(sound, word_timestamps=True, fp16=half)["text"])

    return transcribe


def _face_landmarker(weights: Path, _: Tool) -> Example:
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


def _deepface(weights: Path, tool: Tool) -> Example:
    """Return `DeepFace.analyze` on as many pictures a second as the tool classifies."""
    import torch

    if torch.cuda.is_available() != _device(tool).startswith("cuda"):
        raise Unequal("DeepFace.analyze takes the GPU where there is one; hide it for the CPU")
    os.environ |= {"DEEPFACE_HOME": str(weights.parents[2]), "DEEPFACE_BACKEND_ENGINE": "pytorch"}
    from deepface import DeepFace

    def analyse(path: Path) -> Result:
        classes = Counter(
            face["dominant_emotion"]
            for frame in Clip.open(path).frames(fps=FACES_PER_S)
            for face in DeepFace.analyze(
                frame.rgb()[..., ::-1], actions=["emotion"], enforce_detection=False, silent=True
            )
        )
        return tuple(name for name, _ in classes.most_common(1))

    return analyse


def _expression(clues: Sequence[Clue]) -> Result:
    classes: Counter[str] = Counter()
    for clue in clues:
        classes[str(clue.data["class"])] += int(str(clue.data["frames"]))
    return tuple(name for name, _ in classes.most_common(1))


def _device(tool: Tool) -> str:
    assert isinstance(tool, Heavy)
    return str(tool.hardware["device"])


def _dtype(tool: Tool) -> str:
    assert isinstance(tool, Heavy)
    return str(tool.hardware["dtype"])


COMPARISONS: Final[Mapping[str, Comparison]] = MappingProxyType(
    {
        "faster-whisper": Comparison(
            _faster_whisper, _transcript, "WhisperModel.transcribe with word times, same beam and "
            "precision", SPEECH_GOAL,
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
    }
)  # fmt: skip

PARTS: Final = (*COMPARISONS, "asr", "speech-emotion", "captioner", "sizes")
ON_CPU: Final = frozenset({"blendshapes"})
"""Tools without a device of their own: MediaPipe's Python runs on the CPU."""
