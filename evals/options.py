"""Options shared by the commands of `emer-eval`, as annotated types."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


def option(flag: str, metavar: str | None, help: str, least: int | None = None) -> Any:
    """Option of several commands: flag, name and least value of its value, help."""
    return typer.Option(flag, metavar=metavar, help=help, min=least)


Json = Annotated[bool, option("--json", None, "Print JSON only.")]
Data = Annotated[
    Path | None, option("--data", "DIR", "Data folder; else $EMER_TEST_DATA, ../shared.")
]
Set = Annotated[str | None, option("--set", "NAME", "Data set in the folder.")]
Gold = Annotated[Path | None, option("--gold", "FILE.csv", "Your own labels: name, openset, ...")]
Clips = Annotated[Path | None, option("--clips", "DIR", "Media files of --gold.")]
Lexicon = Annotated[str, option("--lexicon", "YEAR", "Wheel lexicon: 2025 or 2026.")]
Partial = Annotated[bool, option("--partial", None, "Score what matches; absent clips are empty.")]
Workers = Annotated[int, option("--workers", None, "Clips answered in parallel.", least=1)]
Limit = Annotated[int | None, option("--limit", None, "Only the first clips.", least=1)]
Fresh = Annotated[bool, option("--fresh", None, "Discard earlier answers.")]
Runs = Annotated[list[Path] | None, option("--run", "FILE.jsonl", "File of a run (repeatable).")]
Reasoner = Annotated[
    str | None,
    option("--reasoner", "NAME", "Reasoner; else rules on human clues, emer.toml for the agent."),
]
Llm = Annotated[
    str | None, option("--llm", "MODEL", "Reason with this language model, as in `emer ask`.")
]
Weights = Annotated[str, option("--weights", "DIR", "Cue weights written by `emer-eval fit`.")]
JudgeName = Annotated[
    str, option("--judge", "NAME", "Judge: offline, provider:model or package.module:Name.")
]

SPEECH = "Labelled speech: files named as EmoDB's or RAVDESS's, or a CSV (path, label, speaker)."


class When(StrEnum):
    """When a language model is called."""

    UNSURE = "unsure"
    ALWAYS = "always"


LlmWhen = Annotated[
    When | None,
    option("--llm-when", None, "Call the model always, or where the rules are unsure."),
]
