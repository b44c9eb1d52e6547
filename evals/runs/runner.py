"""Systems over clips; earlier answers reused.

A system over all clips: side by side, with progress, and going on where it was stopped.

Answers kept from an earlier report, as long as system, code and clips are the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from emer.evals.data.types import Dataset, Sample
from emer.evals.runs.record import RunFile, RunHeader, header_of, slug
from emer.evals.systems.system import Prediction, System
from emer.tools.errors import ConfigError, EmerError, ToolMissing
from emer.tools.types import digest

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
    """System's predictions in the order of the clips; each is on disk when it is made.

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
    """Predictions; what goes wrong on a clip is in its prediction.

    A package that is missing altogether is raised at once: no clip would do better.
    """
    if workers <= 1:
        return [_reported(attempt(system, sample), done) for sample in samples]
    return _side_by_side(system, samples, workers, done)


def _side_by_side(
    system: System, samples: Sequence[Sample], workers: int, done: Done
) -> list[Prediction]:
    """Answer in daemon threads: an executor's would hold the process when it is stopped."""
    left: SimpleQueue[Sample] = SimpleQueue()
    made: SimpleQueue[Prediction | BaseException] = SimpleQueue()
    for sample in samples:
        left.put(sample)

    def work() -> None:
        try:
            while True:
                made.put(attempt(system, left.get_nowait()))
        except Empty:
            return
        except BaseException as error:
            made.put(error)

    for number in range(min(workers, len(samples))):
        Thread(target=work, name=f"emer-eval-{number}", daemon=True).start()
    found: list[Prediction] = []
    while len(found) < len(samples):
        try:
            answer = made.get(timeout=_SLICE)  # an endless wait would not hear Ctrl-C
        except Empty:
            continue
        if isinstance(answer, BaseException):
            raise answer
        found.append(_reported(answer, done))
    return found


def attempt(system: System, sample: Sample) -> Prediction:
    """System's answer on a clip, or the prediction that says why there is none."""
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
            "settings or code; choose another --out, or --fresh to begin again"
        )
    return known


def _one_line(text: str) -> str:
    return " ".join(text.split())


def answers(
    system: System, dataset: str, samples: Sequence[Sample], folder: Path | None
) -> list[Prediction]:
    """System's answers, from `folder` if they are there, else made and put there.

    A folder that cannot be written costs the memory, not the answers.
    """
    if folder is None:
        return answer_all(system, samples)
    key = digest(
        [system.card.model_dump(mode="json"), *(s.model_dump(mode="json") for s in samples)]
    )
    name = slug(system.card.name)
    path = folder / f"{name}-{key[:16]}.jsonl"
    known = _read(path)
    if set(known) == {sample.name for sample in samples}:
        return [known[sample.name] for sample in samples]
    made = answer_all(system, samples)
    with suppress(OSError):
        _replace(
            path, name, made, RunHeader(system=system.card, dataset=dataset, clips=key, versions={})
        )
    return made


def _read(path: Path) -> dict[str, Prediction]:
    try:
        return RunFile(path).read()[1]
    except ConfigError:
        return {}


def _replace(path: Path, name: str, made: Sequence[Prediction], header: RunHeader) -> None:
    """Write the answers in one go, and drop those of the system's earlier versions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    lines = [record.model_dump_json() for record in (header, *made)]
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(part, path)
    for old in path.parent.glob(f"{name}-{'[0-9a-f]' * 16}.jsonl"):
        if old != path:
            old.unlink()
