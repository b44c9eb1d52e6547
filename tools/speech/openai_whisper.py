"""openai-whisper as a recogniser: each window encoded once, decoded once, many in a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from emer.tools.runtime.cancellation import still_wanted
from emer.tools.runtime.model_pool import Key, Shared
from emer.tools.runtime.native import importing
from emer.tools.speech.attending import Asked, align
from emer.tools.speech.languages import (
    ENGLISH,
    Guess,
    by_language,
    guess,
    require_language,
    translates,
)
from emer.tools.speech.segmentation import FRAMES, HOP, hear_fitted
from emer.tools.speech.transcript import Heard, Run, Spoken, Text, Window, differing
from emer.tools.speech.vad import Samples
from emer.tools.weights.locate import Need, loading

TOOL = "whisper"
OPENING, CLOSING = "\"'“¿([{-", "\"'.。,，!！?？:：”)]}、"  # noqa: RUF001
"""Marks that belong to the word after them, and to the word before (the library's own)."""


def recogniser(need: Need, run: Run) -> Shared[Window, Heard]:
    """Return the recogniser of a checkpoint, in float32 or float16; nothing is loaded."""
    options = (("precision", run.precision), ("is", need.fingerprint))
    return Shared(
        Key(TOOL, str(need.path), run.device, options),
        partial(_load, need, run),
        partial(hear, run),
        batch=run.batch,
        gigabytes=need.gigabytes,
        differs=run.differs,
        check=lambda model: require_language(TOOL, need.model, run.language, knows(model)),
    )


def _load(need: Need, run: Run) -> Any:
    with importing():
        import whisper
    with loading(TOOL, need):
        model = whisper.load_model(str(need.path), device="cpu").eval()
        if need.name is not None:
            model.set_alignment_heads(whisper._ALIGNMENT_HEADS[need.model])
    if run.precision == "float16":
        _halve(model)
    model.to(run.device)
    for part in (*model.encoder.blocks, model.decoder):  # one call a layer, one a token
        part.register_forward_pre_hook(lambda *_: still_wanted())
    return model


def _halve(model: Any) -> None:
    """Put the weights into 16 bit once; the library would convert them at every token.

    Its normalisations compute in 32 bit and keep their weights so.
    """
    import torch

    for part in model.modules():
        if not isinstance(part, torch.nn.LayerNorm):
            for name, weight in list(part.named_parameters(recurse=False)):
                setattr(part, name, torch.nn.Parameter(weight.half(), requires_grad=False))


def hear(run: Run, model: Any, windows: Sequence[Window]) -> list[Heard]:
    """Return what the model hears in one batch of windows; see `fitting` for those that fit."""
    if run.fit:
        return hear_fitted(windows, partial(_hear, run, model))
    return _hear(run, model, windows, FRAMES)


def _hear(run: Run, model: Any, windows: Sequence[Window], frames: int) -> list[Heard]:
    """Return the same, with so many frames of the spectrogram encoded of each."""
    import torch

    with torch.inference_mode(), _hearing(model, frames):
        features = _encode(model, run, [window.sound for window in windows], frames)
        found = _guess(model, features, windows)
        heard: dict[int, Heard] = {}
        for code, places in by_language(found).items():
            own = [(windows[place], found[place].probability) for place in places]
            heard |= zip(places, _decode(model, run, features[places], code, own), strict=True)
    return [heard[place] for place in range(len(windows))]


@contextmanager
def _hearing(model: Any, frames: int) -> Iterator[None]:
    """Have the model take so many frames of the spectrogram for its whole window meanwhile.

    The library compares sizes with `dims`, and adds to each position of the encoder, two frames
    apart, what tells where it is.
    """
    encoder, dims = model.encoder, model.dims
    positions, size = encoder.positional_embedding, dims.n_audio_ctx
    fits = min(size, frames // 2)
    encoder.positional_embedding, dims.n_audio_ctx = positions[:fits], fits
    try:
        yield
    finally:
        encoder.positional_embedding, dims.n_audio_ctx = positions, size


def _encode(model: Any, run: Run, sounds: Sequence[Samples], frames: int) -> Any:
    """Return the encoder's output, shape (windows, frames / 2, width)."""
    import torch
    from whisper.audio import N_FFT, log_mel_spectrogram, pad_or_trim

    mels = []
    for sound in sounds:  # one by one: the library scales by the loudest of all it is given
        heard = torch.from_numpy(np.array(sound)).to(run.device)
        mel = log_mel_spectrogram(heard, model.dims.n_mels, padding=N_FFT)
        mels.append(pad_or_trim(mel[:, : len(sound) // HOP], frames))
    return model.encoder(torch.stack(mels).to(getattr(torch, run.precision)))


def _guess(model: Any, features: Any, windows: Sequence[Window]) -> list[Guess]:
    if not model.is_multilingual:
        return [Guess(ENGLISH, None)] * len(windows)

    def ask(places: list[int]) -> list[dict[str, float]]:
        found: list[dict[str, float]] = model.detect_language(features[places])[1]
        return found

    return guess(windows, ask)


def _decode(
    model: Any,
    run: Run,
    features: Any,
    language: str,
    windows: Sequence[tuple[Window, float | None]],
) -> list[Heard]:
    """Return what is heard in windows of one language."""
    from whisper.tokenizer import get_tokenizer

    tokenizer = get_tokenizer(
        model.is_multilingual,
        num_languages=model.num_languages,
        language=language,
        task="transcribe",
    )
    said = _write(model, run, features, language, "transcribe")
    english: list[Text | None] = [None] * len(windows)
    if run.translate and language != ENGLISH and _translates(model):
        english = [_text(result) for result in _write(model, run, features, language, "translate")]
    words = _words(model, tokenizer, features, said, [window.sound for window, _ in windows])
    return [
        Heard(
            said=_text(result),
            words=words[place],
            language=language,
            language_probability=sure,
            no_speech=float(result.no_speech_prob),
            unfinished=len(result.tokens) >= model.dims.n_text_ctx // 2,
            translation=differing(english[place], result.text),
        )
        for place, (result, (window, sure)) in enumerate(zip(said, windows, strict=True))
    ]


def knows(model: Any) -> tuple[str, ...]:
    """Return the codes of the languages that the model knows."""
    from whisper.tokenizer import get_tokenizer

    if not model.is_multilingual:
        return (ENGLISH,)
    tokenizer = get_tokenizer(True, num_languages=model.num_languages)
    return tuple(tokenizer.all_language_codes)


def _translates(model: Any) -> bool:
    return translates(model.is_multilingual, model.dims.n_audio_layer, model.dims.n_text_layer)


def _write(model: Any, run: Run, features: Any, language: str, task: str) -> list[Any]:
    """Return the library's decoding: no prompt, no sampling, so the same each time."""
    from whisper.decoding import DecodingOptions, DecodingTask

    options = DecodingOptions(
        task=task,
        language=language,
        temperature=0.0,
        beam_size=run.beam if run.beam > 1 else None,
        without_timestamps=True,
        fp16=run.precision == "float16",
    )
    found: list[Any] = DecodingTask(model, options).run(features)
    return found


def _text(result: Any) -> Text:
    return Text(result.text, float(result.avg_logprob))


def _words(
    model: Any, tokenizer: Any, features: Any, said: Sequence[Any], sounds: Sequence[Samples]
) -> list[tuple[Spoken, ...]]:
    """Return each window's words with the times at which the decoder attended to the sound."""
    from whisper.timing import merge_punctuations

    asked = {
        place: Asked(features[place], written, len(sound) // HOP)
        for place, (result, sound) in enumerate(zip(said, sounds, strict=True))
        if (written := [t for t in result.tokens if t < tokenizer.eot]) and len(sound) >= 2 * HOP
    }
    found: list[tuple[Spoken, ...]] = [()] * len(said)
    for place, words in zip(asked, align(model, tokenizer, [*asked.values()]), strict=True):
        merge_punctuations(words, OPENING, CLOSING)
        length = len(sounds[place]) / 16_000
        found[place] = tuple(
            Spoken(w.word, min(float(w.start), length), min(float(w.end), length),
                   float(w.probability))
            for w in words if w.word.strip()
        )  # fmt: skip
    return found
