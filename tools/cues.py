"""Cue ids: the signs that a clue may state, with their names; FACS intensities.

`cues.csv` names every sign that our tools report. What a cue counts for is in
`agents/lexicon/`; a cue that it does not list is neutral (a number of blinks, the light).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple, cast

from emer.tools.types import CueMention

FILE: Final = Path(__file__).with_name("cues.csv")
Channel = Literal["visual", "audio", "text"]
FACS_LETTERS: Final = {"a": 0.4, "b": 0.65, "c": 0.9, "d": 1.15, "e": 1.35}
"""Strength of FACS intensity letters, trace to maximum (values: ours)."""
AMOUNTS: Final = {"slightly": 0.65, "clearly": 1.0, "strongly": 1.2, "much": 1.2}
"""Strength by the adverb of degree that our sentences use (as in `lexicon/degrees.csv`)."""


class CueName(NamedTuple):
    """A cue's channel, and its name in English and Chinese ("a smile")."""

    channel: Channel
    english: str
    chinese: str


@cache
def cue_names() -> Mapping[str, CueName]:
    """Every cue by its id."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return {
            row["cue"]: CueName(cast(Channel, row["channel"]), row["name_en"], row["name_zh"])
            for row in csv.DictReader(file)
        }


def stated(cues: Iterable[str], strength: float = 1.0) -> tuple[CueMention, ...]:
    """The cues, each stated with this strength."""
    return tuple(CueMention(cue=cue, strength=strength) for cue in cues)
