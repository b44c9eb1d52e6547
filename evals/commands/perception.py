"""`emer-eval perception`: clues and labels against what people see in clips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emer.evals.commands.options import home_folder, note, print_json, progress
from emer.evals.data.perception import read_perception
from emer.evals.metrics.bootstrap import proportion
from emer.evals.metrics.perception import ClipScore, JudgedClue, Seen, Truth, score_clip
from emer.evals.report.tables import Group, Table, show
from emer.graphs.ask import ask
from emer.graphs.settings import load_settings, with_profile
from emer.tools.errors import ConfigError
from emer.tools.text import one_line, printable

TRUTHS: Sequence[Truth] = ("true", "misleading", "false")


@dataclass(frozen=True, slots=True)
class PerceptionRequest:
    """Table of what people saw, the folder of its clips, the tools, the output."""

    table: Path
    clips: Path
    profile: str | None
    listed: bool
    json: bool


def run_perception(request: PerceptionRequest) -> None:
    """Ask about each clip of the table, and print what a person saw of it too."""
    seen = read_perception(request.table)
    absent = [clip for clip in seen if not (request.clips / clip).is_file()]
    for clip in absent:
        note(f"{clip} is not in {request.clips}; its rows are left out")
    if len(absent) == len(seen):
        raise ConfigError(f"{request.clips}: none of the clips of {request.table} is there")
    there = {clip: each for clip, each in seen.items() if clip not in absent}
    scores = list(_scores(there, request))
    if request.json:
        print_json(as_json(scores))
        return
    if request.listed:
        print("\n".join(printable(line) for score in scores for line in _lines(score)) + "\n")
    show(_clip_table(scores))
    show(_clue_table(scores))


def as_json(scores: Sequence[ClipScore]) -> dict[str, Any]:
    """Counts in all and by tool, and every clip with its judged clues."""
    return {
        "clips": [_clip_json(score) for score in scores],
        "clues": dict(_truths(scores)),
        "by_tool": {tool: dict(_truths(scores, tool)) for tool in _tools(scores)},
        **{name: {"right": right, "of": whole} for name, right, whole in _shares(scores)},
    }


def _scores(seen: Mapping[str, Seen], request: PerceptionRequest) -> Iterator[ClipScore]:
    settings = load_settings()
    if request.profile is not None:
        settings = with_profile(settings, request.profile)
    with progress("perception", len(seen), home_folder() / "perception.log") as step:
        for clip, own in seen.items():
            try:
                answer = ask(request.clips / clip, settings=settings)
            except ConfigError as error:
                note(f"{clip}: {one_line(str(error))}")
            else:
                labels = [label.name for label in answer.explanation.labels]
                yield score_clip(own, answer.clues, labels)
            step(clip)


def _shares(scores: Sequence[ClipScore]) -> Iterator[tuple[str, int, int]]:
    """Name, number right and number of the clips that a question is put to."""
    asked: Mapping[str, list[bool | None]] = {
        "main_expression_found": [score.found for score in scores],
        "first_label_right": [score.first for score in scores],
        "a_label_right": [score.any for score in scores],
        "people_counted": [score.counted for score in scores],
    }
    for name, answers in asked.items():
        known = [answer for answer in answers if answer is not None]
        yield name, sum(known), len(known)
    yield "abstained", sum(score.abstained for score in scores), len(scores)


def _truths(scores: Sequence[ClipScore], tool: str | None = None) -> Counter[Truth]:
    return sum((score.truths(tool) for score in scores), Counter())


def _tools(scores: Sequence[ClipScore]) -> list[str]:
    return sorted({each.clue.source.tool for score in scores for each in score.clues})


def _clip_table(scores: Sequence[ClipScore]) -> Table:
    rows = [[name.replace("_", " "), _cell(part, whole)] for name, part, whole in _shares(scores)]
    lead = "Clips of the table, with 95 % Wilson intervals."
    return Table("Clips", lead, ["", "clips"], [Group("", rows)])


def _clue_table(scores: Sequence[ClipScore]) -> Table:
    tools: Sequence[str | None] = (*_tools(scores), None)
    rows = []
    for tool in tools:
        counts = _truths(scores, tool)
        judged = sum(counts[truth] for truth in TRUTHS)
        shares = [_cell(counts[truth], judged) for truth in TRUTHS]
        rows.append([tool or "all", *shares, str(counts["unjudged"])])
    lead = (
        "Clues on what is seen: true if a person saw the same for at least half of their time, "
        "misleading if for less; not judged where the table has no row of it."
    )
    titles = ["tool", *TRUTHS, "not judged"]
    return Table("Clues", lead, titles, [Group("", rows)])


def _cell(part: int, whole: int) -> str:
    if not whole:
        return ""
    share, low, high = (100 * value for value in proportion(part, whole))
    return f"{part} of {whole}, {share:.0f} % ({low:.0f} to {high:.0f})"


def _lines(score: ClipScore) -> Iterator[str]:
    first = {True: "right", False: "wrong", None: "not judged"}[score.first]
    yield f"{score.clip}: {', '.join(score.labels) or 'no label'} (first: {first})"
    yield from (f"  {each.truth}: {each.clue.text}" for each in score.clues)


def _clip_json(score: ClipScore) -> dict[str, Any]:
    return {
        "clip": score.clip,
        "labels": score.labels,
        "first_label_right": score.first,
        "a_label_right": score.any,
        "main_expression_found": score.found,
        "people": score.people,
        "people_counted": score.counted,
        "clues": [_clue_json(each) for each in score.clues],
    }


def _clue_json(each: JudgedClue) -> dict[str, Any]:
    clue = each.clue
    span = [clue.span.start, clue.span.end] if clue.span else None
    return {"truth": each.truth, "tool": clue.source.tool, "span": span, "text": clue.text}
