"""Transcription of a clip with a recogniser: windows, language, words, clues."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.runtime.cancellation import note, report_progress
from emer.tools.runtime.memo import Memo
from emer.tools.speech import confidence
from emer.tools.speech.confidence import Verdict
from emer.tools.speech.languages import (
    SpokenLanguage,
    name_of,
    simplified_words,
    spoken_language,
)
from emer.tools.speech.segmentation import Segment, cut
from emer.tools.speech.transcript import (
    TimedWord,
    Transcript,
    Window,
    not_recognised,
    says,
    times,
    translated,
)
from emer.tools.speech.utterance import span_of, text_of, utterances
from emer.tools.speech.vad import RATE, Samples, audible_samples, find_speech, speech_share
from emer.tools.speech.word_times import Activity, placed
from emer.tools.types import Clue, Quality, Source, Span

PACKED = 20.0
"""Seconds packed into a window of 30: in fuller ones Whisper leaves sentences out.

Of 45 synthetic sentences 6 were missing with 28 s, none with 20 or 12 (evals/LOG.md)."""
AROUND = 0.5
"""Seconds of sound around speech: detectors miss weak first and last syllables."""
BRIDGED = 2.0
"""Seconds of a pause that stays in the sound: cut out, it takes a word's edge with it."""
BLOCK = 8
"""Windows between two reports of progress, unless a batch is larger (chosen by us)."""
CACHED = 8
"""Clips whose transcripts are cached for calls about a span."""
Decode = Callable[[Sequence[Window]], list[Transcript]]


class Passage(NamedTuple):
    """A transcribed segment: its words in clip time, and how far they are trusted."""

    transcript: Transcript
    words: tuple[TimedWord, ...]
    verdict: Verdict
    span: Span


class Recording(NamedTuple):
    """What was heard in a clip."""

    speech: Sequence[Span]
    passages: Sequence[Passage]
    language: SpokenLanguage | None
    """None where it was given, or the recogniser does not say."""


class Transcriber:
    """Transcribes clips with a recogniser; the last `CACHED` clips are cached.

    Args:
        decode: The recogniser: a transcript per window.
        detector: Name of the voice activity detector.
        language: Code of the language; None to detect it.
        packs: Whether several stretches of speech share a window; not for a recogniser without
            word times, so that the time of a stretch is known.
        block: Windows decoded in one call.
    """

    def __init__(
        self,
        decode: Decode,
        detector: str,
        language: str | None,
        packs: bool = True,
        block: int = BLOCK,
    ) -> None:
        self._decode, self._detector, self._language = decode, detector, language
        self._packs, self._block = packs, block
        self._clips: Memo[Recording] = Memo(CACHED)

    def clues(self, clip: Clip, span: Span | None, source: Source) -> list[Clue]:
        """A clue per utterance and translation; `Unobservable` without reliable words."""
        heard = self._clips.get(clip.sha256, lambda: self._record(clip), clip.is_complete)
        within = span or Span(start=0, end=clip.duration)
        speech = tuple(s for s in heard.speech if s.overlaps(within))
        if not speech:
            raise Unobservable("no speech is heard")
        clues = list(_clues(heard, within, source))
        if not clues:
            raise Unobservable(not_recognised(speech))
        if span is None:
            _note_doubts(heard)
        return clues

    def _record(self, clip: Clip) -> Recording:
        samples = audible_samples(clip)
        speech = find_speech(samples, self._detector)
        if self._packs:
            segments = list(cut(samples, speech, PACKED, AROUND, BRIDGED))
        else:
            parts = (part for segment in cut(samples, speech, PACKED) for part in segment.parts)
            segments = [Segment((part,)) for part in parts]
        found, language = self._decoded(clip.sha256, samples, segments)
        activity = Activity(samples, speech)
        clear = language is None or language.is_clear
        passages = [_passage(*each, activity, clear) for each in found]
        return Recording(speech, passages, language)

    def _decoded(
        self, clip: str, samples: Samples, segments: Sequence[Segment]
    ) -> tuple[list[tuple[Segment, Transcript]], SpokenLanguage | None]:
        """Transcripts of the segments in one language, that of all the speech."""
        work = partial(self._transcripts, clip, samples)
        known = self._language
        if known is not None:
            return list(work(segments, known)), None
        found = list(work(segments, None))
        spoken = spoken_language((s.size / RATE, t.languages) for s, t in found)
        if spoken is None:
            return found, None
        result: list[tuple[Segment, Transcript]] = []
        for segment, transcript in found:  # what one window alone sounded like does not count
            if transcript.language == spoken.code:
                result.append((segment, transcript))
            else:
                result += work([segment], spoken.code)
        return result, spoken

    def _transcripts(
        self, clip: str, samples: Samples, segments: Sequence[Segment], language: str | None
    ) -> Iterator[tuple[Segment, Transcript]]:
        """Segments with their transcripts, in halves where one holds too many words."""
        waiting, heard = list(segments), list[tuple[float, Transcript]]()
        whole = sum(segment.size for segment in waiting)
        while waiting:
            part, waiting = waiting[: self._block], waiting[self._block :]
            likely = spoken_language((size, each.languages) for size, each in heard)
            expected = None if likely is None else likely.code
            windows = [Window(s.sound(samples), clip, language, expected) for s in part]
            for segment, transcript in zip(part, self._decode(windows), strict=True):
                heard.append((segment.size, transcript))
                halves = segment.halves(samples) if transcript.unfinished else (segment,)
                if len(halves) > 1:  # there are more words than the model writes at once
                    yield from self._transcripts(clip, samples, halves, language)
                else:
                    yield segment, transcript
            report_progress(1 - sum(segment.size for segment in waiting) / whole)


def _passage(segment: Segment, transcript: Transcript, activity: Activity, clear: bool) -> Passage:
    words = placed(
        [
            TimedWord(w.text, *segment.clip_span(w.start, w.end), w.probability)
            for w in transcript.words
        ],
        activity,
    )
    first, last = segment.parts[0][0] / RATE, segment.parts[-1][1] / RATE
    original = transcript.original
    if not words and original.text.strip():
        known = confidence.probability_of(original.logprob)
        words = (TimedWord(original.text, first, last, known),)
    seconds = segment.size / RATE
    verdict = confidence.judge(transcript, seconds, clear) if words else Verdict.REJECTED
    words = simplified_words(words, transcript.language)
    return Passage(transcript, words, verdict, Span(start=round(first, 2), end=round(last, 2)))


def _note_doubts(heard: Recording) -> None:
    """Notes of the run about what could not be recognised, and about the language."""
    rejected = [p.span for p in heard.passages if p.verdict is Verdict.REJECTED]
    if rejected:
        note(f"the words at {times(rejected)} could not be recognised")
    if heard.language is not None and heard.language.doubt:
        note(f'{heard.language.doubt}; language = "..." in the settings decides it')


def _clues(heard: Recording, within: Span, source: Source) -> Iterator[Clue]:
    """A clue per utterance; behind them the translations of their passages."""
    trusted = [p for p in heard.passages if p.verdict is not Verdict.REJECTED]
    passage_of = {id(word): passage for passage in trusted for word in passage.words}
    words = [word for passage in trusted for word in passage.words]
    told: dict[int, Passage] = {}
    for utterance in utterances(words):
        part = [w for w in utterance if within.start <= (w.start + w.end) / 2 <= within.end]
        passages = {id(passage_of[id(word)]): passage_of[id(word)] for word in part}
        if passages:
            least = min(passages.values(), key=lambda p: p.transcript.original.logprob)
            yield _utterance_clue(heard, part, least, within, source)
            told |= passages
    for passage in told.values():
        yield from _translation_clue(heard, passage, source)


def _utterance_clue(
    heard: Recording, words: Sequence[TimedWord], least: Passage, within: Span, source: Source
) -> Clue:
    """Clue of an utterance; of its passages the one that is trusted least decides."""
    text = text_of(words, least.transcript.language)
    known = confidence.word_probability(words)
    sure = confidence.is_sure(least.verdict, words)
    spoken = heard.language
    language = {} if least.transcript.language is None else {"language": least.transcript.language}
    likely = {} if spoken is None else {"language_probability": round(spoken.probability, 3)}
    timed = [[w.text.strip(), w.start, w.end, round(w.probability, 3)] for w in words]
    return Clue(
        modality="text",
        source=source,
        kind="transcribed",
        span=span_of(words, within),
        text=says(text, sure, None if spoken is None else spoken.doubt),
        certainty="stated" if sure else "doubtful",
        quality=_quality(heard, least, known, confidence.score(known, sure)),
        data={"transcript": text, **language, **likely, "words": timed},
    )


def _quality(heard: Recording, passage: Passage, probability: float, score: float) -> Quality:
    language = None if heard.language is None else heard.language.probability
    factors = partial(confidence.factors, passage.transcript, speech_share(heard.speech))
    return Quality(score=score, factors=factors(probability, language))


def _translation_clue(heard: Recording, passage: Passage, source: Source) -> Iterator[Clue]:
    """Clue of a translation and what it translates; none where it is no text."""
    english, code = passage.transcript.translation, str(passage.transcript.language)
    seconds = passage.span.length
    if english is None or confidence.judge_translation(english, seconds) is Verdict.REJECTED:
        return
    known = confidence.probability_of(english.logprob)
    sure = confidence.is_sure(passage.verdict, passage.words) and (
        confidence.judge_translation(english, seconds) is Verdict.RELIABLE
    )
    quality = _quality(heard, passage, known, confidence.score(known, sure))
    factors = {**quality.factors, "translation_logprob": round(english.logprob, 3)}
    yield Clue(
        modality="text",
        source=source,
        kind="transcribed",
        span=span_of(passage.words, passage.span),
        text=translated(english.text, name_of(code), sure),
        certainty="stated" if sure else "doubtful",
        quality=quality.model_copy(update={"factors": factors}),
        data={
            "transcript": english.text,
            "translated_from": code,
            "original": text_of(passage.words, code),
            "language": "en",
        },
    )
