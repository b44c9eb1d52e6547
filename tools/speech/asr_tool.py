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

from pydantic import JsonValue

from emer.tools.errors import ConfigError, ToolMissing, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.runtime.cancellation import note
from emer.tools.runtime.device import CPU, RunOptions, choose_device, choose_precision, cpu_threads
from emer.tools.runtime.memo import Memo
from emer.tools.runtime.model_pool import Key, PooledModel
from emer.tools.speech import confidence
from emer.tools.speech.confidence import Verdict
from emer.tools.speech.languages import AUTO, code_of, name_of, require_language
from emer.tools.speech.segmentation import Segment, cut, utterances
from emer.tools.speech.transcript import (
    AsrOptions,
    ScoredText,
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
    SILERO,
    WEBRTC,
    Samples,
    find_speech,
    is_silent,
    silero_available,
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
        """Check the settings; `ConfigError` says which is not possible."""
        if self.beam < 1 or self.batch < 0:
            raise ConfigError(f"{self.name}: beam must be at least 1, batch at least 0")
        self._code = code_of(self.language, f"{self.name}.language")
        self.precision(CPU)  # an unknown precision is reported at once
        self._vad = SILERO if silero_available() else WEBRTC
        self._parts: (
            tuple[Need, AsrOptions, PooledModel[Window, Transcript], Transcriber] | None
        ) = None

    def version(self) -> str:
        """Version of the library; `ToolMissing` where it is not installed."""
        try:
            return version(self.package)
        except PackageNotFoundError as error:
            install = f"pip install {self.package}"
            raise ToolMissing(self.name, "its package", install) from error

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
        """Device, precision, batch and, on a CPU, threads."""
        options = self.options()
        run = RunOptions(options.device, options.precision, options.batch)
        return run.hardware

    def load(self) -> None:
        """Load the model now."""
        self._current()[0].load()

    def unload(self) -> None:
        """Remove the model from memory."""
        self._current()[0].unload()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """A clue per utterance; `Unobservable` where no words can be relied on."""
        return self._current()[1].clues(clip, span, self.source)

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

    def _current(self) -> tuple[PooledModel[Window, Transcript], Transcriber]:
        """Model and transcriber, made anew when weights or device have changed."""
        self.version()
        need, options = find(self.name, self.model), self.options()
        parts = self._parts
        if parts is None or parts[:2] != (need, options):
            shared = self.recogniser(need, options)
            packs = self.times_words(need)
            parts = (need, options, shared, Transcriber(shared, self._vad, self._code, packs))
            self._parts = parts
        return parts[2:]


@dataclass(frozen=True, slots=True)
class Passage:
    """A transcribed segment: its words in clip time, and how far they are trusted."""

    transcript: Transcript
    words: tuple[TimedWord, ...]
    verdict: Verdict
    span: Span


@dataclass(frozen=True, slots=True)
class ClipTranscript:
    """All that is recognised of a clip's speech."""

    speech: tuple[Span, ...]
    passages: tuple[Passage, ...]


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
        """Take the recogniser and its settings."""
        self._decode, self._detector, self._language = decode, detector, language
        self._packs = packs
        self._clips: Memo[ClipTranscript] = Memo(CACHED)

    def clues(self, clip: Clip, span: Span | None, source: Source) -> list[Clue]:
        """A clue per utterance and translation; `Unobservable` without reliable words."""
        whole = self._clips.get(clip.sha256, lambda: self._recognise(clip))
        within = span or Span(start=0, end=clip.duration)
        speech = tuple(s for s in whole.speech if s.overlaps(within))
        if not speech:
            raise Unobservable("no speech is heard")
        passages = [p for p in whole.passages if p.verdict is not Verdict.REJECTED]
        share = speech_share(whole.speech)
        clues = [clue for p in passages for clue in _clues(p, within, share, source)]
        if not clues:
            raise Unobservable(not_recognised(speech))
        rejected = [p.span for p in whole.passages if p.verdict is Verdict.REJECTED]
        if rejected and span is None:
            note(f"the words at {times(rejected)} could not be recognised")
        return clues

    def _recognise(self, clip: Clip) -> ClipTranscript:
        samples = clip.samples()
        if is_silent(samples):
            raise Unobservable("the audio track is silent")
        speech = find_speech(samples, self._detector)
        if not speech:
            return ClipTranscript((), ())
        segments = list(cut(samples, speech, PACKED))
        if not self._packs:
            segments = [Segment((part,)) for segment in segments for part in segment.parts]
        return ClipTranscript(speech, tuple(self._passages(clip.sha256, samples, segments)))

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
    words = [w for w in passage.words if within.start <= (w.start + w.end) / 2 <= within.end]
    for utterance in utterances(words):
        yield _utterance(passage, utterance, within, share, source)
    if words and passage.transcript.translation is not None:
        yield _translation(passage, passage.transcript.translation, share, source)


def _utterance(
    passage: Passage, words: Sequence[TimedWord], within: Span, share: float, source: Source
) -> Clue:
    transcript, text = passage.transcript, "".join(word.text for word in words).strip()
    known = confidence.word_probability(words)
    sure = confidence.is_sure(passage.verdict, words)
    language: dict[str, JsonValue] = {}
    if transcript.language is not None:
        language["language"] = transcript.language
    if transcript.language_probability is not None:
        language["language_probability"] = round(transcript.language_probability, 3)
    return Clue(
        modality="text",
        span=_span(words, within),
        text=says(text, sure),
        quality=Quality(
            score=confidence.score(known, sure),
            factors=confidence.factors(transcript, known, share),
        ),
        source=source,
        data={
            "transcript": text,
            **language,
            "words": [[w.text.strip(), w.start, w.end, round(w.probability, 3)] for w in words],
        },
    )


def _translation(passage: Passage, english: ScoredText, share: float, source: Source) -> Clue:
    """The clue of a passage's translation: of all of it, as it has no word times."""
    sure = (
        confidence.is_sure(passage.verdict, passage.words)
        and english.logprob >= confidence.LEAST_LOGPROB
    )
    known = confidence.probability_of(english.logprob)
    probability = confidence.word_probability(passage.words)
    code = str(passage.transcript.language)
    return Clue(
        modality="text",
        span=_span(passage.words, passage.span),
        text=translated(english.text, name_of(code), sure),
        quality=Quality(
            score=confidence.score(known, sure),
            factors={
                **confidence.factors(passage.transcript, probability, share),
                "translation_logprob": round(english.logprob, 3),
            },
        ),
        source=source,
        data={"transcript": english.text, "translated_from": code, "language": "en"},
    )


def _span(words: Sequence[TimedWord], within: Span) -> Span:
    start = max(within.start, round(words[0].start, 1))
    end = min(within.end, round(words[-1].end, 1))
    return Span(start=min(start, end), end=end)
