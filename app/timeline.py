"""How a run looks: round by round, what was asked, seen, decided, written and struck out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from emer.agents.types import Hypothesis
from emer.agents.verifier import Finding, Verdict
from emer.app.plain import one_line, seconds, span
from emer.app.progress import end_line
from emer.app.show import STOPS, bullets, clue_table, explanation, heading
from emer.graphs.events import (
    Decided,
    Event,
    Failed,
    Finished,
    Interrupted,
    NothingObserved,
    ToolFailure,
    ToolFinished,
    Verified,
)
from emer.graphs.trace import Trace

BAR = 24
"""Columns of a bar that stands for a probability of 1."""
SHOWN = 5
"""Hypotheses shown of a decision: the leading ones."""


def run_page(trace: Trace) -> RenderableType:
    """Return the whole run as `emer trace show` prints it."""
    question = trace.started.question if trace.started else ""
    parts = [heading(trace.header, question), _facts(trace), *_rounds(trace)]
    for event in trace.events:
        if isinstance(event, Verified):
            parts.append(_verdicts(event))
    if trace.explanation is not None:
        parts += [Rule("explanation", align="left", style="dim"), explanation(trace.explanation)]
    parts += [Rule("clues", align="left", style="dim"), clue_table(trace.clues)]
    return Group(*parts, _ending(trace))


def _facts(trace: Trace) -> RenderableType:
    header = trace.header
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    tools = ", ".join(f"{slot}={source.tool}" for slot, source in header.tools.items())
    for name, value in (
        ("run", header.run_id),
        ("began", header.started),
        ("thread", header.thread if header.thread != header.run_id else ""),
        ("tools", tools),
        ("reasoner", header.reasoner),
        ("emer", _version(trace)),
    ):
        if value:
            table.add_row(name, Text(one_line(value)))
    notes = [Text(f"note: {one_line(note)}", style="yellow") for note in header.clip.notes]
    return Group(table, *notes, Text())


def _version(trace: Trace) -> str:
    commit = f" ({trace.header.git[:8]})" if trace.header.git else ""
    return trace.header.versions.get("emer", "unknown") + commit


def _rounds(trace: Trace) -> Iterator[RenderableType]:
    """Yield each round: the calls that ended in it, then what was decided."""
    within = [event for event in trace.events if _round(event) is not None]
    ordered = sorted(within, key=lambda event: _round(event) or 0)  # stable: time stays
    for number, events in groupby(ordered, key=_round):
        yield Rule(f"round {(number or 0) + 1}", align="left", style="dim")
        for event in events:
            if isinstance(event, ToolFinished | NothingObserved | ToolFailure):
                yield bullets([end_line(event)])
            elif isinstance(event, Decided):
                yield _decision(event)


def _round(event: Event) -> int | None:
    if isinstance(event, ToolFinished | NothingObserved | ToolFailure | Decided):
        return event.round
    return None


def _decision(event: Decided) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    for hypothesis in event.hypotheses[:SHOWN]:
        table.add_row(*_hypothesis(hypothesis))
    told = [Text(f"conflict: {one_line(c.text)}", style="yellow") for c in event.conflicts]
    asks = [
        Text.assemble(("asks ", "bold"), f"{one_line(a.tool)} at {span(a.span)}: {one_line(a.why)}")
        for a in event.asks
    ]
    stop = [Text(f"stops: {STOPS[event.stop_reason]}", "bold")] if event.stop_reason else []
    if event.hypotheses:
        return Group(Text(), _indented(table), _indented(*told, *asks, *stop), Text())
    return Group(Text(), _indented(*told, *asks, *stop), Text())


def _indented(*parts: RenderableType) -> RenderableType:
    table = Table.grid()
    table.add_column(width=2)
    table.add_column(overflow="fold")
    for part in parts:
        table.add_row("", part)
    return table


def _hypothesis(hypothesis: Hypothesis) -> tuple[Text, ...]:
    share = hypothesis.probability
    bar = "━" * round((share or 0.0) * BAR)
    weigh = f"{len(hypothesis.supports)} for, {len(hypothesis.contradicts)} against"
    return (
        Text(one_line(hypothesis.label), style="bold"),
        Text("none" if share is None else f"{share:.2f}"),
        Text(f"{bar:<{BAR}}", style="green"),
        Text(weigh, style="dim"),
    )


def _verdicts(event: Verified) -> RenderableType:
    """Return how many things held and, one by one, those that did not."""
    found = _findings(event.verdicts)
    held = sum(finding.status == "supported" for finding in found)
    title = Rule(f"verifier, attempt {event.attempt}", align="left", style="dim")
    counted = Text(f"{held} of {len(found)} sentences and labels follow from their clues")
    struck = [_struck(finding) for finding in found if finding.status != "supported"]
    return Group(title, _indented(counted, *struck), Text())


def _findings(verdict: Verdict) -> tuple[Finding, ...]:
    return (*verdict.sentences, *verdict.labels, *verdict.alternatives)


def _struck(finding: Finding) -> Text:
    text = Text.assemble(("✗ ", "red"), (one_line(finding.text), "strike"))
    return text.append(f"  {finding.status}: {one_line(finding.why)}", style="yellow")


def _ending(trace: Trace) -> RenderableType:
    last = trace.events[-1] if trace.events else None
    match last:
        case Finished():
            told = f"finished after {seconds(last.seconds)}: {STOPS[last.stop_reason]}"
            notes = [Text(f"note: {one_line(note)}", style="yellow") for note in last.notes]
            return Group(*notes, Text(told, style="dim"))
        case Interrupted():
            return Text(f"interrupted after {seconds(last.seconds)}", style="yellow")
        case Failed():
            told = f"failed after {seconds(last.seconds)}: {one_line(last.cause)}"
            return Text(told, style="red")
        case _:
            return Text("the run did not end: it was killed, or is still going on", style="red")
