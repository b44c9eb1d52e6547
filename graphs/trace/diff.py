"""Difference of two runs: inputs, reasoner and results, and its causes in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from emer.agents.rules.phrases import STOP_REASONS
from emer.agents.types import Explanation, Hypothesis, StopReason
from emer.graphs.trace.events import Decided, Header, Remembered, Reviewed, ToolStarted
from emer.graphs.trace.jsonl import Trace
from emer.graphs.trace.runs import Usage, reasoner_of, usage_of
from emer.tools.types import Clue, Record, Source

INPUTS = {
    "clip": "Another clip",
    "given words": "Other words were given with the clip",
    "question": "Another question",
    "earlier turns": "Another number of earlier turns in the thread",
}
"""How a sentence begins about an input that differs."""


class Change(Record):
    """A value that differs; None where one side does not have it."""

    key: str
    a: str | None
    b: str | None


class Diff(Record):
    """Difference of two runs: inputs, settings, clues, labels and sentences."""

    because: tuple[str, ...] = ()
    """Causes and effects in words."""
    inputs: tuple[Change, ...] = ()
    """Clip, given words, question, and number of earlier turns of the thread."""
    settings: tuple[Change, ...] = ()
    tools: tuple[Change, ...] = ()
    reasoner: tuple[Change, ...] = ()
    prompts: tuple[Change, ...] = ()
    """Prompt files whose text differs, with the first digits of their hashes."""
    versions: tuple[Change, ...] = ()
    reviews: tuple[Change, ...] = ()
    """Edits of reviewers."""
    reminders: tuple[Change, ...] = ()
    """Cards and exemplars that the model was given."""
    work: tuple[Change, ...] = ()
    """Rounds, tool calls, model requests and stop reasons."""
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
        """Whether nothing differs but the time."""
        ignored = {"because", "usage_a", "usage_b"}
        return not any(value for name, value in self if name not in ignored)


MOST = 3
"""Values of one kind that a sentence names."""


class Outcome(Record):
    """Result of a reasoner, and the clues it had."""

    clues: tuple[Clue, ...]
    hypotheses: tuple[Hypothesis, ...] = ()
    stop_reason: StopReason | None = None
    explanation: Explanation = Explanation()


def diff(a: Trace, b: Trace) -> Diff:
    """Difference of two runs, with its causes."""
    results = compare(outcome_of(a), outcome_of(b))
    difference = Diff(
        inputs=changes(_inputs(a), _inputs(b)),
        settings=changes(_flat(a.header.settings), _flat(b.header.settings)),
        tools=changes(_tools(a.header), _tools(b.header)),
        reasoner=changes(_reasoner(a.header), _reasoner(b.header)),
        prompts=changes(_prompts(a.header), _prompts(b.header)),
        versions=changes(_versions(a.header), _versions(b.header)),
        reviews=changes(_reviews(a), _reviews(b)),
        reminders=changes(_reminders(a), _reminders(b)),
        work=changes(_work(a), _work(b)),
        usage_a=usage_of(a),
        usage_b=usage_of(b),
        clues_only_a=results.clues_only_a,
        clues_only_b=results.clues_only_b,
        labels=results.labels,
        probabilities=results.probabilities,
        sentences_only_a=results.sentences_only_a,
        sentences_only_b=results.sentences_only_b,
    )
    return difference.model_copy(update={"because": _because(a, b, difference)})


def compare(a: Outcome, b: Outcome) -> Diff:
    """Difference of two outcomes."""
    clues_a, clues_b = ({clue.id: clue for clue in side.clues} for side in (a, b))
    texts_a, texts_b = ([s.text for s in side.explanation.sentences] for side in (a, b))
    labels = [{label.name: label.band for label in side.explanation.labels} for side in (a, b)]
    probabilities = [{h.label: _probability(h) for h in side.hypotheses} for side in (a, b)]
    return Diff(
        clues_only_a=tuple(clue for id, clue in clues_a.items() if id not in clues_b),
        clues_only_b=tuple(clue for id, clue in clues_b.items() if id not in clues_a),
        labels=changes(*labels),
        probabilities=changes(*probabilities),
        sentences_only_a=tuple(text for text in texts_a if text not in texts_b),
        sentences_only_b=tuple(text for text in texts_b if text not in texts_a),
    )


def outcome_of(trace: Trace) -> Outcome:
    """Result of a run; of an unfinished one, as far as it came."""
    decision = _last_decision(trace)
    return Outcome(
        clues=trace.clues,
        hypotheses=decision.hypotheses if decision else (),
        stop_reason=decision.stop_reason if decision else None,
        explanation=trace.explanation or Explanation(),
    )


def changes(a: Mapping[str, str], b: Mapping[str, str]) -> tuple[Change, ...]:
    """The keys whose values differ, sorted."""
    keys = sorted({*a, *b})
    return tuple(
        Change(key=key, a=a.get(key), b=b.get(key)) for key in keys if a.get(key) != b.get(key)
    )


def effects(difference: Diff) -> Iterator[str]:
    """Sentences about the labels and hypotheses that differ."""
    bands = [c for c in difference.labels if c.a is not None and c.b is not None]
    removed = [f"{c.key} ({c.a})" for c in difference.labels if c.b is None]
    added = [f"{c.key} ({c.b})" for c in difference.labels if c.a is None]
    if not difference.labels:
        yield "The labels stay as they are."
    elif removed or added:
        yield f"The labels change: {_few(removed) or 'none'} → {_few(added) or 'none'}."
    if bands:
        yield f"Held with another confidence: {_few([f'{c.key} {c.a} → {c.b}' for c in bands])}."
    appear = [c.key for c in difference.probabilities if c.a is None]
    vanish = [c.key for c in difference.probabilities if c.b is None]
    if appear:
        yield f"Readings that appear: {_few(appear)}."
    if vanish:
        yield f"Readings that vanish: {_few(vanish)}."


def clue_counts(clues: Sequence[Clue]) -> str:
    """Number of clues and their tools: "3 clues (2 of mesh, 1 of camera)"."""
    tools = Counter(clue.source.tool for clue in clues)
    number = f"{len(clues)} clue{'s' * (len(clues) != 1)}"
    if len(tools) == 1:
        return f"{number} of {next(iter(tools))}"
    parts = ", ".join(f"{n} of {tool}" for tool, n in sorted(tools.items()))
    return f"{number} ({parts})" if parts else "none"


def usage_in_words(usage: Usage) -> str:
    """Requests of a model and their costs: "got 3 requests: 1200 tokens read, ..."."""
    about = "" if usage.counted else "about "
    money = f", {usage.money:.4f} of money" if usage.money is not None else ""
    unusable = f" ({usage.unusable} without a usable reply)" if usage.unusable else ""
    return (
        f"got {usage.requests} requests{unusable}: {about}{usage.tokens_in} tokens read, "
        f"{usage.tokens_out} written{money}, {usage.seconds:.1f} s"
    )


def _because(a: Trace, b: Trace, difference: Diff) -> tuple[str, ...]:
    """Sentences: the causes, the model calls, and the effects."""
    if difference.same:
        return ()
    causes = [
        *(f"{INPUTS[c.key]}: {_arrow(c)}." for c in difference.inputs),
        *(f"Another tool for {c.key}: {_arrow(c)}." for c in difference.tools),
        *(f"A person's review: {_arrow(c)}." for c in difference.reviews),
        *_reasoning_causes(difference, same_reasoner=a.header.reasoner == b.header.reasoner),
    ]
    if not causes and _model_asked(difference):
        causes = ["Nothing that went in differs: the model did not answer the same way twice."]
    elif not causes:
        causes = [
            "Nothing that went in differs: something did not work, or does not work alike twice."
        ]
    removed, added = difference.clues_only_a, difference.clues_only_b
    if removed or added:
        clues = f"Clues that are gone: {clue_counts(removed)}; new: {clue_counts(added)}."
    else:
        count = len(a.clues)
        clues = f"The clues are the same ({count})." if count else "There are no clues at all."
    words = {str(reason): text for reason, text in STOP_REASONS.items()}
    stops = [
        f"a stopped because {words.get(c.a, c.a)}; b, because {words.get(c.b, c.b)}."
        for c in difference.work
        if c.key == "stopped" and c.a and c.b
    ]
    return (
        *causes,
        clues,
        *_model_calls("a", a, difference.usage_a),
        *_model_calls("b", b, difference.usage_b),
        *stops,
        *effects(difference),
    )


def _model_asked(difference: Diff) -> bool:
    return bool(difference.usage_a.requests or difference.usage_b.requests)


def _reasoning_causes(difference: Diff, *, same_reasoner: bool) -> Iterator[str]:
    settings = {c.key: c for c in difference.settings}
    if not same_reasoner:
        yield f"Another reasoner: {_arrow(difference.reasoner[0])}."
    elif "reasoner.model" in settings:
        yield f"Another model: {_arrow(settings['reasoner.model'])}."
    for key, change in settings.items():
        of_reasoner = key.startswith("reasoner.") and key != "reasoner.model"
        if key.startswith("budget.") or (same_reasoner and of_reasoner):
            yield f"Another setting, {key}: {_arrow(change)}."
    if same_reasoner and not (difference.clues_only_a or difference.clues_only_b):
        for change in difference.reminders:
            yield f"The model was reminded of other things: {_arrow(change)}."
    asked = _model_asked(difference)
    names = [c.key for c in difference.prompts if asked or not c.key.startswith("llm/")]
    if names:
        yield f"Other prompts: {_few(names)}."
    versions = [c for c in difference.versions if c.key in ("emer", "commit")]
    if versions:
        yield f"Another version of emer: {_few([_arrow(c) for c in versions])}."


def _model_calls(side: str, trace: Trace, usage: Usage) -> Iterator[str]:
    if usage.requests:
        yield f"In {side} the model {usage_in_words(usage)}."
    elif trace.header.reasoner == "llm":
        done = trace.finished
        why = STOP_REASONS[done.stop_reason] if done else "the run did not come to it"
        yield f"In {side} the model was not asked: {why}."
    if usage.fallbacks:
        steps = Counter(step.role for step in usage.fallbacks)
        roles = ", ".join(f"{role} ({n})" if n > 1 else role for role, n in steps.items())
        why = usage.fallbacks[0].why.rstrip(".")
        yield f"In {side} the rules took over from the model: {roles}; {why}."


def _arrow(change: Change) -> str:
    return f"{change.a or 'none'} → {change.b or 'none'}"


def _few(names: Sequence[str]) -> str:
    rest = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + rest


def _inputs(trace: Trace) -> dict[str, str]:
    clip, started = trace.header.clip, trace.started
    words = clip.subtitle[:8] if clip.subtitle else "none"
    inputs = {"clip": f"{clip.name} ({clip.sha256[:8]})", "given words": words}
    if started is not None:
        inputs |= {"question": started.question, "earlier turns": str(len(started.history))}
    return inputs


def _tools(header: Header) -> dict[str, str]:
    return {slot: _named(source) for slot, source in header.tools.items()}


def _reasoner(header: Header) -> dict[str, str]:
    return {"reasoner": reasoner_of(header)}


def _prompts(header: Header) -> dict[str, str]:
    return {name: text[:8] for name, text in header.prompts.items()}


def _versions(header: Header) -> dict[str, str]:
    return header.versions | ({"commit": header.git[:8]} if header.git else {})


def _reminders(trace: Trace) -> dict[str, str]:
    retrieved = [e.recollection for e in trace.effective if isinstance(e, Remembered)]
    keys = dict.fromkeys(analogy.key for record in retrieved for analogy in record.analogies)
    return {"reminded of": ", ".join(keys)} if retrieved else {}


def _reviews(trace: Trace) -> dict[str, str]:
    reviews = [event.edits for event in trace.effective if isinstance(event, Reviewed)]
    struck = sum(len(edits.reject) for edits in reviews)
    edited = sum(len(edits.edit) for edits in reviews)
    added = sum(len(edits.add) for edits in reviews)
    if not (struck or edited or added):
        return {}
    return {"a person": f"{struck} clues rejected, {edited} edited, {added} added"}


def _work(trace: Trace) -> dict[str, str]:
    decision, usage = _last_decision(trace), usage_of(trace)
    work = {
        "tool calls": str(sum(isinstance(event, ToolStarted) for event in trace.effective)),
        "requests to models": str(usage.requests),
        "steps the rules took over": str(len(usage.fallbacks)),
    }
    if decision is not None:
        work["rounds"] = str(decision.round + 1)
    if trace.finished is not None:
        work["stopped"] = trace.finished.stop_reason
    return work


def _last_decision(trace: Trace) -> Decided | None:
    return next((event for event in reversed(trace.events) if isinstance(event, Decided)), None)


def _flat(value: JsonValue, key: str = "") -> dict[str, str]:
    """Nested settings as "budget.rounds": "3"."""
    if not isinstance(value, dict):
        return {key: str(value)}
    inner = (_flat(part, f"{key}.{name}" if key else name) for name, part in value.items())
    return {name: text for part in inner for name, text in part.items()}


def _named(source: Source) -> str:
    arguments = ", ".join(f"{key}={value}" for key, value in sorted(source.params.items()))
    model = f" with {source.model}" if source.model else ""
    return f"{source.tool} {source.version}{model}{f' ({arguments})' if arguments else ''}"


def _probability(hypothesis: Hypothesis) -> str:
    return "none" if hypothesis.probability is None else f"{hypothesis.probability:.2f}"
