"""What every tool must keep, checked against a clip: for the authors of tools.

for finding in check_tool(MyTool(), Clip.open("clip.mp4")):
    print("ok  " if finding.ok else "FAIL", finding.check, finding.why)
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence

from emer.tools.clip import Clip
from emer.tools.hard_cases import check_hard_cases
from emer.tools.looks import Finding, Look, ask, finding, look
from emer.tools.no_network import no_network
from emer.tools.tool import Answering, Tool
from emer.tools.types import MODALITIES, Clue, Source, Span

SLACK = 0.05
"""Seconds a span may reach over an edge: about one frame."""

QUESTION = "what is shown?"
"""What a tool that answers questions is asked."""

_QUOTED = re.compile(r'"[^"]*"|“[^”]*”')
_BREAK = re.compile(r"[.!?…][\"”']?\s+(?=[A-Z])")
_FAILURE = re.compile(r"\b(?:error|exception|traceback|failed to|not implemented)\b", re.IGNORECASE)


def check_tool(tool: Tool, clip: Clip, again: Callable[[], Tool] | None = None) -> list[Finding]:
    """Return what the tool keeps and breaks of the contract; nothing is raised.

    The clip is observed several times, in full and in its middle third, then clips that lack
    something, all without a network. `again` makes the tool anew, to see that its clues do
    not depend on which one of them looked.
    """
    shape = _check_shape(tool)
    if not all(found.ok for found in shape):
        return shape
    middle = Span(start=round(clip.duration / 3, 3), end=round(clip.duration * 2 / 3, 3))
    before = _left_behind()
    with no_network() as tried:
        first, second = look(tool, clip), look(tool, clip)
        closer, once_more = look(tool, clip, middle), look(tool, clip, middle)
        other = look(again(), clip) if again is not None else first
        answered = _answers(tool, clip, middle)
        hard = [] if first.broken else list(check_hard_cases(tool, clip))
    looks = (first, second, closer, once_more, other, *answered)
    found = [*shape, _check_errors(looks), _check_reasons(looks), _check_network(tried)]
    if first.broken:
        return found
    found += [
        _check_same(tool, "the same clip gives the same clues", first, second),
        _check_same(tool, "a closer look gives the same clues", closer, once_more),
        _check_same(tool, "the tool made anew gives the same clues", first, other),
    ]
    if answered:
        found.append(_check_same(tool, "the same question gets the same answer", *answered))
        found.append(_check_overlap("an answer stays in its span", answered[0].clues, middle))
    clues = [*first.clues, *closer.clues, *(clue for one in answered[:1] for clue in one.clues)]
    whole = Span(start=0.0, end=clip.duration)
    found += [_check_clues(name, test, clues) for name, test in _rules(tool).items()]
    found.append(_check_once(first))
    found.append(_check_spans("spans lie in the clip", first.clues, whole))
    found.append(_check_overlap("a closer look stays in its span", closer.clues, middle))
    return [*found, *hard, _check_left_behind(before)]


def _answers(tool: Tool, clip: Clip, span: Span) -> tuple[Look, ...]:
    """Return two answers to one question about the span, of a tool that answers any."""
    if not isinstance(tool, Answering) or not tool.answers:
        return ()
    return ask(tool, clip, span, QUESTION), ask(tool, clip, span, QUESTION)


def _check_shape(tool: Tool) -> list[Finding]:
    """Check what can be known before anything is observed."""
    if not isinstance(tool, Tool):
        why = "it needs modality, description, source and observe(clip, span=None)"
        return [Finding(check="is a tool", ok=False, why=why)]
    try:
        source = tool.source
        plain = isinstance(source, Source) and Source.model_validate_json(source.model_dump_json())
    except Exception as error:
        return [Finding(check="the source is JSON and stable", ok=False, why=repr(error))]
    described = isinstance(tool.description, str) and _is_sentence(tool.description)
    return [
        finding("the modality is known", tool.modality in MODALITIES, repr(tool.modality)),
        finding("the description is a sentence", described, repr(tool.description)),
        finding("the source is JSON and stable", plain == tool.source, repr(source)),
    ]


def _check_errors(looks: Sequence[Look]) -> Finding:
    broken = [each.broken for each in looks if each.broken]
    return finding("observe gives clues or raises Unobservable", not broken, "; ".join(broken[:1]))


def _check_reasons(looks: Sequence[Look]) -> Finding:
    empty = [each for each in looks if each.unobservable is not None and not each.unobservable]
    return finding("Unobservable gives a reason", not empty, "the reason is empty")


def _check_network(tried: Sequence[str]) -> Finding:
    reached = sorted({*tried})
    return finding("observing needs no network", not reached, f"it reached for {reached}")


def _check_same(tool: Tool, name: str, one: Look, other: Look) -> Finding:
    if not getattr(tool, "deterministic", True):
        return Finding(check=name, ok=True, why="declared not deterministic")
    same = one.ids == other.ids and one.unobservable == other.unobservable
    return finding(name, same, f"{len(one.ids ^ other.ids)} clues differ between two looks")


def _check_once(seen: Look) -> Finding:
    twice = len(seen.clues) - len(seen.ids)
    return finding("each clue is given once", not twice, f"{twice} clues are given again")


def _rules(tool: Tool) -> dict[str, Callable[[Clue], bool]]:
    """Return what must hold of each clue, by name."""
    return {
        "clues have the tool's modality": lambda clue: clue.modality == tool.modality,
        "clues name the tool's source": lambda clue: clue.source == tool.source,
        "texts are one sentence": lambda clue: _is_sentence(clue.text),
        "no failure is told as a clue": lambda clue: not _FAILURE.search(_bare(clue.text)),
        "quality has factors": lambda clue: bool(clue.quality.factors),
        "clues survive JSON": _survives,
    }


def _check_clues(name: str, holds: Callable[[Clue], bool], clues: Sequence[Clue]) -> Finding:
    wrong = [clue.text for clue in clues if not holds(clue)]
    return finding(name, not wrong, f"{len(wrong)} clues do not, first: {wrong[:1]}")


def _check_spans(name: str, clues: Sequence[Clue], limit: Span) -> Finding:
    outside = [
        f"{clue.text} [{clue.span.start:g}-{clue.span.end:g}]"
        for clue in clues
        if clue.span is not None
        and (clue.span.start < limit.start - SLACK or clue.span.end > limit.end + SLACK)
    ]
    where = f"{limit.start:g}-{limit.end:g} s"
    return finding(name, not outside, f"{len(outside)} reach out of {where}: {outside[:1]}")


def _check_overlap(name: str, clues: Sequence[Clue], asked: Span) -> Finding:
    """Check that nothing lies outside the span; what reaches out of it may be told whole."""
    outside = [c.text for c in clues if c.span is not None and not c.span.overlaps(asked, SLACK)]
    where = f"{asked.start:g}-{asked.end:g} s"
    return finding(name, not outside, f"{len(outside)} lie outside {where}: {outside[:1]}")


def _is_sentence(text: str) -> bool:
    """Tell whether the text is one sentence: a capital, a full stop, no break inside.

    Quoted words may hold any number of sentences.
    """
    bare = _bare(text)
    ends = bool(re.search(r"[.!?…][\"”')]?$", text.strip()))
    return bool(bare) and bare[0].isupper() and ends and not _BREAK.search(bare)


def _survives(clue: Clue) -> bool:
    try:
        return Clue.model_validate_json(clue.model_dump_json()) == clue
    except ValueError:
        return False


def _bare(text: str) -> str:
    """Return the text with quoted words left out."""
    return _QUOTED.sub("Q", text.strip())


def _left_behind() -> set[str]:
    """Return the threads and child processes that would outlive a look."""
    import psutil

    threads = {t.name for t in threading.enumerate() if not t.daemon}
    return threads | {f"process {child.pid}" for child in psutil.Process().children()}


def _check_left_behind(before: set[str]) -> Finding:
    more = sorted(_left_behind() - before)
    return finding("no thread and no process is left behind", not more, f"left: {more}")
