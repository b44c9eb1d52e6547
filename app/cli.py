"""The `emer` command. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from emer.graphs.cli_errors import CommandGroup

app = typer.Typer(
    cls=CommandGroup,
    name="emer",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    help="Explains the emotion a person displays in a video clip, and shows its evidence.",
    epilog="Start with: emer demo",
)
tools = typer.Typer(no_args_is_help=True, help="The tools that watch and listen.")
trace = typer.Typer(no_args_is_help=True, help="What happened in earlier runs.")
models = typer.Typer(no_args_is_help=True, help="The weights of the tools that have a model.")
memory = typer.Typer(
    no_args_is_help=True, help="What a language model is reminded of: analogies, never evidence."
)
app.add_typer(tools, name="tools")
app.add_typer(models, name="models")
app.add_typer(trace, name="trace")
app.add_typer(memory, name="memory")

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
SettingsFile = Annotated[
    Path | None, typer.Option("--settings", metavar="FILE", help="Settings instead of ./emer.toml.")
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="The set of tools to use: embedded, models, or auto (the strongest that is ready).",
    ),
]
Device = Annotated[
    str | None,
    typer.Option("--device", metavar="NAME", help="Where models run: auto, cpu, cuda, mps."),
]
Weights = Annotated[
    list[str] | None, typer.Argument(help="Names as `emer models list` has them; none: all here.")
]
Swaps = Annotated[
    list[str] | None,
    typer.Option(
        "--tool",
        metavar="SLOT=TOOL",
        help="Put another tool in a slot: face=mesh, face=none, face=package.module:Class.",
    ),
]
Llm = Annotated[
    str | None,
    typer.Option(
        "--llm",
        metavar="MODEL",
        help="Reason with a language model: openai:NAME, anthropic:NAME, ollama:NAME, "
        "hf:ORG/NAME, NAME@http://host:port/v1.",
    ),
]
Critic = Annotated[
    bool | None, typer.Option("--critic/--no-critic", help="Let the model check the draft, too.")
]


class When(StrEnum):
    """When a language model is asked."""

    UNSURE = "unsure"
    ALWAYS = "always"


class Tongue(StrEnum):
    """The language of the prompts and of the explanation."""

    AUTO = "auto"
    EN = "en"
    ZH = "zh"


LlmWhen = Annotated[
    When | None,
    typer.Option("--llm-when", help="Ask the model only where the rules are unsure, or always."),
]
Language = Annotated[Tongue | None, typer.Option("--lang", help="The language to explain in.")]
Run = Annotated[str, typer.Argument(help='"last", a run id or its beginning, or a .jsonl file.')]
Picture = Annotated[
    Path | None, typer.Option("--svg", metavar="FILE", help="Also draw what is shown to a file.")
]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"emer {version('emer')}")
        raise typer.Exit


@app.callback()
def _emer(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command()
def demo(
    keep: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Where to put the clip (.mp4).")
    ] = None,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Explain a short clip whose truth is known, and compare."""
    from emer.app.commands.demo import run_demo

    run_demo(keep, settings, json=json)


@app.command()
def ask(
    clip: Annotated[str, typer.Argument(help="A video or sound file.")],
    question: Annotated[str | None, typer.Argument(help="What you want to know.")] = None,
    subtitle: Annotated[
        str | None,
        typer.Option(metavar="TEXT|FILE", help="What is said: the words, or .srt, .vtt, .txt."),
    ] = None,
    tool: Swaps = None,
    profile: Profile = None,
    device: Device = None,
    thread: Annotated[
        str | None, typer.Option(metavar="NAME", help="Runs of one thread remember each other.")
    ] = None,
    llm: Llm = None,
    llm_when: LlmWhen = None,
    critic: Critic = None,
    language: Language = None,
    review: Annotated[
        bool, typer.Option("--review", help="Wait until you have looked at the first clues.")
    ] = False,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Explain the emotion that is displayed in a clip."""
    from emer.app.commands.ask import Request, run_ask
    from emer.graphs.loading import Thinking

    thinking = Thinking(llm, llm_when and llm_when.value, critic, language and language.value)
    swaps = tuple(tool or ())
    asked = Request(
        clip, question, subtitle, swaps, profile, device, thread, settings, thinking, review
    )
    run_ask(asked, json)


@app.command()
def review(
    run: Run = "last",
    accept: Annotated[
        bool, typer.Option("--accept", help="Go on; clues you do not name are right as they are.")
    ] = False,
    reject: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Strike a clue out.")
    ] = None,
    edit: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=TEXT", help='Put a clue differently: "ID=She smiles. @1.2-2.0".'),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODALITY:TEXT", help='Add what no tool saw: "face: She winks. @1.2-2.0".'
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="EDITS.json", help="Edits written down in a file.")
    ] = None,
    clip: Annotated[
        str | None, typer.Option(metavar="FILE", help="Where the clip is now, if it was moved.")
    ] = None,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Look at the clues of a run that --review paused, and let it go on."""
    from emer.app.commands.review import Review, run_review

    edits = tuple(reject or ()), tuple(edit or ()), tuple(add or ())
    run_review(Review(run, accept, *edits, file, clip, settings), json=json)


@tools.command("list")
def tools_list(json: Json = False, settings: SettingsFile = None) -> None:
    """List the tools there are, what they observe, and which are ready."""
    from emer.app.commands.tools import run_list

    run_list(settings, json=json)


@tools.command("check")
def tools_check(
    spec: Annotated[str, typer.Argument(help="A tool's name, or package.module:Class.")],
    clip: Annotated[
        str | None, typer.Option(metavar="FILE", help="A clip to try it on, else the demo's.")
    ] = None,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Check that a tool keeps the contract; exit code 1 if it does not."""
    from emer.app.commands.tools import run_check

    run_check(spec, clip, settings, json=json)


@tools.command("bench")
def tools_bench(
    spec: Annotated[str, typer.Argument(help="A tool's name, or package.module:Class.")],
    clip: Annotated[
        str | None, typer.Option(metavar="FILE", help="A clip to try it on, else the demo's.")
    ] = None,
    at_once: Annotated[
        str, typer.Option(metavar="N,N", help="How many looks at the same time, in turn.")
    ] = "1,2,4,8",
    batches: Annotated[
        str, typer.Option(metavar="N,N", help="Batches to try, of a tool with a model.")
    ] = "1,2,4,8",
    device: Device = None,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Print how fast a tool is, alone, several looks at once and by batch, and its memory."""
    from emer.app.commands.tools import run_bench

    run_bench(spec, clip, (at_once, batches), device, settings, json=json)


@models.command("list")
def models_list(json: Json = False, settings: SettingsFile = None) -> None:
    """List the weights there are, their size and licence, and where they lie."""
    from emer.app.commands.models import run_list

    run_list(settings, json=json)


@models.command("pull")
def models_pull(
    names: Annotated[
        list[str], typer.Argument(help="Names of the list, a tool's name, or ORG/NAME[@REVISION].")
    ],
    mirror: Annotated[
        str | None, typer.Option(metavar="URL", help="A host that serves what the original does.")
    ] = None,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Download weights and check them; a repository that broke off goes on with missing files."""
    from emer.app.commands.models import run_pull

    run_pull(names, mirror, settings, json=json)


@models.command("verify")
def models_verify(names: Weights = None, json: Json = False, settings: SettingsFile = None) -> None:
    """Read weights byte by byte and compare; exit code 1 if something is damaged."""
    from emer.app.commands.models import run_verify

    run_verify(tuple(names or ()), settings, json=json)


@trace.command("list")
def trace_list(json: Json = False, settings: SettingsFile = None) -> None:
    """List the runs, the newest first."""
    from emer.app.commands.trace import run_list

    run_list(settings, json=json)


@trace.command("show")
def trace_show(
    run: Run = "last", svg: Picture = None, json: Json = False, settings: SettingsFile = None
) -> None:
    """Show a run: its rounds, tools, decisions, verdicts and explanation."""
    from emer.app.commands.trace import run_show

    run_show(run, svg, settings, json=json)


@trace.command("diff")
def trace_diff(a: Run, b: Run, json: Json = False, settings: SettingsFile = None) -> None:
    """Show what differs between two runs."""
    from emer.app.commands.trace import run_diff

    run_diff(a, b, settings, json=json)


@memory.command("add")
def memory_add(run: Run, json: Json = False, settings: SettingsFile = None) -> None:
    """Keep an explained run as an exemplar: its clues, labels and explanation, no frames."""
    from emer.app.commands.memory import run_add

    run_add(run, settings, json=json)


@memory.command("list")
def memory_list(json: Json = False, settings: SettingsFile = None) -> None:
    """List the cards and the exemplars, each with its source."""
    from emer.app.commands.memory import run_list

    run_list(settings, json=json)


@memory.command("search")
def memory_search(
    text: Annotated[
        str, typer.Argument(help='What is displayed ("smiles and looks down"), or an emotion.')
    ],
    most: Annotated[int, typer.Option("--most", min=1, help="How many to show.")] = 3,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Show what a model would be reminded of."""
    from emer.app.commands.memory import run_search

    run_search(text, most, settings, json=json)


@memory.command("remove")
def memory_remove(
    key: Annotated[str, typer.Argument(help="An exemplar's key, or its beginning.")],
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Forget an exemplar."""
    from emer.app.commands.memory import run_remove

    run_remove(key, settings, json=json)


@memory.command("status")
def memory_status(json: Json = False, settings: SettingsFile = None) -> None:
    """Show what the memory holds and what embeds it."""
    from emer.app.commands.memory import run_status

    run_status(settings, json=json)


@trace.command("whatif")
def trace_whatif(
    run: Run = "last",
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Leave out face, scene, prosody, speech, or a tool."),
    ] = None,
    without_clue: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Leave out a single clue.")
    ] = None,
    llm: Llm = None,
    rules: Annotated[bool, typer.Option("--rules", help="Let the rules reason anew.")] = False,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Show what a run would have come to without some of its clues; no tool runs."""
    from emer.app.commands.trace import Thinker, run_whatif

    run_whatif(run, without or (), without_clue or (), Thinker(llm, rules), settings, json=json)


@app.command()
def doctor(
    profile: Profile = None,
    device: Device = None,
    json: Json = False,
    settings: SettingsFile = None,
) -> None:
    """Check the installation; exit code 1 if something needed is missing."""
    from emer.app.commands.doctor import run_doctor

    run_doctor(settings, profile, device, json=json)


def main() -> None:
    """Run the command line."""
    sys.exit(app())
