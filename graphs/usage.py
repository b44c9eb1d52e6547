"""What a run asked of language models, and where the rules had to step in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pydantic import Field, JsonValue

from emer.agents.types import Fallback, ModelCall
from emer.graphs.events import FellBack, Header, ModelCalled
from emer.graphs.trace import Trace
from emer.tools.types import Record


class Usage(Record):
    """Requests to a model and what they cost."""

    requests: int = 0
    roles: dict[str, int] = Field(default_factory=dict)
    """Requests of each role."""
    unusable: int = 0
    """Requests without a reply that could be used."""
    tokens_in: int = 0
    tokens_out: int = 0
    counted: bool = True
    """Whether the model counted all its tokens; otherwise some are estimated."""
    money: float | None = None
    """In the currency of the configured prices; None where none are configured."""
    seconds: float = 0.0
    fallbacks: tuple[Fallback, ...] = ()
    """Steps that the rules took instead."""


def usage(calls: Iterable[ModelCall], fallbacks: Iterable[Fallback]) -> Usage:
    """Return what these requests come to."""
    made = tuple(calls)
    paid = [call.money for call in made if call.money is not None]
    return Usage(
        requests=len(made),
        roles=dict(Counter(call.role for call in made)),
        unusable=sum(call.outcome != "ok" for call in made),
        tokens_in=sum(call.tokens_in for call in made),
        tokens_out=sum(call.tokens_out for call in made),
        counted=all(call.counted for call in made),
        money=round(sum(paid), 9) if paid else None,
        seconds=round(sum(call.seconds for call in made), 4),
        fallbacks=tuple(fallbacks),
    )


def usage_of(trace: Trace) -> Usage:
    """Return what a run asked of language models."""
    calls = (event.call for event in trace.events if isinstance(event, ModelCalled))
    return usage(calls, (event.step for event in trace.events if isinstance(event, FellBack)))


def reasoner_of(header: Header) -> str:
    """Return who reasoned in a run: "rules", "llm (openai:gpt-4.1-mini, always)"."""
    found: JsonValue = header.settings
    chosen = found.get("reasoner") if isinstance(found, dict) else None
    told = chosen if isinstance(chosen, dict) else {}
    model = [str(told[key]) for key in ("model", "when") if told.get(key)]
    return f"{header.reasoner} ({', '.join(model)})" if model else header.reasoner
