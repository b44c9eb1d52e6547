"""Options and arguments that several commands of `emer` have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Detail = Literal["brief", "plain", "clues", "all"]
"""Parts of an answer's page: its first line, the explanation, its clues, the run's facts."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON only.")]
JsonSchema = Annotated[bool, typer.Option("--json-schema", help="Print the JSON Schema of --json.")]
SettingsFile = Annotated[
    Path | None,
    typer.Option("--settings", metavar="FILE", help="Settings file instead of ./emer.toml."),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Set of tools: auto (the strongest that is ready), embedded, or models.",
    ),
]
Device = Annotated[
    str | None,
    typer.Option("--device", metavar="NAME", help="Device of models: auto, cpu, cuda, mps."),
]
Weights = Annotated[
    list[str] | None,
    typer.Argument(help="Names from `emer models list`; default: all on this machine."),
]
ClipsAndQuestion = Annotated[
    list[str] | None,
    typer.Argument(metavar="CLIP... [QUESTION]", help="Clips or folders, then the question."),
]
Subtitle = Annotated[
    str | None,
    typer.Option(metavar="TEXT|FILE", help="Spoken words, or a .srt, .vtt or .txt file."),
]
Thread = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Conversation; its runs share questions and answers."),
]
Rows = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Also write rows: .csv, .parquet or .jsonl."),
]
Swaps = Annotated[
    list[str] | None,
    typer.Option(
        "--tool",
        metavar="SLOT=TOOL",
        help="Use another tool for a slot: face=mesh, face=none, face=package.module:Class.",
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
    bool | None, typer.Option("--critic/--no-critic", help="Let the model check its draft.")
]
LlmWhen = Annotated[
    Literal["unsure", "always"] | None,
    typer.Option("--llm-when", help="Use the model only if the rules are unsure, or always."),
]
Language = Annotated[
    Literal["auto", "en", "zh"] | None, typer.Option("--lang", help="Language of the explanation.")
]
Run = Annotated[str, typer.Argument(help='"last", a run id or its beginning, or a trace file.')]
Trust = Annotated[
    bool, typer.Option("--trust", help="Take all settings of a trace from elsewhere: code, models.")
]
Picture = Annotated[
    Path | None, typer.Option("--svg", metavar="FILE", help="Also save the output as SVG.")
]
Spec = Annotated[str, typer.Argument(help="Name of a tool, or package.module:Class.")]
TrialClip = Annotated[
    str | None, typer.Option(metavar="FILE", help="Clip to use; default: the demo clip.")
]
Brief = Annotated[bool, typer.Option("--brief", help="Print the answer's first line alone.")]
Clues = Annotated[bool, typer.Option("--clues", help="Print the table of clues as well.")]
Details = Annotated[bool, typer.Option("--details", help="Print clues and facts of the run, too.")]


def detail_of(*, brief: bool, clues: bool, details: bool) -> Detail:
    """How much of an answer is printed; the most that is asked for."""
    if brief and (clues or details):
        raise typer.BadParameter("--brief prints one line: leave out --clues and --details")
    return "all" if details else "clues" if clues else "brief" if brief else "plain"
