"""The controller over human clues, with a model that logs all it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from emer.agents.llm.reasoner import Llm, When
from emer.agents.memory.memory import Memory
from emer.agents.reasoner import Report
from emer.agents.scripted_model import ScriptedModel
from emer.agents.types import Budget, Fallback, ModelCall
from emer.evals.cost.echo import Echo
from emer.evals.data.types import PARTS, Part, Sample
from emer.evals.systems.chat_model import as_wav
from emer.evals.systems.oracle import DURATION, clues_of
from emer.graphs.context import Context, Meter
from emer.graphs.controller import build
from emer.graphs.loading import load_memory
from emer.graphs.settings import DEFAULT, Settings
from emer.graphs.state import State, fresh
from emer.graphs.trace.jsonl import TraceWriter
from emer.tools.evidence_store import EvidenceStore
from emer.tools.media.clip import RATE, Clip
from emer.tools.tool import card
from emer.tools.types import Clue, Modality, Source, Span

MOST = 64
"""Replies that are laid ready for a clip: far more than any run asks for."""
MODALITY: dict[Part, Modality] = {"visual": "face", "acoustic": "audio", "subtitle": "text"}


@dataclass(frozen=True, slots=True)
class Spent:
    """What one clip cost: each request with its tokens, and what of its prompt was known."""

    calls: tuple[ModelCall, ...]
    prompts: tuple[str, ...]
    fell: int
    """Steps that the rules took instead of the model."""

    @property
    def shared(self) -> tuple[tuple[int, int], ...]:
        """Of each later prompt: characters that begin an earlier one too, and all of them."""
        return tuple(
            (max(common(prompt, earlier) for earlier in self.prompts[:place]), len(prompt))
            for place, prompt in enumerate(self.prompts)
            if place
        )


class HumanTool:
    """Gives what people wrote of one modality, spread over the clip; a closer look adds nothing."""

    def __init__(self, sample: str, part: Part, clues: Sequence[Clue]) -> None:
        """Take the sample's name, which tells its evidence from another's."""
        self.modality = MODALITY[part]
        self.description = f"What people wrote of the {part} part."
        self._source = Source(tool=f"human-{part}", version="1", params={"sample": sample})
        self.clues = tuple(_spread(clues))

    @property
    def source(self) -> Source:
        """Name, and the sample it speaks of."""
        return self._source

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Return the clues; nothing new at a closer look."""
        return self.clues if span is None else ()


def spend(sample: Sample, silence: Path, when: When, memory: Memory) -> Spent:
    """Run the controller once on a sample's human clues and return what it cost.

    The model is reminded of what `memory` holds like them, as it is in any run.
    """
    described = sample.description("en", False)
    assert described is not None, f"{sample.name} has no human description"
    tools = {p: HumanTool(sample.name, p, clues_of(described, [p])) for p in PARTS}
    known = {clue.id: clue for tool in tools.values() for clue in tool.clues}
    echo = Echo(known, [card(tool) for tool in tools.values()], DURATION)
    model = ScriptedModel([echo] * MOST)
    llm, reports = Llm(model, when=when), list[Report]()
    llm.remember_with(memory)
    with closing(TraceWriter(None)) as trace, closing(EvidenceStore(None)) as store:
        llm.report_to(reports.append)
        context = Context(
            clip=Clip.open(silence),
            tools=dict(tools.items()),
            absent={},
            store=store,
            reasoner=llm,
            trace=trace,
            budget=Budget(),
            tool_seconds=60.0,
            meter=Meter(trace),
        )
        build().invoke(cast(State, fresh("cost", DEFAULT)), context=context)
    return Spent(
        calls=tuple(r for r in reports if isinstance(r, ModelCall)),
        prompts=tuple("\n".join(str(m.content) for m in asked) for asked in model.asked),
        fell=sum(isinstance(r, Fallback) for r in reports),
    )


def cards_only(home: Path) -> Memory:
    """Return the memory of a run with settings that nobody changed: the cards that ship."""
    return load_memory(Settings(home=home))


def write_silence(path: Path) -> Path:
    """Write a clip as long as the samples are taken to last, with nothing in it."""
    path.write_bytes(as_wav(np.zeros(round(DURATION * RATE), np.float32)))
    return path


def common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    pairs = zip(one, other, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _spread(clues: Sequence[Clue]) -> Iterator[Clue]:
    """Yield the clues with spans one after another: people wrote them in the order of time."""
    for place, clue in enumerate(clues):
        start, end = (round(DURATION * p / len(clues), 2) for p in (place, place + 1))
        yield Clue(**{**clue.model_dump(exclude={"id"}), "span": Span(start=start, end=end)})
