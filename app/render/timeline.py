"""Page of a run: calls and decisions by round, verdicts, explanation, clues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from emer.agents.clue_edits import REVISES
from emer.agents.rules.phrases import STOP_REASONS
from emer.agents.types import Ask, Hypothesis, ModelCall, Recollection
from emer.agents.verification.verifier import Finding
from emer.app.render.answer import clue_table, explanation_table, heading
from emer.app.render.format import WIDE, one_line, seconds, span
from emer.app.render.progress import end_line
from emer.app.render.tables import facts_table, indented, notes, section
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
"""Columns of the bar of a probability of 1."""
WRITING = 1_000
"""Round number of the events after the last decision."""
MOST_HYPOTHESES = 5
"""Leading hypotheses shown of a decision."""
REVIEW_TITLES = {
    "draft": "a person began to review the clues",
    "done": "a person reviewed the clues",
    "earlier": "what a person changed earlier in this thread holds",
}


def run_page(trace: Trace) -> RenderableType:
    """Page of a run, as `emer trace show` prints it."""
    question = trace.started.question if trace.started else ""
    parts = [heading(trace.header, question), _facts(trace), *_rounds(trace)]
    for event in trace.events:
        if isinstance(event, Verified):
            parts.append(_verdicts(event))
    if trace.explanation is not None:
        parts += [section("explanation"), explanation_table(trace.explanation)]
    parts += [section("clues"), clue_table(trace.clues)]
    return Group(*parts, _ending(trace))


def _facts(trace: Trace) -> RenderableType:
    header = trace.header
    commit = f" ({header.git[:8]})" if header.git else ""
    facts = (
        ("run", header.run_id),
        ("began", header.started),
        ("thread", header.thread if header.thread != header.run_id else ""),
        ("tools", ", ".join(f"{slot}={source.tool}" for slot, source in header.tools.items())),
        *((f"auto {slot}", why) for slot, why in header.chosen.items()),
        ("runs on", _hardware(header)),
        ("reasoner", header.reasoner),
        ("emer", header.versions.get("emer", "unknown") + commit),
    )
    return Group(facts_table(facts), *notes(header.clip.notes), Text())


def _hardware(header: Header) -> str:
    """Device of each tool: "whisper on cuda:0 (dtype float16, batch 16)"."""
    parts = []
    for slot, facts in header.hardware.items():
        rest = ", ".join(f"{name} {value}" for name, value in facts.items() if name != "device")
        parts.append(f"{header.tools[slot].tool} on {facts.get('device')} ({rest})")
    return "; ".join(parts)


def _rounds(trace: Trace) -> Iterator[RenderableType]:
    """Each round: the calls that ended in it, then the decision."""
    numbered = sorted(_numbered(trace.events), key=lambda pair: pair[0])  # stable: by time
    for number, events in groupby(numbered, key=lambda pair: pair[0]):
        yield section(f"round {number + 1}" if number < WRITING else "writing")
        for _, event in events:
            yield _event(event)


def _numbered(events: Sequence[Event]) -> Iterator[tuple[int, Event]]:
    """The events of rounds with their round; model calls belong to the next decision."""
    pending: list[Event] = []
    for event in events:
        if isinstance(event, ToolFinished | NothingObserved | ToolFailure):
            yield event.round, event
        elif isinstance(event, Reviewed):
            yield 0, event
        elif isinstance(event, ModelCalled | FellBack | Remembered):
            pending.append(event)
        elif isinstance(event, Decided):
            yield from ((event.round, call) for call in pending)
            yield event.round, event
            pending = []
    yield from ((WRITING, call) for call in pending)


def _event(event: Event) -> RenderableType:
    match event:
        case Reviewed():
            return _review(event)
        case Decided():
            return _decision(event)
        case ToolFinished() | NothingObserved() | ToolFailure():
            details = [Text(f"  note: {one_line(note)}", style="yellow") for note in event.notes]
            return indented([end_line(event), *details])
        case _:
            return indented([_reasoning_step(event)])


def _reasoning_step(event: Event) -> Text:
    match event:
        case ModelCalled():
            return _model_call(event.call)
        case FellBack():
            line = f"the rules take the {event.step.role}'s step: {one_line(event.step.why)}"
            return Text(line, style="yellow")
        case Remembered():
            return _retrieval(event.recollection)
        case _:
            return Text()


def _model_call(call: ModelCall) -> Text:
    mark = {"ok": ("✓", "green"), "faulty": ("·", "yellow"), "failed": ("✗", "red")}[call.outcome]
    why = f"  {one_line(call.why)}" if call.why else ""
    about = "" if call.counted else "about "
    cost = f"  {about}{call.tokens_in} tokens in, {call.tokens_out} out"
    money = f", {call.money:.4f}" if call.money is not None else ""
    title = Text.assemble((f"{call.role:<{WIDE}} ", "bold"), one_line(call.model))
    return Text.assemble(mark, " ", title, why, (f"{cost}{money}, {seconds(call.seconds)}", "dim"))


def _retrieval(retrieval: Recollection) -> Text:
    keys = ", ".join(f"{a.key} {a.score:.2f} ({a.source})" for a in retrieval.analogies)
    line = Text.assemble(("reminded of ", "bold"), one_line(keys or "nothing"))
    if retrieval.trouble:
        line.append(f"  {one_line(retrieval.trouble)}", style="yellow")
    return line


def _review(event: Reviewed) -> RenderableType:
    rewritten = {clue.data.get(REVISES) for clue in event.clues}
    changes = [f"- {id}  rejected" for id in event.struck if id not in rewritten]
    changes += [_written(clue) for clue in event.clues]
    title = Text(REVIEW_TITLES[event.stage], style="bold cyan")
    lines = changes or ["all accepted as they are"]
    return indented([title, *(Text(f"  {line}", style="cyan") for line in lines)])


def _written(clue: Clue) -> str:
    before = f"instead of {clue.data[REVISES]}" if REVISES in clue.data else "added"
    return f"+ {clue.id}  {before}: {span(clue.span)}  {one_line(clue.text)}"


def _decision(event: Decided) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    for hypothesis in event.hypotheses[:MOST_HYPOTHESES]:
        table.add_row(*_hypothesis(hypothesis))
    lines = [Text(f"conflict: {one_line(c.text)}", style="yellow") for c in event.conflicts]
    lines += [Text.assemble(("asks ", "bold"), f"{_ask(a)}: {one_line(a.why)}") for a in event.asks]
    lines += [Text(f"refused: {_ask(r.ask)}: {one_line(r.why)}", "yellow") for r in event.refused]
    lines += (
        [Text(f"stops: {STOP_REASONS[event.stop_reason]}", "bold")] if event.stop_reason else []
    )
    tables = [_folded(table)] if event.hypotheses else []
    return Group(Text(), *tables, _folded(*lines), Text())


def _ask(ask: Ask) -> str:
    question = f' "{one_line(ask.question)}"' if ask.question else ""
    return f"{one_line(ask.tool)} at {span(ask.span)}{question}"


def _folded(*parts: RenderableType) -> RenderableType:
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
    """Number of supported sentences and labels, and a line for each unsupported one."""
    verdict = event.verdicts
    findings = (*verdict.sentences, *verdict.labels, *verdict.alternatives)
    rejected = [_rejected(finding) for finding in findings if finding.status != "supported"]
    supported = len(findings) - len(rejected)
    count = Text(f"{supported} of {len(findings)} sentences and labels follow from their clues")
    return Group(section(f"verifier, attempt {event.attempt}"), _folded(count, *rejected), Text())


def _rejected(finding: Finding) -> Text:
    text = Text.assemble(("✗ ", "red"), (one_line(finding.text), "strike"))
    return text.append(f"  {finding.status}: {one_line(finding.why)}", style="yellow")


def _ending(trace: Trace) -> RenderableType:
    last = trace.events[-1] if trace.events else None
    match last:
        case Finished():
            line = f"finished after {seconds(last.seconds)}: {STOP_REASONS[last.stop_reason]}"
            return Group(*notes(last.notes), Text(line, style="dim"))
        case Paused():
            run = f"emer review {trace.header.run_id}"
            line = f"paused after {seconds(last.seconds)}; it waits for: {run}"
            return Text(line, style="cyan")
        case Interrupted():
            return Text(f"interrupted after {seconds(last.seconds)}", style="yellow")
        case Failed():
            line = f"failed after {seconds(last.seconds)}: {one_line(last.cause)}"
            return Text(line, style="red")
        case _:
            return Text("the run did not end: it was killed, or is still going on", style="red")
