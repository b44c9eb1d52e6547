"""Oracle perception: human sentences about a clip, as clues that tools might have given.

Each sentence is one clue; the subtitle is one text clue. People gave no times and no
measure of quality, so there are none: no span, quality 1.
"""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from emer.evals.data.records import PARTS, Described, Part
from emer.tools.types import Clue, Modality, Quality, Source

DURATION = 5.0
"""Seconds that a clip is taken to last: MER's clips mostly last 2 to 5 (emer has no video here)."""

_MODALITY: dict[Part, Modality] = {"visual": "face", "acoustic": "audio", "subtitle": "text"}
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'])|(?<=[。；！？])")


def clues_of(described: Described, parts: Collection[Part] = PARTS) -> list[Clue]:
    """Return the clues of some parts of a description."""
    return [clue for part in PARTS if part in parts for clue in _part(described, part)]


def _part(described: Described, part: Part) -> Iterator[Clue]:
    text = getattr(described, part)
    if not text:
        return
    sentences = [f'The subtitle reads: "{text}"'] if part == "subtitle" else _END.split(text)
    for sentence in sentences:
        if sentence.strip():
            yield Clue(
                modality=_MODALITY[part],
                span=None,
                text=sentence.strip(),
                quality=Quality(score=1.0),
                source=Source(tool=f"human-{part}", version=described.language),
            )
