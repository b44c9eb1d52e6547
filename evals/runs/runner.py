"""Systems over clips: parallel, resumable, with answers of earlier reports."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from emer.evals.data.types import Dataset, Sample
from emer.evals.runs.record import RunFile, RunHeader, header_of, slug
from emer.evals.systems.system import Prediction, System
from emer.tools.errors import ConfigError, EmerError, ToolMissing
from emer.tools.runtime.private_files import private_folder, private_opener
from emer.tools.types import Record, digest

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
    fresh = fresh or not file.path.exists()
    known = {} if fresh else _continued(file, system, dataset)
    if fresh:
        file.begin(header_of(system.card, dataset))
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
    predictions: list[Prediction] = []
    answers = (
        (attempt(system, sample) for sample in samples)
        if workers <= 1
        else _side_by_side(system, samples, workers)
    )
    for prediction in answers:
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


def _continued(file: RunFile, system: System, dataset: Dataset) -> dict[str, Prediction]:
    file.mend()
    header, known = file.read()
    if not header_of(system.card, dataset).fits(header):
        raise ConfigError(
            f"{file.path} is a run of {header.system.name} on {header.dataset} with other "
            "settings or code; choose another --out, or --fresh to begin again"
        )
    return known


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
