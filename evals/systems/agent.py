"""The agent itself: its tools and its controller, on the clip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from emer.agents.lexicon.lexicon import load_weighting
from emer.evals.data.types import Sample
from emer.evals.systems.oracle import judged
from emer.evals.systems.provenance import code_of, code_of_ours, is_ours
from emer.evals.systems.reasoner_options import (
    DEFAULT_REASONER,
    ReasonerOptions,
    arguments_of,
    prepared,
    with_options,
)
from emer.evals.systems.system import Card, Cost, Input, Prediction
from emer.graphs.ask import ask
from emer.graphs.components import choose, load_reasoner, load_tools
from emer.graphs.settings import DEFAULT, OFF, SLOTS, Settings, load_settings
from emer.graphs.trace.events import (
    Decided,
    Event,
    FellBack,
    Header,
    ModelCalled,
    ToolFinished,
    Verified,
)
from emer.tools.evidence_store import code_digest
from emer.tools.types import Param

WORDS_ONLY: Mapping[str, str] = {slot: OFF for slot in SLOTS if slot != "speech"}
"""Tools of the agent on the words alone."""


@dataclass(frozen=True)
class Agent:
    """The agent with the settings of a run."""

    settings: Settings
    name: str = "agent"
    input: Input = "clip"

    @property
    def card(self) -> Card:
        tools: dict[str, Param] = {
            f"tools.{slot}": " ".join(
                [choice.use, *(f"{key}={value}" for key, value in sorted(choice.arguments.items()))]
            )
            for slot, choice in self._chosen.active_tools.items()
        }
        budget = {f"budget.{name}": limit for name, limit in self.settings.budget}
        chosen = self.settings.reasoner
        reasoner: dict[str, Param] = {"reasoner": chosen.use, **arguments_of(chosen)}
        if weights := load_weighting(str(chosen.arguments.get("weights", ""))).name:
            reasoner["weights"] = weights
        return Card(
            name=self.name,
            input=self.input,
            what=f"the agent, profile {self.settings.profile}",
            provenance={**tools, **reasoner, **budget, **self._code,
                        "profile": self.settings.profile, "words_given": True},
        )  # fmt: skip

    @cached_property
    def _chosen(self) -> Settings:
        """The settings without "auto"."""
        return choose(self.settings).settings

    @cached_property
    def _code(self) -> dict[str, Param]:
        tools, _ = load_tools(self._chosen)
        reasoner = load_reasoner(self.settings.reasoner)
        others: dict[str, Param] = {
            f"tools.{slot}.code": code_digest(type(tool))
            for slot, tool in tools.items()
            if not is_ours(tool)
        }
        if not is_ours(reasoner):
            others["reasoner.code"] = code_of(reasoner)
        return {"code": code_of_ours("agents", "graphs", "tools"), **others}

    def answer(self, sample: Sample) -> Prediction:
        events: list[Event] = []
        answer = ask(
            sample.media,
            DEFAULT,
            subtitle=sample.subtitle or None,
            settings=self.settings,
            listener=events.append,
        )
        ran: Counter[str] = Counter()
        for event in events:
            if isinstance(event, ToolFinished) and not event.cached:
                ran[event.slot + (", closer" if event.span else "")] += 1
        decided = [event.round + 1 for event in events if isinstance(event, Decided)]
        verdicts = [e.verdicts for e in events if isinstance(e, Verified) and e.attempt == 1]
        durations = [event.clip.duration for event in events if isinstance(event, Header)]
        arguments = self.settings.reasoner.arguments
        priced = answer.money or arguments.get("price_in") or arguments.get("price_out")
        return Prediction(
            name=sample.name,
            labels=tuple(label.name for label in answer.explanation.labels),
            explanation=answer.explanation,
            clues=answer.clues,
            hypotheses=answer.hypotheses,
            duration=durations[0] if durations else None,
            draft=judged(verdicts[-1]) if verdicts else None,
            cost=Cost(
                seconds=answer.seconds,
                tool_calls=ran.total(),
                ran=ran,
                rounds=decided[-1] if decided else 0,
                requests=sum(isinstance(event, ModelCalled) for event in events),
                tokens=answer.tokens,
                fallbacks=sum(isinstance(event, FellBack) for event in events),
                money=answer.money if priced else None,
            ),
        )


def agent(home: Path, profile: str | None = None, tools: Mapping[str, str] | None = None,
          name: str = "agent", kind: Input = "clip",
          reasoner: ReasonerOptions = DEFAULT_REASONER) -> Agent:  # fmt: skip
    """The agent, with the settings of ./emer.toml and the environment.

    Args:
        home: Folder of its evidence and traces.
        profile: Profile, instead of that of the settings.
        tools: Tools by slot, instead of those of the settings.
        name: Name of the system.
        kind: Input of the system.
        reasoner: Its reasoner; `ConfigError` if that needs a model and none is configured.

    """
    settings = with_options(load_settings(profile=profile, tools=tools), reasoner)
    prepared(settings.reasoner)
    return Agent(settings.model_copy(update={"home": home}), name, kind)
