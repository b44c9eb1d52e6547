"""A system over all clips: side by side, with progress, and going on where it was stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from emer.evals.data.records import Dataset, Sample
from emer.evals.runs.record import RunFile, header_of
from emer.evals.systems.system import Prediction, System
from emer.tools.errors import ConfigError, EmerError, ToolMissing

Done = Callable[[Prediction], None]


def run(
    system: System,
    dataset: Dataset,
    folder: Path,
    *,
    workers: int = 1,
    fresh: bool = False,
    done: Done = lambda _: None,
) -> list[Prediction]:
    """Return a system's predictions in the order of the clips; each is on disk when it is made.

    Clips that a file in `folder` has an answer for are not run again, failed ones are.
    `ConfigError` if that file is of the same name but of another system or dataset.
    """
    file = RunFile.of(folder, system.card)
    known = {} if fresh or not file.path.exists() else _continued(file, system, dataset)
    if not known and (fresh or not file.path.exists()):
        file.begin(header_of(system.card, dataset))
    kept = {name: p for name, p in known.items() if p.failed is None}
    for prediction in kept.values():
        done(prediction)
    left = [sample for sample in dataset.samples if sample.name not in kept]

    def keep(prediction: Prediction) -> None:
        file.add(prediction)
        done(prediction)

    made = answer_all(system, left, workers, keep)
    found = kept | {p.name: p for p in made}
    return [found[sample.name] for sample in dataset.samples]


def answer_all(
    system: System, samples: Sequence[Sample], workers: int = 1, done: Done = lambda _: None
) -> list[Prediction]:
    """Return the predictions; what goes wrong on a clip is in its prediction.

    A package that is missing altogether is raised at once: no clip would do better.
    """
    if workers <= 1:
        return [_reported(attempt(system, sample), done) for sample in samples]
    lock, made = threading.Lock(), []
    with ThreadPoolExecutor(workers, thread_name_prefix="emer-eval") as pool:
        pending = [pool.submit(attempt, system, sample) for sample in samples]
        try:
            for future in as_completed(pending):
                with lock:
                    made.append(_reported(future.result(), done))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return made


def attempt(system: System, sample: Sample) -> Prediction:
    """Return a system's answer on a clip, or the prediction that says why there is none."""
    try:
        return system.answer(sample)
    except ToolMissing:
        raise
    except EmerError as error:
        return Prediction(name=sample.name, failed=_one_line(str(error)))
    except Exception as error:
        return Prediction(name=sample.name, failed=_one_line(f"{type(error).__name__}: {error}"))


def _reported(prediction: Prediction, done: Done) -> Prediction:
    done(prediction)
    return prediction


def _continued(file: RunFile, system: System, dataset: Dataset) -> dict[str, Prediction]:
    file.mend()
    header, known = file.read()
    if not header_of(system.card, dataset).fits(header):
        raise ConfigError(
            f"{file.path} is a run of {header.system.name} on {header.dataset} with other "
            "settings; choose another --out, or --fresh to begin again"
        )
    return known


def _one_line(text: str) -> str:
    return " ".join(text.split())
