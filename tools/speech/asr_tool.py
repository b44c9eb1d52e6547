"""Base of the ASR tools: settings, packed windows, transcripts, clues.

Speech is located first, so that silence, music and noise are not decoded at all; its stretches
are packed into windows, each decoded once; what the model doubts is reported as doubtful, or not
at all.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar, NamedTuple

from emer.tools.errors import ConfigError, ToolMissing, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.runtime.cancellation import note
from emer.tools.runtime.device import CPU, RunOptions, choose_device, choose_precision, cpu_threads
from emer.tools.runtime.memo import Memo
from emer.tools.runtime.model_pool import Key, PooledModel
from emer.tools.speech import confidence
from emer.tools.speech.confidence import Verdict
from emer.tools.speech.languages import AUTO, code_of, name_of, require_language
from emer.tools.speech.segmentation import Segment, cut, span_of, utterances
from emer.tools.speech.transcript import (
    AsrOptions,
    TimedWord,
    Transcript,
    Window,
    not_recognised,
    says,
    times,
    translated,
)
from emer.tools.speech.vad import (
    RATE,
    Samples,
    audible_samples,
    best_detector,
    find_speech,
    speech_share,
)
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span
from emer.tools.weights.locate import Need, find

BATCH = {"cpu": 4, "mps": 8, "cuda": 16}
"""Windows decoded at once by kind of device (chosen by us)."""
PACKED = 28.0
"""Seconds packed into a window of 30; a recogniser expects some silence."""
FIRST = 8
"""Windows from which a clip's language is detected; the others are then given it."""
REST = 32
"""Windows decoded in one call when the language is known (chosen by us).

A batch of the largest, and few enough that clips decoded at the same time take turns."""
CACHED = 8
"""Clips whose transcripts are cached for calls about a span."""
WHOLE, FIT = "whole", "fit"
"""Windows of 30 s, as in training, or of the sound and a little silence."""


class Backend(NamedTuple):
    """What a tool needs of its library."""

    load: Callable[[Need, AsrOptions], Any]
    transcribe: Callable[[AsrOptions, Any, Sequence[Window]], list[Transcript]]
    languages: Callable[[Any], Collection[str] | None]
    """Codes of the languages that a model knows; None where it does not say."""
    one_by_one: Callable[[Any], bool] = lambda _: False
    """Whether a model takes no two windows at once."""
    memory: Mapping[str, float] = {}
    """Memory by precision as a share of the files' size; 1 where it is not given."""


def library_version(tool: str, package: str) -> str:
    """Version of a tool's library; `ToolMissing` where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise ToolMissing(tool, "its package", f"pip install {package}") from error


@dataclass(eq=False)
class AsrTool(ABC):
    """A speech recogniser with a model; a subclass wraps one library.

    The fields are the arguments in `emer.toml`; a subclass lets `batch`, `dtype` and `window` be
    given where its library has a choice. Nothing is loaded before the first `observe`.
    `ConfigError` for an argument that is not possible.

    Args:
        model: A name of the catalogue, a path, or "auto" for the best model that is installed.
        language: A code or name of a language, or "auto" to detect it.
        beam: Width of the beam search; 1 is greedy.
        translate: Add an English translation where the language is another and the model can.
        device: cpu, cuda, cuda:N, mps or "auto".
        batch: Windows decoded at once; 0 for the default of the device.
        dtype: Precision: float32, float16, bfloat16 or "auto".
        window: "whole" or "fit".
    """

    model: str = AUTO
    language: str = AUTO
    beam: int = 1
    translate: bool = True
    device: str = AUTO
    batch: int = field(default=0, init=False)
    dtype: str = field(default=AUTO, init=False)
    window: str = field(default=WHOLE, init=False)
    modality: Modality = field(default="text", init=False)
    name: ClassVar[str]
    """Of the tool, and of its weights in the catalogue."""
    package: ClassVar[str]
    """Distribution of the library."""
    backend: ClassVar[Backend]

    def __post_init__(self) -> None:
        if self.beam < 1 or self.batch < 0:
            raise ConfigError(f"{self.name}: beam must be at least 1, batch at least 0")
        self._code = code_of(self.language, f"{self.name}.language")
        self.precision(CPU)  # an unknown precision is reported at once
        self._vad = best_detector()
        self._transcribers: Memo[Transcriber] = Memo(1)

    def version(self) -> str:
        """Version of the library; `ToolMissing` where it is not installed."""
        return library_version(self.name, self.package)

    def precision(self, device: str) -> str:
        """The precision on a device, by `dtype` and the process's choice."""
        return choose_precision(device, self.dtype)

    def place(self) -> str:
        """The device to run on."""
        return choose_device(self.device)

    def times_words(self, need: Need) -> bool:
        """Whether the model gives the time of each word."""
        return True

    @property
    def source(self) -> Source:
        """Name, version, weights and what changes the result."""
        library = self.version()  # a package that is missing is reported before weights
        need = find(self.name, self.model)
        params: dict[str, Param] = {
            "language": self._code,
            "beam": self.beam,
            "translate": self.translate,
            "precision": self.dtype,
            "vad": self._vad,
            "weights": need.fingerprint,
            **({"window": FIT} if self.window == FIT else {}),
        }
        return Source(tool=self.name, version=library, model=need.model, params=params)

    @property
    def hardware(self) -> Mapping[str, Param]:
        options = self.options()
        return RunOptions(options.device, options.precision, options.batch).hardware

    def load(self) -> None:
        self.recogniser(*self._current()).load()

    def unload(self) -> None:
        self.recogniser(*self._current()).unload()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """A clue per utterance; `Unobservable` where no words can be relied on."""
        need, options = self._current()

        def make() -> Transcriber:
            decode, packs = self.recogniser(need, options), self.times_words(need)
            return Transcriber(decode, self._vad, self._code, packs)

        # Made anew when weights or device have changed.
        return self._transcribers.get((need, options), make).clues(clip, span, self.source)

    def options(self) -> AsrOptions:
        """How the model is run on the device."""
        device = self.place()
        return AsrOptions(
            device=device,
            precision=self.precision(device),
            batch=self.batch or BATCH[device.partition(":")[0]],
            beam=self.beam,
            translate=self.translate,
            threads=cpu_threads(),
            fit=self.window == FIT,
            language=self._code,
        )

    def recogniser(self, need: Need, options: AsrOptions) -> PooledModel[Window, Transcript]:
        """The shared model that decodes windows with these weights; nothing is loaded."""
        backend, name = self.backend, self.name
        key: dict[str, Param] = {
            "precision": options.precision,
            "threads": options.threads,
            "is": need.fingerprint,
        }
        return PooledModel(
            Key(name, str(need.path), options.device, tuple(key.items())),
            partial(backend.load, need, options),
            partial(backend.transcribe, options),
            batch=options.batch,
            gigabytes=need.gigabytes * backend.memory.get(options.precision, 1.0),
            differs=options.differs,
            check=lambda model: require_language(
                name, need.model, options.language, backend.languages(model)
            ),
            one_by_one=backend.one_by_one,
        )

    def _current(self) -> tuple[Need, AsrOptions]:
        self.version()
        return find(self.name, self.model), self.options()


class Passage(NamedTuple):
    """A transcribed segment: its words in clip time, and how far they are trusted."""

    transcript: Transcript
    words: tuple[TimedWord, ...]
    verdict: Verdict
    span: Span


class Transcriber:
    """Transcribes clips with a recogniser; the last `CACHED` clips are cached.

    Args:
        decode: The recogniser: a transcript per window.
        detector: Name of the voice activity detector.
        language: Code of the language; None to detect it.
        packs: Whether several stretches of speech share a window; not for a recogniser without
            word times, so that the time of a stretch is known.
    """

    def __init__(
        self,
        decode: Callable[[Sequence[Window]], list[Transcript]],
        detector: str,
        language: str | None,
        packs: bool = True,
    ) -> None:
        self._decode, self._detector, self._language = decode, detector, language
        self._packs = packs
        self._clips: Memo[tuple[Sequence[Span], Sequence[Passage]]] = Memo(CACHED)

    def clues(self, clip: Clip, span: Span | None, source: Source) -> list[Clue]:
        """A clue per utterance and translation; `Unobservable` without reliable words."""
        whole, passages = self._clips.get(
            clip.sha256, lambda: self._recognise(clip), clip.is_complete
        )
        within = span or Span(start=0, end=clip.duration)
        speech = tuple(s for s in whole if s.overlaps(within))
        if not speech:
            raise Unobservable("no speech is heard")
        rejected = [p.span for p in passages if p.verdict is Verdict.REJECTED]
        share = speech_share(whole)
        clues = [clue for p in passages for clue in _clues(p, within, share, source)]
        if not clues:
            raise Unobservable(not_recognised(speech))
        if rejected and span is None:
            note(f"the words at {times(rejected)} could not be recognised")
        return clues

    def _recognise(self, clip: Clip) -> tuple[Sequence[Span], Sequence[Passage]]:
        samples = audible_samples(clip)
        speech = find_speech(samples, self._detector)
        segments = list(cut(samples, speech, PACKED))
        if not self._packs:
            segments = [Segment((part,)) for segment in segments for part in segment.parts]
        return speech, tuple(self._passages(clip.sha256, samples, segments))

    def _passages(self, clip: str, samples: Samples, segments: list[Segment]) -> Iterator[Passage]:
        """Decode segment by segment; the language of the first ones is that of all."""
        language = self._language
        waiting = list(segments)
        while waiting:
            count = FIRST if language is None else REST
            part, waiting = waiting[:count], waiting[count:]
            windows = [Window(segment.sound(samples), clip, language) for segment in part]
            for segment, transcript in zip(part, self._decode(windows), strict=True):
                language = language or transcript.language
                halves = segment.halves(samples) if transcript.unfinished else (segment,)
                if len(halves) > 1:  # there are more words than the model writes at once
                    yield from self._passages(clip, samples, list(halves))
                else:
                    yield _passage(segment, transcript)


def _passage(segment: Segment, transcript: Transcript) -> Passage:
    words = tuple(
        TimedWord(w.text, *segment.clip_span(w.start, w.end), w.probability)
        for w in transcript.words
    )
    first, last = segment.parts[0][0] / RATE, segment.parts[-1][1] / RATE
    original = transcript.original
    if not words and original.text.strip():
        known = confidence.probability_of(original.logprob)
        words = (TimedWord(original.text, first, last, known),)
    verdict = confidence.judge(transcript, segment.size / RATE) if words else Verdict.REJECTED
    return Passage(transcript, words, verdict, Span(start=round(first, 2), end=round(last, 2)))


def _clues(passage: Passage, within: Span, share: float, source: Source) -> Iterator[Clue]:
    """A clue per utterance, and one of the whole translation, which has no word times."""
    if passage.verdict is Verdict.REJECTED:
        return
    transcript, english = passage.transcript, passage.transcript.translation
    code, guess = transcript.language, transcript.language_probability
    language = {} if code is None else {"language": code}
    likely = {} if guess is None else {"language_probability": round(guess, 3)}
    factors = partial(confidence.factors, transcript, share)
    clue = partial(Clue, modality="text", source=source, kind="transcribed")
    words = [w for w in passage.words if within.start <= (w.start + w.end) / 2 <= within.end]
    for utterance in utterances(words):
        text = "".join(word.text for word in utterance).strip()
        known = confidence.word_probability(utterance)
        sure = confidence.is_sure(passage.verdict, utterance)
        timed = [[w.text.strip(), w.start, w.end, round(w.probability, 3)] for w in utterance]
        yield clue(
            span=span_of(utterance, within),
            text=says(text, sure),
            certainty="stated" if sure else "doubtful",
            quality=Quality(score=confidence.score(known, sure), factors=factors(known)),
            data={"transcript": text, **language, **likely, "words": timed},
        )
    if words and english is not None:
        known = confidence.word_probability(passage.words)
        sure = (
            confidence.is_sure(passage.verdict, passage.words)
            and english.logprob >= confidence.LEAST_LOGPROB
        )
        yield clue(
            span=span_of(passage.words, passage.span),
            text=translated(english.text, name_of(str(code)), sure),
            certainty="stated" if sure else "doubtful",
            quality=Quality(
                score=confidence.score(confidence.probability_of(english.logprob), sure),
                factors={**factors(known), "translation_logprob": round(english.logprob, 3)},
            ),
            data={"transcript": english.text, "translated_from": str(code), "language": "en"},
        )
