"""What explains the difference of two runs, in plain words: what went in, then what came out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from emer.agents.text import STOPS
from emer.graphs.difference import Change, Diff
from emer.graphs.trace import Trace
from emer.graphs.usage import Usage, usage_of
from emer.tools.types import Clue

MOST = 3
"""Things of one kind that are named."""


def because(a: Trace, b: Trace, found: Diff) -> tuple[str, ...]:
    """Return sentences: the causes, what the models did, and the effect."""
    if found.same:
        return ()
    causes = [*_inputs(found), *_tools(found), *_reviews(found), *_reasoning(a, b, found)]
    if not causes:
        causes = [_unexplained(a, b)]
    clues = _clues(found, len(a.clues))
    return (*causes, clues, *_models(a, b), *_stops(found), *effect(found))


def effect(found: Diff) -> Iterator[str]:
    """Yield what became of the labels, and which readings came and went."""
    bands = [c for c in found.labels if c.a is not None and c.b is not None]
    gone = [f"{c.key} ({c.a})" for c in found.labels if c.b is None]
    new = [f"{c.key} ({c.b})" for c in found.labels if c.a is None]
    if not found.labels:
        yield "The labels stay as they are."
    elif gone or new:
        yield f"The labels change: {_few(gone) or 'none'} → {_few(new) or 'none'}."
    if bands:
        yield f"Held with another confidence: {_few([f'{c.key} {c.a} → {c.b}' for c in bands])}."
    appear = [c.key for c in found.probabilities if c.a is None]
    vanish = [c.key for c in found.probabilities if c.b is None]
    if appear:
        yield f"Readings that appear: {_few(appear)}."
    if vanish:
        yield f"Readings that vanish: {_few(vanish)}."


def _inputs(found: Diff) -> Iterator[str]:
    words = {
        "clip": "Another clip",
        "given words": "Other words were given with the clip",
        "question": "Another question",
        "earlier turns": "Another number of earlier turns in the thread",
    }
    for change in found.inputs:
        yield f"{words[change.key]}: {_arrow(change)}."


def _tools(found: Diff) -> Iterator[str]:
    for change in found.tools:
        yield f"Another tool for {change.key}: {_arrow(change)}."


def _reviews(found: Diff) -> Iterator[str]:
    for change in found.reviews:
        yield f"A person's review: {_arrow(change)}."


def _reasoning(a: Trace, b: Trace, found: Diff) -> Iterator[str]:
    """Yield what differs in who reasoned, and how."""
    told = {c.key: c for c in found.settings}
    if a.header.reasoner != b.header.reasoner:
        yield f"Another reasoner: {_arrow(found.reasoner[0])}."
    elif "reasoner.model" in told:
        yield f"Another model: {_arrow(told['reasoner.model'])}."
    for key, change in told.items():
        same = a.header.reasoner == b.header.reasoner
        if key.startswith("budget.") or (
            same and key.startswith("reasoner.") and key != "reasoner.model"
        ):
            yield f"Another setting, {key}: {_arrow(change)}."
    if a.header.reasoner == b.header.reasoner and not (found.clues_only_a or found.clues_only_b):
        for change in found.reminders:
            yield f"The model was reminded of other things: {_arrow(change)}."
    spoke = usage_of(a).requests or usage_of(b).requests
    names = [c.key for c in found.prompts if spoke or not c.key.startswith("llm/")]
    if names:
        yield f"Other prompts: {_few(names)}."
    ours = [c for c in found.versions if c.key in ("emer", "commit")]
    if ours:
        yield f"Another version of emer: {_few([_arrow(c) for c in ours])}."


def _unexplained(a: Trace, b: Trace) -> str:
    if usage_of(a).requests or usage_of(b).requests:
        return "Nothing that went in differs: the model did not answer the same way twice."
    return "Nothing that went in differs: something did not work, or does not work alike twice."


def _clues(found: Diff, known: int) -> str:
    gone, new = found.clues_only_a, found.clues_only_b
    if not (gone or new):
        return f"The clues are the same ({known})." if known else "There are no clues at all."
    return f"Clues that are gone: {counted(gone)}; new: {counted(new)}."


def counted(clues: Sequence[Clue]) -> str:
    """Return how many clues there are, and of which tools: "3 clues (2 of mesh, 1 of camera)"."""
    tools = Counter(clue.source.tool for clue in clues)
    number = f"{len(clues)} clue{'s' * (len(clues) != 1)}"
    if len(tools) == 1:
        return f"{number} of {next(iter(tools))}"
    of = ", ".join(f"{n} of {tool}" for tool, n in sorted(tools.items()))
    return f"{number} ({of})" if of else "none"


def _models(a: Trace, b: Trace) -> Iterator[str]:
    for side, trace in (("a", a), ("b", b)):
        used = usage_of(trace)
        if used.requests:
            yield f"In {side} the model {told(used)}."
        elif trace.header.reasoner == "llm":
            yield f"In {side} the model was not asked: {_why_not(trace)}."
        if used.fallbacks:
            steps = Counter(step.role for step in used.fallbacks)
            roles = ", ".join(f"{role} ({n})" if n > 1 else role for role, n in steps.items())
            why = used.fallbacks[0].why
            yield f"In {side} the rules took over from the model: {roles}; {why.rstrip('.')}."


def told(used: Usage) -> str:
    """Return what was asked of a model in words: "answered 3 requests with ..."."""
    about = "" if used.counted else "about "
    money = f", {used.money:.4f} of money" if used.money is not None else ""
    bad = f" ({used.unusable} without a usable reply)" if used.unusable else ""
    return (
        f"got {used.requests} requests{bad}: {about}{used.tokens_in} tokens read, "
        f"{used.tokens_out} written{money}, {used.seconds:.1f} s"
    )


def _why_not(trace: Trace) -> str:
    done = trace.finished
    return STOPS[done.stop_reason] if done is not None else "the run did not come to it"


def _stops(found: Diff) -> Iterator[str]:
    for change in found.work:
        if change.key == "stopped" and change.a and change.b:
            yield f"a stopped because {_stop(change.a)}; b, because {_stop(change.b)}."


def _stop(reason: str) -> str:
    return next((words for known, words in STOPS.items() if known == reason), reason)


def _arrow(change: Change) -> str:
    return f"{change.a or 'none'} → {change.b or 'none'}"


def _few(names: Sequence[str]) -> str:
    rest = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + rest
