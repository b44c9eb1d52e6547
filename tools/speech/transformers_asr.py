"""CTC and seq2seq ASR of transformers.

Reading the output of a CTC model: the best path, its words, their times and probabilities.

Any speech recogniser of transformers: CTC (wav2vec2, HuBERT, ...) or encoder-decoder.

A CTC model gives the time of each word, an encoder-decoder none: there each stretch of speech is
decoded on its own, so that at least its time is known.

Speech recognised by any recogniser of transformers: Whisper, wav2vec2, HuBERT, Moonshine, ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.runtime import device as devices
from emer.tools.runtime.model_pool import Key, Shared
from emer.tools.speech.asr_tool import SpeechTool
from emer.tools.speech.languages import (
    AUTO,
    ENGLISH,
    MULTILINGUAL,
    Guess,
    by_language,
    guess,
    require_language,
    translates,
)
from emer.tools.speech.transcript import Heard, Run, Spoken, Text, Window, differing
from emer.tools.speech.vad import RATE
from emer.tools.types import Param
from emer.tools.weights.locate import Need, loading
from emer.tools.weights.pretrained import load_model, load_other, quiet, require

Logits = NDArray[np.float32]
Path = NDArray[np.intp]
"""The likeliest token of each frame."""

BETWEEN = "|"
"""What stands between words in vocabularies of letters; not every tokenizer makes it a space."""


def words_of(logits: Logits, tokenizer: Any, frame: float) -> tuple[Text, tuple[Spoken, ...]]:
    """Return the text of the best path through logits (frames, tokens), and its words.

    `frame` is the seconds of one frame. The log-probability is the mean over the frames that
    write something; a word's probability the mean over its own. Special tokens (<unk>, <s>) write
    nothing: their frames are blank, so that no time is lost. A tokenizer that gives no offsets
    gives no words.
    """
    log = logits - logits.max(axis=1, keepdims=True)
    log = log - np.log(np.exp(log).sum(axis=1, keepdims=True))
    path, best = _without_specials(log.argmax(axis=1), tokenizer), log.max(axis=1)
    writes = path != tokenizer.pad_token_id
    mean = float(best[writes].mean()) if writes.any() else -100.0
    try:
        found = tokenizer.decode(path.tolist(), output_word_offsets=True)
        text, offsets = found.text, found.word_offsets
    except (TypeError, ValueError, AttributeError, NotImplementedError):
        return Text(_plain(tokenizer.decode(path.tolist(), skip_special_tokens=True)), mean), ()
    words = [
        Spoken(
            text=f" {_plain(word['word'])}",
            start=word["start_offset"] * frame,
            end=word["end_offset"] * frame,
            probability=_mean(best, writes, word["start_offset"], word["end_offset"]),
        )
        for word in offsets
        if _plain(word["word"])
    ]
    return Text(_plain(text), mean), tuple(words)


def _mean(best: Logits, writes: NDArray[np.bool_], start: int, end: int) -> float:
    own = best[start:end][writes[start:end]]
    return float(np.exp(own).mean()) if own.size else 0.0


def _without_specials(path: Path, tokenizer: Any) -> Path:
    """Return the path with blanks in place of tokens that nobody says."""
    between = getattr(tokenizer, "word_delimiter_token_id", None)
    silent = {*tokenizer.all_special_ids} - {between}
    return np.where(np.isin(path, list(silent)), tokenizer.pad_token_id, path)


def _plain(text: str) -> str:
    """Return the text with spaces between words; a model of capitals alone does not shout."""
    words = " ".join(text.replace(BETWEEN, " ").split())
    return words.lower() if words.isupper() else words


TOOL = "asr"

Kind = Literal["ctc", "seq2seq"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model with what prepares its input and reads its output."""

    model: Any
    processor: Any
    kind: Kind


def recogniser(need: Need, run: Run) -> Shared[Window, Heard]:
    """Return the recogniser of a folder; nothing is loaded."""
    options = (("precision", run.precision), ("is", need.fingerprint))
    return Shared(
        Key(TOOL, str(need.path), run.device, options),
        partial(_load, need, run),
        partial(hear, run),
        batch=run.batch,
        gigabytes=need.gigabytes,
        differs=run.differs,
        check=lambda loaded: require_language(TOOL, need.model, run.language, knows(loaded.model)),
        one_by_one=lambda loaded: loaded.kind == "ctc" and not _pads(loaded),
    )


def hear(run: Run, loaded: Loaded, windows: Sequence[Window]) -> list[Heard]:
    """Return what the model hears in one batch of windows."""
    if loaded.kind == "seq2seq":
        return hear_seq2seq(loaded, run, windows)
    return hear_ctc(loaded, run, windows)


def _load(need: Need, run: Run) -> Loaded:
    kind = kind_of(need)
    made = {"ctc": "AutoModelForCTC", "seq2seq": "AutoModelForSpeechSeq2Seq"}[kind]
    processor = load_other(TOOL, need, "AutoProcessor")
    model = load_model(TOOL, need, made, run.device, run.precision)
    return Loaded(model, processor, kind)


def kind_of(need: Need) -> Kind:
    """Return what a folder holds, by its configuration; `WeightsBroken` if no recogniser."""
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
    """Tell whether sounds of several lengths may go together.

    A model that takes no attention mask (wav2vec2-base) hears the silence that fills up.
    """
    return bool(getattr(loaded.processor.feature_extractor, "return_attention_mask", False))


def _inputs(loaded: Loaded, run: Run, windows: Sequence[Window]) -> Any:
    """Return the processor's tensors on the device, at the model's precision."""
    import torch

    extractor = loaded.processor.feature_extractor
    made = extractor(
        [window.sound for window in windows], sampling_rate=RATE, return_tensors="pt",
        **({} if loaded.model.config.model_type == "whisper" else {"padding": True}),
    )  # fmt: skip
    dtype = getattr(torch, run.precision)
    return {
        name: tensor.to(run.device, dtype if tensor.is_floating_point() else None)
        for name, tensor in made.items()
    }


def hear_ctc(loaded: Loaded, run: Run, windows: Sequence[Window]) -> list[Heard]:
    """Return what a CTC model hears in one batch of windows."""
    import torch

    with torch.inference_mode():
        inputs = _inputs(loaded, run, windows)
        logits = loaded.model(**inputs).logits.float().cpu()
    frame = _frame_seconds(loaded.model, logits.shape[1], windows)
    heard = []
    for row, window in zip(logits, windows, strict=True):
        frames = min(len(row), max(1, round(len(window.sound) / RATE / frame)))
        said, words = words_of(row[:frames].numpy(), loaded.processor.tokenizer, frame)
        heard.append(Heard(said=said, words=words, language=window.language))
    return heard


def _frame_seconds(model: Any, frames: int, windows: Sequence[Window]) -> float:
    """Return the seconds that a frame of the output stands for."""
    ratio = getattr(model.config, "inputs_to_logits_ratio", None)
    if ratio:
        return float(ratio) / RATE
    return max(len(window.sound) for window in windows) / RATE / frames


def hear_seq2seq(loaded: Loaded, run: Run, windows: Sequence[Window]) -> list[Heard]:
    """Return what an encoder-decoder hears in one batch of windows, without word times."""
    import torch

    with torch.inference_mode(), quiet():
        inputs, first = _inputs(loaded, run, windows), FirstStep()
        if loaded.model.config.model_type == "whisper":
            inputs = {"encoder_outputs": loaded.model.get_encoder()(inputs["input_features"])}
            first = _first_step(loaded.model, inputs["encoder_outputs"])
        guesses = _guess(first, windows)
        heard: dict[int, Heard] = {}
        for code, places in by_language(guesses).items():
            said = _write(loaded, run, _rows(inputs, places), code, "transcribe")
            english: Sequence[tuple[Text, bool] | None] = [None] * len(places)
            if run.translate and code not in ("", ENGLISH) and _translates(loaded.model):
                english = _write(loaded, run, _rows(inputs, places), code, "translate")
            for place, (text, unfinished), other in zip(places, said, english, strict=True):
                heard[place] = Heard(
                    said=text,
                    words=(),
                    language=code or None,
                    language_probability=guesses[place].probability,
                    no_speech=first.no_speech[place] if first.no_speech else None,
                    unfinished=unfinished,
                    translation=differing(other[0] if other else None, text.text),
                )
    return [heard[place] for place in range(len(windows))]


def _rows(inputs: Mapping[str, Any], places: Sequence[int]) -> dict[str, Any]:
    """Return some rows of the inputs, made anew: to search wider, the library changes them."""
    return {name: _some(values, list(places)) for name, values in inputs.items()}


def _some(values: Any, places: list[int]) -> Any:
    from transformers.modeling_outputs import BaseModelOutput

    if isinstance(values, BaseModelOutput):
        return BaseModelOutput(last_hidden_state=values.last_hidden_state[places])
    return values[places]


class FirstStep(NamedTuple):
    """What a Whisper model says of each window before it writes; of other models nothing."""

    languages: Sequence[Mapping[str, float]] = ()
    """The probability of each language among those the model knows."""
    no_speech: Sequence[float] = ()
    """The probability that nobody speaks, among all tokens."""


def _first_step(model: Any, encoded: Any) -> FirstStep:
    """Return the probabilities of the one step from which openai-whisper, too, takes them.

    The token of no speech stands before that of no times (so transformers finds it as well).
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


def _guess(first: FirstStep, windows: Sequence[Window]) -> list[Guess]:
    """Return each window's language, "" where the model does not know languages."""
    if not first.languages:
        return [Guess(window.language or "", None) for window in windows]
    return guess(windows, lambda places: [first.languages[place] for place in places])


def knows(model: Any) -> tuple[str, ...] | None:
    """Return the codes of the languages that the model knows, None where it does not say."""
    generation = getattr(model, "generation_config", None)  # a CTC model has none
    known = getattr(generation, "lang_to_id", None)
    if known:
        return tuple(token.strip("<|>") for token in known)
    whisper = model.config.model_type == "whisper"
    return (ENGLISH,) if whisper and model.config.vocab_size < MULTILINGUAL else None


def _translates(model: Any) -> bool:
    """Tell whether the model knows the task and was trained for it."""
    tasks = getattr(model.generation_config, "task_to_id", None) or {}
    config = model.config
    return translates("translate" in tasks, config.encoder_layers, config.decoder_layers)


def _write(
    loaded: Loaded, run: Run, inputs: Any, language: str, task: str
) -> list[tuple[Text, bool]]:
    """Return the texts, and whether each was cut short: no sampling, so the same each time."""
    model = loaded.model
    multilingual = getattr(model.generation_config, "lang_to_id", None)
    told = {"language": language, "task": task} if multilingual else {}
    whisper = {"return_timestamps": False} if model.config.model_type == "whisper" else {}
    out = model.generate(
        **inputs, **told, **whisper, do_sample=False, num_beams=run.beam, length_penalty=1.0,
        return_dict_in_generate=True, output_scores=True,
    )  # fmt: skip
    ends = model.generation_config.eos_token_id
    stop = set(ends if isinstance(ends, list) else [ends])
    rows = [_until(row.tolist(), stop) for row in out.sequences[:, -len(out.scores) :].cpu()]
    means = _means(model, out, [len(ids) for ids, _ in rows])
    return [
        (_text(loaded, ids, mean), unfinished)
        for (ids, unfinished), mean in zip(rows, means, strict=True)
    ]


def _until(tokens: list[int], stop: set[int]) -> tuple[list[int], bool]:
    """Return the tokens with their end, and whether there is none."""
    end = next((place for place, token in enumerate(tokens) if token in stop), None)
    return (tokens, True) if end is None else (tokens[: end + 1], False)


def _means(model: Any, out: Any, lengths: Sequence[int]) -> list[float]:
    """Return the mean log-probability of each row's tokens; of a wider search, its own score.

    With a length penalty of 1 that is the same. The steps that were not taken cannot be looked
    up: of a Whisper, transformers keeps the scores of one beam a window.
    """
    if getattr(out, "sequences_scores", None) is not None:
        return [float(score) for score in out.sequences_scores.float().cpu()]
    told = model.compute_transition_scores(out.sequences, out.scores, normalize_logits=True)
    scores = told.float().cpu()
    return [
        float(row[:length].mean()) if length else -100.0
        for row, length in zip(scores, lengths, strict=True)
    ]


def _text(loaded: Loaded, ids: Sequence[int], mean: float) -> Text:
    text = loaded.processor.tokenizer.decode(ids, skip_special_tokens=True)
    return Text(text.strip(), max(mean, -100.0))


class Asr(SpeechTool):
    """Recognises speech with a model of transformers.

    `model` is a repository ("openai/whisper-large-v3-turbo") that was pulled, a folder, or
    "auto". `language` is what a model that knows several is told, or "auto"; a model of one
    language is taken at its word. `beam` above 1 searches wider.

    The quality rests on what the model says. Of a Whisper that is what it is in `whisper`, from the
    same step of its decoder. Any other has the probabilities of its tokens alone (with CTC: of the
    frames that write) and no word for "nobody speaks": music and noise are kept from it by the
    voice detector, music only by Silero's, which comes with faster-whisper.
    """

    name: ClassVar[str] = TOOL
    description = "Recognises speech with any recogniser of transformers."

    def __init__(
        self,
        model: str = AUTO,
        language: str = AUTO,
        beam: int = 1,
        translate: bool = True,
        device: str = AUTO,
        dtype: str = AUTO,
        batch: int = 0,
    ) -> None:
        """Keep the settings; nothing is loaded. `ConfigError` for what cannot be."""
        super().__init__(model, language, beam, translate, device, batch)
        devices.precision(devices.CPU, dtype)  # says at once what is no precision
        self._dtype = dtype

    def version(self) -> str:
        """Return transformers' version."""
        require(self.name)
        return version("transformers")

    def precision(self, device: str) -> tuple[str, Param]:
        """Return the precision; the source says what was asked for."""
        return devices.precision(device, self._dtype), self._dtype

    def times_words(self, need: Need) -> bool:
        """Tell whether the model is of the kind that says when each word is heard."""
        return kind_of(need) == "ctc"

    def recogniser(self, need: Need, run: Run) -> Shared[Window, Heard]:
        """Return what hears windows with this folder."""
        return recogniser(need, run)
