"""Words with their times, from the recogniser in its own process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emer.tools.speech.activity import Samples, to_pcm
from emer.tools.speech.pieces import Piece
from emer.tools.speech.trust import Word

WORKER = (sys.executable, "-P", "-m", "emer.tools.speech.worker")
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
