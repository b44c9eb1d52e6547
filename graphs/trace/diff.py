"""What differs between runs and why.

The difference of two runs, as a record.

What explains the difference of two runs, in plain words: what went in, then what came out.

What differs between two runs: what went in, who reasoned, and what came out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import JsonValue

from emer.agents.rules.phrases import STOP_REASONS
from emer.agents.types import Explanation, Hypothesis, StopReason
from emer.graphs.trace.events import (
    Decided,
    Event,
    Finished,
    Header,
    Remembered,
    Reviewed,
    ToolStarted,
)
from emer.graphs.trace.jsonl import Trace
from emer.graphs.trace.runs import Usage, reasoner_of, usage_of
from emer.tools.types import Clue, Record


class Change(Record):
    """Something that differs; None where one side has no such thing."""

    key: str
    a: str | None
    b: str | None


class Diff(Record):
    """What differs between two runs: what was asked, chosen, seen, concluded and written."""

    because: tuple[str, ...] = ()
    """What explains the difference, in plain words."""
    inputs: tuple[Change, ...] = ()
    """Clip, given words, question, and earlier turns of the thread."""
    settings: tuple[Change, ...] = ()
    tools: tuple[Change, ...] = ()
    reasoner: tuple[Change, ...] = ()
    prompts: tuple[Change, ...] = ()
    """Prompt files whose text differs, with the beginnings of their hashes."""
    versions: tuple[Change, ...] = ()
    reviews: tuple[Change, ...] = ()
    """What people changed in the clues."""
    reminders: tuple[Change, ...] = ()
    """Notes and kept runs that the model was reminded of."""
    work: tuple[Change, ...] = ()
    """Rounds, tool calls, requests to models, and why each run stopped."""
    usage_a: Usage = Usage()
    usage_b: Usage = Usage()
    clues_only_a: tuple[Clue, ...] = ()
    clues_only_b: tuple[Clue, ...] = ()
    labels: tuple[Change, ...] = ()
    probabilities: tuple[Change, ...] = ()
    sentences_only_a: tuple[str, ...] = ()
    sentences_only_b: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing differs but the time it took."""
        passing = {"because", "usage_a", "usage_b"}
        return not any(value for name, value in self if name not in passing)


MOST = 3
"""Things of one kind that are named."""


def because(a: Trace, b: Trace, found: Diff) -> tuple[str, ...]:
    """Return sentences: the causes, what the models did, and the effect."""
    if found.same:
        return ()
    causes = [
        *_input_causes(found),
        *_tool_causes(found),
        *_review_causes(found),
        *_reasoning(a, b, found),
    ]
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


def _input_causes(found: Diff) -> Iterator[str]:
    words = {
        "clip": "Another clip",
        "given words": "Other words were given with the clip",
        "question": "Another question",
        "earlier turns": "Another number of earlier turns in the thread",
    }
    for change in found.inputs:
        yield f"{words[change.key]}: {_arrow(change)}."


def _tool_causes(found: Diff) -> Iterator[str]:
    for change in found.tools:
        yield f"Another tool for {change.key}: {_arrow(change)}."


def _review_causes(found: Diff) -> Iterator[str]:
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
    return STOP_REASONS[done.stop_reason] if done is not None else "the run did not come to it"


def _stops(found: Diff) -> Iterator[str]:
    for change in found.work:
        if change.key == "stopped" and change.a and change.b:
            yield f"a stopped because {_stop(change.a)}; b, because {_stop(change.b)}."


def _stop(reason: str) -> str:
    return next((words for known, words in STOP_REASONS.items() if known == reason), reason)


def _arrow(change: Change) -> str:
    return f"{change.a or 'none'} → {change.b or 'none'}"


def _few(names: Sequence[str]) -> str:
    rest = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + rest


class Outcome(Record):
    """What a reasoner came to, from which clues."""

    clues: tuple[Clue, ...]
    hypotheses: tuple[Hypothesis, ...] = ()
    stop_reason: StopReason | None = None
    explanation: Explanation = Explanation()


def diff(a: Trace, b: Trace) -> Diff:
    """Return what differs between two runs, and what explains it."""
    found = compare(outcome_of(a), outcome_of(b)).model_copy(
        update={
            "inputs": changes(_inputs(a), _inputs(b)),
            "settings": changes(_flat(a.header.settings), _flat(b.header.settings)),
            "tools": changes(_tools(a.header), _tools(b.header)),
            "reasoner": changes(_reasoner(a.header), _reasoner(b.header)),
            "prompts": changes(_prompts(a.header), _prompts(b.header)),
            "versions": changes(_versions(a.header), _versions(b.header)),
            "reviews": changes(_reviews(a), _reviews(b)),
            "reminders": changes(_reminders(a), _reminders(b)),
            "work": changes(_work(a), _work(b)),
            "usage_a": usage_of(a),
            "usage_b": usage_of(b),
        }
    )
    return found.model_copy(update={"because": because(a, b, found)})


def compare(a: Outcome, b: Outcome) -> Diff:
    """Return what differs between two outcomes."""
    clues_a, clues_b = ({clue.id: clue for clue in side.clues} for side in (a, b))
    written_a, written_b = _sentences(a), _sentences(b)
    return Diff(
        clues_only_a=tuple(clue for id, clue in clues_a.items() if id not in clues_b),
        clues_only_b=tuple(clue for id, clue in clues_b.items() if id not in clues_a),
        labels=changes(_labels(a), _labels(b)),
        probabilities=changes(_probabilities(a), _probabilities(b)),
        sentences_only_a=tuple(text for text in written_a if text not in written_b),
        sentences_only_b=tuple(text for text in written_b if text not in written_a),
    )


def outcome_of(trace: Trace) -> Outcome:
    """Return what a run came to; of one that was cut off, as far as it got."""
    stand = _last_decision(trace.events)
    return Outcome(
        clues=trace.clues,
        hypotheses=stand.hypotheses if stand else (),
        stop_reason=stand.stop_reason if stand else None,
        explanation=trace.explanation or Explanation(),
    )


def changes(a: Mapping[str, str], b: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the keys whose values differ, sorted."""
    keys = sorted({*a, *b})
    return tuple(
        Change(key=key, a=a.get(key), b=b.get(key)) for key in keys if a.get(key) != b.get(key)
    )


def _inputs(trace: Trace) -> dict[str, str]:
    clip, started = trace.header.clip, trace.started
    words = clip.subtitle[:8] if clip.subtitle else "none"
    told = {"clip": f"{clip.name} ({clip.sha256[:8]})", "given words": words}
    if started is None:
        return told
    return told | {"question": started.question, "earlier turns": str(len(started.history))}


def _reasoner(header: Header) -> dict[str, str]:
    return {"reasoner": reasoner_of(header)}


def _prompts(header: Header) -> dict[str, str]:
    return {name: text[:8] for name, text in header.prompts.items()}


def _versions(header: Header) -> dict[str, str]:
    return header.versions | ({"commit": header.git[:8]} if header.git else {})


def _reviews(trace: Trace) -> dict[str, str]:
    reviews = [e for e in trace.effective if isinstance(e, Reviewed)]
    struck = sum(len(e.edits.reject) for e in reviews)
    edited, added = (sum(len(part) for part in parts) for parts in (
        [e.edits.edit for e in reviews], [e.edits.add for e in reviews]
    ))  # fmt: skip
    if not (struck or edited or added):
        return {}
    return {"a person": f"{struck} clues rejected, {edited} edited, {added} added"}


def _reminders(trace: Trace) -> dict[str, str]:
    heard = [e.recollection for e in trace.effective if isinstance(e, Remembered)]
    keys = dict.fromkeys(analogy.key for found in heard for analogy in found.analogies)
    return {"reminded of": ", ".join(keys)} if heard else {}


def _work(trace: Trace) -> dict[str, str]:
    stand, used = _last_decision(trace.events), usage_of(trace)
    started = [event for event in trace.effective if isinstance(event, ToolStarted)]
    told = {
        "tool calls": str(len(started)),
        "requests to models": str(used.requests),
        "steps the rules took over": str(len(used.fallbacks)),
    }
    if stand is not None:
        told["rounds"] = str(stand.round + 1)
    if isinstance(trace.finished, Finished):
        told["stopped"] = trace.finished.stop_reason
    return told


def _last_decision(events: Iterable[Event]) -> Decided | None:
    stands = [event for event in events if isinstance(event, Decided)]
    return stands[-1] if stands else None


def _flat(value: JsonValue, key: str = "") -> dict[str, str]:
    """Return nested settings as "budget.rounds": "3"."""
    if not isinstance(value, dict):
        return {key: str(value)}
    inner = (_flat(part, f"{key}.{name}" if key else name) for name, part in value.items())
    return {name: text for found in inner for name, text in found.items()}


def _tools(header: Header) -> dict[str, str]:
    return {slot: _named(source.model_dump(mode="json")) for slot, source in header.tools.items()}


def _named(source: Mapping[str, JsonValue]) -> str:
    params = source["params"]
    told = (
        ", ".join(f"{k}={v}" for k, v in sorted(params.items())) if isinstance(params, dict) else ""
    )
    model = f" with {source['model']}" if source["model"] else ""
    return f"{source['tool']} {source['version']}{model}" + (f" ({told})" if told else "")


def _labels(side: Outcome) -> dict[str, str]:
    return {label.name: label.band for label in side.explanation.labels}


def _probabilities(side: Outcome) -> dict[str, str]:
    return {
        h.label: "none" if h.probability is None else f"{h.probability:.2f}"
        for h in side.hypotheses
    }


def _sentences(side: Outcome) -> tuple[str, ...]:
    return tuple(sentence.text for sentence in side.explanation.sentences)
