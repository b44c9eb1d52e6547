"""Where somebody speaks, by Silero's voice detector: music and noise hardly deceive it.

faster-whisper carries the detector (MIT) and asks onnxruntime; nothing is downloaded.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

from emer.tools.imports import importing
from emer.tools.speech.activity import RATE, Samples
from emer.tools.types import Span

NAME, PLAIN = "silero", "webrtc"
"""The detectors: this one, and the one of `activity.py` that pocketsphinx carries."""


def is_here() -> bool:
    """Tell whether the detector can be had; nothing is imported."""
    return all(find_spec(name) is not None for name in ("faster_whisper", "onnxruntime"))


def speech_spans(samples: Samples, shortest: float = 0.1, gap: float = 0.25) -> tuple[Span, ...]:
    """Return the stretches of speech in seconds, in order, none overlapping.

    As `activity.speech_spans`: pauses shorter than `gap` s are bridged, stretches shorter
    than `shortest` s left out.
    """
    vad, options = _detector()
    settings = options(
        threshold=0.5,
        min_speech_duration_ms=round(1000 * shortest),
        min_silence_duration_ms=round(1000 * gap),
        speech_pad_ms=0,
    )
    found = vad(samples, settings)
    length = len(samples)
    return tuple(
        Span(start=part["start"] / RATE, end=min(part["end"], length) / RATE) for part in found
    )


@cache
def _detector() -> tuple[Any, Any]:
    with importing():
        from faster_whisper.vad import VadOptions, get_speech_timestamps
    return get_speech_timestamps, VadOptions
