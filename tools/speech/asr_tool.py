"""Base of the ASR tools: settings, voice activity, packed windows, transcripts, clues.

Speech is located first, so that silence, music and noise are not decoded at all; its stretches
are packed into windows, each decoded once; what the model doubts is reported as doubtful, or not
at all.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from emer.tools.errors import ConfigError, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.runtime import device as devices
from emer.tools.runtime.cancellation import holding, note
from emer.tools.runtime.model_pool import Shared
from emer.tools.speech import confidence
from emer.tools.speech.confidence import Verdict
from emer.tools.speech.languages import AUTO, code_of, name_of
from emer.tools.speech.segmentation import Segment, cut, utterances
from emer.tools.speech.sentences import not_recognised, says, times, translated
from emer.tools.speech.transcript import AsrOptions, ScoredText, TimedWord, Transcript, Window
from emer.tools.speech.vad import (
    RATE,
    SILERO,
    WEBRTC,
    Samples,
    find_speech,
    is_silent,
    silero_available,
)
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span
from emer.tools.weights.locate import Need, find

BATCH = {"cpu": 4, "mps": 8, "cuda": 16}
"""Windows decoded at once by kind of device (chosen by us)."""

PACKED = 28.0
"""Seconds packed into a window of 30: the rest is the silence a recogniser expects."""

FIRST = 8
"""Windows from which a clip's language is detected; the others are then given it."""

REST = 32
"""Windows brought at once when the language is known: a batch of the largest, and few enough that
clips that are decoded at the same time take turns (chosen by us)."""

CACHED = 8
"""Clips whose transcripts are kept for closer looks."""


@dataclass(eq=False)
class AsrTool(ABC):
    """A speech recogniser with a model; a subclass wraps one library.

    The fields are the arguments in `emer.toml`. Nothing is loaded before the first `observe`.
    `ConfigError` for an argument that is not possible.

    Args:
        model: A name of the catalogue, a path, or "auto" for the best model that is installed.
        language: A code or name of a language, or "auto" to detect it.
        beam: Width of the beam search; 1 is greedy.
        translate: Add an English translation where the language is another and the model can.
        device: cpu, cuda, cuda:N, mps or "auto".
    """

    model: str = AUTO
    language: str = AUTO
    beam: int = 1
    translate: bool = True
    device: str = AUTO
    modality: Modality = field(default="text", init=False)
    name: ClassVar[str]
    """Of the tool, and of its weights in the catalogue."""

    def __post_init__(self) -> None:
        """Check the settings; `ConfigError` says which is not possible."""
        if self.beam < 1 or self.batch_size() < 0:
            raise ConfigError(f"{self.name}: beam must be at least 1, batch at least 0")
        self._code = code_of(self.language, f"{self.name}.language")
        self._vad = SILERO if silero_available() else WEBRTC
        self._parts: tuple[Need, AsrOptions, Shared[Window, Transcript], Transcriber] | None = None

    @abstractmethod
    def version(self) -> str:
        """Version of the library; `ToolMissing` where it is not installed."""

    @abstractmethod
    def precision(self, device: str) -> tuple[str, Param]:
        """The precision on a device, and how the source names it."""

    @abstractmethod
    def recogniser(self, need: Need, options: AsrOptions) -> Shared[Window, Transcript]:
        """The shared model that decodes windows with these weights; nothing is loaded."""

    def batch_size(self) -> int:
        """Windows decoded at once; 0 for the default of the device."""
        return 0

    def fits_windows(self) -> bool:
        """Whether a window is no longer than the sound and a little silence."""
        return False

    def times_words(self, need: Need) -> bool:
        """Whether the model gives the time of each word."""
        return True

    @property
    def source(self) -> Source:
        """Name, version, weights and what changes the result."""
        version = self.version()  # a package that is missing is reported before weights
        need = find(self.name, self.model)
        params: dict[str, Param] = {
            "language": self._code,
            "beam": self.beam,
            "translate": self.translate,
            "precision": self.precision(devices.CPU)[1],
            "vad": self._vad,
            "weights": need.fingerprint,
            **({"window": "fit"} if self.fits_windows() else {}),
        }
        return Source(tool=self.name, version=version, model=need.model, params=params)

    @property
    def hardware(self) -> Mapping[str, Param]:
        """Device, precision, batch and, on a CPU, threads."""
        options = self.options()
        threads = {"threads": options.threads} if options.device == devices.CPU else {}
        return {
            "device": options.device,
            "dtype": options.precision,
            "batch": options.batch,
            **threads,
        }

    def shared(self) -> Shared[Window, Transcript]:
        """The shared model of this tool and of all with the same settings."""
        return self._transcriber()[0]

    def transcribe(self, sounds: Sequence[Samples]) -> list[Transcript]:
        """Transcripts of segments of speech, each mono, 16 kHz, at most 30 s; for benchmarks.

        Each is a clip of its own, without voice activity detection.
        """
        windows = [Window(sound, str(n), self._code) for n, sound in enumerate(sounds)]
        return self.shared()(windows)

    def load(self) -> None:
        """Load the model now."""
        self.shared().load()

    def unload(self) -> None:
        """Remove the model from memory."""
        self.shared().unload()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """A clue per utterance; `Unobservable` where no words can be relied on."""
        return self._transcriber()[1].clues(clip, span, self.source)

    def place(self) -> str:
        """The device to run on."""
        return devices.pick(self.device)

    def options(self) -> AsrOptions:
        """How the model is run on the device."""
        device = self.place()
        return AsrOptions(
            device=device,
            precision=self.precision(device)[0],
            batch=self.batch_size() or BATCH[device.partition(":")[0]],
            beam=self.beam,
            translate=self.translate,
            threads=devices.threads(),
            fit=self.fits_windows(),
            language=self._code,
        )

    def _transcriber(self) -> tuple[Shared[Window, Transcript], Transcriber]:
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
        packs: Whether several stretches of speech share a window. For recogniser without word
            times a window holds one stretch, so that its time is known.
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
        self._lock = threading.Lock()
        self._busy: dict[str, threading.Lock] = {}
        self._cache: OrderedDict[str, ClipTranscript] = OrderedDict()

    def clues(self, clip: Clip, span: Span | None, source: Source) -> list[Clue]:
        """A clue per utterance and translation; `Unobservable` without reliable words."""
        whole = self._cached(clip)
        within = span or Span(start=0, end=clip.duration)
        speech = tuple(s for s in whole.speech if s.overlaps(within))
        if not speech:
            raise Unobservable("no speech is heard")
        passages = [p for p in whole.passages if p.verdict is not Verdict.REJECTED]
        share = _share(whole.speech)
        clues = [clue for p in passages for clue in _clues(p, within, share, source)]
        if not clues:
            raise Unobservable(not_recognised(speech))
        rejected = [p.span for p in whole.passages if p.verdict is Verdict.REJECTED]
        if rejected and span is None:
            note(f"the words at {times(rejected)} could not be recognised")
        return clues

    def _cached(self, clip: Clip) -> ClipTranscript:
        with self._lock:
            busy = self._busy.setdefault(clip.sha256, threading.Lock())
        with holding(busy):  # another look at the same clip waits for this transcript
            with self._lock:
                known = self._cache.get(clip.sha256)
            if known is None:
                known = self._recognise(clip)
            with self._lock:
                self._cache[clip.sha256] = known
                while len(self._cache) > CACHED:
                    self._busy.pop(self._cache.popitem(last=False)[0], None)
        return known

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
    words = tuple(_placed(segment, word) for word in transcript.words)
    first, last = segment.parts[0][0] / RATE, segment.parts[-1][1] / RATE
    original = transcript.original
    if not words and original.text.strip():
        known = confidence.probability_of(original.logprob)
        words = (TimedWord(original.text, first, last, known),)
    verdict = confidence.judge(transcript, segment.size / RATE) if words else Verdict.REJECTED
    return Passage(transcript, words, verdict, Span(start=round(first, 2), end=round(last, 2)))


def _placed(segment: Segment, word: TimedWord) -> TimedWord:
    start, end = segment.clip_span(word.start, word.end)
    return TimedWord(word.text, round(start, 2), round(end, 2), word.probability)


def _clues(passage: Passage, within: Span, share: float, source: Source) -> Iterator[Clue]:
    """The clues of a passage: its utterances, then its translation."""
    words = [w for w in passage.words if within.start <= (w.start + w.end) / 2 <= within.end]
    for utterance in utterances(words):
        yield _utterance(passage, utterance, within, share, source)
    if words and passage.transcript.translation is not None:
        yield _translation(passage, passage.transcript.translation, share, source)


def _utterance(
    passage: Passage, words: Sequence[TimedWord], within: Span, share: float, source: Source
) -> Clue:
    text = "".join(word.text for word in words).strip()
    known = confidence.word_probability(words)
    sure = confidence.is_sure(passage.verdict, words)
    return Clue(
        modality="text",
        span=_span(words, within),
        text=says(text, sure),
        quality=Quality(
            score=confidence.score(known, sure),
            factors=confidence.factors(passage.transcript, known, share),
        ),
        source=source,
        data={
            "transcript": text,
            **_language(passage.transcript),
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


def _language(transcript: Transcript) -> dict[str, str | float]:
    data: dict[str, str | float] = {}
    if transcript.language is not None:
        data["language"] = transcript.language
    if transcript.language_probability is not None:
        data["language_probability"] = round(transcript.language_probability, 3)
    return data


def _span(words: Sequence[TimedWord], within: Span) -> Span:
    start = max(within.start, round(words[0].start, 1))
    end = min(within.end, round(words[-1].end, 1))
    return Span(start=min(start, end), end=end)


def _share(speech: Sequence[Span]) -> float:
    """Share of speech between its first and last moment."""
    return sum(s.length for s in speech) / max(0.01, speech[-1].end - speech[0].start)
