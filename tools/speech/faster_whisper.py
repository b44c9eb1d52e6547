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
    LanguageGuess,
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
    distinct_translation,
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
    guesses = _languages(model, encoded, windows)

    def decode(language: str, places: list[int]) -> list[Transcript]:
        own = [(windows[place], guesses[place].probability) for place in places]
        return _decode(model, options, encoder_rows(encoded, places), language, own)

    return decode_by_language(guesses, decode)


def _languages(model: Any, encoded: Any, windows: Sequence[Window]) -> list[LanguageGuess]:
    if not model.model.is_multilingual:
        return [LanguageGuess(ENGLISH, None)] * len(windows)

    def detect(places: list[int]) -> list[dict[str, float]]:
        rows = model.model.detect_language(encoder_rows(encoded, places))
        return [{token.strip("<|>"): float(p) for token, p in row} for row in rows]

    return detect_languages(windows, detect)


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


def _decode(
    model: Any,
    options: AsrOptions,
    encoded: Any,
    language: str,
    windows: Sequence[tuple[Window, float | None]],
) -> list[Transcript]:
    tokenizer, results = _write(model, options, encoded, language, "transcribe")
    english: list[ScoredText | None] = [None] * len(windows)
    multilingual, width = model.model.is_multilingual, int(encoded.shape[-1])
    can = language != ENGLISH and translates(multilingual, model.emer_folder, width)
    if options.translate and can:
        own, translations = _write(model, options, encoded, language, "translate")
        english = [_text(own, result) for result in translations]
    words = _words(model, tokenizer, encoded, results, [window.sound for window, _ in windows])
    return [
        Transcript(
            original=_text(tokenizer, result),
            words=words[place],
            language=language,
            language_probability=probability,
            no_speech=float(result.no_speech_prob),
            unfinished=len(result.sequences_ids[0]) >= MOST_TOKENS,
            translation=distinct_translation(
                english[place], tokenizer.decode(result.sequences_ids[0])
            ),
        )
        for place, (result, (_, probability)) in enumerate(zip(results, windows, strict=True))
    ]


def _write(
    model: Any, options: AsrOptions, encoded: Any, language: str, task: str
) -> tuple[Any, list[Any]]:
    """Tokenizer and decoding; deterministic: without a prompt and sampling."""
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
    return tokenizer, [each.result() for each in working]


def _text(tokenizer: Any, result: Any) -> ScoredText:
    tokens = result.sequences_ids[0]
    return ScoredText(
        tokenizer.decode(tokens).strip(), result.scores[0] * len(tokens) / (len(tokens) + 1)
    )


def _words(
    model: Any, tokenizer: Any, encoded: Any, results: Sequence[Any], sounds: Sequence[Samples]
) -> list[tuple[TimedWord, ...]]:
    from faster_whisper.transcribe import merge_punctuations

    written = [[t for t in r.sequences_ids[0] if t < tokenizer.eot] for r in results]
    able = [n for n, (text, sound) in enumerate(zip(written, sounds, strict=True))
            if text and len(sound) >= 2 * MEL_HOP]  # fmt: skip
    words: list[tuple[TimedWord, ...]] = [()] * len(results)
    if not able:
        return words
    frames = [len(sounds[n]) // MEL_HOP for n in able]
    rows = encoder_rows(encoded, able)
    aligned = model.find_alignment(tokenizer, [written[n] for n in able], rows, frames)
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
    if sys.platform != "linux":
        return
    for file in _installed_cuda_libraries():
        with suppress(OSError):  # `require_cuda_libraries` reports one that cannot be opened
            ctypes.CDLL(str(file), mode=ctypes.RTLD_GLOBAL)


def _installed_cuda_libraries() -> Iterator[Path]:
    spec = find_spec("nvidia")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for name in CUDA_PACKAGES:
            yield from sorted(Path(place, name, "lib").glob(f"lib{name}.so.*"))


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
        window: "whole" for the 30 s that Whisper was trained on, or "fit" for the sound and 2 s,
            and a whole window again where the words are then not sure. "fit" takes a fraction of
            the time for short clips.
        (the others): See `AsrTool`.
    """

    compute: str = "int8"
    batch: int = 0
    window: str = WHOLE
    name: ClassVar[str] = TOOL
    package: ClassVar[str] = "faster-whisper"
    backend: ClassVar[Backend] = Backend(_load, transcribe, known_languages, memory=MEMORY)
    description = "Recognises speech in many languages, with word times, fast on a CPU, too."

    def __post_init__(self) -> None:
        """Check the settings; `ConfigError` says which is not possible."""
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
