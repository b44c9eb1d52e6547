"""How a run looks: round by round, what was asked, seen, decided, written and struck out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from emer.agents.clue_edits import REVISES
from emer.agents.rules.phrases import STOP_REASONS
from emer.agents.types import Ask, Hypothesis, ModelCall, Recollection
from emer.agents.verification.verifier import Finding, Verdict
from emer.app.render.answer import bullets, clue_table, explanation, heading
from emer.app.render.format import WIDE, one_line, seconds, span
from emer.app.render.progress import end_line
from emer.graphs.trace.events import (
    Decided,
    Event,
    Failed,
    FellBack,
    Finished,
    Header,
    Interrupted,
    ModelCalled,
    NothingObserved,
    Paused,
    Remembered,
    Reviewed,
    ToolFailure,
    ToolFinished,
    Verified,
)
from emer.graphs.trace.jsonl import Trace
from emer.tools.types import Clue

BAR = 24
"""Columns of a bar that stands for a probability of 1."""
WRITING = 1_000
"""The place of what happens after the last decision."""
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
        *((f"auto {slot}", why) for slot, why in header.chosen.items()),
        ("runs on", _hardware(header)),
        ("reasoner", header.reasoner),
        ("emer", _version(trace)),
    ):
        if value:
            table.add_row(name, Text(one_line(value)))
    notes = [Text(f"note: {one_line(note)}", style="yellow") for note in header.clip.notes]
    return Group(table, *notes, Text())


def _hardware(header: Header) -> str:
    """Return where each tool with a model runs: "whisper on cuda:0 (dtype float16, batch 16)"."""
    told = []
    for slot, facts in header.hardware.items():
        rest = ", ".join(f"{name} {value}" for name, value in facts.items() if name != "device")
        told.append(f"{header.tools[slot].tool} on {facts.get('device')} ({rest})")
    return "; ".join(told)


def _version(trace: Trace) -> str:
    commit = f" ({trace.header.git[:8]})" if trace.header.git else ""
    return trace.header.versions.get("emer", "unknown") + commit


def _rounds(trace: Trace) -> Iterator[RenderableType]:
    """Yield each round: the calls that ended in it, then what was decided."""
    placed = sorted(_placed(trace.events), key=lambda pair: pair[0])  # stable: time stays
    for number, events in groupby(placed, key=lambda pair: pair[0]):
        title = f"round {number + 1}" if number < WRITING else "writing"
        yield Rule(title, align="left", style="dim")
        for _, event in events:
            yield _in_round(event)


def _placed(events: Sequence[Event]) -> Iterator[tuple[int, Event]]:
    """Yield the events of rounds with their round; a model's calls precede its decision."""
    waiting: list[Event] = []
    for event in events:
        if isinstance(event, ToolFinished | NothingObserved | ToolFailure):
            yield event.round, event
        elif isinstance(event, Reviewed):
            yield 0, event
        elif isinstance(event, ModelCalled | FellBack | Remembered):
            waiting.append(event)
        elif isinstance(event, Decided):
            yield from ((event.round, call) for call in waiting)
            yield event.round, event
            waiting = []
    yield from ((WRITING, call) for call in waiting)


def _in_round(event: Event) -> RenderableType:
    match event:
        case Reviewed():
            return _review(event)
        case Decided():
            return _decision(event)
        case ToolFinished() | NothingObserved() | ToolFailure():
            noted = [Text(f"  note: {one_line(note)}", style="yellow") for note in event.notes]
            return bullets([end_line(event), *noted])
        case _:
            return bullets([_line(event)])


def _line(event: Event) -> Text:
    match event:
        case ModelCalled():
            return model_line(event.call)
        case FellBack():
            told = f"the rules take the {event.step.role}'s step: {one_line(event.step.why)}"
            return Text(told, style="yellow")
        case Remembered():
            return memory_line(event.recollection)
        case _:
            return Text()


def model_line(call: ModelCall) -> Text:
    """Return a request to a model on one line: what for, what came of it, what it cost."""
    mark = {"ok": ("✓", "green"), "faulty": ("·", "yellow"), "failed": ("✗", "red")}[call.outcome]
    why = f"  {one_line(call.why)}" if call.why else ""
    about = "" if call.counted else "about "
    cost = f"  {about}{call.tokens_in} tokens in, {call.tokens_out} out"
    money = f", {call.money:.4f}" if call.money is not None else ""
    title = Text.assemble((f"{call.role:<{WIDE}} ", "bold"), one_line(call.model))
    return Text.assemble(mark, " ", title, why, (f"{cost}{money}, {seconds(call.seconds)}", "dim"))


def memory_line(found: Recollection) -> Text:
    """Return what a model was reminded of on one line, or why of nothing."""
    told = ", ".join(f"{a.key} {a.score:.2f} ({a.source})" for a in found.analogies)
    line = Text.assemble(("reminded of ", "bold"), one_line(told or "nothing"))
    return line.append(f"  {one_line(found.trouble)}", style="yellow") if found.trouble else line


REVIEWS = {
    "draft": "a person began to review the clues",
    "done": "a person reviewed the clues",
    "earlier": "what a person changed earlier in this thread holds",
}


def _review(event: Reviewed) -> RenderableType:
    """Return what a person changed: each clue struck out, and each they wrote."""
    again = {clue.data.get(REVISES) for clue in event.clues}
    gone = [f"- {id}  rejected" for id in event.struck if id not in again]
    put = [_put(clue) for clue in event.clues]
    changed = [*gone, *put] or ["all accepted as they are"]
    title = Text(REVIEWS[event.stage], style="bold cyan")
    return bullets([title, *(Text(f"  {line}", style="cyan") for line in changed)])


def _put(clue: Clue) -> str:
    before = f"instead of {clue.data[REVISES]}" if REVISES in clue.data else "added"
    return f"+ {clue.id}  {before}: {span(clue.span)}  {one_line(clue.text)}"


def _decision(event: Decided) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    for hypothesis in event.hypotheses[:SHOWN]:
        table.add_row(*_hypothesis(hypothesis))
    told = [Text(f"conflict: {one_line(c.text)}", style="yellow") for c in event.conflicts]
    asks = [Text.assemble(("asks ", "bold"), f"{_asked(a)}: {one_line(a.why)}") for a in event.asks]
    asks += [Text(f"refused: {_asked(r.ask)}: {one_line(r.why)}", "yellow") for r in event.refused]
    stop = [Text(f"stops: {STOP_REASONS[event.stop_reason]}", "bold")] if event.stop_reason else []
    if event.hypotheses:
        return Group(Text(), _indented(table), _indented(*told, *asks, *stop), Text())
    return Group(Text(), _indented(*told, *asks, *stop), Text())


def _asked(ask: Ask) -> str:
    """Return whom an ask goes to, about when, and what it asks in words if it does."""
    question = f' "{one_line(ask.question)}"' if ask.question else ""
    return f"{one_line(ask.tool)} at {span(ask.span)}{question}"


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
            told = f"finished after {seconds(last.seconds)}: {STOP_REASONS[last.stop_reason]}"
            notes = [Text(f"note: {one_line(note)}", style="yellow") for note in last.notes]
            return Group(*notes, Text(told, style="dim"))
        case Paused():
            run = f"emer review {trace.header.run_id}"
            told = f"paused after {seconds(last.seconds)}; it waits for: {run}"
            return Text(told, style="cyan")
        case Interrupted():
            return Text(f"interrupted after {seconds(last.seconds)}", style="yellow")
        case Failed():
            told = f"failed after {seconds(last.seconds)}: {one_line(last.cause)}"
            return Text(told, style="red")
        case _:
            return Text("the run did not end: it was killed, or is still going on", style="red")
