"""`emer-eval report`: the leaderboard on the terminal, and as files."""

from __future__ import annotations

import json as jsons
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emer.agents.reasoner import Reporting
from emer.evals.commands.options import (
    choose_edition,
    choose_judge,
    home_folder,
    jsonable,
    note,
    open_lexicon,
    open_set,
    print_json,
    progress,
)
from emer.evals.commands.score import as_json
from emer.evals.report.build import Produced, Wish, produce
from emer.evals.report.measure import Job, heavy, light
from emer.evals.report.scorecard import SHORT
from emer.evals.report.tables import labels, markdown, show
from emer.evals.systems.reasoner_options import Who, on_clues
from emer.tools.errors import ConfigError

OTHER_STEPS = 2
"""Steps of the progress bar that are no system: intervals and plots."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, as it stands on the command line."""

    data: Path | None
    set_name: str | None
    gold: Path | None
    runs: tuple[Path, ...]
    against: str | None
    who: Who
    lexicon: str
    judge: str
    workers: int
    fresh: bool


def run_report(request: Request, out: Path | None, json: bool) -> None:
    """Print the report and write its files."""
    found = carry_out(request)
    if json:
        print_json(as_json(found.board))
    else:
        for table in (labels(found.board, SHORT), *found.report.tables[1:]):
            show(table)
        print(f"{found.seconds:.0f} s")
    if out is not None:
        for path in write(found, out):
            note(f"written {path}")


def carry_out(request: Request) -> Produced:
    """Report that is asked for; progress shows on a terminal."""
    thinker = on_clues(request.who)
    choose_edition(request.lexicon)
    folder, dataset = open_set(request.data, request.set_name, request.gold)
    wish = Wish(
        lexicon=open_lexicon(folder, request.lexicon),
        judge=choose_judge(request.judge),
        runs=request.runs,
        against=request.against,
        memory=None if request.fresh else home_folder() / "answers",
        workers=request.workers,
    )
    if not dataset.labelled:
        raise ConfigError(f"{dataset.name}: no clip has labels to score against")
    asked = heavy(dataset, thinker)
    if isinstance(thinker.reasoner, Reporting):
        _say_what_is_asked(asked, len(dataset.labelled))
    steps = len(asked) + len(light(dataset, folder)) + OTHER_STEPS
    with progress("measuring", steps) as step:
        return produce(dataset, folder, thinker, wish, step)


def _say_what_is_asked(jobs: Sequence[Job], clips: int) -> None:
    probed = sum(job.probes for job in jobs)
    note(
        f"a model may be asked about {clips} clips in {len(jobs)} forms, and again, several times "
        f"a clip, where {probed} of them are probed; one form alone: emer-eval run oracle:masked"
    )


def write(found: Produced, folder: Path) -> list[Path]:
    """Write the page, the Markdown (whole, and the leaderboard) and the JSON.

    `ConfigError` if it cannot be done.
    """
    files = {
        "report.html": found.report.page,
        "report.md": found.report.markdown,
        "leaderboard.md": markdown(labels(found.board, SHORT)),
        "report.json": jsons.dumps(jsonable(as_json(found.board)), indent=2, ensure_ascii=False),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--out {folder}: cannot be written: {error.strerror}") from error
    return [folder / name for name in files]
