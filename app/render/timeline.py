"""Page of a run: calls and decisions by round, verdicts, explanation, clues."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from emer.agents.clue_edits import REVISES
from emer.agents.rules.passages import markers
from emer.agents.rules.phrases import STOP_REASONS
from emer.agents.types import Ask, ModelCall, Recollection
from emer.app.render.answer import clue_table, explanation_page, title, verdicts
from emer.app.render.format import (
    WIDE,
    facts_table,
    folded,
    indented,
    notes,
    seconds,
    section,
    span,
)
from emer.app.render.progress import end_line
from emer.graphs.trace import events
from emer.graphs.trace.jsonl import Trace
from emer.tools.text import one_line

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
    parts = [title(trace.header, trace.question), _facts(trace), *_rounds(trace)]
    parts += [verdicts(event) for event in trace.events if isinstance(event, events.Verified)]
    if trace.explanation is not None:
        parts += [section("explanation"), explanation_page(trace.explanation)]
    names = markers(trace.explanation) if trace.explanation else None
    parts += [section("clues"), clue_table(trace.clues, names)]
    return Group(*parts, _ending(trace))


def _facts(trace: Trace) -> RenderableType:
    header = trace.header
    commit = f" ({header.git[:8]})" if header.git else ""
    parts = []  # "whisper on cuda:0 (dtype float16, batch 16)"
    for slot, hardware in header.hardware.items():
        rest = ", ".join(f"{name} {value}" for name, value in hardware.items() if name != "device")
        parts.append(f"{header.tools[slot].tool} on {hardware.get('device')} ({rest})")
    facts = (
        ("run", header.run_id),
        ("began", header.started),
        ("thread", header.thread if header.thread != header.run_id else ""),
        ("tools", ", ".join(f"{slot}={source.tool}" for slot, source in header.tools.items())),
        *((f"auto {slot}", why) for slot, why in header.chosen.items() if slot in header.tools),
        ("runs on", "; ".join(parts)),
        ("reasoner", header.reasoner),
        ("emer", header.versions.get("emer", "unknown") + commit),
    )
    return Group(facts_table(facts), *notes(header.clip.notes), Text())


def _rounds(trace: Trace) -> Iterator[RenderableType]:
    """Each round: the calls that ended in it, then the models' calls and the decision."""
    rounds: dict[int, list[events.Event]] = defaultdict(list)
    pending: list[events.Event] = []
    for event in trace.events:
        match event:
            case events.ToolFinished() | events.NothingObserved() | events.ToolFailure():
                rounds[event.round].append(event)
            case events.Reviewed():
                rounds[0].append(event)
            case events.ModelCalled() | events.FellBack() | events.Remembered():
                pending.append(event)
            case events.Decided():
                rounds[event.round] += [*pending, event]
                pending = []
    if pending:
        rounds[WRITING] = pending
    for number in sorted(rounds):
        yield section(f"round {number + 1}" if number < WRITING else "writing")
        yield from map(_event, rounds[number])


def _event(event: events.Event) -> RenderableType:
    lines: list[Text] = []
    match event:
        case events.Reviewed():
            return _review(event)
        case events.Decided():
            return _decision(event)
        case events.ToolFinished() | events.NothingObserved() | events.ToolFailure():
            details = [Text(f"  note: {one_line(note)}", style="yellow") for note in event.notes]
            lines = [end_line(event), *details]
        case events.ModelCalled():
            lines = [_model_call(event.call)]
        case events.FellBack():
            line = f"the rules take the {event.step.role}'s step: {one_line(event.step.why)}"
            lines = [Text(line, style="yellow")]
        case events.Remembered():
            lines = [_retrieval(event.recollection)]
    return indented(lines)


def _model_call(call: ModelCall) -> Text:
    mark = {"ok": ("✓", "green"), "faulty": ("·", "yellow"), "failed": ("✗", "red")}[call.outcome]
    why = f"  {one_line(call.why)}" if call.why else ""
    about = "" if call.counted else "about "
    form = f", reply form {call.form}" if call.form else ""
    cost = f"  {about}{call.tokens_in} tokens in, {call.tokens_out} out"
    money = f", {call.money:.4f}" if call.money is not None else ""
    title = Text.assemble((f"{call.role:<{WIDE}} ", "bold"), one_line(call.model))
    return Text.assemble(
        mark, " ", title, why, (f"{cost}{money}, {seconds(call.seconds)}{form}", "dim")
    )


def _retrieval(retrieval: Recollection) -> Text:
    keys = ", ".join(f"{a.key} {a.score:.2f} ({a.source})" for a in retrieval.analogies)
    line = Text.assemble(("reminded of ", "bold"), one_line(keys or "nothing"))
    if retrieval.trouble:
        line.append(f"  {one_line(retrieval.trouble)}", style="yellow")
    return line


def _review(event: events.Reviewed) -> RenderableType:
    rewritten = {clue.data.get(REVISES) for clue in event.clues}
    changes = [f"- {id}  rejected" for id in event.struck if id not in rewritten]
    for clue in event.clues:
        before = f"instead of {clue.data[REVISES]}" if REVISES in clue.data else "added"
        changes.append(f"+ {clue.id}  {before}: {span(clue.span)}  {one_line(clue.text)}")
    title = Text(REVIEW_TITLES[event.stage], style="bold cyan")
    lines = changes or ["all accepted as they are"]
    return indented([title, *(Text(f"  {line}", style="cyan") for line in lines)])


def _decision(event: events.Decided) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    for hypothesis in event.hypotheses[:MOST_HYPOTHESES]:
        share = hypothesis.probability
        table.add_row(
            Text(one_line(hypothesis.label), style="bold"),
            Text("none" if share is None else f"{share:.2f}"),
            Text(f"{'━' * round((share or 0.0) * BAR):<{BAR}}", style="green"),
            Text(f"{len(hypothesis.supports)} for, {len(hypothesis.contradicts)} against", "dim"),
        )
    lines = [Text(f"conflict: {one_line(c.text)}", style="yellow") for c in event.conflicts]
    lines += [Text.assemble(("asks ", "bold"), f"{_ask(a)}: {one_line(a.why)}") for a in event.asks]
    lines += [Text(f"refused: {_ask(r.ask)}: {one_line(r.why)}", "yellow") for r in event.refused]
    if event.stop_reason:
        lines.append(Text(f"stops: {STOP_REASONS[event.stop_reason]}", "bold"))
    tables = [folded(table)] if event.hypotheses else []
    return Group(Text(), *tables, folded(*lines), Text())


def _ask(ask: Ask) -> str:
    question = f' "{one_line(ask.question)}"' if ask.question else ""
    return f"{one_line(ask.tool)} at {span(ask.span)}{question}"


def _ending(trace: Trace) -> RenderableType:
    event = trace.events[-1] if trace.events else None
    match event:
        case events.Finished():
            line = f"finished after {seconds(event.seconds)}: {STOP_REASONS[event.stop_reason]}"
            return Group(*notes(event.notes), Text(line, style="dim"))
        case events.Paused():
            run = f"emer review {trace.header.run_id}"
            line = f"paused after {seconds(event.seconds)}; it waits for: {run}"
            return Text(line, style="cyan")
        case events.Interrupted():
            return Text(f"interrupted after {seconds(event.seconds)}", style="yellow")
        case events.Failed():
            line = f"failed after {seconds(event.seconds)}: {one_line(event.cause)}"
            return Text(line, style="red")
        case _:
            return Text("the run did not end: it was killed, or is still going on", style="red")
