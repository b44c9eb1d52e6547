"""Offline English ASR in a process.

Words with their times, from the recogniser in its own process.

English speech recognised offline by pocketsphinx, or an honest "not recognised".

The speech recogniser's own process: sound on stdin, what was heard on stdout.

pocketsphinx holds Python's global lock while it decodes, so it runs here, apart:

    python -P -m emer.tools.speech.pocketsphinx < request > answer

The request is one line of JSON (`sizes`: bytes of each piece of sound; `settings`; `parent`:
a process; `seconds`), then 16 bit mono PCM at 16 kHz, piece after piece. The answer is one
JSON list with, per piece, the words, and the phones of a phone loop over the same sound.
Nothing is pickled or executed.
"""

from __future__ import annotations

import ctypes
import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from math import ceil
from typing import Any, NamedTuple

import numpy as np

from emer.tools.errors import ToolMissing, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.speech.confidence import Trust, Verdict, Word, judge
from emer.tools.speech.segmentation import Piece, cut, utterances
from emer.tools.speech.sentences import not_recognised, says
from emer.tools.speech.vad import RATE, Samples, is_silent, speech_spans, to_pcm
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span

WORKER = (sys.executable, "-P", "-m", "emer.tools.speech.pocketsphinx")
FRAME = 0.01
"""Seconds per decoder frame."""


def recognise(
    samples: Samples, pieces: Sequence[Piece], settings: Mapping[str, float], seconds: float
) -> tuple[Word, ...]:
    """Return the words of all pieces in clip time, fillers left out.

    `RuntimeError` when the recogniser fails, `TimeoutError` when it takes longer than
    `seconds`.
    """
    answers = _ask([_pcm(piece.sound(samples)) for piece in pieces], settings, seconds)
    return tuple(
        word
        for piece, answer in zip(pieces, answers, strict=True)
        for word in _words(piece, answer)
    )


def _ask(
    sounds: Sequence[bytes], settings: Mapping[str, float], seconds: float
) -> list[dict[str, Any]]:
    """Return the worker's answer to one request."""
    sizes = [len(sound) for sound in sounds]
    rest = {"settings": dict(settings), "parent": os.getpid(), "seconds": seconds}
    request = b"".join([json.dumps({"sizes": sizes, **rest}).encode(), b"\n", *sounds])
    try:
        # On a time-out `run` kills the process; it also ends itself with its parent.
        done = subprocess.run(
            WORKER, input=request, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"recognition took longer than {seconds:.0f} s") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise RuntimeError(f"the recogniser ended with {done.returncode}: {said[-1:]}")
    answer: list[dict[str, Any]] = json.loads(done.stdout)
    return answer


def _words(piece: Piece, answer: Mapping[str, Any]) -> list[Word]:
    """Return one piece's words; `<sil>`, `[NOISE]` and the like are no words."""
    phones = _per_frame(answer["loop"])
    found = []
    for name, start, end, acoustic, posterior in answer["words"]:
        if name[0] in "<[+":
            continue
        free = phones[start:end].sum()
        word = Word(
            text=re.sub(r"\(\d+\)$", "", name),
            start=round(piece.clip_time(start * FRAME), 2),
            end=round(piece.clip_time(end * FRAME), 2),
            posterior=round(min(1.0, posterior), 3),
            misfit=round(float(free - acoustic) / (end - start), 3),
        )
        found.append(word)
    return found


def _per_frame(segments: Sequence[Sequence[Any]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the acoustic score of each frame, spread evenly over its segment."""
    scores = np.zeros(max((row[2] for row in segments), default=0))
    for _, start, end, acoustic, _ in segments:
        scores[start:end] = acoustic / (end - start)
    return scores


def _pcm(sound: Samples) -> bytes:
    """Return the sound at the level the recogniser's model was trained on, never clipped."""
    peak = float(np.abs(sound).max(initial=0.0))
    return to_pcm(sound * np.float32(0.5 / peak) if peak > 0 else sound)


WIDE = {"beam": 1e-80, "pbeam": 1e-80, "wbeam": 1e-60}
"""Beams at which the word error rate stops falling (measured on read speech)."""


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


FRAME = 0.01
"""Seconds per decoder frame."""

PHONE_LOOP: Mapping[str, Any] = {"lm": None, "lw": 2.0, "beam": 1e-20, "pbeam": 1e-10}
"""The phone loop's settings, as pocketsphinx's own documentation gives them."""


class Heard(NamedTuple):
    """One decoded segment: its frames [start, end) from the piece's start, its scores.

    `acoustic` is the log10 likelihood of its frames, each against the best state's.
    """

    word: str
    start: int
    end: int
    acoustic: float
    posterior: float


def main() -> None:
    """Read one request from stdin and write its answer to stdout."""
    request = json.loads(sys.stdin.buffer.readline())
    end_with(int(request["parent"]), float(request["seconds"]))
    pieces = (sys.stdin.buffer.read(size) for size in request["sizes"])
    json.dump(recognise(pieces, request["settings"], int(request["parent"])), sys.stdout)


def recognise(
    pieces: Iterable[bytes], settings: Mapping[str, float], parent: int
) -> list[dict[str, Any]]:
    """Return per piece of PCM its `words` and `loop` (phones without a language model)."""
    from pocketsphinx import Decoder, get_model_path

    words = Decoder(loglevel="FATAL", cmn="batch", **settings)
    model = get_model_path("en-us/en-us-phone.lm.bin")
    loop = Decoder(loglevel="FATAL", cmn="batch", allphone=model, **PHONE_LOOP)
    answer = []
    for piece in pieces:
        if os.getppid() != parent:
            sys.exit(1)
        answer.append({"words": decode(words, piece), "loop": decode(loop, piece)})
    return answer


def decode(decoder: Any, piece: bytes) -> list[Heard]:
    """Return the segments of the best path through one piece, fillers included."""
    decoder.start_utt()
    # The whole utterance at once: the cepstral mean is then taken over all of it.
    decoder.process_raw(piece, no_search=False, full_utt=True)
    decoder.end_utt()
    found = decoder.seg() if decoder.hyp() else None
    return [
        Heard(s.word, s.start_frame, s.end_frame + 1, _log10(s.ascore), s.prob) for s in found or ()
    ]


def _log10(probability: float) -> float:
    """Return the logarithm of a score that may have underflowed to 0."""
    return round(math.log10(max(probability, sys.float_info.min)), 3)


def end_with(parent: int, seconds: float) -> None:
    """End this process when its parent does.

    Also when it has long outrun `seconds`, should the parent not have ended it.
    """
    try:
        import resource

        limit = math.ceil(seconds) + 10
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
    except (ImportError, OSError, ValueError):
        pass
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    main()
