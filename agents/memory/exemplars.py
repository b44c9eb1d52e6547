"""Explained runs that a person chose to keep: clue sentences, labels, explanation, nothing else.

One JSON file each. No frame, no sound, no name of a file or a person is in it; words that
were said are, since they are clues.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pydantic import Field, ValidationError

from emer.agents.memory.memory import Item, replace_file
from emer.agents.memory.passages import Passage, of_clues
from emer.agents.types import Explanation
from emer.prompts.prompt import load
from emer.tools.errors import ConfigError
from emer.tools.types import Clue, Record, digest

SHOWN, LONGEST = 6, 600
"""Sentences of an exemplar that are told, and characters of all (chosen by us)."""

_TIME = re.compile(r",?\s*(?:at|from|for|around)?\s*\d+(?:\.\d+)?(?:\s*-\s*\d+(?:\.\d+)?)?\s*s\b")
_NUMBERS = re.compile(r"\s*\([^()]*\d[^()]*\)")


class Exemplar(Record):
    """An explained run as it is kept."""

    key: str
    run_id: str
    question: str
    passage: Passage
    labels: tuple[str, ...] = Field(min_length=1)
    explanation: str

    @property
    def item(self) -> Item:
        """The exemplar as it is found and told; its times and numbers stay behind."""
        told = " ".join(_bare(line.text) for line in self.passage.lines[:SHOWN])
        values = {
            "clues": told[:LONGEST],
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
    """The folder of the exemplars."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made when the first is added."""
        self.folder = folder
        self.notes: list[str] = []
        """Files that could not be read, one line each."""

    def add(
        self, run_id: str, question: str, clues: Iterable[Clue], written: Explanation
    ) -> Exemplar:
        """Keep an explained run and return it; once more is the same one.

        `ConfigError` when there is nothing to learn from it, or the disk refuses.
        """
        made = _made(run_id, question, clues, written)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            replace_file(self._path(made.key), made.model_dump_json().encode())
        except OSError as error:
            raise ConfigError(f"{self.folder} cannot be written: {error.strerror}") from error
        return made

    def all(self) -> tuple[Exemplar, ...]:
        """Return the exemplars by key; what cannot be read is noted and left out."""
        self.notes.clear()
        found = (self._read(path) for path in sorted(self.folder.glob("x*.json")))
        return tuple(exemplar for exemplar in found if exemplar is not None)

    def remove(self, name: str) -> Exemplar:
        """Forget the exemplar of this key, or of a beginning of one only, and return it."""
        known = {exemplar.key: exemplar for exemplar in self.all()}
        found = [key for key in known if name and key.startswith(name)]
        if len(found) != 1:
            told = f"could be {len(found)} exemplars" if found else "is no exemplar"
            raise ConfigError(f"{name!r} {told}; emer memory list shows what is remembered")
        try:
            self._path(found[0]).unlink()
        except OSError as error:
            raise ConfigError(f"{found[0]} cannot be removed: {error.strerror}") from error
        return known[found[0]]

    def _read(self, path: Path) -> Exemplar | None:
        try:
            return Exemplar.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            self.notes.append(f"{path} is no exemplar and is left out")
            return None

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"


def _made(run_id: str, question: str, clues: Iterable[Clue], written: Explanation) -> Exemplar:
    labels = tuple(label.name for label in written.labels)
    passage = of_clues(clues)
    if not (labels and passage.lines):
        raise ConfigError(f"run {run_id} names no emotion; there is nothing to remember of it")
    made = Exemplar(
        key="",
        run_id=run_id,
        question=question,
        passage=passage,
        labels=labels,
        explanation=" ".join(sentence.text for sentence in written.sentences),
    )
    return made.model_copy(update={"key": f"x{digest(made)[:8]}"})


def _bare(text: str) -> str:
    """Return the text without times and numbers: they are those of another clip."""
    return " ".join(_TIME.sub("", _NUMBERS.sub("", text)).split())
