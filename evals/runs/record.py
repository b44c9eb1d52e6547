"""A run on disk: a JSONL file with a header and one prediction per line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from emer.evals.data.types import Dataset
from emer.evals.systems.system import Card, Prediction
from emer.tools.errors import ConfigError
from emer.tools.types import Record, digest

SCHEMA = 1


class RunHeader(Record):
    """The first line: which system, on which clips."""

    event: Literal["run"] = "run"
    schema_version: int = SCHEMA
    system: Card
    dataset: str
    clips: str
    """A digest of the clips' names."""
    versions: Mapping[str, str]


@dataclass(frozen=True)
class RunFile:
    """The file of one system's run; the name is made from the system's."""

    path: Path

    @classmethod
    def of(cls, folder: Path, card: Card) -> RunFile:
        return cls(folder / f"{slug(card.name)}.jsonl")

    def read(self) -> tuple[RunHeader, dict[str, Prediction]]:
        """Header and the predictions by clip; the later of two wins.

        A last line that a crash cut short is left out. `ConfigError` for another file.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self.path} cannot be read: {error}") from error
        try:
            lines = [line for line in text.split("\n")[:-1] if line]
            header = RunHeader.model_validate_json(lines[0])
            predictions = [Prediction.model_validate_json(line) for line in lines[1:]]
        except (IndexError, ValidationError) as error:
            first = str(error).splitlines()[0]
            raise ConfigError(f"{self.path} is not a run of emer-eval: {first}") from error
        return header, {prediction.name: prediction for prediction in predictions}

    def begin(self, header: RunHeader) -> None:
        """Write the header of a new run and make its folder; `ConfigError` if it cannot."""
        with self._writing():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(header.model_dump_json() + "\n", encoding="utf-8")

    def add(self, prediction: Prediction) -> None:
        """Append a prediction in one write; `ConfigError` if it cannot."""
        with self._writing(), self.path.open("a", encoding="utf-8") as file:
            file.write(prediction.model_dump_json() + "\n")

    def mend(self) -> None:
        """Cut off a last line that a crash left unfinished, so that more can be appended."""
        with self._writing():
            raw = self.path.read_bytes()
            if raw and not raw.endswith(b"\n"):
                self.path.write_bytes(raw[: raw.rfind(b"\n") + 1])

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigError(
                f"{self.path} cannot be written: {error.strerror}; choose another --out"
            ) from error


def header_of(card: Card, dataset: Dataset) -> RunHeader:
    from importlib.metadata import version

    return RunHeader(
        system=card,
        dataset=dataset.name,
        clips=digest([sample.name for sample in dataset.samples])[:16],
        versions={"emer": version("emer")},
    )


def slug(name: str) -> str:
    """System's name as a file name."""
    return re.sub(r"[^A-Za-z0-9.+-]+", "_", name).strip("_.") or "system"
