"""Knowledge cards: what a display may mean, does not prove, and what to ask.

The texts are ours, in `knowledge/`, each with its source: `cards.csv` in English with the
display in the words of clues, `zh.csv` the same in Chinese, and `sources.csv`, which adds to
the sources of the lexicon.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from emer.agents.lexicon.lexicon import FOLDER as LEXICON
from emer.agents.lexicon.lexicon import read_rows
from emer.agents.memory.memory import Item
from emer.agents.memory.passages import Line, Passage
from emer.tools.types import Modality

FOLDER = Path(__file__).parent / "knowledge"

_COLUMNS: dict[str, Modality] = {"seen": "face", "heard": "audio", "said": "text"}


@lru_cache(maxsize=1)
def cards() -> tuple[Item, ...]:
    """Return the cards, in the order of the file."""
    chinese = {row["card"]: row for row in read_rows(FOLDER / "zh.csv")}
    return tuple(_card(row, chinese[row["card"]]) for row in read_rows(FOLDER / "cards.csv"))


@lru_cache(maxsize=1)
def sources() -> Mapping[str, str]:
    """Return the references of the cards by their key."""
    rows = (*read_rows(LEXICON / "sources.csv"), *read_rows(FOLDER / "sources.csv"))
    return {row["source"]: row["reference"] for row in rows}


def _card(row: Mapping[str, str], chinese: Mapping[str, str]) -> Item:
    shown = {modality: row[column] for column, modality in _COLUMNS.items() if row[column]}
    parts = ("consistent", "not_proof", "ask")
    return Item(
        key=row["card"],
        kind="card",
        source=row["source"],
        passage=Passage(lines=tuple(Line(modality=m, text=text) for m, text in shown.items())),
        families=tuple(row["families"].split()),
        en=" ".join((*shown.values(), *(row[part] for part in parts))),
        zh=f"{chinese['when']}：{''.join(chinese[part] for part in parts)}",  # noqa: RUF001
    )
