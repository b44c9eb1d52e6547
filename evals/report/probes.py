"""Probes of a reasoner on its own answers: what becomes of a claim when its evidence is spoilt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

import numpy as np

from emer.agents.reasoner import Reasoner
from emer.evals.metrics.corruption import Kind, Scene, corrupt
from emer.evals.metrics.faithfulness import delete
from emer.evals.metrics.statistic import Statistic, mean
from emer.evals.systems.perceived import DURATION
from emer.evals.systems.system import Prediction
from emer.graphs.settings import DEFAULT

NAMES = ("deletion", "deletion_fall", "others_fall", *get_args(Kind))


def probe(reasoner: Reasoner, predictions: Sequence[Prediction]) -> dict[str, Statistic]:
    """Return the probes of each clip's first label; NaN where one cannot be made.

    deletion: share of labels that lose probability without the clues they cite;
    deletion_fall, others_fall: how much they lose without those, and without as many other
    clues; drop, flip, shift: share of corruptions that move the label the right way.
    """
    values: dict[str, list[float]] = {name: [] for name in NAMES}
    for prediction in predictions:
        found = dict(_of_one(reasoner, prediction))
        for name in NAMES:
            values[name].append(found.get(name, np.nan))
    return {n: mean(found) for n, found in values.items() if np.isfinite(found).any()}


def _of_one(reasoner: Reasoner, prediction: Prediction) -> Iterator[tuple[str, float]]:
    if prediction.explanation is None or not prediction.explanation.labels:
        return
    label = prediction.explanation.labels[0]
    duration = prediction.duration or DURATION
    gone = delete(reasoner, label, DEFAULT, prediction.clues, duration)
    yield "deletion", float(gone.lowered)
    yield "deletion_fall", gone.before - gone.after
    if gone.others is not None:
        yield "others_fall", gone.before - gone.others
    scene = Scene(reasoner, DEFAULT, prediction.clues, duration)
    for corruption in corrupt(scene, label):
        yield corruption.kind, float(corruption.fits)
