"""Page and JSON record of an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from emer.agents.rules.passages import (
    Part,
    Passage,
    cited,
    heading,
    markers,
    passages,
)
from emer.agents.rules.phrases import STOP_REASONS
from emer.agents.types import Explanation
from emer.agents.verification.verifier import Finding
from emer.app.options import Detail
from emer.app.render.format import (
    facts_table,
    folded,
    list_table,
    notes,
    seconds,
    section,
    span,
    unwrapped,
)
from emer.graphs.trace.events import Header, Verified
from emer.tools.text import one_line, printable
from emer.tools.types import Clue

if TYPE_CHECKING:
    from emer.app.render.progress import Progress
    from emer.graphs.answer import Answer, AnswerRecord

MODALITY_STYLE = {"face": "magenta", "scene": "blue", "audio": "yellow", "text": "cyan"}


def answer_page(answer: Answer, progress: Progress, detail: Detail = "plain") -> RenderableType:
    """Page of an answer, as `emer ask` prints it."""
    if detail == "brief":
        return Text(one_line(answer.line))
    parts = [explanation_page(answer.explanation)]
    if detail in ("clues", "all"):
        parts.append(clue_table(answer.clues, markers(answer.explanation)))
    if detail == "all":
        parts += [verdicts(event) for event in progress.verified]
        parts += [section("run"), *progress.calls, Text(), _facts(answer, progress)]
    parts += notes(answer.notes)
    if answer.tools_line:
        parts.append(Text(one_line(answer.tools_line), style="dim"))
    if detail != "all":
        parts.append(unwrapped(f"run {answer.run_id}; more: emer trace show {answer.run_id}"))
    return Group(*parts)


def answer_record(answer: Answer, progress: Progress) -> AnswerRecord:
    """JSON record of an answer, as `emer ask --json` prints it."""
    clip = progress.header.clip if progress.header else None
    return answer.record.model_copy(update={"clip": clip})


def title(header: Header, question: str) -> RenderableType:
    """Name and length of the clip, and the question."""
    length = Text(f"  {seconds(header.clip.duration)}", style="dim")
    name = Text.assemble((one_line(header.clip.name), "bold"), length)
    return Group(name, Text(one_line(question), style="italic"), Text())


def explanation_page(explanation: Explanation) -> RenderableType:
    """The answer, the explanation in paragraphs, labels and what is missing."""
    names = markers(explanation)
    first, *rest = passages(explanation)
    lines: list[RenderableType] = [_paragraph(first, names, "bold")]
    blocks = [_paragraph(passage, names) for passage in rest if passage.kind == "block"]
    for block in blocks:
        lines.append(Padding(block, (1, 0, 0, 0)))
    lists = [passage for passage in rest if passage.kind != "block"]
    if lists and blocks:
        lines.append(Text())
    lines += [_listed(passage, names, explanation) for passage in lists]
    return Group(*lines)


def clue_table(clues: Sequence[Clue], names: Mapping[str, str] | None = None) -> RenderableType:
    """Table of clues, one row each: marker, id, time, sentence, quality, tool."""
    if not clues:
        return Text("No clues.\n", style="dim")
    table = empty_clue_table(first="" if names else None)
    for clue in clues:
        marker = [Text((names or {}).get(clue.id, ""))] if names else []
        table.add_row(*marker, *clue_cells(clue))
    return table


def empty_clue_table(*, first: str | None = None) -> Table:
    """Table of clues without rows; `first` is the heading of a column in front."""
    table = list_table()
    if first is not None:
        table.add_column(first, no_wrap=True, justify="right")
    table.add_column("clue", no_wrap=True)
    table.add_column("seconds", no_wrap=True, justify="right")
    table.add_column("what is displayed", overflow="fold", ratio=1)
    table.add_column("quality", justify="right")
    table.add_column("tool", no_wrap=True, style="dim")
    return table


def clue_cells(clue: Clue, style: str = "") -> tuple[Text, ...]:
    """Row of a clue; `style` is for its id, time and sentence."""
    return (
        Text(clue.id, style=style or MODALITY_STYLE[clue.modality]),
        Text(span(clue.span).removesuffix(" s") if clue.span else "all", style=style),
        Text(one_line(clue.text), style=style),
        Text(f"{clue.quality.score:.2f}"),
        Text(one_line(clue.source.tool)),
    )


def verdicts(event: Verified) -> RenderableType:
    """Number of supported sentences and labels, and what becomes of each other one."""
    verdict = event.verdicts
    findings = (*verdict.sentences, *verdict.labels, *verdict.alternatives)
    lost = [finding for finding in findings if finding.status != "supported"]
    rejected = [line for finding in lost for line in _rejected(finding)]
    supported = len(findings) - len(lost)
    count = Text(f"{supported} of {len(findings)} sentences and labels follow from their clues")
    return Group(section(f"verifier, attempt {event.attempt}"), folded(count, *rejected), Text())


def _rejected(finding: Finding) -> Iterator[Text]:
    outcome = f"{finding.outcome}, " if finding.outcome else ""
    why = f"  {outcome}{finding.status}: {one_line(finding.why)}"
    yield Text.assemble(("✗ ", "red"), (one_line(finding.text), "strike"), (why, "yellow"))
    if finding.replacement:
        yield Text(f"  → {one_line(finding.replacement)}", style="green")


def _facts(answer: Answer, progress: Progress) -> RenderableType:
    clip = progress.header.clip if progress.header else None
    cost = f"{answer.tokens} tokens, {answer.money:.4f}" if answer.tokens else ""
    stop = f"after {seconds(answer.seconds)}: {STOP_REASONS[answer.stop_reason]}"
    return facts_table(
        (
            ("clip", f"{clip.name}, {seconds(clip.duration)}" if clip else ""),
            ("question", answer.question),
            ("stopped", stop),
            ("language model", cost),
            ("run", f"{answer.run_id}  (emer trace show {answer.run_id})"),
            ("trace", str(answer.trace_path) if answer.trace_path else "not written"),
        )
    )


def _paragraph(passage: Passage, names: Mapping[str, str], style: str = "") -> Text:
    return Text(" ").join(_shown(part, names, style) for part in passage.parts)


def _listed(passage: Passage, names: Mapping[str, str], explanation: Explanation) -> Text:
    text = Text("; ").join(_shown(part, names) for part in passage.parts)
    if passage.kind == "labels":
        return Text.assemble((f"{heading(passage.kind, explanation)}: ", "bold"), text)
    return text


def _shown(part: Part, names: Mapping[str, str], style: str = "") -> Text:
    return Text.assemble((printable(part.text), style), (cited(part, names), "dim"))
