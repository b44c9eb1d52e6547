"""The tool `faster-whisper`: Whisper models on CTranslate2, in batches."""

from __future__ import annotations

import ctypes
import json
import re
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.registry import register
from emer.tools.runtime.cancellation import raise_if_cancelled
from emer.tools.runtime.device import CPU
from emer.tools.runtime.native import importing
from emer.tools.speech.asr_tool import FIT, WHOLE, AsrTool, Backend
from emer.tools.speech.languages import (
    ENGLISH,
    Task,
    decode_by_language,
    detect_languages,
    languages,
)
from emer.tools.speech.segmentation import FRAMES, MEL_HOP, transcribe_fitted
from emer.tools.speech.transcript import (
    CLOSING,
    OPENING,
    AsrOptions,
    ScoredText,
    TimedWord,
    Transcript,
    Window,
    timed_words,
)
from emer.tools.speech.vad import Samples
from emer.tools.weights.locate import Need, loading

TOOL = "faster-whisper"
MOST_TOKENS = 224
"""Most tokens of a window: half the model's context, as in openai-whisper."""
INT8_16 = "int8_float16"
COMPUTE = ("int8", "float16", "bfloat16", "float32")
ANYWHERE = ("int8", "float32")
"""What every device computes with: the library need not be loaded to know."""
MEMORY: Mapping[str, float] = {"int8": 0.5, "float32": 2.0}
"""Memory as a share of the files' size; published files are of 16 bit."""
STEP = 0.005
"""Seconds between two checks whether a batch is done."""
ENCODER_LAYERS: Mapping[int, int] = {384: 4, 512: 6, 768: 12, 1024: 24, 1280: 32}
"""Layers of Whisper's encoder by its width (Radford et al. 2022, table 1)."""
CUDA_PACKAGES: Mapping[str, str] = {
    "cublas": "nvidia-cublas-cu12",
    "cudnn": "'nvidia-cudnn-cu12==9.*'",
}
"""The package of each CUDA library.

CTranslate2's wheels are made for CUDA 12; since 4.8 they require no cuDNN."""
_MISSING = re.compile(r"Library (\S*?(cublas|cudnn)\S*) is not found or cannot be loaded")


def compute_types(device: str, precision: str) -> Collection[str]:
    """What CTranslate2 computes with on a device; `ConfigError` if not with this."""
    with importing():
        import ctranslate2
    kind, _, number = device.partition(":")
    known: Collection[str] = ctranslate2.get_supported_compute_types(kind, int(number or 0))
    if precision not in known:
        raise ConfigError(
            f"{TOOL}.compute: {device} cannot do {precision}; "
            f"it can do {', '.join(sorted({*known} & {*COMPUTE}))}"
        )
    return known


def compute_type(precision: str, known: Collection[str]) -> str:
    """CTranslate2's name of a precision, given all that the device supports.

    The parts of an 8 bit model that are not 8 bit are otherwise computed in the precision of the
    file: in 32 bit for one converted without an option, where a GPU supports 16.
    """
    return INT8_16 if precision == "int8" and INT8_16 in known else precision


def _load(need: Need, options: AsrOptions) -> Any:
    with importing():
        from faster_whisper import WhisperModel
    kind, _, number = options.device.partition(":")
    known = compute_types(options.device, options.precision)
    if kind == "cuda":
        open_cuda_libraries()
    with loading(TOOL, need), require_cuda_libraries(TOOL):
        if not (need.path / "tokenizer.json").is_file():
            raise FileNotFoundError("it has no tokenizer.json")  # else the library downloads one
        model = WhisperModel(
            str(need.path),
            device=kind,
            device_index=int(number or 0),
            compute_type=compute_type(options.precision, known),
            cpu_threads=options.threads,
            local_files_only=True,
        )
    model.emer_folder = need.path
    return model


def translates(multilingual: bool, folder: Path, width: int) -> bool:
    """Whether a converted Whisper model was trained to translate.

    turbo and the distilled models were not; their decoders have fewer layers than the encoders.
    CTranslate2 does not report layers, but the folder's config.json lists the heads that time
    words, and the encoder's output has its width: a full decoder has such heads in its upper
    half. Where either is unknown, a multilingual model is asked; `distinct_translation` then
    drops what only repeats the original.
    """
    layers = ENCODER_LAYERS.get(width)
    try:
        heads = json.loads((folder / "config.json").read_text(encoding="utf-8"))["alignment_heads"]
        deepest = 1 + max(int(layer) for layer, _ in heads)
    except (OSError, ValueError, KeyError, TypeError):
        return multilingual
    return multilingual and (layers is None or 2 * deepest > layers)


def known_languages(model: Any) -> tuple[str, ...]:
    """Codes of the languages that the model has a token for."""
    if not model.model.is_multilingual:
        return (ENGLISH,)
    token = model.hf_tokenizer.token_to_id
    return tuple(code for code in languages() if token(f"<|{code}|>") is not None)


def transcribe(options: AsrOptions, model: Any, windows: Sequence[Window]) -> list[Transcript]:
    """Transcripts of one batch; `ToolMissing` for a CUDA library that is absent."""
    decode = partial(_transcribe, options, model)
    with require_cuda_libraries(TOOL):
        return transcribe_fitted(windows, decode) if options.fit else decode(windows, FRAMES)


def _transcribe(
    options: AsrOptions, model: Any, windows: Sequence[Window], frames: int
) -> list[Transcript]:
    from faster_whisper.audio import pad_or_trim

    mels = [pad_or_trim(model.feature_extractor(w.sound)[..., :-1], frames) for w in windows]
    encoded = model.encode(np.stack(mels))
    raise_if_cancelled()
    multilingual, width = model.model.is_multilingual, int(encoded.shape[-1])

    def detect(places: list[int]) -> list[dict[str, float]]:
        rows = model.model.detect_language(encoder_rows(encoded, places))
        return [{token.strip("<|>"): float(p) for token, p in row} for row in rows]

    def write(language: str, places: list[int], task: Task) -> list[Transcript]:
        sounds = [windows[place].sound for place in places]
        return _write(model, options, encoder_rows(encoded, places), sounds, language, task)

    guesses = detect_languages(windows, detect if multilingual else None)
    can = options.translate and translates(multilingual, model.emer_folder, width)
    return decode_by_language(guesses, write, can)


def encoder_rows(encoded: Any, places: Sequence[int]) -> Any:
    """The encoder's output for some windows; all of them need no copy."""
    import ctranslate2

    if list(places) == list(range(encoded.shape[0])):
        return encoded
    here = encoded.to_device(ctranslate2.Device.cpu)
    if here.dtype == ctranslate2.DataType.bfloat16:  # NumPy has no bfloat16
        here = here.to(ctranslate2.DataType.float32)
    here = np.asarray(here)
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(here[list(places)]))


def _write(
    model: Any, options: AsrOptions, encoded: Any, sounds: Sequence[Samples], language: str,
    task: Task,
) -> list[Transcript]:  # fmt: skip
    """Texts, with words where they are no translation; without prompt and sampling."""
    from faster_whisper.tokenizer import Tokenizer
    from faster_whisper.transcribe import get_suppressed_tokens

    multilingual = model.model.is_multilingual
    tokenizer = Tokenizer(model.hf_tokenizer, multilingual, task=task, language=language)
    prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
    working = model.model.generate(
        encoded,
        [prompt] * encoded.shape[0],
        asynchronous=True,
        beam_size=options.beam,
        max_length=len(prompt) + MOST_TOKENS,
        suppress_blank=True,
        suppress_tokens=get_suppressed_tokens(tokenizer, (-1,)),
        return_scores=True,
        return_no_speech_prob=True,
    )
    while not all(each.done() for each in working):
        raise_if_cancelled()  # the batch of a cancelled call ends by itself in the background
        time.sleep(STEP)
    results = [each.result() for each in working]
    written = [result.sequences_ids[0] for result in results]
    spoken = task == "transcribe"
    words = _words(model, tokenizer, encoded, written, sounds) if spoken else [()] * len(written)
    means = [r.scores[0] * len(w) / (len(w) + 1) for r, w in zip(results, written, strict=True)]
    return [
        Transcript(
            original=ScoredText(tokenizer.decode(tokens).strip(), mean),
            words=timed,
            no_speech=float(result.no_speech_prob),
            unfinished=len(tokens) >= MOST_TOKENS,
        )
        for result, tokens, mean, timed in zip(results, written, means, words, strict=True)
    ]


def _words(
    model: Any,
    tokenizer: Any,
    encoded: Any,
    written: Sequence[Sequence[int]],
    sounds: Sequence[Samples],
) -> list[tuple[TimedWord, ...]]:
    from faster_whisper.transcribe import merge_punctuations

    texts = [[token for token in tokens if token < tokenizer.eot] for tokens in written]
    able = [n for n, sound in enumerate(sounds) if texts[n] and len(sound) >= 2 * MEL_HOP]
    words: list[tuple[TimedWord, ...]] = [()] * len(sounds)
    if not able:
        return words
    rows, frames = encoder_rows(encoded, able), [len(sounds[n]) // MEL_HOP for n in able]
    aligned = model.find_alignment(tokenizer, [texts[n] for n in able], rows, frames)
    for place, timed in zip(able, aligned, strict=True):
        merge_punctuations(timed, OPENING, CLOSING)
        parts = ((w["word"], w["start"], w["end"], w["probability"]) for w in timed)
        words[place] = timed_words(parts, sounds[place])
    return words


def open_cuda_libraries() -> None:
    """Open the CUDA libraries that pip installed for CTranslate2; on Linux.

    It opens them by name when it first computes on a GPU, but pip's folders are not on the
    system's search path, and torch may have come with those of another CUDA version.
    """
    spec = find_spec("nvidia") if sys.platform == "linux" else None
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for name in CUDA_PACKAGES:
            for file in sorted(Path(place, name, "lib").glob(f"lib{name}.so.*")):
                with suppress(OSError):  # `require_cuda_libraries` reports what cannot be opened
                    ctypes.CDLL(str(file), mode=ctypes.RTLD_GLOBAL)


@contextmanager
def require_cuda_libraries(tool: str) -> Iterator[None]:
    """Turn CTranslate2's error about a missing library into `ToolMissing`."""
    try:
        yield
    except RuntimeError as error:
        match = _MISSING.search(str(error))
        if match is None:
            raise
        file, name = match.groups()
        install = f"pip install {CUDA_PACKAGES[name]}"
        raise ToolMissing(tool, f"the CUDA library {file}", install) from error


@register("faster-whisper", slot="speech", rank=10)
@dataclass(eq=False)
class FasterWhisper(AsrTool):
    """Recognises speech with a model that was converted for CTranslate2.

    Args:
        compute: Precision: int8, float16, bfloat16 or float32; the process's dtype does not
            change it.
        batch: Windows decoded at once; 0 for the default of the device.
        window: "fit" for the sound and 2 s, and a whole window again where the words are then
            not sure: a fraction of the time for short clips, the same words (evals/LOG.md). Or
            "whole" for the 30 s that Whisper was trained on, as always with a beam over 1.
        (the others): See `AsrTool`.
    """

    compute: str = "int8"
    batch: int = 0
    window: str = FIT
    name: ClassVar[str] = TOOL
    package: ClassVar[str] = "faster-whisper"
    backend: ClassVar[Backend] = Backend(_load, transcribe, known_languages, memory=MEMORY)
    description = "Recognises speech in many languages, with word times, fast on a CPU, too."

    def __post_init__(self) -> None:
        if self.window not in (WHOLE, FIT):
            raise ConfigError(f"{TOOL}.window: {self.window!r}; write {WHOLE} or {FIT}")
        if self.compute not in COMPUTE:
            raise ConfigError(f"{TOOL}.compute: {self.compute!r}; write {', '.join(COMPUTE)}")
        self.dtype = self.compute
        super().__post_init__()

    def precision(self, device: str) -> str:
        """The argument `compute`, whatever the process's dtype is."""
        return self.compute

    def options(self) -> AsrOptions:
        """How it is run; `ConfigError` where the device does not support the precision."""
        if self.compute not in ANYWHERE:
            compute_types(self.place(), self.compute)
        return super().options()

    def place(self) -> str:
        """The device; CTranslate2 does not support mps."""
        device = super().place()
        return CPU if device == "mps" else device
