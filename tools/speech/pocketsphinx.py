"""English speech recognised offline by pocketsphinx, or an honest "not recognised"."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from math import ceil

from emer.tools.clip import Clip
from emer.tools.errors import ToolMissing, Unobservable
from emer.tools.registry import register
from emer.tools.speech.activity import RATE, is_silent, speech_spans
from emer.tools.speech.pieces import cut
from emer.tools.speech.recognise import recognise
from emer.tools.speech.trust import Trust, Verdict, Word, judge
from emer.tools.speech.utterances import utterances
from emer.tools.speech.wording import not_recognised, says
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span

WIDE = {"beam": 1e-80, "pbeam": 1e-80, "wbeam": 1e-60}
"""Beams at which the word error rate stops falling (measured on read speech)."""


@register("pocketsphinx", slot="speech", rank=40)
class PocketSphinx:
    """Recognises English speech, with word times; rejects what it cannot recognise.

    `time_limit` is in seconds for each ten minutes of sound begun; `max_states` bounds the
    search per frame: 8000 halves the time of the wide beam at the same word error rate.
    """

    modality: Modality = "text"
    own_process = True
    description = "Recognises English speech offline, with word times and voice activity."

    def __init__(self, time_limit: float = 600.0, max_states: int = 8000) -> None:
        """Keep the settings; nothing is loaded."""
        self.time_limit = time_limit
        self.max_states = max_states
        self._lock = threading.Lock()
        self._last: tuple[str, tuple[Span, ...], tuple[Word, ...]] | None = None

    @property
    def source(self) -> Source:
        """Name, version and the search's settings."""
        params: dict[str, Param] = {**WIDE, "max_states": self.max_states}
        return Source(tool="pocketsphinx", version=_version(), model="en-us", params=params)

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Return a clue per utterance; `Unobservable` where no words can be relied on."""
        speech, words = self._hear(clip)
        trust = judge(words)
        if span is not None:
            speech = tuple(s for s in speech if s.overlaps(span))
            words = tuple(w for w in words if span.start <= (w.start + w.end) / 2 <= span.end)
        if not speech:
            raise Unobservable("no speech is heard")
        if trust.verdict is Verdict.REJECTED or not words:
            raise Unobservable(not_recognised(speech))
        share = sum(s.length for s in speech) / max(0.01, speech[-1].end - speech[0].start)
        within = span or Span(start=0, end=clip.duration)
        return [_clue(self.source, said, trust, share, within) for said in utterances(words)]

    def _hear(self, clip: Clip) -> tuple[tuple[Span, ...], tuple[Word, ...]]:
        """Return where the clip has speech and its words; the last clip is remembered."""
        with self._lock:
            if self._last is None or self._last[0] != clip.sha256:
                self._last = (clip.sha256, *self._recognise(clip))
            return self._last[1], self._last[2]

    def _recognise(self, clip: Clip) -> tuple[tuple[Span, ...], tuple[Word, ...]]:
        samples = clip.samples()
        if is_silent(samples):
            raise Unobservable("the audio track is silent")
        speech = speech_spans(samples)
        if not speech:
            return (), ()
        settings = {**WIDE, "maxhmmpf": self.max_states}
        seconds = self.time_limit * ceil(len(samples) / RATE / 600)
        return speech, recognise(samples, cut(samples, speech), settings, seconds)


def _clue(
    source: Source, words: Sequence[Word], clip_trust: Trust, speech_share: float, within: Span
) -> Clue:
    """Return the clue of one utterance, marked when it may be wrong."""
    own = judge(words)
    text = " ".join(word.text for word in words)
    sure = clip_trust.verdict is Verdict.RELIABLE and own.posterior >= 0.5
    score = min(own.posterior, 0.8) if sure else 0.5 * min(own.posterior, 0.4)
    return Clue(
        modality="text",
        span=Span(
            start=max(within.start, round(words[0].start, 1)),
            end=min(within.end, round(words[-1].end, 1)),
        ),
        text=says(text, sure),
        quality=Quality(
            score=round(score, 3),
            factors={
                "word_posterior": own.posterior,
                "acoustic_misfit": own.misfit,
                "clip_word_posterior": clip_trust.posterior,
                "clip_acoustic_misfit": clip_trust.misfit,
                "speech_share": round(speech_share, 3),
            },
        ),
        source=source,
        data={"transcript": text, "words": [[w.text, w.start, w.end, w.posterior] for w in words]},
    )


def _version() -> str:
    try:
        return version("pocketsphinx")
    except PackageNotFoundError as error:
        raise ToolMissing("pocketsphinx", "its package", "pip install pocketsphinx") from error
