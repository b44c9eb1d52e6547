"""Modality completeness: which of picture, sound and words an explanation states a clue of.

Our own definition (no published one is known to us): the share of the three modalities of
which at least one clue is present. In free text a modality is present when the text has its
part ("In the video", "在音频中") or names one of its cues; the words also when quoted.
"""

from __future__ import annotations

import re

from emer.agents.types import Explanation
from emer.evals.metrics.concepts import CHANNELS, Channel, cues_in

_PARTS: dict[Channel, re.Pattern[str]] = {
    "visual": re.compile(r"\bin the video\b|在视频中|画面", re.IGNORECASE),
    "acoustic": re.compile(r"\bin the audio\b|在音频中|声音", re.IGNORECASE),
    "textual": re.compile(r"\bin the text\b|\bsubtitles?\b|在文本中|字幕", re.IGNORECASE),
}
_BLOCKS: dict[str, Channel] = {"video": "visual", "audio": "acoustic", "text": "textual"}


def present_in(explanation: Explanation | str) -> frozenset[Channel]:
    """Return the modalities that an explanation, or a free text, states a clue of."""
    if isinstance(explanation, Explanation):
        return frozenset(_BLOCKS[b] for b in explanation.by_modality if b in _BLOCKS)
    named = {cue.channel for cue in cues_in(explanation)}
    return frozenset(c for c in CHANNELS if c in named or _PARTS[c].search(explanation))


def completeness(explanation: Explanation | str) -> float:
    """Return the share of the three modalities that are present."""
    return len(present_in(explanation)) / len(CHANNELS)
