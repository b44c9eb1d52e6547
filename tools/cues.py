"""Names of cues, the displayed signs that tools report, in English and Chinese."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).parent / "cues.csv"


class CueName(NamedTuple):
    """A row of the table: cue id, channel, and its name in each language."""

    cue: str
    channel: str
    name_en: str
    name_zh: str


@lru_cache(maxsize=1)
def cue_names() -> Mapping[str, CueName]:
    """The names of all cues by id."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return {row["cue"]: CueName(**row) for row in csv.DictReader(file)}
