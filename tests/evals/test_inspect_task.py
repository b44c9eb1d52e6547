"""The Inspect AI task gives the scores that emer-eval gives."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from tests.fixtures.evals import datasets
from tests.fixtures.evals.emotion_wheels import percent
from tests.fixtures.packages import needs

pytestmark = [needs("inspect_ai"), pytest.mark.slow]


@pytest.mark.filterwarnings("ignore")  # of packages that inspect-ai brings
def test_the_task_scores_as_emer_eval_does(tmp_path: Path) -> None:
    from inspect_ai import eval as inspect_eval

    from emer.evals.data.datasets import read_set
    from emer.evals.data.locations import DataFolder
    from emer.evals.inspect_task import emer
    from emer.evals.metrics.open_vocabulary import exact, wheel_overlaps
    from emer.evals.systems.baselines import read_stored

    folder = DataFolder(datasets.write_folder(tmp_path))
    file = tmp_path / "predictions" / "good.csv"
    (log,) = inspect_eval(
        emer(system=str(file), data=str(tmp_path)), model="mockllm/model", display="none",
        log_dir=str(tmp_path / "logs"),
    )  # fmt: skip
    gc.collect()  # Inspect leaves streams open, which would warn in a later test
    assert log.status == "success", log.error
    assert log.results is not None
    values = {name: metric.value for name, metric in log.results.scores[0].metrics.items()}
    dataset = read_set(folder)
    gold = [dataset.gold(s).labels for s in dataset.samples]
    predicted = [read_stored(file).answer(s).labels for s in dataset.samples]
    found = wheel_overlaps(folder.lexicon(), gold, predicted)
    ours = {
        "exact_f": exact(gold, predicted).f,
        **{f"{k}_f": found[k].f for k in ("m1", "level1", "level2")},
    }
    for name, statistic in ours.items():
        assert values[name] == pytest.approx(percent(statistic, 8) / 100)
