"""Options shared by `emer-eval` commands: datasets, judges, progress, JSON."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from emer.evals.data.datasets import read_set
from emer.evals.data.locations import DataFolder, DataMissing, data_folder
from emer.evals.data.types import Dataset
from emer.evals.data.wheels import EDITIONS, Edition
from emer.evals.metrics.bootstrap import Estimate
from emer.evals.metrics.open_vocabulary import NO_GROUPS, Grouper
from emer.evals.metrics.wheel import Lexicon
from emer.evals.speed.measure import Measure
from emer.graphs.cli_errors import Terminal
from emer.tools.errors import ConfigError
from emer.tools.runtime.native import hush
from emer.tools.text import escaped, one_line
from emer.tools.types import Param

if TYPE_CHECKING:
    from emer.evals.judges.judge import Judge

Step = Callable[[str], None]


def choose_edition(name: str) -> Edition:
    """Edition of the wheel lexicon; `ConfigError` lists those there are."""
    for edition in EDITIONS:
        if name == edition:
            return edition
    raise ConfigError(f"--lexicon {name}: there are {', '.join(EDITIONS)}")


def tool_arguments(given: Sequence[str]) -> dict[str, Param]:
    """Arguments of a tool from KEY=VALUE; numbers, true and false are read as such."""
    arguments: dict[str, Param] = {}
    for each in given:
        key, equals, value = each.partition("=")
        if not (key and equals):
            raise ConfigError(f"--argument {each}: write KEY=VALUE, as beam=5")
        try:
            read = json.loads(value)
        except ValueError:
            read = value
        arguments[key] = read if isinstance(read, bool | int | float) else value
    return arguments


def open_lexicon(folder: DataFolder, edition: Edition) -> Lexicon | None:
    """Wheel lexicon of an edition; None and a note where its files are missing."""
    try:
        return folder.lexicon(edition)
    except DataMissing as error:
        note(
            "no emotion-wheel scores (M1, M2, levels 1 and 2, hit rate, first label, consistency): "
            f"{error}"
        )
        return None


def choose_judge(name: str) -> Judge:
    """Judge of a name: offline, or a chat model with cached ratings."""
    if name == "offline":
        from emer.evals.judges.judge import OfflineJudge

        return OfflineJudge()
    from emer.agents.llm.providers import load_chat_model
    from emer.evals.judges.chat import ChatJudge, ReplyCache

    return ChatJudge(load_chat_model(name), name, ReplyCache(home_folder() / "judgements.jsonl"))


def choose_grouper(name: str | None) -> Grouper | None:
    """Grouper of a name: none, a zip of groups, or a chat model; None for the wheel."""
    if name is None:
        return None
    if name == "none":
        return NO_GROUPS
    if name.endswith(".zip"):
        from emer.evals.data.wheels import read_groups

        return read_groups(Path(name))
    from emer.agents.llm.providers import load_chat_model
    from emer.evals.judges.chat import ChatGrouper, ReplyCache

    return ChatGrouper(load_chat_model(name), name, ReplyCache(home_folder() / "groups.jsonl"))


@dataclass(frozen=True, slots=True)
class SetOptions:
    """Options that name a dataset: --data, --set, --gold and --clips."""

    data: Path | None = None
    name: str | None = None
    gold: Path | None = None
    clips: Path | None = None

    def open(self) -> tuple[DataFolder, Dataset]:
        folder = data_folder(self.data)
        return folder, read_set(folder, self.name, self.gold, self.clips)


def home_folder() -> Path:
    """Folder of answers, ratings and groups that later commands use again."""
    from emer.graphs.settings import load_settings

    return load_settings().home / "evals"


def print_json(value: Any) -> None:
    """Print a value as JSON, with invisible characters escaped."""
    print(escaped(json.dumps(jsonable(value), indent=2, ensure_ascii=False)))


def jsonable(value: Any) -> Any:
    """Value as JSON can hold it; an estimate becomes value, low and high."""
    if isinstance(value, Estimate):
        return {name: jsonable(part) for name, part in value._asdict().items()}
    if isinstance(value, Mapping):
        return {str(key): jsonable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(part) for part in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def print_measures(measures: Sequence[Measure]) -> None:
    """Print the measures as a Markdown table."""
    print("| measure | value | goal | held | from |\n|---|---|---|---|---|")
    for measure in measures:
        bound = "at most" if measure.at_most else "at least"
        goal = "" if measure.goal is None else f"{bound} {measure.goal:g} {measure.unit}"
        held = ("yes" if measure.held else "**no**") if goal else ""
        value = f"{measure.value:g} {measure.unit}"
        print(f"| {measure.name} | {value} | {goal} | {held} | {measure.detail} |")


def note(text: str) -> None:
    """Print a remark about the input as one line on stderr."""
    print(f"emer-eval: note: {one_line(text)}", file=sys.stderr)


@contextmanager
def progress(title: str, total: int, log: Path | None = None) -> Iterator[Step]:
    """Yield a function that advances a progress bar, which shows on terminals only.

    With `log`, the stderr of native libraries goes to that file in the meantime.
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[last]}", style="dim", markup=False),
    )
    with hush(log) if log is not None else nullcontext(sys.stderr) as stderr:
        console = Terminal(file=stderr)
        hidden = not console.is_terminal
        with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
            task = bar.add_task(one_line(title), total=total, last="")
            yield lambda name: bar.update(task, advance=1, last=one_line(name))
