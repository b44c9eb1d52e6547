"""`emer demo`: explain the demo clip and compare the clues with its script."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from emer.app.commands.ask import AskRequest, explain_clip
from emer.app.demo_clip import Script, copy_clip, load_script
from emer.app.render.answer import answer_page, answer_record
from emer.app.render.format import list_table, section, unwrapped
from emer.app.render.progress import print_output
from emer.graphs.components import choose, load_tools
from emer.graphs.settings import load_settings
from emer.tools.errors import ConfigError
from emer.tools.text import one_line
from emer.tools.types import Clue, Record

NAMES: Mapping[str, re.Pattern[str]] = {
    "blink": re.compile(r"\bblinks?\b"),
    "brows up": re.compile(r"\braises? the (inner |outer )?(eye)?brows\b"),
    "smile": re.compile(r"\bsmiles?\b"),
}
"""Words of a face clue about each movement of the script."""

ORIGIN = (
    "A portrait (Rear Admiral Grace Hopper, US Navy, public domain), animated by a script, "
    "with a synthetic voice: no person ever did or said this."
)
TOLERANCE = 0.3
"""Most seconds between a scripted movement and a clue about it."""


class Match(Record):
    """A scripted movement and its clue; None if it was missed."""

    movement: str
    units: tuple[int, ...]
    onset: float
    offset: float
    clue: Clue | None = None


def run_demo(keep: Path | None, settings: Path | None, *, json: bool) -> None:
    path = _clip_path(keep, settings)
    load_tools(choose(load_settings(settings)).settings)  # a wrong name fails before the copy
    try:
        copy_clip(path, private=keep is None)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error}") from error
    answer, progress = explain_clip(AskRequest(clip=str(path), settings=settings))
    script = load_script()
    matches = match_script(answer.clues, script)
    record = {
        **answer_record(answer, progress).model_dump(mode="json"),
        "script": matches,
        "words": script.words,
    }
    origin = (Text(ORIGIN, style="dim"), unwrapped(f"clip {one_line(str(path))}"), Text())
    page, comparison = answer_page(answer, progress), _comparison(matches, script)
    print_output(Group(*origin, page, Text(), comparison), record, json=json)


def match_script(clues: Sequence[Clue], script: Script) -> list[Match]:
    """Each scripted movement with the clue that names it and is closest in time."""
    timed = [(clue.span, clue) for clue in clues if clue.span and clue.modality == "face"]
    matches = []
    for action in script.actions:
        near = [
            (abs(span.start - action.onset) + abs(span.end - action.offset), clue.id, clue)
            for span, clue in timed
            if NAMES[action.name].search(clue.text)
            and span.start - TOLERANCE <= action.offset
            and span.end + TOLERANCE >= action.onset
        ]
        matches.append(
            Match(
                movement=action.name,
                units=action.units,
                onset=action.onset,
                offset=action.offset,
                clue=min(near)[2] if near else None,
            )
        )
    return matches


def _clip_path(keep: Path | None, settings: Path | None) -> Path:
    if keep is None:
        return load_settings(settings).home / "demo" / "demo.mp4"
    path = keep / "demo.mp4" if keep.is_dir() else keep
    if path.suffix.lower() != ".mp4":
        raise ConfigError(f"--keep {keep} does not end in .mp4")
    return path


def _comparison(matches: Sequence[Match], script: Script) -> RenderableType:
    table = list_table()
    for column in ("scripted", "action units", "seconds", "found", "clue"):
        table.add_column(column, no_wrap=True)
    for match in matches:
        units = "+".join(map(str, match.units))
        found = (Text("missed", style="red"), Text())
        if match.clue is not None:
            time = _clue_time(match.clue, (match.onset + match.offset) / 2)
            found = (Text(time, style="green"), Text(match.clue.id, style="dim"))
        table.add_row(match.movement, units, f"{match.onset:.2f}-{match.offset:.2f}", *found)
    speech = f'The voice says, from {script.speech_start:.1f} s: "{script.words}"'
    title = section("what was scripted, and what was found")
    return Group(title, table, Text(speech, style="dim"))


def _clue_time(clue: Clue, middle: float) -> str:
    """Time of the clue; of several moments, the one closest to the script."""
    moments = clue.data.get("at")
    if isinstance(moments, list) and moments:
        return f"at {min((float(str(at)) for at in moments), key=lambda at: abs(at - middle)):.1f}"
    return f"{clue.span.start:.2f}-{clue.span.end:.2f}" if clue.span else "missed"
