"""Exemplars: explained runs that a person chose to keep, one JSON file each.

A file has clue sentences, labels and the explanation; no frame, sound, file name or name of
a person. Transcribed words are in it, since they are clues.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pydantic import Field, ValidationError

from emer.agents.memory.memory import Item
from emer.agents.memory.passages import Passage, of_clues
from emer.agents.types import Explanation
from emer.prompts.prompt import load
from emer.tools.errors import ConfigError
from emer.tools.runtime.private_files import private_folder
from emer.tools.types import Clue, Record, digest

SHOWN, LONGEST = 6, 600
"""Sentences of an exemplar in a note, and characters of all (chosen by us)."""

_TIME = re.compile(
    r",?\s{0,3}(?:at|from|for|around)?\s{0,3}(?<!\d)\d{1,9}(?:\.\d+)?(?:\s?-\s?\d+(?:\.\d+)?)?\s{0,3}s\b"
)
_NUMBERS = re.compile(r"\s{0,3}\([^()]{0,80}\d[^()]{0,80}\)")


class Exemplar(Record):
    """An explained run as it is stored."""

    key: str
    run_id: str
    question: str
    passage: Passage
    labels: tuple[str, ...] = Field(min_length=1)
    explanation: str

    @property
    def item(self) -> Item:
        """The exemplar as an item of the memory, without its times and numbers."""
        clues = " ".join(_bare(line.text) for line in self.passage.lines[:SHOWN])
        values = {
            "clues": clues[:LONGEST],
            "labels": ", ".join(self.labels),
            "explanation": _bare(self.explanation)[:LONGEST],
        }
        return Item(
            key=self.key,
            kind="exemplar",
            source=f"run {self.run_id}",
            passage=self.passage,
            labels=self.labels,
            en=load("memory/exemplar_en").substitute(**values),
            zh=load("memory/exemplar_zh").substitute(**values),
        )


class Exemplars:
    """The folder of the exemplars: add, list, remove."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is created with the first exemplar."""
        self.folder = folder
        self.notes: list[str] = []
        """Files that could not be read, one line each."""

    def add(
        self, run_id: str, question: str, clues: Iterable[Clue], written: Explanation
    ) -> Exemplar:
        """Store an explained run and return it; a second time is the same exemplar.

        Args:
            run_id: the run's id, named as the exemplar's source.
            question: the question of the run.
            clues: all clues of the run; the best measured make the passage.
            written: the explanation with its labels.

        Raises:
            ConfigError: the run has no label or no clue, or the folder cannot be written.
        """
        labels, passage = tuple(label.name for label in written.labels), of_clues(clues)
        if not (labels and passage.lines):
            raise ConfigError(f"run {run_id} names no emotion; there is nothing to remember of it")
        unnamed = Exemplar(
            key="",
            run_id=run_id,
            question=question,
            passage=passage,
            labels=labels,
            explanation=" ".join(sentence.text for sentence in written.sentences),
        )
        made = unnamed.model_copy(update={"key": f"x{digest(unnamed)[:8]}"})
        try:
            private_folder(self.folder)
            _replace_file(self._path(made.key), made.model_dump_json().encode())
        except OSError as error:
            raise ConfigError(f"{self.folder} cannot be written: {error.strerror}") from error
        return made

    def all(self) -> tuple[Exemplar, ...]:
        """Return the exemplars by key; unreadable files go into `notes`."""
        self.notes.clear()
        exemplars = []
        for path in sorted(self.folder.glob("x*.json")):
            try:
                exemplars.append(Exemplar.model_validate_json(path.read_bytes()))
            except (OSError, ValidationError):
                self.notes.append(f"{path} is no exemplar and is left out")
        return tuple(exemplars)

    def remove(self, name: str) -> Exemplar:
        """Delete the exemplar with this key, or with a unique prefix of it, and return it."""
        known = {exemplar.key: exemplar for exemplar in self.all()}
        keys = [key for key in known if name and key.startswith(name)]
        if len(keys) != 1:
            problem = f"could be {len(keys)} exemplars" if keys else "is no exemplar"
            raise ConfigError(f"{name!r} {problem}; emer memory list shows what is remembered")
        try:
            self._path(keys[0]).unlink()
        except OSError as error:
            raise ConfigError(f"{keys[0]} cannot be removed: {error.strerror}") from error
        return known[keys[0]]

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"


def _bare(text: str) -> str:
    """Return the text without times and numbers: they are those of another clip."""
    return " ".join(_TIME.sub("", _NUMBERS.sub("", text)).split())


def _replace_file(path: Path, content: bytes) -> None:
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
