"""`emer-eval report`: the leaderboard on the terminal, and as files."""

from __future__ import annotations

import json as jsons
from dataclasses import dataclass
from pathlib import Path

from emer.agents.reasoner import Reporting
from emer.evals.commands import options
from emer.evals.commands.score import as_json
from emer.evals.report.build import ReportSettings, produce
from emer.evals.report.measure import other_jobs, reasoner_jobs
from emer.evals.report.scorecard import SHORT
from emer.evals.report.tables import Report, labels, markdown, show
from emer.evals.systems.reasoner_options import ReasonerOptions, reasoner_on_clues
from emer.tools.errors import ConfigError

OTHER_STEPS = 2
"""Steps of the progress bar after the systems: intervals and plots."""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """Arguments of `emer-eval report`."""

    data: options.SetOptions
    runs: tuple[Path, ...]
    against: str | None
    reasoner: ReasonerOptions
    lexicon: str
    judge: str
    workers: int
    fresh: bool


def run_report(request: ReportRequest, out: Path | None, json: bool) -> None:
    """Print the report and write its files."""
    report = make_report(request)
    if json:
        options.print_json(as_json(report.board))
    else:
        for table in (labels(report.board, SHORT), *report.tables[1:]):
            show(table)
        print(f"{report.seconds:.0f} s")
    if out is not None:
        _write(report, out)


def make_report(request: ReportRequest) -> Report:
    """The requested report; progress shows on a terminal."""
    oracle = reasoner_on_clues(request.reasoner)
    edition = options.choose_edition(request.lexicon)
    folder, dataset = request.data.open()
    settings = ReportSettings(
        lexicon=options.open_lexicon(folder, edition),
        judge=options.choose_judge(request.judge),
        runs=request.runs,
        against=request.against,
        cache=None if request.fresh else options.home_folder() / "answers",
        workers=request.workers,
    )
    if not dataset.labelled:
        raise ConfigError(f"{dataset.name}: no clip has labels to score against")
    jobs = reasoner_jobs(dataset, oracle)
    if isinstance(oracle.reasoner, Reporting):
        probed = sum(job.probes for job in jobs)
        options.note(
            f"a model may be asked about {len(dataset.labelled)} clips in {len(jobs)} forms, and "
            f"again, several times a clip, where {probed} of them are probed; one form alone: "
            "emer-eval run oracle:masked"
        )
    steps = len(jobs) + len(other_jobs(dataset, folder)) + OTHER_STEPS
    with options.progress("measuring", steps) as step:
        return produce(dataset, folder, oracle, settings, step)


def _write(report: Report, folder: Path) -> None:
    """Write the page, the Markdown (whole, and the leaderboard) and the JSON."""
    files = {
        "report.html": report.page,
        "report.md": report.markdown,
        "leaderboard.md": markdown(labels(report.board, SHORT)),
        "report.json": jsons.dumps(
            options.jsonable(as_json(report.board)), indent=2, ensure_ascii=False
        ),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--out {folder}: cannot be written: {error.strerror}") from error
    for name in files:
        options.note(f"written {folder / name}")
