"""Systems over clips: parallel, resumable, one JSONL file for each run."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Literal

from pydantic import ValidationError

from emer.evals.data.types import Dataset, Sample
from emer.evals.systems.system import Card, Prediction, System
from emer.tools.errors import ConfigError, EmerError, ToolMissing
from emer.tools.runtime.private_files import private_folder, private_opener
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


Done = Callable[[Prediction], None]

_SLICE = 0.1


def run(
    system: System,
    dataset: Dataset,
    folder: Path,
    *,
    workers: int = 1,
    fresh: bool = False,
    done: Done = lambda _: None,
) -> list[Prediction]:
    """Predictions of a system in the order of the clips, each written when it is made.

    Clips that a file in `folder` has an answer for are not run again, failed ones are.
    `ConfigError` if that file is of the same name but of another system or dataset.

    Args:
        system: The system.
        dataset: The clips.
        folder: Folder of the run's file.
        workers: Clips answered at once.
        fresh: Whether an earlier run is discarded.
        done: Called with each prediction.

    """
    file = RunFile.of(folder, system.card)
    answered: dict[str, Prediction] = {}
    if fresh or not file.path.exists():
        file.begin(header_of(system.card, dataset))
    else:
        file.mend()
        header, known = file.read()
        if (header.system, header.dataset) != (system.card, dataset.name):
            raise ConfigError(
                f"{file.path} is a run of {header.system.name} on {header.dataset} with other "
                "settings or code; choose another --out, or --fresh to begin again"
            )
        answered = {name: p for name, p in known.items() if p.failed is None}
    for prediction in answered.values():
        done(prediction)

    def store(prediction: Prediction) -> None:
        file.add(prediction)
        done(prediction)

    remaining = [sample for sample in dataset.samples if sample.name not in answered]
    answered |= {p.name: p for p in answer_all(system, remaining, workers, store)}
    return [answered[sample.name] for sample in dataset.samples]


def answer_all(
    system: System, samples: Sequence[Sample], workers: int = 1, done: Done = lambda _: None
) -> list[Prediction]:
    """Predictions of a system; an error on a clip is part of its prediction.

    `ToolMissing` is raised at once: every clip would need the missing package.
    """
    one_by_one = (attempt(system, sample) for sample in samples)
    predictions: list[Prediction] = []
    for prediction in one_by_one if workers <= 1 else _side_by_side(system, samples, workers):
        done(prediction)
        predictions.append(prediction)
    return predictions


def _side_by_side(system: System, samples: Sequence[Sample], workers: int) -> Iterator[Prediction]:
    # in daemon threads: an executor's would hold the process when it is stopped
    waiting: SimpleQueue[Sample] = SimpleQueue()
    answers: SimpleQueue[Prediction | BaseException] = SimpleQueue()
    for sample in samples:
        waiting.put(sample)

    def work() -> None:
        try:
            while True:
                answers.put(attempt(system, waiting.get_nowait()))
        except Empty:
            return
        except BaseException as error:
            answers.put(error)

    for number in range(min(workers, len(samples))):
        Thread(target=work, name=f"emer-eval-{number}", daemon=True).start()
    missing = len(samples)
    while missing:
        with suppress(Empty):
            answer = answers.get(timeout=_SLICE)  # an endless wait would block Ctrl-C
            if isinstance(answer, BaseException):
                raise answer
            missing -= 1
            yield answer


def attempt(system: System, sample: Sample) -> Prediction:
    """A system's answer on a clip, or a prediction with the reason of its failure."""
    try:
        return system.answer(sample)
    except ToolMissing:
        raise
    except Exception as error:
        kind = "" if isinstance(error, EmerError) else f"{type(error).__name__}: "
        return Prediction(name=sample.name, failed=" ".join(f"{kind}{error}".split()))


def answers(
    system: System, dataset: str, samples: Sequence[Sample], folder: Path | None
) -> list[Prediction]:
    """A system's answers, read from a file in `folder` or written there.

    An unwritable folder costs the file, not the answers.
    """
    if folder is None:
        return answer_all(system, samples)
    key = digest(
        [system.card.model_dump(mode="json"), *(s.model_dump(mode="json") for s in samples)]
    )
    name = slug(system.card.name)
    path = folder / f"{name}-{key[:16]}.jsonl"
    known: dict[str, Prediction] = {}
    with suppress(ConfigError):
        known = RunFile(path).read()[1]
    if set(known) == {sample.name for sample in samples}:
        return [known[sample.name] for sample in samples]
    predictions = answer_all(system, samples)
    header = RunHeader(system=system.card, dataset=dataset, clips=key, versions={})
    with suppress(OSError):
        _replace(path, name, [header, *predictions])
    return predictions


def _replace(path: Path, name: str, records: Sequence[Record]) -> None:
    """Write the answers in one go, and remove those of the system's earlier versions."""
    private_folder(path.parent)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    with open(part, "w", encoding="utf-8", opener=private_opener) as file:
        file.writelines(f"{r.model_dump_json()}\n" for r in records)
    os.replace(part, path)
    for old in path.parent.glob(f"{name}-{'[0-9a-f]' * 16}.jsonl"):
        if old != path:
            old.unlink()
