"""`emer-eval`: the EMER benchmark of any system, and the speed and memory of emer.

Nothing heavy is imported before a command needs it.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from emer.evals.options import (
    SPEECH,
    Clips,
    Data,
    Fresh,
    Gold,
    Json,
    JudgeName,
    Lexicon,
    Limit,
    Llm,
    LlmWhen,
    Partial,
    Reasoner,
    Runs,
    Set,
    Weights,
    Workers,
)
from emer.graphs.cli_errors import EvalCommandGroup, command_line, run_command

app = command_line(
    EvalCommandGroup,
    help="Evaluate systems that explain displayed emotion, and measure their speed.",
    epilog="Start with: emer-eval data",
)
data = typer.Typer(help="Data sets of the benchmark.", invoke_without_command=True)
app.add_typer(data, name="data")


@data.callback()
def data_list(context: typer.Context, data: Data = None, json: Json = False) -> None:
    """List the data that are present or missing, and how to get them."""
    if context.invoked_subcommand is None:
        from emer.evals.commands.data import run_list

        run_list(data, json)


@data.command("pull")
def data_pull(
    to: Annotated[Path | None, typer.Option(metavar="DIR", help="Target folder.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="Pull only this file (repeatable).")
    ] = None,
    mirror: Annotated[str | None, typer.Option(metavar="URL", help="Mirror of GitHub.")] = None,
    json: Json = False,
) -> None:
    """Download the official files at pinned commits, and verify them."""
    from emer.evals.commands.data import run_pull

    run_pull(to, tuple(only or ()), mirror, json)


@data.command("write")
def data_write(
    runs: Annotated[list[Path], typer.Argument(help="Traces (.jsonl) or reviews (.json).")],
    to: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the CSV files.")],
    json: Json = False,
) -> None:
    """Write EMER CSV files from runs: reviewed runs become a data set."""
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
        typer.Option(metavar="GROUPER", help="Synonym groups: none, a .zip file, or a chat model."),
    ] = None,
    json: Json = False,
) -> None:
    """Score a file of predictions against human labels, with intervals."""
    from emer.evals.commands.options import SetOptions
    from emer.evals.commands.score import ScoreRequest, run_score

    chosen = SetOptions(data, set_name, gold)
    run_score(ScoreRequest(predictions, chosen, lexicon, partial, judge, groups), json)


@app.command()
def run(
    systems: Annotated[
        list[str],
        typer.Argument(
            help="agent, agent:PROFILE, text, oracle:masked, chat:MODEL, hf:PATH, FILE.csv"
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the JSONL files.")],
    gold: Gold = None,
    clips: Clips = None,
    data: Data = None,
    set_name: Set = None,
    reasoner: Reasoner = None,
    weights: Weights = "",
    llm: Llm = None,
    llm_when: LlmWhen = None,
    limit: Limit = None,
    workers: Workers = 1,
    fresh: Fresh = False,
    json: Json = False,
) -> None:
    """Run systems over clips; an interrupted run is resumed."""
    from emer.evals.commands.options import SetOptions
    from emer.evals.commands.run import RunRequest, run_systems
    from emer.evals.systems.reasoner_options import ReasonerOptions

    options = ReasonerOptions(reasoner, weights, llm, llm_when and llm_when.value)
    chosen = SetOptions(data, set_name, gold, clips)
    run_systems(RunRequest(tuple(systems), out, chosen, options, limit, workers), fresh, json)


@app.command()
def report(
    data: Data = None,
    set_name: Set = None,
    gold: Gold = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Also write .html, .md, .json.")
    ] = None,
    runs: Runs = None,
    against: Annotated[
        str | None, typer.Option(metavar="SYSTEM", help="Compare every system with this one.")
    ] = None,
    reasoner: Reasoner = None,
    weights: Weights = "",
    llm: Llm = None,
    llm_when: LlmWhen = None,
    lexicon: Lexicon = "2026",
    judge: JudgeName = "offline",
    workers: Workers = 2,
    fresh: Fresh = False,
    json: Json = False,
) -> None:
    """Print the leaderboard of the reasoner, stored systems and floors."""
    from emer.evals.commands.options import SetOptions
    from emer.evals.commands.report import ReportRequest, run_report
    from emer.evals.systems.reasoner_options import ReasonerOptions

    options = ReasonerOptions(reasoner, weights, llm, llm_when and llm_when.value)
    chosen = SetOptions(data, set_name, gold)
    request = ReportRequest(
        chosen, tuple(runs or ()), against, options, lexicon, judge, workers, fresh
    )
    run_report(request, out, json)


@app.command()
def grounding(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILE|RUN]...",
            help="Sentences (.json; else our own), runs or traces (.jsonl).",
        ),
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Also print each sentence, and why it was struck.")
    ] = False,
    json: Json = False,
) -> None:
    """Count false sentences that pass the verifier, and true ones that are lost.

    Of runs it scores the citations: coverage, attribution, by modality and seconds.
    """
    from emer.evals.commands.grounding import run_grounding

    run_grounding(tuple(sources or ()), listed, json)


@app.command()
def perception(
    table: Annotated[Path, typer.Argument(metavar="TABLE", help="What people saw (.csv).")],
    clips: Annotated[Path, typer.Argument(metavar="CLIPS", help="Folder of the table's clips.")],
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="Tools: embedded, models or auto.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Also print each clue.")] = False,
    json: Json = False,
) -> None:
    """Compare the agent's clues and labels with what people saw in the clips."""
    from emer.evals.commands.perception import PerceptionRequest, run_perception

    run_perception(PerceptionRequest(table, clips, profile, listed, json))


@app.command()
def swap(
    slot: Annotated[str, typer.Argument(help="face, scene, prosody or speech.")],
    a: Annotated[str, typer.Argument(help="First tool: a name, none, or package.module:Class.")],
    b: Annotated[str, typer.Argument(help="Second tool.")],
    gold: Gold = None,
    clips: Clips = None,
    data: Data = None,
    set_name: Set = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Keep the runs.")] = None,
    limit: Limit = None,
    lexicon: Lexicon = "2026",
    workers: Workers = 1,
    json: Json = False,
) -> None:
    """Compare two tools in one slot on the same clips."""
    from emer.evals.commands.options import SetOptions
    from emer.evals.commands.run import SwapRequest, run_swap

    chosen = SetOptions(data, set_name, gold, clips)
    run_swap(SwapRequest(slot, a, b, chosen, out, limit, lexicon, workers), json)


fit_app = typer.Typer(
    help="Fit cue weights and calibration to your own labels, cross-validated.",
    invoke_without_command=True,
)
app.add_typer(fit_app, name="fit")


@fit_app.callback()
def fit(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder of the weights.")
    ] = None,
    gold: Gold = None,
    clips: Clips = None,
    data: Data = None,
    set_name: Set = None,
    runs: Runs = None,
    clues: Annotated[
        str, typer.Option(metavar="FORM", help="Human clues of the set: full or masked.")
    ] = "masked",
    folds: Annotated[int, typer.Option(min=2, help="Folds of the cross-validation.")] = 10,
    seed: Annotated[int, typer.Option(help="Random seed of the folds.")] = 0,
    json: Json = False,
) -> None:
    """Fit cue weights and calibration to your own labels, cross-validated."""
    if context.invoked_subcommand is not None:
        return
    if out is None:
        raise typer.BadParameter("is missing", param_hint="--out")
    from emer.evals.commands.fit import FitRequest, run_fit
    from emer.evals.commands.options import SetOptions

    chosen = SetOptions(data, set_name, gold, clips)
    run_fit(FitRequest(out, chosen, tuple(runs or ()), clues, folds, seed), json)


@fit_app.command("voice")
def fit_voice(
    source: Annotated[Path, typer.Argument(metavar="DIR", help=SPEECH)],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the model.")],
    json: Json = False,
) -> None:
    """Learn a light model of the voice for the tool functionals, and print its recall.

    The recall is on speakers that a fold left out, within each corpus and across them.
    """
    from emer.evals.commands.voice import run_fit_voice

    run_fit_voice(source, out, json)


class Half(StrEnum):
    """Which speakers of labelled speech."""

    ALL = "all"
    DEVELOPED = "developed"
    HELD = "held"


@app.command()
def voice(
    source: Annotated[Path, typer.Argument(metavar="DIR", help=SPEECH)],
    tool: Annotated[str, typer.Option(metavar="NAME", help="Tool that hears the voice.")] = (
        "egemaps"
    ),
    half: Annotated[Half, typer.Option(help="Half of the speakers, by --seed.")] = Half.ALL,
    seed: Annotated[int, typer.Option(help="Random seed of the halves.")] = 0,
    json: Json = False,
) -> None:
    """Measure what the voice alone tells of labelled speech: arousal and first labels."""
    from emer.evals.commands.voice import VoiceRequest, run_voice

    run_voice(VoiceRequest(source, tool, half.value, seed), json)


@app.command()
def speed(
    clip: Annotated[Path, typer.Argument(help="A clip of about 8 s with a face and speech.")],
    profile: Annotated[
        str, typer.Option(metavar="NAME", help="embedded, or models (tools with a model).")
    ] = "embedded",
    json: Json = False,
    memory: Annotated[bool, typer.Option(help="Also measure memory.")] = True,
    device: Annotated[
        str, typer.Option(metavar="DEVICE", help="For models: auto, cpu, cuda or cuda:N.")
    ] = "auto",
    size: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="For models: large-v3-turbo or qwen2.5-vl-3b; a GPU measures both by default.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART",
            help="For models: faster-whisper, whisper, asr, blendshapes, deepface, "
            "speech-emotion, captioner, long-speech or sizes.",
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="For models: rounds of each side.")] = 3,
) -> None:
    """Measure the speed and memory of runs, as ratios within this run.

    With --profile models: tools with local weights against their libraries' own examples, and
    large models with random weights in batches and one by one. Measures that could not be taken
    are listed with the reason. Exits with 1 when a goal is missed. For a GPU without a network
    see emer/evals/speed/models.py.
    """
    from emer.evals.commands.speed import run_speed
    from emer.evals.speed.models import SpeedRequest

    request = SpeedRequest(clip, device, tuple(size or ()), tuple(only or ()), rounds)
    run_speed(request, profile, memory, json)


@app.command()
def words(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE.csv", help="Columns file, language, words.")
    ],
    tool: Annotated[str, typer.Option(metavar="NAME", help="Speech tool.")] = "faster-whisper",
    argument: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Argument of the tool (repeatable)."),
    ] = None,
    noise: Annotated[
        float | None, typer.Option(metavar="DB", help="Add white noise so far below the sound.")
    ] = None,
    starts: Annotated[
        bool, typer.Option("--starts", help="Also compare word starts of English clips.")
    ] = False,
    limit: Limit = None,
    listed: Annotated[bool, typer.Option("--list", help="Also print each transcript.")] = False,
    json: Json = False,
) -> None:
    """Measure a speech tool's words against those that were said.

    A row without words is a clip without speech: every word stated there is wrong. Word starts are
    compared with a forced alignment of the known words.
    """
    from emer.evals.commands.options import tool_arguments
    from emer.evals.commands.words import WordsRequest, run_words

    arguments = tool_arguments(tuple(argument or ()))
    run_words(WordsRequest(table, tool, arguments, noise, starts, limit), listed, json)


def main() -> None:
    """Run the command line."""
    run_command(app)
