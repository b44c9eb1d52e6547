"""Clips of a CSV file with media files in folders, and label lists in its cells.

A list is written "['happy', 'sad']", "[happy, sad]" or "happy, sad".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from emer.evals.data.tables import BadTable, Row, Table, read_table
from emer.evals.data.types import Dataset, Gold, Sample

_BARE = r"(?!\s*['\"])(?P<bare>[^,\[\]]*)"
_QUOTED = r"(?P<quote>['\"])(?P<quoted>.*?)(?P=quote)\s*(?=,|$)"
_ITEM = {
    "": re.compile(rf"\s*(?:{_QUOTED}|{_BARE})", re.DOTALL),
    "]": re.compile(rf"\s*(?:{_QUOTED.replace('$', '$|]')}|{_BARE})", re.DOTALL),
}
"""An item by the end of its list; a quoted one ends before a comma or the end."""
_SEPARATOR = re.compile(r"\s*,?\s*")


class BadList(ValueError):
    """A cell that is not a list of labels; the message names the place of the fault."""


def parse_labels(text: str) -> tuple[str, ...]:
    """Labels of a cell as they are written, without quotes and blanks.

    Several lists in one cell are joined. An empty cell is an empty list. `BadList` for an
    unclosed bracket or quote, and for text outside the brackets.
    """
    text = text.strip()
    if not text.startswith("["):
        return tuple(_items(text, 0, end="")[0])
    labels: list[str] = []
    place = 0
    while place < len(text):
        if text[place] != "[":
            raise BadList(f"{text[place : place + 12]!r} stands outside the brackets")
        items, place = _items(text, place + 1, end="]")
        labels += items
        match = _SEPARATOR.match(text, place)
        place = match.end() if match else place
    return tuple(labels)


def _items(text: str, place: int, end: str) -> tuple[list[str], int]:
    """Items from `place` to the closing bracket, and the place behind it."""
    items: list[str] = []
    while True:
        match = _ITEM[end].match(text, place)
        if match is None:
            raise BadList(f"the quote before {text[place:].lstrip()[1:13]!r} is not closed")
        label = (match["bare"] or match["quoted"] or "").strip()
        items += [label] if label else []
        place = match.end()
        following = text[place : place + 1]
        if following == end:
            return items, place + 1
        if not following:
            raise BadList("the bracket is not closed")
        if following != ",":
            raise BadList(f"{text[place : place + 12]!r} is not after a comma")
        place += 1


NAME = ("name", "names", "clip", "file", "filename", "video", "sample")
COLUMNS: Mapping[str, Sequence[str]] = {
    "labels": ("openset", "labels", "ov_labels"),
    "basic": ("discrete", "emotion", "emotions", "label"),
    "valence": ("valence", "sentiment"),
    "subtitle": ("subtitle", "subtitles", "transcript", "text"),
    "english": ("english", "reason", "reasons", "explanation", "description"),
    "chinese": ("chinese", "chi_reasons"),
}
MEDIA_SUFFIXES = (
    ".mp4", ".mkv", ".mov", ".avi", ".webm", ".mpg", ".mpeg", ".m4v", ".flv", ".wmv",
    ".wav", ".mp3", ".flac", ".m4a", ".ogg", ".opus",
)  # fmt: skip


def read_clips(
    path: Path, folders: Sequence[Path] = (), subtitles: Path | None = None, name: str = ""
) -> Dataset:
    """Clips of a CSV file, their media files from the folders, and their words.

    `BadTable` names the row and column of an unreadable cell; clips without a media file and
    words of other clips are counted in the notes.

    Args:
        path: The CSV file.
        folders: Folders of media files, by default the folder of the CSV file.
        subtitles: CSV file with the words of each clip.
        name: Name of the dataset, by default the file's.

    """
    table = read_table(path, {"name": NAME}, COLUMNS)
    media = find_media(folders or (path.parent,))
    words, notes = _subtitles(subtitles, {row["name"] for row in table.rows})
    samples = tuple(_sample(row, path.parent, media, words) for row in table.rows)
    silent = [sample.name for sample in samples if sample.clip is None]
    if media and silent:
        notes.append(f"{path}: {len(silent)} of {len(samples)} clips have no media file, "
                     f"{silent[0]!r} first")  # fmt: skip
    return Dataset(
        name=name or path.stem,
        samples=samples,
        golds={row["name"]: read_gold(table, row) for row in table.rows},
        files=(path, *([subtitles] if subtitles else [])),
        notes=(*table.notes, *notes),
    )


def read_gold(table: Table, row: Row) -> Gold:
    basic = row["basic"].lower() or None
    labels = read_labels(table, row)
    if not labels and basic:
        labels = read_labels(table, row, "basic")
    try:
        valence = float(row["valence"]) if row["valence"] else None
    except ValueError as error:
        place = table.where(row, "valence")
        raise BadTable(f"{place}: {row['valence']!r} is not a number") from error
    texts = {"en": row["english"], "zh": row["chinese"]}
    return Gold(
        labels=labels,
        basic=basic,
        valence=valence,
        explanations={language: text for language, text in texts.items() if text},
    )


def read_labels(table: Table, row: Row, column: str = "labels") -> tuple[str, ...]:
    """Labels of a cell; `BadTable` where it is not a list."""
    try:
        return parse_labels(row[column])
    except BadList as error:
        raise BadTable(f"{table.where(row, column)}: not a list of labels: {error}") from error


def find_media(folders: Iterable[Path]) -> dict[str, Path]:
    """Media files of the folders by file name without suffix; video before sound."""
    rank = {suffix: place for place, suffix in enumerate(MEDIA_SUFFIXES)}
    media: dict[str, Path] = {}
    for folder in folders:
        files = (path for path in sorted(folder.glob("*")) if path.suffix.lower() in rank)
        for path in sorted(files, key=lambda file: rank[file.suffix.lower()]):
            media.setdefault(path.stem, path)
    return media


def _sample(row: Row, folder: Path, media: Mapping[str, Path], words: Mapping[str, str]) -> Sample:
    name, path = row["name"], folder / row["name"]
    direct = path if path.suffix.lower() in MEDIA_SUFFIXES and path.is_file() else None
    clip = direct or media.get(name) or media.get(Path(name).stem)
    return Sample(name=name, clip=clip, subtitle=row["subtitle"] or words.get(name, ""))


def _subtitles(path: Path | None, names: set[str]) -> tuple[dict[str, str], list[str]]:
    """Words of each clip, English where there are any, and notes."""
    if path is None:
        return {}, []
    table = read_table(path, {"name": NAME}, {"en": ("english",), "zh": ("chinese", "sentence")})
    words = {row["name"]: row["en"] or row["zh"] for row in table.rows}
    other = len(words.keys() - names)
    note = [f"{path}: the words of {other} other clips are not used"] if other else []
    return words, [*table.notes, *note]
