"""The tool `pocketsphinx`: English speech, recognised or reported as not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.registry import register
from emer.tools.runtime.memo import Memo
from emer.tools.runtime.worker_process import communicate
from emer.tools.speech.asr_tool import library_version
from emer.tools.speech.confidence import LatticeConfidence, LatticeWord, Verdict, judge_lattice
from emer.tools.speech.pocketsphinx_worker import Decoded
from emer.tools.speech.segmentation import Segment, cut
from emer.tools.speech.transcript import not_recognised, says
from emer.tools.speech.utterance import span_of, utterances
from emer.tools.speech.vad import (
    RATE,
    Samples,
    audible_samples,
    speech_share,
    speech_spans,
    to_pcm,
)
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span

WIDE = {"beam": 1e-80, "pbeam": 1e-80, "wbeam": 1e-60}
"""Beams at which the word error rate stops falling (measured on read speech)."""

# A process of our own and no ProcessPoolExecutor: its spawned workers import the caller's main
# module again (a script without a main guard would run twice), and it cannot kill a worker that
# decodes (kill_workers comes with Python 3.14), as a time limit and a cancelled call need.
WORKER = (sys.executable, "-P", "-m", "emer.tools.speech.pocketsphinx_worker")
FRAME = 0.01
"""Seconds per decoder frame."""


@register("pocketsphinx", slot="speech", rank=40)
@dataclass(eq=False)
class PocketSphinx:
    """Recognises English speech, with word times; rejects what it cannot recognise.

    Args:
        time_limit: Seconds for each ten minutes of sound begun.
        max_states: Bound of the search per frame: 8000 halves the time of the wide beam at the
            same word error rate.
    """

    time_limit: float = 600.0
    max_states: int = 8000
    modality: Modality = field(default="text", init=False)
    own_process = True
    description = "Recognises English speech offline, with word times and voice activity."

    def __post_init__(self) -> None:
        self._clips: Memo[tuple[Sequence[Span], Sequence[LatticeWord]]] = Memo(1)

    @property
    def source(self) -> Source:
        """Name, version and the search's settings."""
        params: dict[str, Param] = {**WIDE, "max_states": self.max_states}
        installed = library_version("pocketsphinx", "pocketsphinx")
        return Source(tool="pocketsphinx", version=installed, model="en-us", params=params)

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """A clue per utterance; `Unobservable` where no words can be relied on."""
        speech, words = self._clips.get(
            clip.sha256, lambda: self._recognise(clip), clip.is_complete
        )
        within = span or Span(start=0, end=clip.duration)
        near = [s for s in speech if s.overlaps(within)]
        if not near:
            raise Unobservable("no speech is heard")
        clues = transcript_clues(self.source, words, near, within)
        if not clues:
            raise Unobservable(not_recognised(near))
        return clues

    def _recognise(self, clip: Clip) -> tuple[Sequence[Span], Sequence[LatticeWord]]:
        samples = audible_samples(clip)
        speech = speech_spans(samples)
        if not speech:
            return (), ()
        settings = {**WIDE, "maxhmmpf": self.max_states}
        seconds = self.time_limit * ceil(len(samples) / RATE / 600)
        return speech, recognise(samples, cut(samples, speech), settings, seconds)


def transcript_clues(
    source: Source, words: Sequence[LatticeWord], speech: Sequence[Span], within: Span
) -> list[Clue]:
    """A clue per utterance in a span; none of words that cannot be relied on.

    An utterance is stated without a hedge where it can be relied on by itself and as part of its
    clip: words that fit by chance are few.

    Args:
        source: The tool.
        words: All words of the clip.
        speech: Stretches of speech in the span.
        within: The span.
    """
    clip = judge_lattice(words)
    inside = [w for w in words if within.start <= (w.start + w.end) / 2 <= within.end]
    if clip.verdict is Verdict.REJECTED or not inside:
        return []
    share = speech_share(speech)
    return [_clue(source, each, clip, share, within) for each in utterances(inside)]


def recognise(
    samples: Samples, segments: Sequence[Segment], settings: Mapping[str, float], seconds: float
) -> list[LatticeWord]:
    """The words of all segments in clip time, without fillers; a process decodes them.

    `RuntimeError` when the recogniser fails, `TimeoutError` when it takes longer than `seconds`,
    `Cancelled` when the call is cancelled; the process ends with each.

    Args:
        samples: The clip's sound, mono, 16 kHz, in [-1, 1].
        segments: What of it is decoded, each as one utterance.
        settings: Arguments of pocketsphinx's decoder.
        seconds: Time limit of the process.
    """
    sounds = [_pcm(segment.sound(samples)) for segment in segments]
    head = {
        "sizes": [len(sound) for sound in sounds],
        "settings": dict(settings),
        "parent": os.getpid(),
        "seconds": seconds,
    }
    pipe = subprocess.PIPE
    # A file and no pipe: after a timeout `communicate` does not send the rest of its input.
    with TemporaryFile() as file:
        file.writelines([json.dumps(head).encode(), b"\n", *sounds])
        file.seek(0)
        process = subprocess.Popen(WORKER, stdin=file, stdout=pipe, stderr=pipe)
    with process:
        output, errors = communicate(process, seconds, "recognition")
    if process.returncode != 0:
        lines = errors.decode(errors="replace").strip().splitlines()
        raise RuntimeError(f"the recogniser ended with {process.returncode}: {lines[-1:]}")
    answers = zip(segments, json.loads(output), strict=True)
    return [word for segment, answer in answers for word in _words(segment, answer)]


def _words(segment: Segment, answer: Mapping[str, Any]) -> list[LatticeWord]:
    """One segment's words; `<sil>`, `[NOISE]` and the like are no words."""
    loop = [Decoded(*row) for row in answer["loop"]]
    phones = np.zeros(max((phone.end for phone in loop), default=0))
    for phone in loop:
        phones[phone.start : phone.end] = phone.acoustic / (phone.end - phone.start)
    return [
        LatticeWord(
            text=re.sub(r"\(\d+\)$", "", each.word),
            start=round(segment.clip_time(each.start * FRAME), 2),
            end=round(segment.clip_time(each.end * FRAME), 2),
            probability=round(min(1.0, each.posterior), 3),
            misfit=round(
                float(phones[each.start : each.end].sum() - each.acoustic)
                / (each.end - each.start),
                3,
            ),
        )
        for each in (Decoded(*row) for row in answer["words"])
        if each.word[0] not in "<[+"
    ]


def _pcm(sound: Samples) -> bytes:
    """The sound at the level the recogniser's model was trained on, never clipped."""
    peak = float(np.abs(sound).max(initial=0.0))
    return to_pcm(sound * np.float32(0.5 / peak) if peak > 0 else sound)


def _clue(
    source: Source,
    words: Sequence[LatticeWord],
    clip_confidence: LatticeConfidence,
    speech_share: float,
    within: Span,
) -> Clue:
    confidence = judge_lattice(words)
    text = " ".join(word.text for word in words)
    sure = all(c.verdict is Verdict.RELIABLE for c in (confidence, clip_confidence))
    score = min(confidence.posterior, 0.8) if sure else 0.5 * min(confidence.posterior, 0.4)
    return Clue(
        modality="text",
        span=span_of(words, within),
        text=says(text, sure),
        kind="transcribed",
        certainty="stated" if sure else "doubtful",
        quality=Quality(
            score=round(score, 3),
            factors={
                "word_posterior": confidence.posterior,
                "acoustic_misfit": confidence.misfit,
                "clip_word_posterior": clip_confidence.posterior,
                "clip_acoustic_misfit": clip_confidence.misfit,
                "speech_share": round(speech_share, 3),
            },
        ),
        source=source,
        data={
            "transcript": text,
            "words": [[w.text, w.start, w.end, w.probability] for w in words],
        },
    )
