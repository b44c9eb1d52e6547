"""Any folder of clips with a CSV: names, and whatever of labels, words and texts it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from emer.evals.data.labels import BadList, parse_labels
from emer.evals.data.records import Dataset, Gold, Sample
from emer.evals.data.tables import BadTable, Row, Table, read_table

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
