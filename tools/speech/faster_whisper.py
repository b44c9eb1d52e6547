"""Whisper on CTranslate2.

The CUDA libraries that CTranslate2 opens by name when it first computes on a GPU.

It brings none, and torch may have come with those of another CUDA. What pip installed lies in a
folder that the system does not search; opened once by its path it is found by its name.

faster-whisper (CTranslate2) as a recogniser: the same models, quantised, times faster.

Speech recognised by faster-whisper: Whisper's models on CTranslate2, quantised.
"""

from __future__ import annotations

import ctypes
import re
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.runtime import device as devices
from emer.tools.runtime.cancellation import note, still_wanted
from emer.tools.runtime.model_pool import Key, Shared
from emer.tools.runtime.native import importing
from emer.tools.speech.asr_tool import WHOLE, SpeechTool
from emer.tools.speech.converted import layers
from emer.tools.speech.languages import (
    AUTO,
    ENGLISH,
    Guess,
    by_language,
    guess,
    languages,
    require_language,
    translates,
)
from emer.tools.speech.openai_whisper import CLOSING, OPENING
from emer.tools.speech.segmentation import FRAMES, HOP, hear_fitted
from emer.tools.speech.transcript import Heard, Run, Spoken, Text, Window, differing
from emer.tools.speech.vad import Samples
from emer.tools.types import Param
from emer.tools.weights.locate import Need, loading

PACKAGES: Mapping[str, str] = {
    "cublas": "nvidia-cublas-cu12",
    "cudnn": "'nvidia-cudnn-cu12==9.*'",
}
"""What brings each. CTranslate2's wheels are made for CUDA 12; since 4.8 they ask for no cuDNN."""

_MISSING = re.compile(r"Library (\S*?(cublas|cudnn)\S*) is not found or cannot be loaded")


def open_installed() -> None:
    """Open those that pip installed, so that CTranslate2 finds them; on Linux."""
    if sys.platform != "linux":
        return
    for file in _installed():
        with suppress(OSError):  # one that cannot be opened is missed by its name later
            ctypes.CDLL(str(file), mode=ctypes.RTLD_GLOBAL)


def _installed() -> Iterator[Path]:
    spec = find_spec("nvidia")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for name in PACKAGES:
            yield from sorted(Path(place, name, "lib").glob(f"lib{name}.so.*"))


@contextmanager
def needing(tool: str) -> Iterator[None]:
    """Turn what CTranslate2 raises for want of a library into the line that brings it."""
    try:
        yield
    except RuntimeError as error:
        found = _MISSING.search(str(error))
        if found is None:
            raise
        file, name = found.groups()
        install = f"pip install {PACKAGES[name]}"
        raise ToolMissing(tool, f"the CUDA library {file}", install) from error


TOOL = "faster-whisper"
MOST_TOKENS = 224
"""Tokens written for a window at most: half the model's context, as openai-whisper does."""

INT8_16 = "int8_float16"
COMPUTE = ("int8", "float16", "bfloat16", "float32")
SHARE = {"int8": 0.5, "float32": 2.0}
"""What a model takes of its files' size, which are of 16 bit where they were published."""
STEP = 0.005
"""Seconds between two looks at whether a batch is done."""


def recogniser(need: Need, run: Run) -> Shared[Window, Heard]:
    """Return the recogniser of a converted folder; nothing is loaded."""
    options = (("precision", run.precision), ("threads", run.threads), ("is", need.fingerprint))
    return Shared(
        Key(TOOL, str(need.path), run.device, options),
        partial(_load, need, run),
        partial(hear, run),
        batch=run.batch,
        gigabytes=need.gigabytes * SHARE.get(run.precision, 1.0),
        differs=run.differs,
        check=lambda model: require_language(TOOL, need.model, run.language, knows(model)),
    )


def compute_types(device: str, precision: str) -> Collection[str]:
    """Return what CTranslate2 can compute with on a device.

    `ConfigError` where this precision is not among it.
    """
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


def _load(need: Need, run: Run) -> Any:
    with importing():
        from faster_whisper import WhisperModel
    kind, _, number = run.device.partition(":")
    known = compute_types(run.device, run.precision)
    if kind == "cuda":
        open_installed()
    with loading(TOOL, need), needing(TOOL):
        if not (need.path / "tokenizer.json").is_file():
            raise FileNotFoundError("it has no tokenizer.json")  # else one is downloaded
        model = WhisperModel(
            str(need.path),
            device=kind,
            device_index=int(number or 0),
            compute_type=_compute(run.precision, known),
            cpu_threads=run.threads,
            local_files_only=True,
        )
    model.translates, model.doubt = _translates(model, need.path)
    return model


def _translates(model: Any, folder: Path) -> tuple[bool, str]:
    """Return whether the model was trained to translate, and why that cannot be told."""
    try:
        return translates(model.model.is_multilingual, *layers(folder)), ""
    except ValueError as error:
        return False, f"whether the model was trained for it cannot be told ({error})"


def knows(model: Any) -> tuple[str, ...]:
    """Return the codes of the languages that the model knows: those it has a token for."""
    if not model.model.is_multilingual:
        return (ENGLISH,)
    token = model.hf_tokenizer.token_to_id
    return tuple(code for code in languages() if token(f"<|{code}|>") is not None)


def _compute(precision: str, known: Collection[str]) -> str:
    """Return CTranslate2's word for a precision where so many are known.

    What of an 8 bit model is not 8 bit is else computed in the precision of the file: in 32 bit of
    one that was converted without a word about it, where a GPU could do with 16.
    """
    return INT8_16 if precision == "int8" and INT8_16 in known else precision


def hear(run: Run, model: Any, windows: Sequence[Window]) -> list[Heard]:
    """Return what the model hears in one batch of windows; see `fitting` for those that fit.

    `ToolMissing` for a CUDA library that is not there.
    """
    if run.translate and model.doubt:
        note(f"no translation: {model.doubt}")
    with needing(TOOL):
        return _hear_as_asked(run, model, windows)


def _hear_as_asked(run: Run, model: Any, windows: Sequence[Window]) -> list[Heard]:
    if run.fit:
        return hear_fitted(windows, partial(_hear, run, model))
    return _hear(run, model, windows, FRAMES)


def _hear(run: Run, model: Any, windows: Sequence[Window], frames: int) -> list[Heard]:
    """Return the same, with so many frames of the spectrogram encoded of each."""
    from faster_whisper.audio import pad_or_trim

    mels = [pad_or_trim(model.feature_extractor(w.sound)[..., :-1], frames) for w in windows]
    encoded = model.encode(np.stack(mels))
    still_wanted()
    found = _guess(model, encoded, windows)
    heard: dict[int, Heard] = {}
    for code, places in by_language(found).items():
        own = [(windows[place], found[place].probability) for place in places]
        heard |= zip(places, _decode(model, run, _rows(encoded, places), code, own), strict=True)
    return [heard[place] for place in range(len(windows))]


def _guess(model: Any, encoded: Any, windows: Sequence[Window]) -> list[Guess]:
    if not model.model.is_multilingual:
        return [Guess(ENGLISH, None)] * len(windows)

    def ask(places: list[int]) -> list[dict[str, float]]:
        found = model.model.detect_language(_rows(encoded, places))
        return [{token.strip("<|>"): float(p) for token, p in each} for each in found]

    return guess(windows, ask)


def _rows(encoded: Any, places: Sequence[int]) -> Any:
    """Return the encoder's output for some windows; all of them need no copy."""
    import ctranslate2

    if list(places) == list(range(encoded.shape[0])):
        return encoded
    here = encoded.to_device(ctranslate2.Device.cpu)
    if here.dtype == ctranslate2.DataType.bfloat16:  # which NumPy does not know
        here = here.to(ctranslate2.DataType.float32)
    here = np.asarray(here)
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(here[list(places)]))


def _decode(
    model: Any,
    run: Run,
    encoded: Any,
    language: str,
    windows: Sequence[tuple[Window, float | None]],
) -> list[Heard]:
    """Return what is heard in windows of one language."""
    tokenizer, said = _write(model, run, encoded, language, "transcribe")
    english: list[Text | None] = [None] * len(windows)
    if run.translate and language != ENGLISH and model.translates:
        own, results = _write(model, run, encoded, language, "translate")
        english = [_text(own, result) for result in results]
    sounds = [window.sound for window, _ in windows]
    words = _words(model, tokenizer, encoded, said, sounds)
    return [
        Heard(
            said=_text(tokenizer, result),
            words=words[place],
            language=language,
            language_probability=sure,
            no_speech=float(result.no_speech_prob),
            unfinished=len(result.sequences_ids[0]) >= MOST_TOKENS,
            translation=differing(english[place], tokenizer.decode(result.sequences_ids[0])),
        )
        for place, (result, (_, sure)) in enumerate(zip(said, windows, strict=True))
    ]


def _write(model: Any, run: Run, encoded: Any, language: str, task: str) -> tuple[Any, list[Any]]:
    """Return the tokenizer and the decoding: no prompt, no sampling, so the same each time."""
    from faster_whisper.tokenizer import Tokenizer
    from faster_whisper.transcribe import get_suppressed_tokens

    multilingual = model.model.is_multilingual
    tokenizer = Tokenizer(model.hf_tokenizer, multilingual, task=task, language=language)
    prompt = [*tokenizer.sot_sequence, tokenizer.no_timestamps]
    working = model.model.generate(
        encoded,
        [prompt] * encoded.shape[0],
        asynchronous=True,
        beam_size=run.beam,
        max_length=len(prompt) + MOST_TOKENS,
        suppress_blank=True,
        suppress_tokens=get_suppressed_tokens(tokenizer, (-1,)),
        return_scores=True,
        return_no_speech_prob=True,
    )
    while not all(each.done() for each in working):
        still_wanted()  # what is given up ends by itself, out of sight
        time.sleep(STEP)
    return tokenizer, [each.result() for each in working]


def _text(tokenizer: Any, result: Any) -> Text:
    tokens = result.sequences_ids[0]
    return Text(
        tokenizer.decode(tokens).strip(), result.scores[0] * len(tokens) / (len(tokens) + 1)
    )


def _words(
    model: Any, tokenizer: Any, encoded: Any, said: Sequence[Any], sounds: Sequence[Samples]
) -> list[tuple[Spoken, ...]]:
    """Return each window's words with the times at which the decoder attended to the sound."""
    from faster_whisper.transcribe import merge_punctuations

    written = [[t for t in r.sequences_ids[0] if t < tokenizer.eot] for r in said]
    able = [n for n, (text, sound) in enumerate(zip(written, sounds, strict=True))
            if text and len(sound) >= 2 * HOP]  # fmt: skip
    found: list[tuple[Spoken, ...]] = [()] * len(said)
    if not able:
        return found
    frames = [len(sounds[n]) // HOP for n in able]
    aligned = model.find_alignment(
        tokenizer, [written[n] for n in able], _rows(encoded, able), frames
    )
    for place, words in zip(able, aligned, strict=True):
        merge_punctuations(words, OPENING, CLOSING)
        length = len(sounds[place]) / 16_000
        found[place] = tuple(
            Spoken(w["word"], min(float(w["start"]), length), min(float(w["end"]), length),
                   float(w["probability"]))
            for w in words if w["word"].strip()
        )  # fmt: skip
    return found


ANYWHERE = ("int8", "float32")
"""What every device computes with: the library need not be loaded to say so."""


class FasterWhisper(SpeechTool):
    """Recognises speech with a model that was converted for CTranslate2.

    `model` is a size ("large-v3-turbo", "tiny"), a converted folder, or "auto" for the
    strongest that is here. `compute` is the precision: int8, float16, bfloat16 or float32;
    the process's dtype does not touch it. The others as in `whisper`.
    """

    name: ClassVar[str] = TOOL
    description = "Recognises speech in many languages, with word times, fast on a CPU, too."

    def __init__(
        self,
        model: str = AUTO,
        language: str = AUTO,
        beam: int = 1,
        translate: bool = True,
        compute: str = "int8",
        device: str = AUTO,
        batch: int = 0,
        window: str = WHOLE,
    ) -> None:
        """Keep the settings; nothing is loaded. `ConfigError` for what cannot be."""
        super().__init__(model, language, beam, translate, device, batch, window)
        if compute not in COMPUTE:
            known = ", ".join(COMPUTE)
            raise ConfigError(f"{self.name}.compute: {compute!r}; write {known}")
        self._compute = compute

    def version(self) -> str:
        """Return faster-whisper's version."""
        try:
            return version("faster-whisper")
        except PackageNotFoundError as error:
            raise ToolMissing(self.name, "its package", "pip install faster-whisper") from error

    def run(self) -> Run:
        """Return how it is run; `ConfigError` where the device cannot compute so."""
        if self._compute not in ANYWHERE:
            compute_types(self.place(), self._compute)
        return super().run()

    def place(self) -> str:
        """Return the device; CTranslate2 knows no mps."""
        device = devices.pick(self._device)
        return devices.CPU if device == "mps" else device

    def precision(self, device: str) -> tuple[str, Param]:
        """Return the precision that was asked for."""
        return self._compute, self._compute

    def recogniser(self, need: Need, run: Run) -> Shared[Window, Heard]:
        """Return what hears windows with this folder."""
        return recogniser(need, run)
