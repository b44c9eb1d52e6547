"""What all ASR tools share: settings, VAD, clues.

From a clip's sound to clues about what is said, with any recogniser that has a model.

Speech is found first, so that silence, music and noise are not decoded at all; its stretches are
packed into windows, each decoded once; what the model doubts is told as doubtful, or not at all.

What the tools share that recognise speech with a model: arguments, source, loading, looking.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from emer.tools.errors import ConfigError, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.runtime import device as devices
from emer.tools.runtime.cancellation import holding, note
from emer.tools.runtime.model_pool import Shared
from emer.tools.speech import confidence, vad
from emer.tools.speech import vad as activity
from emer.tools.speech import vad as silero
from emer.tools.speech.confidence import Verdict
from emer.tools.speech.languages import code_of, name_of
from emer.tools.speech.segmentation import Piece, cut, utterances
from emer.tools.speech.sentences import not_recognised, says, times, translated
from emer.tools.speech.transcript import Heard, Run, Spoken, Text, Window
from emer.tools.speech.vad import RATE, Samples, is_silent
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span
from emer.tools.weights.locate import Need, find

WINDOW = 28.0
"""Seconds packed into a window of 30: the rest is the silence a recogniser expects."""

FIRST = 8
"""Windows from which a clip's language is found out; the others are then told it."""

REST = 32
"""Windows brought at once when the language is known: a batch of the largest, and few enough that
clips which are heard at the same time take turns (chosen by us)."""

REMEMBERED = 8
"""Clips whose words are kept for closer looks."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One window as part of the clip: its words in clip time, and what to think of them."""

    heard: Heard
    words: tuple[Spoken, ...]
    verdict: Verdict
    span: Span


@dataclass(frozen=True, slots=True)
class Told:
    """All that is known of a clip's speech."""

    speech: tuple[Span, ...]
    passages: tuple[Passage, ...]


class Listener:
    """Listens to clips with a recogniser; the last clips are remembered."""

    def __init__(
        self,
        hear: Callable[[Sequence[Window]], list[Heard]],
        vad: str,
        language: str | None,
        packs: bool = True,
    ) -> None:
        """Take the recogniser, the voice detector and the language (None to find out).

        `packs` is for recognisers that give word times: without them a window holds one
        stretch of speech, so that its time is known.
        """
        self._hear, self._vad, self._language, self._packs = hear, vad, language, packs
        self._lock = threading.Lock()
        self._busy: dict[str, threading.Lock] = {}
        self._told: OrderedDict[str, Told] = OrderedDict()

    def clues(self, clip: Clip, span: Span | None, source: Source) -> list[Clue]:
        """Return a clue per utterance and translation; `Unobservable` without reliable words."""
        told = self._listen(clip)
        within = span or Span(start=0, end=clip.duration)
        speech = tuple(s for s in told.speech if s.overlaps(within))
        if not speech:
            raise Unobservable("no speech is heard")
        passages = [p for p in told.passages if p.verdict is not Verdict.REJECTED]
        share = _share(told.speech)
        found = [clue for p in passages for clue in _clues(p, within, share, source)]
        if not found:
            raise Unobservable(not_recognised(speech))
        rejected = [p.span for p in told.passages if p.verdict is Verdict.REJECTED]
        if rejected and span is None:
            note(f"the words at {times(rejected)} could not be recognised")
        return found

    def _listen(self, clip: Clip) -> Told:
        with self._lock:
            busy = self._busy.setdefault(clip.sha256, threading.Lock())
        with holding(busy):  # another look at the same clip waits for this one's words
            with self._lock:
                known = self._told.get(clip.sha256)
            if known is None:
                known = self._recognise(clip)
            with self._lock:
                self._told[clip.sha256] = known
                while len(self._told) > REMEMBERED:
                    self._busy.pop(self._told.popitem(last=False)[0], None)
        return known

    def _recognise(self, clip: Clip) -> Told:
        samples = clip.samples()
        if is_silent(samples):
            raise Unobservable("the audio track is silent")
        speech = find_speech(samples, self._vad)
        if not speech:
            return Told((), ())
        pieces = list(cut(samples, speech, WINDOW))
        if not self._packs:
            pieces = [Piece((part,)) for piece in pieces for part in piece.parts]
        return Told(speech, tuple(self._passages(clip.sha256, samples, pieces)))

    def _passages(self, clip: str, samples: Samples, pieces: list[Piece]) -> Iterator[Passage]:
        """Yield what is heard piece by piece; the language of the first ones is that of all."""
        language = self._language
        waiting = list(pieces)
        while waiting:
            count = FIRST if language is None else REST
            part, waiting = waiting[:count], waiting[count:]
            windows = [Window(piece.sound(samples), clip, language) for piece in part]
            for piece, heard in zip(part, self._hear(windows), strict=True):
                language = language or heard.language
                halves = piece.halves(samples) if heard.unfinished else (piece,)
                if len(halves) > 1:  # more was said than the model writes at once
                    yield from self._passages(clip, samples, list(halves))
                else:
                    yield _passage(piece, heard)


def find_speech(samples: Samples, vad: str) -> tuple[Span, ...]:
    """Return the stretches of speech, by the voice detector of this name."""
    if vad == silero.NAME:
        return silero.speech_spans(samples)
    return activity.speech_spans(samples)


def _passage(piece: Piece, heard: Heard) -> Passage:
    words = tuple(_placed(piece, word) for word in heard.words)
    first, last = piece.parts[0][0] / RATE, piece.parts[-1][1] / RATE
    if not words and heard.said.text.strip():
        known = confidence.probability_of(heard.said.logprob)
        words = (Spoken(heard.said.text, first, last, known),)
    verdict = confidence.judge(heard, piece.size / RATE) if words else Verdict.REJECTED
    return Passage(heard, words, verdict, Span(start=round(first, 2), end=round(last, 2)))


def _placed(piece: Piece, word: Spoken) -> Spoken:
    start, end = piece.clip_span(word.start, word.end)
    return Spoken(word.text, round(start, 2), round(end, 2), word.probability)


def _clues(passage: Passage, within: Span, share: float, source: Source) -> Iterator[Clue]:
    """Yield the clues of a passage: its utterances, then its translation."""
    words = [w for w in passage.words if within.start <= (w.start + w.end) / 2 <= within.end]
    for spoken in utterances(words):
        yield _utterance(passage, spoken, within, share, source)
    if words and passage.heard.translation is not None:
        yield _translation(passage, passage.heard.translation, share, source)


def _utterance(
    passage: Passage, words: Sequence[Spoken], within: Span, share: float, source: Source
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
            factors=confidence.factors(passage.heard, known, share),
        ),
        source=source,
        data={
            "transcript": text,
            **_language(passage.heard),
            "words": [[w.text.strip(), w.start, w.end, round(w.probability, 3)] for w in words],
        },
    )


def _translation(passage: Passage, english: Text, share: float, source: Source) -> Clue:
    """Return the clue of a passage's translation: of all of it, as it has no word times."""
    sure = (
        confidence.is_sure(passage.verdict, passage.words)
        and english.logprob >= confidence.LEAST_LOGPROB
    )
    known = confidence.probability_of(english.logprob)
    code = str(passage.heard.language)
    return Clue(
        modality="text",
        span=_span(passage.words, passage.span),
        text=translated(english.text, name_of(code), sure),
        quality=Quality(
            score=confidence.score(known, sure),
            factors={
                **confidence.factors(
                    passage.heard, confidence.word_probability(passage.words), share
                ),
                "translation_logprob": round(english.logprob, 3),
            },
        ),
        source=source,
        data={"transcript": english.text, "translated_from": code, "language": "en"},
    )


def _language(heard: Heard) -> dict[str, str | float]:
    found: dict[str, str | float] = {}
    if heard.language is not None:
        found["language"] = heard.language
    if heard.language_probability is not None:
        found["language_probability"] = round(heard.language_probability, 3)
    return found


def _span(words: Sequence[Spoken], within: Span) -> Span:
    start = max(within.start, round(words[0].start, 1))
    end = min(within.end, round(words[-1].end, 1))
    return Span(start=min(start, end), end=end)


def _share(speech: Sequence[Span]) -> float:
    """Return the share of speech between its first and last moment."""
    return sum(s.length for s in speech) / max(0.01, speech[-1].end - speech[0].start)


BATCH = {"cpu": 4, "mps": 8, "cuda": 16}
"""Windows decoded at once, unless told (chosen by us)."""

WHOLE = "whole"
WINDOWS = (WHOLE, "fit")
"""How much a Whisper hears at once: the 30 s it was trained on, or what `fitting` leaves of it."""


class SpeechTool(ABC):
    """A tool of one library; its kinds say which, and how it is run."""

    modality: Modality = "text"
    name: ClassVar[str]
    """Of the tool, and of its weights in the catalogue."""
    batches: ClassVar[Mapping[str, int]] = BATCH
    """Windows decoded at once by kind of device, unless told."""

    def __init__(
        self,
        model: str,
        language: str,
        beam: int,
        translate: bool,
        device: str,
        batch: int,
        window: str = WHOLE,
    ) -> None:
        """Keep the settings; nothing is loaded. `ConfigError` for what cannot be."""
        if window not in WINDOWS:
            raise ConfigError(f"{self.name}.window: {window!r}; write {' or '.join(WINDOWS)}")
        if beam < 1 or batch < 0:
            raise ConfigError(f"{self.name}: beam must be at least 1, batch at least 0")
        self._language = code_of(language, f"{self.name}.language")
        self._model, self._beam, self._translate = model, beam, translate
        self._device, self._batch, self._window = device, batch, window
        self._vad = vad.NAME if vad.is_here() else vad.PLAIN
        self._made: tuple[Need, Run, Shared[Window, Heard], Listener] | None = None

    @abstractmethod
    def version(self) -> str:
        """Return the library's version; `ToolMissing` where it is not installed."""

    @abstractmethod
    def precision(self, device: str) -> tuple[str, Param]:
        """Return the precision on a device, and what of it the source says."""

    @abstractmethod
    def recogniser(self, need: Need, run: Run) -> Shared[Window, Heard]:
        """Return what hears windows with these weights; nothing is loaded."""

    def times_words(self, need: Need) -> bool:
        """Tell whether the model says when each word is heard."""
        return True

    @property
    def source(self) -> Source:
        """Name, version, weights and what changes the result."""
        version = self.version()  # a package that is missing is said first
        need = find(self.name, self._model)
        params: dict[str, Param] = {
            "language": self._language,
            "beam": self._beam,
            "translate": self._translate,
            "precision": self.precision(devices.CPU)[1],
            "vad": self._vad,
            "weights": need.fingerprint,
            **({} if self._window == WHOLE else {"window": self._window}),
        }
        return Source(tool=self.name, version=version, model=need.model, params=params)

    @property
    def hardware(self) -> Mapping[str, Param]:
        """Device, precision, batch and, on a CPU, threads."""
        run = self.run()
        threads = {"threads": run.threads} if run.device == devices.CPU else {}
        return {"device": run.device, "dtype": run.precision, "batch": run.batch, **threads}

    def shared(self) -> Shared[Window, Heard]:
        """Return what hears windows for this tool and all like it."""
        return self._parts()[0]

    def load(self) -> None:
        """Load the model now."""
        self.shared().load()

    def unload(self) -> None:
        """Let go of the model."""
        self.shared().unload()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Return a clue per utterance; `Unobservable` where no words can be relied on."""
        return self._parts()[1].clues(clip, span, self.source)

    def place(self) -> str:
        """Return the device to run on."""
        return devices.pick(self._device)

    def run(self) -> Run:
        """Return how it is run."""
        device = self.place()
        return Run(
            device=device,
            precision=self.precision(device)[0],
            batch=self._batch or self.batches[device.partition(":")[0]],
            beam=self._beam,
            translate=self._translate,
            threads=devices.threads(),
            fit=self._window != WHOLE,
            language=self._language,
        )

    def _parts(self) -> tuple[Shared[Window, Heard], Listener]:
        """Return recogniser and listener, made anew when weights or device are others."""
        self.version()
        need, run = find(self.name, self._model), self.run()
        made = self._made
        if made is None or made[:2] != (need, run):
            recogniser = self.recogniser(need, run)
            packs = self.times_words(need)
            listener = Listener(recogniser, self._vad, self._language, packs)
            made = self._made = (need, run, recogniser, listener)
        return made[2:]
