"""The tool `whisper`: openai-whisper's `transcribe` on segments of speech."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from emer.tools.errors import ConfigError
from emer.tools.media.clip import Clip
from emer.tools.registry import register
from emer.tools.runtime.cancellation import note, raise_if_cancelled
from emer.tools.runtime.device import CPU, default_precision
from emer.tools.runtime.native import importing
from emer.tools.speech.asr_tool import WHOLE, AsrTool, Backend
from emer.tools.speech.languages import (
    AUTO,
    ENGLISH,
    Task,
    decode_by_language,
    detect_languages,
    translates,
)
from emer.tools.speech.segmentation import MEL_HOP
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
from emer.tools.types import Clue, Span
from emer.tools.weights.locate import Need, loading

TOOL = "whisper"


def _load(need: Need, options: AsrOptions) -> Any:
    with importing():
        import whisper
    with loading(TOOL, need):
        model = whisper.load_model(str(need.path), device="cpu").eval()
        if need.name is not None:  # the library knows them by the model's name alone
            model.set_alignment_heads(whisper._ALIGNMENT_HEADS[need.model])
    if options.precision == "float16":
        _halve(model)
    model.to(options.device)
    for part in (*model.encoder.blocks, model.decoder):  # one call a layer, one a token
        part.register_forward_pre_hook(lambda *_: _stop_if_cancelled())
    return model


def _halve(model: Any) -> None:
    """Convert the weights to 16 bit once; the library would at every token.

    Its normalisations compute in 32 bit and keep their weights so.
    """
    import torch

    for part in model.modules():
        if not isinstance(part, torch.nn.LayerNorm):
            for name, weight in list(part.named_parameters(recurse=False)):
                setattr(part, name, torch.nn.Parameter(weight.half(), requires_grad=False))


def _stop_if_cancelled() -> None:
    """Raise `Cancelled` between two steps, but not while words are aligned.

    An exception there would leave the library's hooks on the model; it then computes attention
    without SDPA.
    """
    from whisper.model import MultiHeadAttention

    if MultiHeadAttention.use_sdpa:
        raise_if_cancelled()


def known_languages(model: Any) -> tuple[str, ...]:
    """Codes of the languages that the model knows."""
    from whisper.tokenizer import get_tokenizer

    if not model.is_multilingual:
        return (ENGLISH,)
    return tuple(get_tokenizer(True, num_languages=model.num_languages).all_language_codes)


def transcribe(options: AsrOptions, model: Any, windows: Sequence[Window]) -> list[Transcript]:
    """Transcripts of windows, one after the other."""

    def detect(places: list[int]) -> list[dict[str, float]]:
        mels = (_spectrogram(options, model, windows[place].sound) for place in places)
        return [model.detect_language(mel)[1] for mel in mels]

    def write(language: str, places: list[int], task: Task) -> list[Transcript]:
        return [_write(options, model, windows[n].sound, language, task) for n in places]

    guesses = detect_languages(windows, detect if model.is_multilingual else None)
    layers = model.dims.n_audio_layer, model.dims.n_text_layer
    can = options.translate and translates(model.is_multilingual, *layers)
    return decode_by_language(guesses, write, can)


def _spectrogram(options: AsrOptions, model: Any, sound: Samples) -> Any:
    import torch
    import whisper

    padded = whisper.pad_or_trim(np.array(sound))
    mel = whisper.log_mel_spectrogram(padded, model.dims.n_mels)
    return mel.to(model.device, getattr(torch, options.precision))


def _write(
    options: AsrOptions, model: Any, sound: Samples, language: str, task: Task
) -> Transcript:
    """The library's one segment of a window; empty where it takes it for silent.

    No prompt and no sampling, so it is deterministic. With timestamps, or with words timed by
    `transcribe`, the library decodes what follows the last word again, and may add a false
    word; without, a window is decoded once.
    """
    import whisper

    result = whisper.transcribe(
        model,
        np.array(sound),
        task=task,
        language=language,
        temperature=0.0,
        beam_size=options.beam if options.beam > 1 else None,
        condition_on_previous_text=False,
        without_timestamps=True,
        fp16=options.precision == "float16",
    )
    segment = next((each for each in result["segments"] if each["tokens"]), None)
    if segment is None:
        return Transcript(ScoredText("", -100.0), ())
    tokens = segment["tokens"]
    spoken = task == "transcribe"
    return Transcript(
        original=ScoredText(segment["text"].strip(), float(segment["avg_logprob"])),
        words=_words(options, model, sound, language, tokens) if spoken else (),
        no_speech=float(segment["no_speech_prob"]),
        unfinished=len(tokens) >= model.dims.n_text_ctx // 2,
    )


def _words(
    options: AsrOptions, model: Any, sound: Samples, language: str, tokens: Sequence[int]
) -> tuple[TimedWord, ...]:
    from whisper.timing import find_alignment, merge_punctuations
    from whisper.tokenizer import get_tokenizer

    tokenizer = get_tokenizer(
        model.is_multilingual, num_languages=model.num_languages, language=language
    )
    text = [token for token in tokens if token < tokenizer.eot]
    if not text or len(sound) < 2 * MEL_HOP:
        return ()
    mel = _spectrogram(options, model, sound)
    with warnings.catch_warnings():  # without Triton it aligns in a slower way, and warns
        warnings.simplefilter("ignore")
        words = find_alignment(model, tokenizer, text, mel, len(sound) // MEL_HOP)
    raise_if_cancelled()  # it may have been cancelled meanwhile
    merge_punctuations(words, OPENING, CLOSING)
    return timed_words(((w.word, w.start, w.end, w.probability) for w in words), sound)


def _computes(device: str, precision: str) -> bool:
    return precision == "float32" or (precision == "float16" and device != CPU)


def _lacks(precision: str) -> str:
    return f"openai-whisper does not compute in {precision}"


@register("whisper", slot="speech", rank=20)
@dataclass(eq=False)
class Whisper(AsrTool):
    """Recognises speech with a checkpoint of openai-whisper, window by window.

    Args:
        dtype: float32, float16 (on a GPU) or "auto". The library computes in no bfloat16, and on
            a CPU in float32 alone; where the process asks for another it runs as with "auto".
        window: "whole", the 30 s that the library pads each window to; it has no other.
        (the others): See `AsrTool`. `model` is a size ("large-v3-turbo", "tiny.en") or a .pt file.
    """

    dtype: str = AUTO
    window: str = WHOLE
    batch: int = field(default=1, init=False)
    name: ClassVar[str] = TOOL
    package: ClassVar[str] = "openai-whisper"
    backend: ClassVar[Backend] = Backend(_load, transcribe, known_languages)
    description = "Recognises speech in many languages, with word times, and translates it."

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window != WHOLE:
            raise ConfigError(
                f"{TOOL}.window: {self.window!r}; openai-whisper pads every window to 30 s: "
                f'write {WHOLE}, or take faster-whisper for window = "fit"'
            )
        if self.dtype == "bfloat16":
            raise ConfigError(f"{TOOL}.dtype: {_lacks('bfloat16')}; write float32, float16 or auto")

    def precision(self, device: str) -> str:
        """The precision on a device: that of `dtype` where the library computes in it."""
        wanted = super().precision(device)
        return wanted if _computes(device, wanted) else default_precision(device)

    def options(self) -> AsrOptions:
        """How it is run; `ConfigError` where the argument asks for 16 bit on a CPU."""
        if self.dtype != AUTO and not _computes(self.place(), self.dtype):
            raise ConfigError(f"{TOOL}.dtype: {_lacks(self.dtype)} on a CPU; write float32 or auto")
        return super().options()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """A clue per utterance; notes a precision of the process that the library lacks."""
        wanted = super().precision(self.place())
        if not _computes(self.place(), wanted):
            note(f"{_lacks(wanted)} here; it ran in {self.options().precision}")
        return super().observe(clip, span)
