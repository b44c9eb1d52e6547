"""Own clips and label lists.

Label lists as they stand in CSV cells: "['happy', 'sad']", "[happy, sad]" or "happy, sad".

Any folder of clips with a CSV: names, and whatever of labels, words and texts it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from emer.evals.data.tables import BadTable, Row, Table, read_table
from emer.evals.data.types import Dataset, Gold, Sample

_QUOTES = "'\""
_GAP = re.compile(r"\s*")
_BARE = re.compile(r"[^,\[\]]*")


class BadList(ValueError):
    """A cell that cannot be read as a list of labels; the message says where it breaks off."""


def parse_labels(text: str) -> tuple[str, ...]:
    """Return the labels of a cell as they are written, without quotes and blanks.

    Several lists in one cell are joined. An empty cell is an empty list. `BadList` for an
    unclosed bracket or quote, and for what stands outside the brackets.
    """
    text = text.strip()
    if not text.startswith("["):
        return _inside(text, 0, end="")[0]
    labels: list[str] = []
    place = 0
    while place < len(text):
        if text[place] != "[":
            raise BadList(f"{text[place : place + 12]!r} stands outside the brackets")
        found, place = _inside(text, place + 1, end="]")
        labels += found
        place = _gap(text, place)
        if text[place : place + 1] == ",":
            place = _gap(text, place + 1)
    return tuple(labels)


def show_labels(labels: tuple[str, ...]) -> str:
    """Return the cell that `parse_labels` reads as these labels."""
    return str(list(labels))


def _inside(text: str, place: int, end: str) -> tuple[tuple[str, ...], int]:
    """Return the items from `place` to the closing bracket, and the place behind it."""
    items: list[str] = []
    while True:
        place = _gap(text, place)
        if end and place >= len(text):
            raise BadList("the bracket is not closed")
        item, place = _item(text, place, end)
        if item:
            items.append(item)
        place = _gap(text, place)
        rest = text[place : place + 1]
        if rest == end:
            return tuple(items), place + 1
        if not rest:
            raise BadList("the bracket is not closed")
        if rest != ",":
            raise BadList(f"{text[place : place + 12]!r} is not after a comma")
        place += 1


def _item(text: str, place: int, end: str) -> tuple[str, int]:
    """Return one item, quoted or bare, and the place behind it."""
    if text[place : place + 1] in _QUOTES and place < len(text):
        return _quoted(text, place, end)
    match = _BARE.match(text, place)
    assert match is not None  # the pattern matches the empty string
    return match.group().strip(), match.end()


def _quoted(text: str, place: int, end: str) -> tuple[str, int]:
    """Return a quoted item: it ends at the quote that a comma or the end follows."""
    quote = text[place]
    closing = re.compile(rf"{quote}\s*(?=,|\]|$)" if end else rf"{quote}\s*(?=,|$)")
    match = closing.search(text, place + 1)
    if match is None:
        raise BadList(f"the quote before {text[place + 1 : place + 13]!r} is not closed")
    return text[place + 1 : match.start()].strip(), match.end()


def _gap(text: str, place: int) -> int:
    match = _GAP.match(text, place)
    return match.end() if match else place


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
    table: Path, folders: Sequence[Path] = (), subtitles: Path | None = None, name: str = ""
) -> Dataset:
    """Return the clips of a CSV file, their media files from the folders, and their words.

    `BadTable` names the row and column of what cannot be read; clips without a media file
    and words that belong to no clip are counted in the notes.
    """
    read = read_table(table, {"name": NAME}, COLUMNS)
    media = find_media(folders or (table.parent,))
    words, said = _subtitles(subtitles, {row["name"] for row in read.rows})
    samples = tuple(_sample(row, table.parent, media, words) for row in read.rows)
    silent = [s.name for s in samples if s.clip is None]
    notes = [*read.notes, *said]
    if media and silent:
        notes.append(f"{table}: {len(silent)} of {len(samples)} clips have no media file, "
                     f"{silent[0]!r} first")  # fmt: skip
    return Dataset(
        name=name or table.stem,
        samples=samples,
        golds={row["name"]: read_gold(read, row) for row in read.rows},
        files=(table, *([subtitles] if subtitles else [])),
        notes=tuple(notes),
    )


def read_gold(table: Table, row: Row) -> Gold:
    """Return what a row says of its clip."""
    labels = _labels(table, row, "labels")
    basic = row["basic"].lower() or None
    if not labels and basic:
        labels = _labels(table, row, "basic")
    texts = {"en": row["english"], "zh": row["chinese"]}
    return Gold(
        labels=labels,
        basic=basic,
        valence=_number(table, row, "valence"),
        explanations={language: text for language, text in texts.items() if text},
    )


def find_media(folders: Iterable[Path]) -> dict[str, Path]:
    """Return the media files of the folders by file name without suffix; pictures first."""
    rank = {suffix: place for place, suffix in enumerate(MEDIA_SUFFIXES)}
    found: dict[str, Path] = {}
    for folder in folders:
        files = (p for p in sorted(folder.glob("*")) if p.suffix.lower() in rank)
        for path in sorted(files, key=lambda p: rank[p.suffix.lower()]):
            found.setdefault(path.stem, path)
    return found


def _sample(row: Row, folder: Path, media: Mapping[str, Path], words: Mapping[str, str]) -> Sample:
    name = row["name"]
    named = folder / name
    clip = named if named.suffix.lower() in MEDIA_SUFFIXES and named.is_file() else None
    return Sample(
        name=name,
        clip=clip or media.get(name) or media.get(Path(name).stem),
        subtitle=row["subtitle"] or words.get(name, ""),
    )


def _subtitles(path: Path | None, names: set[str]) -> tuple[dict[str, str], list[str]]:
    """Return the words of each clip, English where there is any, and how many fit no clip."""
    if path is None:
        return {}, []
    table = read_table(path, {"name": NAME}, {"en": ("english",), "zh": ("chinese", "sentence")})
    words = {row["name"]: row["en"] or row["zh"] for row in table.rows}
    other = len(words.keys() - names)
    note = [f"{path}: the words of {other} other clips are not used"] if other else []
    return words, [*table.notes, *note]


def _labels(table: Table, row: Row, column: str) -> tuple[str, ...]:
    try:
        return parse_labels(row[column])
    except BadList as error:
        raise BadTable(f"{table.where(row, column)}: not a list of labels: {error}") from error


def _number(table: Table, row: Row, column: str) -> float | None:
    if not row[column]:
        return None
    try:
        return float(row[column])
    except ValueError as error:
        raise BadTable(f"{table.where(row, column)}: {row[column]!r} is not a number") from error
