"""The tool `asr`: any CTC or encoder-decoder recogniser of transformers.

A CTC model gives the time of each word, an encoder-decoder none: there each stretch of speech is
decoded on its own, so that at least its time is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.registry import register
from emer.tools.speech.asr_tool import AsrTool, Backend
from emer.tools.speech.languages import (
    AUTO,
    ENGLISH,
    MULTILINGUAL,
    LanguageGuess,
    Task,
    decode_by_language,
    detect_languages,
    translates,
)
from emer.tools.speech.transcript import AsrOptions, ScoredText, TimedWord, Transcript, Window
from emer.tools.speech.vad import RATE, Samples
from emer.tools.weights.locate import Need, loading
from emer.tools.weights.model_loader import load_model, load_other, quiet, require

TOOL = "asr"
Kind = Literal["ctc", "seq2seq"]
BETWEEN = "|"
"""Between words in vocabularies of letters; some tokenizers leave it."""


class Loaded(NamedTuple):
    """A model with what prepares its input and reads its output."""

    model: Any
    processor: Any
    kind: Kind

    @property
    def is_whisper(self) -> bool:
        """Whether it is a Whisper, with languages, tasks and windows of 30 s."""
        return bool(self.model.config.model_type == "whisper")


def transcribe(options: AsrOptions, loaded: Loaded, windows: Sequence[Window]) -> list[Transcript]:
    """Transcripts of one batch of windows."""
    import torch

    extractor, sounds = loaded.processor.feature_extractor, [window.sound for window in windows]
    decode = _transcribe_seq2seq if loaded.kind == "seq2seq" else _transcribe_ctc
    with torch.inference_mode(), quiet():
        device, precision = options.device, options.precision
        inputs = features(extractor, sounds, device, precision, pads=not loaded.is_whisper)
        return decode(loaded, options, windows, inputs)


def features(
    extractor: Any, sounds: Sequence[Samples], device: str, dtype: str, *, pads: bool
) -> dict[str, Any]:
    """Input tensors of a model by name, on its device, real numbers in its precision.

    Args:
        extractor: A feature extractor of transformers.
        sounds: Mono, 16 kHz.
        device: Torch device.
        dtype: Name of a torch dtype.
        pads: Whether shorter sounds are padded to the longest; other extractors fix a length.
    """
    import torch

    padding = {"padding": True} if pads else {}
    made = extractor(list(sounds), sampling_rate=RATE, return_tensors="pt", **padding)
    real = getattr(torch, dtype)
    return {
        name: tensor.to(device, real if tensor.is_floating_point() else None)
        for name, tensor in made.items()
    }


def _load(need: Need, options: AsrOptions) -> Loaded:
    kind = kind_of(need)
    made = {"ctc": "AutoModelForCTC", "seq2seq": "AutoModelForSpeechSeq2Seq"}[kind]
    processor = load_other(TOOL, need, "AutoProcessor")
    model = load_model(TOOL, need, made, options.device, options.precision)
    return Loaded(model, processor, kind)


def kind_of(need: Need) -> Kind:
    """The kind of model in a folder; `WeightsBroken` if it is no recogniser."""
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


def _takes_one(loaded: Loaded) -> bool:
    """Whether a CTC model has no mask (wav2vec2-base): it would transcribe padding."""
    masks = getattr(loaded.processor.feature_extractor, "return_attention_mask", False)
    return loaded.kind == "ctc" and not masks


def _transcribe_ctc(
    loaded: Loaded, options: AsrOptions, windows: Sequence[Window], inputs: Mapping[str, Any]
) -> list[Transcript]:
    logits = loaded.model(**inputs).logits.float().cpu()
    longest = max(len(window.sound) for window in windows)
    ratio = getattr(loaded.model.config, "inputs_to_logits_ratio", None)
    frame = float(ratio or longest / logits.shape[1]) / RATE
    transcripts = []
    for row, window in zip(logits, windows, strict=True):
        frames = min(len(row), max(1, round(len(window.sound) / RATE / frame)))
        text, words = words_of(row[:frames].numpy(), loaded.processor.tokenizer, frame)
        transcripts.append(Transcript(text, words, language=window.language))
    return transcripts


def _transcribe_seq2seq(
    loaded: Loaded, options: AsrOptions, windows: Sequence[Window], inputs: Mapping[str, Any]
) -> list[Transcript]:
    from transformers.modeling_outputs import BaseModelOutput as Encoded

    model, state, first = loaded.model, None, FirstStep()
    if loaded.is_whisper:
        state = model.get_encoder()(inputs["input_features"]).last_hidden_state
        first = _first_step(model, Encoded(last_hidden_state=state))
    no_speech: Sequence[float | None] = first.no_speech or [None] * len(windows)

    def write(language: str, places: list[int], task: Task) -> list[Transcript]:
        rows: dict[str, Any] = {name: tensor[places] for name, tensor in inputs.items()}
        if state is not None:  # a copy: a beam search changes it in place
            rows = {"encoder_outputs": Encoded(last_hidden_state=state[places])}
        written = _write(loaded, options, rows, language, task)
        return [
            Transcript(text, (), no_speech=no_speech[place], unfinished=unfinished)
            for place, (text, unfinished) in zip(places, written, strict=True)
        ]

    guesses = [LanguageGuess(window.language or "", None) for window in windows]
    if first.languages:
        guesses = detect_languages(windows, lambda places: [first.languages[n] for n in places])
    return decode_by_language(guesses, write, options.translate and _translates(model))


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


def known_languages(loaded: Loaded) -> tuple[str, ...] | None:
    """Codes of the languages that the model knows; None where it does not say."""
    model = loaded.model
    generation = getattr(model, "generation_config", None)  # a CTC model has none
    known = getattr(generation, "lang_to_id", None)
    if known:
        return tuple(token.strip("<|>") for token in known)
    alone = loaded.is_whisper and model.config.vocab_size < MULTILINGUAL
    return (ENGLISH,) if alone else None


def _translates(model: Any) -> bool:
    tasks = getattr(model.generation_config, "task_to_id", None) or {}
    if "translate" not in tasks:
        return False
    return translates(True, model.config.encoder_layers, model.config.decoder_layers)


def _write(
    loaded: Loaded, options: AsrOptions, inputs: Any, language: str, task: str
) -> list[tuple[ScoredText, bool]]:
    """The texts, and whether each was cut short; no sampling, so it is deterministic."""
    model = loaded.model
    arguments: dict[str, Any] = {}
    if loaded.is_whisper:
        arguments["return_timestamps"] = False
    if getattr(model.generation_config, "lang_to_id", None):
        arguments |= {"language": language, "task": task}
    out = model.generate(
        **inputs, **arguments, do_sample=False, num_beams=options.beam, length_penalty=1.0,
        return_dict_in_generate=True, output_scores=True,
    )  # fmt: skip
    known = model.generation_config.eos_token_id
    stop = set(known if isinstance(known, list) else [known])
    rows = out.sequences[:, -len(out.scores) :].cpu().tolist()
    ends = [next((n for n, token in enumerate(row) if token in stop), None) for row in rows]
    texts = [row if end is None else row[: end + 1] for row, end in zip(rows, ends, strict=True)]
    means = _means(model, out, [len(text) for text in texts])
    decode = loaded.processor.tokenizer.decode
    return [
        (ScoredText(decode(text, skip_special_tokens=True).strip(), max(mean, -100.0)), end is None)
        for text, end, mean in zip(texts, ends, means, strict=True)
    ]


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


def words_of(
    logits: NDArray[np.float32], tokenizer: Any, frame: float
) -> tuple[ScoredText, tuple[TimedWord, ...]]:
    """Text and words of the best path through CTC logits (frames, tokens).

    `frame` is the seconds of one frame. The log-probability is the mean over the frames that
    write something; a word's probability the mean over its own. Special tokens (<unk>, <s>) write
    nothing: their frames become blank, so that no time is lost. A tokenizer without offsets
    gives no words. (The tokenizer's `output_word_offsets` alone has no probabilities.)
    """
    log = logits - logits.max(axis=1, keepdims=True)
    log = log - np.log(np.exp(log).sum(axis=1, keepdims=True))
    path, best = log.argmax(axis=1), log.max(axis=1)
    silent = {*tokenizer.all_special_ids} - {getattr(tokenizer, "word_delimiter_token_id", None)}
    path = np.where(np.isin(path, list(silent)), tokenizer.pad_token_id, path)
    writes = path != tokenizer.pad_token_id
    mean = float(best[writes].mean()) if writes.any() else -100.0
    try:
        decoded = tokenizer.decode(path.tolist(), output_word_offsets=True)
        text, offsets = decoded.text, decoded.word_offsets
    except (TypeError, ValueError, AttributeError, NotImplementedError):
        text = tokenizer.decode(path.tolist(), skip_special_tokens=True)
        return ScoredText(_plain(text), mean), ()
    words = []
    for word in offsets:
        start, end = word["start_offset"], word["end_offset"]
        scores = best[start:end][writes[start:end]]
        probability = float(np.exp(scores).mean()) if scores.size else 0.0
        if plain := _plain(word["word"]):
            words.append(TimedWord(f" {plain}", start * frame, end * frame, probability))
    return ScoredText(_plain(text), mean), tuple(words)


def _plain(text: str) -> str:
    words = " ".join(text.replace(BETWEEN, " ").split())
    return words.lower() if words.isupper() else words


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
    package: ClassVar[str] = "transformers"
    backend: ClassVar[Backend] = Backend(_load, transcribe, known_languages, _takes_one)
    description = "Recognises speech with any recogniser of transformers."

    def version(self) -> str:
        """Version of transformers; `ToolMissing` without it or torch."""
        require(self.name)
        return super().version()

    def times_words(self, need: Need) -> bool:
        """Whether the model is a CTC model, which gives the time of each word."""
        return kind_of(need) == "ctc"
