"""What differs between two runs: what went in, who reasoned, and what came out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import JsonValue

from emer.agents.types import Explanation, Hypothesis, StopReason
from emer.graphs.because import because
from emer.graphs.difference import Change, Diff
from emer.graphs.events import Decided, Event, Finished, Header, Remembered, Reviewed, ToolStarted
from emer.graphs.trace import Trace
from emer.graphs.usage import reasoner_of, usage_of
from emer.tools.types import Clue, Record


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
