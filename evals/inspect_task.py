"""The benchmark as an Inspect AI task, with the same systems and scores.

    pip install 'emer[inspect]'
    inspect eval emer/emer -T system=oracle:masked

No model is called unless the system is one.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset
from inspect_ai.dataset import Sample as InspectSample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, mean, metric, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from emer.evals.commands.options import SetOptions, choose_edition, home_folder
from emer.evals.data.types import Gold, Sample
from emer.evals.metrics.bootstrap import value
from emer.evals.metrics.open_vocabulary import exact, wheel_overlaps
from emer.evals.metrics.wheel import Lexicon
from emer.evals.runs.runner import attempt
from emer.evals.systems.reasoner_options import ReasonerOptions, reasoner_on_clues
from emer.evals.systems.registry import Setup, named
from emer.evals.systems.system import Prediction, System


@task
def emer(
    system: str = "oracle:masked",
    data: str | None = None,
    set_name: str | None = None,
    lexicon: str = "2026",
    reasoner: str | None = None,
) -> Task:
    """Task of a system on a set; the arguments are those of `emer-eval run`."""
    folder, dataset = SetOptions(Path(data) if data else None, set_name).open()
    home = home_folder() / "inspect"
    options = ReasonerOptions(reasoner)
    under_test = named(system, Setup(dataset, reasoner_on_clues(options), home, options))
    labelled = {sample.name: sample for sample in dataset.labelled}
    samples = [
        InspectSample(id=name, input=name, target=list(dataset.golds[name].labels))
        for name in labelled
    ]
    return Task(
        dataset=MemoryDataset(samples, name=dataset.name),
        solver=answer(under_test, labelled),
        scorer=label_sets(folder.lexicon(choose_edition(lexicon)), dataset.golds),
        metadata=under_test.card.model_dump(mode="json"),
    )


@solver
def answer(system: System, samples: Mapping[str, Sample]) -> Solver:
    """Solver that lets the system answer; a failure is an empty answer with a reason."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        prediction = await asyncio.to_thread(attempt, system, samples[str(state.sample_id)])
        state.metadata["prediction"] = prediction.model_dump(mode="json")
        text = prediction.failed or ", ".join(prediction.labels) or "no label"
        state.output = ModelOutput.from_content(system.card.name, text)
        return state

    return solve


def f_metric(key: str) -> Metric:
    """F of a kind of label overlap, as the metric "exact_f", "m1_f", ..."""

    @metric(name=f"{key}_f")
    def over_clips() -> Metric:
        def compute(scores: list[SampleScore]) -> float:  # Inspect goes by this annotation
            return f_score(key, scores)

        return compute

    return over_clips()


def f_score(key: str, scores: Sequence[SampleScore]) -> float:
    """F as it is defined: of the means over all clips; for a level the wheels' mean."""
    overlaps = [(score.score.metadata or {})["overlaps"] for score in scores]
    parts = [k for k in (overlaps[0] if overlaps else {}) if k == key or k.startswith(f"{key}_")]
    each = [[clip[part] for clip in overlaps if clip[part] is not None] for part in parts]
    defined = [_f(pairs) for pairs in each if pairs]
    return sum(defined) / len(defined) if defined else math.nan


@scorer(metrics=[mean(), *map(f_metric, ("exact", "m1", "level1", "level2"))])
def label_sets(lexicon: Lexicon, golds: Mapping[str, Gold]) -> Scorer:
    """Scorer by a clip's level-1 F, with precision and recall in the metadata."""

    async def score(state: TaskState, target: Target) -> Score:
        prediction = Prediction.model_validate(state.metadata["prediction"])
        gold = golds[prediction.name]
        overlaps = clip_overlaps(lexicon, gold.labels, prediction.labels)
        known = [_f([pair]) for k, pair in overlaps.items() if k.startswith("level1_") and pair]
        return Score(
            value=sum(known) / len(known) if known else 0.0,
            answer=", ".join(prediction.labels),
            explanation=prediction.failed or prediction.text or None,
            metadata={"overlaps": overlaps},
        )

    return score


def clip_overlaps(
    lexicon: Lexicon, gold: Sequence[str], predicted: Sequence[str]
) -> dict[str, tuple[float, float] | None]:
    """Precision and recall of one clip by part, None where it takes no part."""
    overlaps = {
        "exact": exact([gold], [predicted]),
        **wheel_overlaps(lexicon, [gold], [predicted]),
    }
    pairs = {k: (value(o.precision, 1), value(o.recall, 1)) for k, o in overlaps.items()}
    return {
        key: None if math.isnan(pair[0]) else pair
        for key, pair in pairs.items()
        if key not in ("level1", "level2")
    }


def _f(pairs: Sequence[Sequence[float]]) -> float:
    # of mean precision and mean recall
    p, r = (sum(pair[side] for pair in pairs) / len(pairs) for side in (0, 1))
    return 2 * p * r / (p + r) if p + r else 0.0
