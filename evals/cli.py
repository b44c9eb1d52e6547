"""`emer-eval`: measure any system on EMER, and what the README claims of speed and memory.

Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from emer.graphs.cli_errors import EvalCommandGroup

app = typer.Typer(
    cls=EvalCommandGroup,
    name="emer-eval",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    help="Measures systems that explain displayed emotion: EMER, open vocabulary, speed.",
    epilog="Start with: emer-eval data",
)
data = typer.Typer(help="The data that measurements read.", invoke_without_command=True)
app.add_typer(data, name="data")

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="The data folder; else $EMER_TEST_DATA, ../shared."),
]
Set = Annotated[str | None, typer.Option("--set", metavar="NAME", help="Which set of the folder.")]
Gold = Annotated[
    Path | None,
    typer.Option("--gold", metavar="FILE.csv", help="Labels of your own: name, openset, ..."),
]
Clips = Annotated[
    Path | None, typer.Option("--clips", metavar="DIR", help="Media files of --gold, by name.")
]
Lexicon = Annotated[
    str, typer.Option("--lexicon", metavar="YEAR", help="Wheel lexicon: 2025 or 2026.")
]
Partial = Annotated[
    bool, typer.Option("--partial", help="Score what matches; clips without an answer are empty.")
]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Answers made side by side.")]
Reasoner = Annotated[
    str | None,
    typer.Option(
        "--reasoner",
        metavar="NAME",
        help="Who reasons; else the rules on human clues, and in the agent what emer.toml says.",
    ),
]
Llm = Annotated[
    str | None,
    typer.Option("--llm", metavar="MODEL", help="Reason with this language model, as `emer ask`."),
]


class When(StrEnum):
    """When a language model is asked."""

    UNSURE = "unsure"
    ALWAYS = "always"


LlmWhen = Annotated[
    When | None,
    typer.Option("--llm-when", help="Ask the model only where the rules are unsure, or always."),
]
Weights = Annotated[
    str,
    typer.Option("--weights", metavar="DIR", help="Cue weights that `emer-eval fit` wrote."),
]
JudgeName = Annotated[
    str,
    typer.Option("--judge", metavar="NAME", help="offline, provider:model or package.module:Name."),
]


@app.callback()
def _emer_eval() -> None:
    """Take the options that stand before a command."""


@data.callback()
def data_list(context: typer.Context, data: Data = None, json: Json = False) -> None:
    """Say what data are there, what is missing, and how to get it."""
    if context.invoked_subcommand is None:
        from emer.evals.commands.data import run_list

        run_list(data, json)


@data.command("pull")
def data_pull(
    to: Annotated[Path | None, typer.Option(metavar="DIR", help="Where to put the files.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="These files only (may be repeated).")
    ] = None,
    mirror: Annotated[
        str | None, typer.Option(metavar="URL", help="A host that serves what GitHub does.")
    ] = None,
    json: Json = False,
) -> None:
    """Get the official files from their repositories at pinned commits, and check them."""
    from emer.evals.commands.data import run_pull

    run_pull(to, tuple(only or ()), mirror, json)


@data.command("write")
def data_write(
    runs: Annotated[list[Path], typer.Argument(help="Traces (.jsonl) or reviews (.json).")],
    to: Annotated[Path, typer.Option(metavar="DIR", help="Where to put the two CSV files.")],
    json: Json = False,
) -> None:
    """Write EMER CSV files from runs, so that a reviewed run becomes a dataset."""
    from emer.evals.commands.data import run_write

    run_write(tuple(runs), to, json)


@app.command()
def score(
    predictions: Annotated[Path, typer.Argument(help="name, openset, ... (.csv) or -openset.npz.")],
    gold: Gold = None,
    data: Data = None,
    set_name: Set = None,
    lexicon: Lexicon = "2026",
    partial: Partial = False,
    judge: JudgeName = "offline",
    groups: Annotated[
        str | None,
        typer.Option(metavar="GROUPER", help="Synonyms: none, a .zip of groups, or a chat model."),
    ] = None,
    json: Json = False,
) -> None:
    """Score a file of predictions against human labels, with intervals and floors."""
    from emer.evals.commands.score import Request, run_score

    run_score(Request(predictions, gold, data, set_name, lexicon, partial, judge, groups), json)


@app.command()
def run(
    systems: Annotated[
        list[str],
        typer.Argument(
            help="agent, agent:PROFILE, text, oracle:masked, chat:MODEL, hf:PATH, FILE.csv"
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="One JSONL file a system.")],
    gold: Gold = None,
    clips: Clips = None,
    data: Data = None,
    set_name: Set = None,
    reasoner: Reasoner = None,
    weights: Weights = "",
    llm: Llm = None,
    llm_when: LlmWhen = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The first clips only.")] = None,
    workers: Workers = 1,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin again.")] = False,
    json: Json = False,
) -> None:
    """Run systems over clips; what was interrupted goes on where it stopped."""
    from emer.evals.commands.run import Request, run_systems
    from emer.evals.systems.reasoner_options import Who

    who = Who(reasoner, weights, llm, llm_when and llm_when.value)
    request = Request(tuple(systems), out, gold, clips, data, set_name, who, limit, workers)
    run_systems(request, fresh, json)


@app.command()
def report(
    data: Data = None,
    set_name: Set = None,
    gold: Gold = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Also write .html, .md and .json.")
    ] = None,
    runs: Annotated[
        list[Path] | None, typer.Option("--run", metavar="FILE.jsonl", help="Also show this run.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="SYSTEM", help="Show each one's difference to this.")
    ] = None,
    reasoner: Reasoner = None,
    weights: Weights = "",
    llm: Llm = None,
    llm_when: LlmWhen = None,
    lexicon: Lexicon = "2026",
    judge: JudgeName = "offline",
    workers: Workers = 2,
    fresh: Annotated[bool, typer.Option("--fresh", help="Answer every clip again.")] = False,
    json: Json = False,
) -> None:
    """Print the leaderboard: our reasoner, stored systems, floors, with intervals."""
    from emer.evals.commands.report import Request, run_report
    from emer.evals.systems.reasoner_options import Who

    who = Who(reasoner, weights, llm, llm_when and llm_when.value)
    shown = tuple(runs or ())
    request = Request(data, set_name, gold, shown, against, who, lexicon, judge, workers, fresh)
    run_report(request, out, json)


@app.command()
def swap(
    slot: Annotated[str, typer.Argument(help="face, scene, prosody or speech.")],
    a: Annotated[str, typer.Argument(help="A tool's name, none, or package.module:Class.")],
    b: Annotated[str, typer.Argument(help="The other tool.")],
    gold: Gold = None,
    clips: Clips = None,
    data: Data = None,
    set_name: Set = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Keep the runs.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The first clips only.")] = None,
    lexicon: Lexicon = "2026",
    workers: Workers = 1,
    json: Json = False,
) -> None:
    """Compare two tools in one slot on the same clips; the other tools run once."""
    from emer.evals.commands.run import SwapRequest, run_swap

    run_swap(
        SwapRequest(slot, a, b, gold, clips, data, set_name, out, limit, lexicon, workers), json
    )


@app.command()
def fit(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where to put the weights.")],
    gold: Gold = None,
    clips: Clips = None,
    data: Data = None,
    set_name: Set = None,
    runs: Annotated[
        list[Path] | None, typer.Option("--run", metavar="FILE.jsonl", help="Clues of this run.")
    ] = None,
    clues: Annotated[
        str, typer.Option(metavar="FORM", help="Human clues, where the set has them: full, masked.")
    ] = "masked",
    folds: Annotated[int, typer.Option(min=2, help="Folds of the cross-validation.")] = 10,
    seed: Annotated[int, typer.Option(help="Of the folds.")] = 0,
    json: Json = False,
) -> None:
    """Learn cue weights and calibration from labels of your own, cross-validated."""
    from emer.evals.commands.fit import Request, run_fit

    run_fit(Request(out, gold, clips, data, set_name, tuple(runs or ()), clues, folds, seed), json)


@app.command()
def speed(
    clip: Annotated[Path, typer.Argument(help="A clip of about 8 s with a face and speech.")],
    profile: Annotated[
        str, typer.Option(metavar="NAME", help="embedded, or models: tools with a model.")
    ] = "embedded",
    json: Json = False,
    memory: Annotated[bool, typer.Option(help="Also explain a 2-minute loop of the clip.")] = True,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="For models: auto, cpu, cuda or cuda:N.")
    ] = "auto",
    size: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="For models: also large-v3-turbo or qwen2.5-vl-3b, which a GPU measures unasked.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART",
            help="For models: faster-whisper, whisper, asr, blendshapes, deepface, "
            "speech-emotion, captioner or sizes.",
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="For models: turns of each side.")] = 3,
) -> None:
    """Print how fast and how large runs are, as ratios within this one run.

    With --profile models: the tools whose weights are here against their libraries' own examples,
    and large models with random weights, one item after another and in batches. What could not be
    measured stands below, with the reason. Exits with 1 when a goal is not reached.

    A GPU without a network needs the wheels of torch and transformers, and for the tools those of
    faster-whisper, openai-whisper, deepface, werkzeug, nvidia-cublas-cu12 and nvidia-cudnn-cu12
    (pip download -d DIR ...; pip install --no-index -f DIR ...).
    """
    from emer.evals.commands.speed import run_speed
    from emer.evals.speed.models import SpeedRequest

    request = SpeedRequest(clip, device, tuple(size or ()), tuple(only or ()), rounds)
    run_speed(request, profile, memory, json)


def main() -> None:
    """Run the command line."""
    app()
