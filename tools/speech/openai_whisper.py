"""The tool `whisper`: openai-whisper's own `transcribe` on the segments with voice activity."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar

import numpy as np

from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.media.clip import Clip
from emer.tools.registry import register
from emer.tools.runtime import device as devices
from emer.tools.runtime.cancellation import note, still_wanted
from emer.tools.runtime.model_pool import Key, Shared
from emer.tools.runtime.native import importing
from emer.tools.speech.asr_tool import AsrTool
from emer.tools.speech.languages import (
    AUTO,
    ENGLISH,
    LanguageGuess,
    detect_languages,
    require_language,
    translates,
)
from emer.tools.speech.transcript import (
    AsrOptions,
    ScoredText,
    TimedWord,
    Transcript,
    Window,
    distinct_translation,
)
from emer.tools.speech.vad import RATE, Samples
from emer.tools.types import Clue, Param, Span
from emer.tools.weights.locate import Need, loading

TOOL = "whisper"
WHOLE = "whole"


@register("whisper", slot="speech", rank=20)
@dataclass(eq=False)
class Whisper(AsrTool):
    """Recognises speech with a checkpoint of openai-whisper, one window after the other.

    Args:
        dtype: float32, float16 (on a GPU) or "auto". The library computes in no bfloat16, and on
            a CPU in float32 alone; where the process asks for another it runs as with "auto".
        window: "whole", the 30 s that the library pads each window to; it has no other.
        (the others): See `AsrTool`. `model` is a size ("large-v3-turbo", "tiny.en") or a .pt file.
    """

    dtype: str = AUTO
    window: str = WHOLE
    name: ClassVar[str] = TOOL
    description = "Recognises speech in many languages, with word times, and translates it."

    def __post_init__(self) -> None:
        """Check the settings; `ConfigError` says which is not possible."""
        super().__post_init__()
        if self.window != WHOLE:
            raise ConfigError(
                f"{TOOL}.window: {self.window!r}; openai-whisper pads every window to 30 s: "
                f'write {WHOLE}, or take faster-whisper for window = "fit"'
            )
        devices.precision(devices.CPU, self.dtype)  # an unknown precision is reported at once
        if self.dtype == "bfloat16":
            raise ConfigError(f"{TOOL}.dtype: {_lacks('bfloat16')}; write float32, float16 or auto")

    def version(self) -> str:
        """Version of openai-whisper."""
        try:
            return version("openai-whisper")
        except PackageNotFoundError as error:
            raise ToolMissing(TOOL, "its package", "pip install openai-whisper") from error

    def batch_size(self) -> int:
        """One: `transcribe` takes one window."""
        return 1

    def precision(self, device: str) -> tuple[str, Param]:
        """The precision on a device; the source names the argument."""
        wanted = devices.precision(device, self.dtype)
        return (wanted if _computes(device, wanted) else devices.usual(device)), self.dtype

    def options(self) -> AsrOptions:
        """How it is run; `ConfigError` where the argument asks for 16 bit on a CPU."""
        if self.dtype != AUTO and not _computes(self.place(), self.dtype):
            raise ConfigError(f"{TOOL}.dtype: {_lacks(self.dtype)} on a CPU; write float32 or auto")
        return super().options()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """A clue per utterance; notes a precision of the process that the library lacks."""
        wanted = devices.precision(self.place(), self.dtype)
        if not _computes(self.place(), wanted):
            note(f"{_lacks(wanted)} here; it ran in {self.options().precision}")
        return super().observe(clip, span)

    def recogniser(self, need: Need, options: AsrOptions) -> Shared[Window, Transcript]:
        """The shared model of this checkpoint."""
        return recogniser(need, options)


def _computes(device: str, precision: str) -> bool:
    return precision == "float32" or (precision == "float16" and device != devices.CPU)


def _lacks(precision: str) -> str:
    return f"openai-whisper does not compute in {precision}"


def recogniser(need: Need, options: AsrOptions) -> Shared[Window, Transcript]:
    """The shared model of a checkpoint, in float32 or float16; nothing is loaded."""
    key = (("precision", options.precision), ("is", need.fingerprint))
    return Shared(
        Key(TOOL, str(need.path), options.device, key),
        partial(_load, need, options),
        partial(transcribe, options),
        batch=options.batch,
        gigabytes=need.gigabytes,
        differs=options.differs,
        check=lambda model: require_language(TOOL, need.model, options.language, knows(model)),
    )


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
    """Convert the weights to 16 bit once; the library would convert them at every token.

    Its normalisations compute in 32 bit and keep their weights so.
    """
    import torch

    for part in model.modules():
        if not isinstance(part, torch.nn.LayerNorm):
            for name, weight in list(part.named_parameters(recurse=False)):
                setattr(part, name, torch.nn.Parameter(weight.half(), requires_grad=False))


def _stop_if_cancelled() -> None:
    """Raise `Abandoned` between two steps, but not while words are aligned.

    An exception there would leave the library's hooks on the model; it then computes attention
    without SDPA.
    """
    from whisper.model import MultiHeadAttention

    if MultiHeadAttention.use_sdpa:
        still_wanted()


def knows(model: Any) -> tuple[str, ...]:
    """Codes of the languages that the model knows."""
    from whisper.tokenizer import get_tokenizer

    if not model.is_multilingual:
        return (ENGLISH,)
    return tuple(get_tokenizer(True, num_languages=model.num_languages).all_language_codes)


def transcribe(options: AsrOptions, model: Any, windows: Sequence[Window]) -> list[Transcript]:
    """Transcripts of windows, one after the other."""
    guesses = _languages(options, model, windows)
    return [
        _transcript(options, model, window.sound, guess)
        for window, guess in zip(windows, guesses, strict=True)
    ]


def _languages(options: AsrOptions, model: Any, windows: Sequence[Window]) -> list[LanguageGuess]:
    if not model.is_multilingual:
        return [LanguageGuess(ENGLISH, None)] * len(windows)
    import torch
    import whisper

    def probabilities(sound: Samples) -> dict[str, float]:
        padded = whisper.pad_or_trim(np.array(sound))
        mel = whisper.log_mel_spectrogram(padded, model.dims.n_mels)
        mel = mel.to(model.device, getattr(torch, options.precision))
        detected: dict[str, float] = model.detect_language(mel)[1]
        return detected

    return detect_languages(
        windows, lambda places: [probabilities(windows[n].sound) for n in places]
    )


def _transcript(
    options: AsrOptions, model: Any, sound: Samples, guess: LanguageGuess
) -> Transcript:
    segments = _segments(options, model, sound, guess.language, "transcribe")
    original = _text(segments)
    english: ScoredText | None = None
    # turbo and the distilled models have thinner decoders, and were not trained to translate.
    layers = model.dims.n_audio_layer, model.dims.n_text_layer
    if (
        options.translate
        and guess.language != ENGLISH
        and translates(model.is_multilingual, *layers)
    ):
        english = _text(_segments(options, model, sound, guess.language, "translate"))
    length = len(sound) / RATE
    return Transcript(
        original=original,
        words=tuple(
            TimedWord(
                word["word"],
                min(float(word["start"]), length),
                min(float(word["end"]), length),
                float(word["probability"]),
            )
            for segment in segments
            for word in segment["words"]
            if word["word"].strip()
        ),
        language=guess.language,
        language_probability=guess.probability,
        no_speech=_mean(segments, "no_speech_prob") if segments else None,
        translation=distinct_translation(english, original.text),
    )


def _segments(
    options: AsrOptions, model: Any, sound: Samples, language: str, task: str
) -> list[dict[str, Any]]:
    """The library's segments: no sampling and no prompt, so it is deterministic."""
    import whisper

    with warnings.catch_warnings():  # without Triton it aligns in a slower way, and warns
        warnings.simplefilter("ignore")
        result = whisper.transcribe(
            model,
            np.array(sound),
            task=task,
            language=language,
            temperature=0.0,
            beam_size=options.beam if options.beam > 1 else None,
            condition_on_previous_text=False,
            word_timestamps=task == "transcribe",
            fp16=options.precision == "float16",
        )
    still_wanted()  # it may have been cancelled while words were aligned
    return [segment for segment in result["segments"] if segment["tokens"]]


def _text(segments: Sequence[dict[str, Any]]) -> ScoredText:
    """The text of the segments, and the mean log-probability of their tokens."""
    text = "".join(segment["text"] for segment in segments).strip()
    return ScoredText(text, _mean(segments, "avg_logprob") if segments else -100.0)


def _mean(segments: Sequence[dict[str, Any]], name: str) -> float:
    weights = [len(segment["tokens"]) for segment in segments]
    return float(np.average([segment[name] for segment in segments], weights=weights))
