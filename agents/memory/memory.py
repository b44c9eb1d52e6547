"""Nearest cards and exemplars.

What can be remembered: a card of general knowledge, or an explained run of another clip.

The faiss index of what is remembered: one file with a checksum, made anew when anything changed.

The file is a line of JSON (what the vectors were made from, and the sha256 of the rest)
and the serialised IndexFlatIP behind it. It is read by faiss, never unpickled, and only
once its checksum fits; anything else about it is no error but a reason to build it again.

Finding what is like a clip: the nearest cards and exemplars, opposites left out.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from emer.agents.memory.embedder import Embedder, Vectors
from emer.agents.memory.passages import Passage, of_clues
from emer.agents.memory.stance import Stance, akin, opposed, stance_of
from emer.tools.errors import ToolFailed, ToolMissing
from emer.tools.types import Clue, Record, digest

Kind = Literal["card", "exemplar"]


class Item(Record):
    """Something remembered: what it looks like, which way it points, what it tells."""

    key: str
    kind: Kind
    source: str
    """A key of the sources of the cards, or the run that an exemplar was taken from."""
    passage: Passage
    """What it looks like: the sentences that it is found by."""
    families: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    """What it tells, in either language of the prompts."""

    @property
    def stance(self) -> Stance:
        """Which way it points."""
        return stance_of(self.passage, self.families, self.labels)


State = Literal["fresh", "absent", "damaged", "stale", "in memory"]

_MAGIC = "emer memory 1"
_HEADER = 4_096
"""Bytes within which the header ends."""


class Index:
    """Vectors of items, searched by inner product."""

    def __init__(self, items: Sequence[Item], embedder: Embedder, path: Path | None) -> None:
        """Take what is to be found; `path` None keeps the index in memory alone."""
        self._items, self._embedder, self._path = items, embedder, path
        self._index: Any = None
        self.note: str | None = None
        """What a user should know: the index was damaged, or could not be written."""

    @property
    def state(self) -> State:
        """Whether the file on disk can be used as it is."""
        if self._path is None:
            return "in memory"
        return _read(self._path, self._made_of())[0]

    def search(self, rows: Vectors, most: int) -> list[list[tuple[int, float]]]:
        """Return for each row the nearest items as (place, inner product), the nearest first."""
        index = self._ready()
        if not index.ntotal:
            return [[] for _ in rows]
        scores, places = index.search(np.ascontiguousarray(rows), min(most, index.ntotal))
        return [
            sorted(zip(map(int, p), map(float, s), strict=True), key=lambda pair: -pair[1])
            for p, s in zip(places, scores, strict=True)
        ]

    def _ready(self) -> Any:
        if self._index is None:
            self._index = self._load() or self._build()
        return self._index

    def _load(self) -> Any:
        if self._path is None:
            return None
        state, body = _read(self._path, self._made_of())
        if state == "damaged":
            self.note = "the index of the memory was damaged and was made anew"
        return _deserialised(body, len(self._items)) if body is not None else None

    def _build(self) -> Any:
        faiss = load_faiss()
        rows = _checked(self._embedder.embed([item.passage for item in self._items]), self._items)
        index = faiss.IndexFlatIP(rows.shape[1])
        index.add(np.ascontiguousarray(rows))
        if self._path is not None:
            self._write(self._path, faiss.serialize_index(index).tobytes())
        return index

    def _write(self, path: Path, body: bytes) -> None:
        checksum = hashlib.sha256(body).hexdigest()
        header = {"emer": _MAGIC, "made_of": self._made_of(), "sha256": checksum}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, json.dumps(header).encode() + b"\n" + body)
        except OSError as error:
            self.note = f"the index of the memory is not kept: {path}: {error.strerror}"

    def _made_of(self) -> str:
        return digest(
            {
                "embedder": f"{self._embedder.name} {self._embedder.fingerprint()}",
                "items": [digest(item) for item in self._items],
            }
        )


def load_faiss() -> Any:
    """Return the faiss module; `ToolMissing` carries the line that installs it."""
    try:
        import faiss
    except ImportError as error:
        raise ToolMissing("memory", "the package faiss", "pip install 'emer[llm]'") from error
    return faiss


def replace_file(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all; `OSError` leaves what was there."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _read(path: Path, made_of: str) -> tuple[State, bytes | None]:
    """Return how the file stands, and its body where that can be used."""
    try:
        content = path.read_bytes()
    except OSError:
        return "absent", None
    line, _, body = content.partition(b"\n")
    try:
        header = json.loads(line[:_HEADER])
        whole = header["emer"] == _MAGIC and header["sha256"] == hashlib.sha256(body).hexdigest()
        fits = header["made_of"] == made_of
    except (ValueError, KeyError, TypeError):
        return "damaged", None
    if not whole:
        return "damaged", None
    return ("fresh", body) if fits else ("stale", None)


def _deserialised(body: bytes, size: int) -> Any:
    faiss = load_faiss()
    try:
        index = faiss.deserialize_index(np.frombuffer(body, dtype=np.uint8))
    except (RuntimeError, AssertionError):
        return None
    fits = isinstance(index, faiss.IndexFlatIP) and index.ntotal == size
    return index if fits else None


def _checked(rows: Vectors, items: Sequence[Item]) -> Vectors:
    """Return the vectors as faiss takes them; a stranger's embedder may give anything."""
    found = np.asarray(rows, dtype=np.float32)
    if found.ndim != 2 or len(found) != len(items) or not np.isfinite(found).all():
        raise ToolFailed("memory", "its cards", "the embedder gave no finite row for each passage")
    return found


NEAREST = 3
"""How many are told to a model."""
SAME_CLIP = 0.5
"""Share of an exemplar's sentences that stand word for word among the clues of the same
clip (chosen by us): its own earlier answer is no analogy."""


@dataclass(frozen=True, slots=True)
class Match:
    """Something remembered, and how near it is (an inner product, at most 1)."""

    item: Item
    score: float


class Memory:
    """Cards and exemplars, found by what they look like."""

    def __init__(
        self,
        items: Sequence[Item],
        embedder: Embedder,
        path: Path | None,
        most: int = NEAREST,
        notes: Sequence[str] = (),
    ) -> None:
        """Take what is remembered and the file of its index; nothing is read or built yet.

        `most` is how many are recalled for a clip; `notes` say what could not be read.
        """
        self.items, self.embedder = tuple(items), embedder
        self.index = Index(self.items, embedder, path)
        self._most, self._notes = most, tuple(notes)
        self._stances: dict[str, Stance] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of it, one line each."""
        return (*self._notes, *([self.index.note] if self.index.note else []))

    def recall(self, clues: Sequence[Clue]) -> tuple[Match, ...]:
        """Return what is like the clip that the clues are of; the clip itself is left out."""
        said = frozenset(clue.text for clue in clues)
        others = (m for m in self._neighbours(of_clues(clues)) if not _is_of(m.item, said))
        return tuple(islice(others, self._most))

    def nearest(self, passage: Passage, most: int = NEAREST) -> tuple[Match, ...]:
        """Return the nearest items, the nearest first; none is better than a far one."""
        return tuple(islice(self._neighbours(passage), most))

    def _neighbours(self, passage: Passage) -> Iterator[Match]:
        """Yield what is near and points no other way; ties stand in the order of the keys."""
        if not self.items or not passage.lines:
            return
        asked = stance_of(passage)
        (row,) = self.index.search(self.embedder.embed([passage]), len(self.items))
        near = (Match(self.items[place], round(score, 4)) for place, score in row)
        kept = (match for match in near if match.score >= self.embedder.least)
        for match in sorted(kept, key=lambda match: (-match.score, match.item.key)):
            own = self._stance(match.item)
            if akin(asked, own) and not opposed(asked, own):
                yield match

    def _stance(self, item: Item) -> Stance:
        if item.key not in self._stances:
            self._stances[item.key] = item.stance
        return self._stances[item.key]


def _is_of(item: Item, said: frozenset[str]) -> bool:
    """Tell whether an exemplar was taken from the clip in which these sentences were written."""
    if item.kind != "exemplar":
        return False
    lines = item.passage.lines
    return sum(line.text in said for line in lines) >= SAME_CLIP * max(1, len(lines))
