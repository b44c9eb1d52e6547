"""The tool `asr`: any recogniser of transformers, CTC (wav2vec2, HuBERT, ...) or encoder-decoder.

A CTC model gives the time of each word, an encoder-decoder none: there each stretch of speech is
decoded on its own, so that at least its time is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.registry import register
from emer.tools.runtime import device as devices
from emer.tools.runtime.model_pool import Key, Shared
from emer.tools.speech.asr_tool import AsrTool
from emer.tools.speech.languages import (
    AUTO,
    ENGLISH,
    MULTILINGUAL,
    LanguageGuess,
    by_language,
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
from emer.tools.speech.vad import RATE
from emer.tools.types import Param
from emer.tools.weights.locate import Need, loading
from emer.tools.weights.pretrained import load_model, load_other, quiet, require

TOOL = "asr"
Kind = Literal["ctc", "seq2seq"]
Logits = NDArray[np.float32]
Words = tuple[TimedWord, ...]
Path = NDArray[np.intp]
"""The likeliest token of each frame."""

BETWEEN = "|"
"""What stands between words in vocabularies of letters; not every tokenizer makes it a space."""


@register("asr", slot="speech", rank=30)
@dataclass(eq=False)
class Asr(AsrTool):
    """Recognises speech with a model of transformers.

    The confidence of a Whisper is that of the tool `whisper`, from the same step of its decoder.
    Any other model has only the probabilities of its tokens (with CTC: of the frames that write)
    and no token for "no speech": the voice activity detector keeps music and noise from it, music
    only Silero's, which comes with faster-whisper.

    Args:
        dtype: Precision of the weights: float32, float16, bfloat16 or "auto".
        batch: Windows decoded at once; 0 for the default of the device.
        (the others): See `AsrTool`. `model` is a repository ("openai/whisper-large-v3-turbo")
            that was pulled, or a folder; `language` is given to a model that knows several.
    """

    dtype: str = AUTO
    batch: int = 0
    name: ClassVar[str] = TOOL
    description = "Recognises speech with any recogniser of transformers."

    def __post_init__(self) -> None:
        """Check the settings; `ConfigError` says which is not possible."""
        super().__post_init__()
        devices.precision(devices.CPU, self.dtype)  # an unknown precision is reported at once

    def version(self) -> str:
        """Version of transformers."""
        require(self.name)
        return version("transformers")

    def batch_size(self) -> int:
        """The argument `batch`."""
        return self.batch

    def precision(self, device: str) -> tuple[str, Param]:
        """The precision on the device; the source names the argument."""
        return devices.precision(device, self.dtype), self.dtype

    def times_words(self, need: Need) -> bool:
        """Whether the model is a CTC model, which gives the time of each word."""
        return kind_of(need) == "ctc"

    def recogniser(self, need: Need, options: AsrOptions) -> Shared[Window, Transcript]:
        """The shared model of this folder."""
        return recogniser(need, options)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model with what prepares its input and reads its output."""

    model: Any
    processor: Any
    kind: Kind


def recogniser(need: Need, options: AsrOptions) -> Shared[Window, Transcript]:
    """The shared model of a folder; nothing is loaded."""
    key = (("precision", options.precision), ("is", need.fingerprint))
    return Shared(
        Key(TOOL, str(need.path), options.device, key),
        partial(_load, need, options),
        partial(transcribe, options),
        batch=options.batch,
        gigabytes=need.gigabytes,
        differs=options.differs,
        check=lambda loaded: require_language(
            TOOL, need.model, options.language, knows(loaded.model)
        ),
        one_by_one=lambda loaded: loaded.kind == "ctc" and not _pads(loaded),
    )


def transcribe(options: AsrOptions, loaded: Loaded, windows: Sequence[Window]) -> list[Transcript]:
    """Transcripts of one batch of windows."""
    if loaded.kind == "seq2seq":
        return _transcribe_seq2seq(loaded, options, windows)
    return _transcribe_ctc(loaded, options, windows)


def _load(need: Need, options: AsrOptions) -> Loaded:
    kind = kind_of(need)
    made = {"ctc": "AutoModelForCTC", "seq2seq": "AutoModelForSpeechSeq2Seq"}[kind]
    processor = load_other(TOOL, need, "AutoProcessor")
    model = load_model(TOOL, need, made, options.device, options.precision)
    return Loaded(model, processor, kind)


def kind_of(need: Need) -> Kind:
    """The kind of model in a folder, by its configuration; `WeightsBroken` if no recogniser."""
    config = load_other(TOOL, need, "AutoConfig")
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_CTC_MAPPING,
        MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING,
    )

    if type(config) in MODEL_FOR_CTC_MAPPING:
        return "ctc"
    with loading(TOOL, need):
        if type(config) not in MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING:
            raise ValueError(f"{config.model_type} is no speech recogniser of transformers")
    return "seq2seq"


def _pads(loaded: Loaded) -> bool:
    """Whether sounds of several lengths may share a batch.

    A model without an attention mask (wav2vec2-base) would transcribe the padding, too.
    """
    return bool(getattr(loaded.processor.feature_extractor, "return_attention_mask", False))


def _inputs(loaded: Loaded, options: AsrOptions, windows: Sequence[Window]) -> Any:
    """The processor's tensors on the device, at the model's precision."""
    import torch

    extractor = loaded.processor.feature_extractor
    made = extractor(
        [window.sound for window in windows], sampling_rate=RATE, return_tensors="pt",
        **({} if loaded.model.config.model_type == "whisper" else {"padding": True}),
    )  # fmt: skip
    dtype = getattr(torch, options.precision)
    return {
        name: tensor.to(options.device, dtype if tensor.is_floating_point() else None)
        for name, tensor in made.items()
    }


def _transcribe_ctc(
    loaded: Loaded, options: AsrOptions, windows: Sequence[Window]
) -> list[Transcript]:
    import torch

    with torch.inference_mode():
        inputs = _inputs(loaded, options, windows)
        logits = loaded.model(**inputs).logits.float().cpu()
    frame = _frame_seconds(loaded.model, logits.shape[1], windows)
    transcripts = []
    for row, window in zip(logits, windows, strict=True):
        frames = min(len(row), max(1, round(len(window.sound) / RATE / frame)))
        text, words = words_of(row[:frames].numpy(), loaded.processor.tokenizer, frame)
        transcripts.append(Transcript(text, words, language=window.language))
    return transcripts


def _frame_seconds(model: Any, frames: int, windows: Sequence[Window]) -> float:
    """Seconds of sound per frame of the output."""
    ratio = getattr(model.config, "inputs_to_logits_ratio", None)
    longest = max(len(window.sound) for window in windows)
    return float(ratio or longest / frames) / RATE


def _transcribe_seq2seq(
    loaded: Loaded, options: AsrOptions, windows: Sequence[Window]
) -> list[Transcript]:
    """Transcripts of an encoder-decoder model, without word times."""
    import torch

    with torch.inference_mode(), quiet():
        inputs, first = _inputs(loaded, options, windows), FirstStep()
        if loaded.model.config.model_type == "whisper":
            inputs = {"encoder_outputs": loaded.model.get_encoder()(inputs["input_features"])}
            first = _first_step(loaded.model, inputs["encoder_outputs"])
        guesses = _languages(first, windows)
        transcripts: dict[int, Transcript] = {}
        for code, places in by_language(guesses).items():
            written = _write(loaded, options, _rows(inputs, places), code, "transcribe")
            english: Sequence[tuple[ScoredText, bool] | None] = [None] * len(places)
            if options.translate and code not in ("", ENGLISH) and _translates(loaded.model):
                english = _write(loaded, options, _rows(inputs, places), code, "translate")
            for place, (text, unfinished), other in zip(places, written, english, strict=True):
                transcripts[place] = Transcript(
                    original=text,
                    words=(),
                    language=code or None,
                    language_probability=guesses[place].probability,
                    no_speech=first.no_speech[place] if first.no_speech else None,
                    unfinished=unfinished,
                    translation=distinct_translation(other[0] if other else None, text.text),
                )
    return [transcripts[place] for place in range(len(windows))]


def _rows(inputs: Mapping[str, Any], places: Sequence[int]) -> dict[str, Any]:
    """Some rows of the inputs, copied: a beam search changes them in place."""
    return {name: _some(values, list(places)) for name, values in inputs.items()}


def _some(values: Any, places: list[int]) -> Any:
    from transformers.modeling_outputs import BaseModelOutput

    if isinstance(values, BaseModelOutput):
        return BaseModelOutput(last_hidden_state=values.last_hidden_state[places])
    return values[places]


class FirstStep(NamedTuple):
    """First decoder step of a Whisper model for each window; empty for other models."""

    languages: Sequence[Mapping[str, float]] = ()
    """The probability of each language among those the model knows."""
    no_speech: Sequence[float] = ()
    """The probability of the token for no speech, among all tokens."""


def _first_step(model: Any, encoded: Any) -> FirstStep:
    """The probabilities of the one step from which openai-whisper, too, takes them.

    The token of no speech precedes that of no timestamps (transformers finds it the same way).
    """
    import torch

    generation, count = model.generation_config, len(encoded.last_hidden_state)
    begin = torch.full((count, 1), generation.decoder_start_token_id, device=model.device)
    out = model(encoder_outputs=encoded, decoder_input_ids=begin, use_cache=False)
    logits = out.logits[:, -1].float().cpu()
    known = getattr(generation, "lang_to_id", None) or {}
    among = logits[:, list(known.values())].softmax(dim=-1).tolist()
    codes = [token.strip("<|>") for token in known]
    untimed = getattr(generation, "no_timestamps_token_id", None)
    return FirstStep(
        [dict(zip(codes, row, strict=True)) for row in among] if known else (),
        logits.softmax(dim=-1)[:, untimed - 1].tolist() if untimed else (),
    )


def _languages(first: FirstStep, windows: Sequence[Window]) -> list[LanguageGuess]:
    """Language of each window, "" where the model does not know languages."""
    if not first.languages:
        return [LanguageGuess(window.language or "", None) for window in windows]
    return detect_languages(windows, lambda places: [first.languages[place] for place in places])


def knows(model: Any) -> tuple[str, ...] | None:
    """Codes of the languages that the model knows; None where it does not say."""
    generation = getattr(model, "generation_config", None)  # a CTC model has none
    known = getattr(generation, "lang_to_id", None)
    if known:
        return tuple(token.strip("<|>") for token in known)
    whisper = model.config.model_type == "whisper"
    return (ENGLISH,) if whisper and model.config.vocab_size < MULTILINGUAL else None


def _translates(model: Any) -> bool:
    """Whether the model knows the task and was trained for it, by its configuration."""
    tasks = getattr(model.generation_config, "task_to_id", None) or {}
    layers = model.config.encoder_layers, model.config.decoder_layers
    return translates("translate" in tasks, *layers)


def _write(
    loaded: Loaded, options: AsrOptions, inputs: Any, language: str, task: str
) -> list[tuple[ScoredText, bool]]:
    """The texts, and whether each was cut short; no sampling, so it is deterministic."""
    model = loaded.model
    multilingual = getattr(model.generation_config, "lang_to_id", None)
    prompt = {"language": language, "task": task} if multilingual else {}
    whisper = {"return_timestamps": False} if model.config.model_type == "whisper" else {}
    out = model.generate(
        **inputs, **prompt, **whisper, do_sample=False, num_beams=options.beam, length_penalty=1.0,
        return_dict_in_generate=True, output_scores=True,
    )  # fmt: skip
    ends = model.generation_config.eos_token_id
    stop = set(ends if isinstance(ends, list) else [ends])
    rows = [_until(row.tolist(), stop) for row in out.sequences[:, -len(out.scores) :].cpu()]
    means = _means(model, out, [len(ids) for ids, _ in rows])
    decode = partial(loaded.processor.tokenizer.decode, skip_special_tokens=True)
    return [
        (ScoredText(decode(ids).strip(), max(mean, -100.0)), unfinished)
        for (ids, unfinished), mean in zip(rows, means, strict=True)
    ]


def _until(tokens: list[int], stop: set[int]) -> tuple[list[int], bool]:
    """The tokens up to their end, and whether there is none."""
    end = next((place for place, token in enumerate(tokens) if token in stop), None)
    return (tokens, True) if end is None else (tokens[: end + 1], False)


def _means(model: Any, out: Any, lengths: Sequence[int]) -> list[float]:
    """Mean log-probability of each row's tokens; of a beam search, its own score.

    With a length penalty of 1 that is the same. The scores of the steps are not available then:
    of a Whisper, transformers keeps those of one beam a window.
    """
    if getattr(out, "sequences_scores", None) is not None:
        return [float(score) for score in out.sequences_scores.float().cpu()]
    scores = model.compute_transition_scores(out.sequences, out.scores, normalize_logits=True)
    scores = scores.float().cpu()
    return [
        float(row[:length].mean()) if length else -100.0
        for row, length in zip(scores, lengths, strict=True)
    ]


def words_of(logits: Logits, tokenizer: Any, frame: float) -> tuple[ScoredText, Words]:
    """Text of the best path through CTC logits of shape (frames, tokens), and its words.

    `frame` is the seconds of one frame. The log-probability is the mean over the frames that
    write something; a word's probability the mean over its own. Special tokens (<unk>, <s>) write
    nothing: their frames become blank, so that no time is lost. A tokenizer without offsets
    gives no words. (The tokenizer's `output_word_offsets` alone has no probabilities.)
    """
    log = logits - logits.max(axis=1, keepdims=True)
    log = log - np.log(np.exp(log).sum(axis=1, keepdims=True))
    path, best = _without_specials(log.argmax(axis=1), tokenizer), log.max(axis=1)
    writes = path != tokenizer.pad_token_id
    mean = float(best[writes].mean()) if writes.any() else -100.0
    try:
        decoded = tokenizer.decode(path.tolist(), output_word_offsets=True)
        text, offsets = decoded.text, decoded.word_offsets
    except (TypeError, ValueError, AttributeError, NotImplementedError):
        text = tokenizer.decode(path.tolist(), skip_special_tokens=True)
        return ScoredText(_plain(text), mean), ()
    words = [
        TimedWord(
            text=f" {_plain(word['word'])}",
            start=word["start_offset"] * frame,
            end=word["end_offset"] * frame,
            probability=_mean(best, writes, word["start_offset"], word["end_offset"]),
        )
        for word in offsets
        if _plain(word["word"])
    ]
    return ScoredText(_plain(text), mean), tuple(words)


def _mean(best: Logits, writes: NDArray[np.bool_], start: int, end: int) -> float:
    own = best[start:end][writes[start:end]]
    return float(np.exp(own).mean()) if own.size else 0.0


def _without_specials(path: Path, tokenizer: Any) -> Path:
    """The path with blanks in place of special tokens."""
    between = getattr(tokenizer, "word_delimiter_token_id", None)
    silent = {*tokenizer.all_special_ids} - {between}
    return np.where(np.isin(path, list(silent)), tokenizer.pad_token_id, path)


def _plain(text: str) -> str:
    """The text with spaces between words; all capitals become lower case."""
    words = " ".join(text.replace(BETWEEN, " ").split())
    return words.lower() if words.isupper() else words
