"""`emer demo`: copy the clip, explain it, and compare the clues with the script."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from emer.app.commands.ask import Request, carry_out
from emer.app.demo_clip import Action, Script, copy_clip, load_script
from emer.app.render.answer import answer_page, answer_record, unbroken
from emer.app.render.format import one_line, to_json
from emer.app.render.progress import print_result
from emer.graphs.loading import choose, load_tools
from emer.graphs.settings import load_settings
from emer.tools.errors import ConfigError
from emer.tools.types import Clue, Record

NAMES: Mapping[str, re.Pattern[str]] = {
    "blink": re.compile(r"\bblinks?\b"),
    "brows up": re.compile(r"\braises? the (inner |outer )?(eye)?brows\b"),
    "smile": re.compile(r"\bsmiles?\b"),
}
"""How a clue about a face names each movement of the script."""

NEAR = 0.3
"""Seconds between a scripted movement and a clue that may still be about it."""


class Match(Record):
    """A scripted movement, and the clue that found it (None: it was missed)."""

    movement: str
    units: tuple[int, ...]
    onset: float
    offset: float
    clue: Clue | None = None


def run_demo(keep: Path | None, settings: Path | None, *, json: bool) -> None:
    """Copy the clip out, explain it and print script and answer."""
    path = _place(keep, settings)
    load_tools(choose(load_settings(settings)).settings)  # a wrong name fails before the copy
    try:
        copy_clip(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error}") from error
    answer, heard = carry_out(Request(clip=str(path), settings=settings))
    script = load_script()
    found = matches(answer.clues, script)
    if json:
        truth = [match.model_dump(mode="json") for match in found]
        print(to_json({**answer_record(answer, heard), "script": truth, "words": script.words}))
        return
    page = answer_page(answer, heard.header, heard.question)
    print_result(Group(_opening(path), page, Text(), _comparison(found, script)))


def matches(clues: Sequence[Clue], script: Script) -> list[Match]:
    """Return each scripted movement with the clue that names it and is closest in time."""
    return [
        Match(
            movement=action.name,
            units=action.units,
            onset=action.onset,
            offset=action.offset,
            clue=_closest(action, clues),
        )
        for action in script.actions
    ]


def _closest(action: Action, clues: Sequence[Clue]) -> Clue | None:
    named = [
        (abs(clue.span.start - action.onset) + abs(clue.span.end - action.offset), clue.id, clue)
        for clue in clues
        if clue.span is not None
        and clue.modality == "face"
        and NAMES[action.name].search(clue.text)
        and clue.span.start - NEAR <= action.offset
        and clue.span.end + NEAR >= action.onset
    ]
    return min(named)[2] if named else None


def _place(keep: Path | None, settings: Path | None) -> Path:
    if keep is None:
        return load_settings(settings).home / "demo" / "demo.mp4"
    path = keep / "demo.mp4" if keep.is_dir() else keep
    if path.suffix.lower() != ".mp4":
        raise ConfigError(f"--keep {keep} does not end in .mp4")
    return path


def _opening(path: Path) -> RenderableType:
    told = (
        "A still portrait (Rear Admiral Grace Hopper, US Navy, public domain) was made to move "
        "by a script, and a synthetic voice says words of ours: nobody ever did or said this."
    )
    return Group(Text(told, style="dim"), unbroken(f"clip {one_line(str(path))}"), Text())


def _comparison(found: Sequence[Match], script: Script) -> RenderableType:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), header_style="bold")
    for column in ("scripted", "action units", "seconds", "found", "clue"):
        table.add_column(column, no_wrap=True)
    for match in found:
        table.add_row(*_row(match))
    speech = f'The voice says, from {script.speech_start:.1f} s: "{script.words}"'
    title = Rule("what was scripted, and what was found", align="left", style="dim")
    return Group(title, table, Text(speech, style="dim"))


def _row(match: Match) -> tuple[Text, ...]:
    units = "+".join(str(unit) for unit in match.units)
    scripted = (Text(match.movement), Text(units), Text(f"{match.onset:.2f}-{match.offset:.2f}"))
    if match.clue is None:
        return (*scripted, Text("missed", style="red"), Text())
    return (*scripted, Text(_seen(match), style="green"), Text(match.clue.id, style="dim"))


def _seen(match: Match) -> str:
    """Return when the clue says it was: of several moments, the closest to the script."""
    clue, middle = match.clue, (match.onset + match.offset) / 2
    if clue is None or clue.span is None:
        return "missed"
    moments = clue.data.get("at")
    if isinstance(moments, list) and moments:
        return f"at {min((float(str(at)) for at in moments), key=lambda at: abs(at - middle)):.1f}"
    return f"{clue.span.start:.2f}-{clue.span.end:.2f}"
