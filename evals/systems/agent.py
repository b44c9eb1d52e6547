"""The agent itself: its tools and its controller, on the clip."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from emer.agents.lexicon.lexicon import load_weighting
from emer.evals.data.types import Sample
from emer.evals.systems.oracle import judged
from emer.evals.systems.provenance import code_of, code_of_ours, is_ours
from emer.evals.systems.reasoner_options import ANYONE, Who, arguments_of, prepared, reasoned_by
from emer.evals.systems.system import Card, Cost, Draft, Input, Prediction
from emer.graphs.ask import ask
from emer.graphs.loading import load_reasoner, load_tools
from emer.graphs.settings import DEFAULT, OFF, Settings, load_settings
from emer.graphs.trace.events import (
    Decided,
    Event,
    FellBack,
    Header,
    ModelCalled,
    ToolFinished,
    Verified,
)
from emer.tools.errors import ClipError
from emer.tools.evidence_store import code_digest
from emer.tools.types import Param

WORDS_ONLY: Mapping[str, str] = {"face": OFF, "scene": OFF, "prosody": OFF}
"""The tools of the agent that only knows what is said."""


@dataclass(frozen=True)
class Agent:
    """The agent with settings of a run; the given subtitle is read where there is one."""

    settings: Settings
    name: str = "agent"
    input: Input = "clip"
    words_given: bool = True
    """Whether the dataset's subtitle may be read; else the words are recognised."""

    @property
    def card(self) -> Card:
        tools: dict[str, Param] = {
            f"tools.{slot}": " ".join([choice.use, *_told(choice.arguments)])
            for slot, choice in self.settings.chosen.items()
        }
        return Card(
            name=self.name,
            input=self.input,
            what=f"the agent, profile {self.settings.profile}",
            provenance={**tools, **self._reasoner, **self._budget, **self._code,
                        "profile": self.settings.profile, "words_given": self.words_given},
        )  # fmt: skip

    @cached_property
    def _code(self) -> dict[str, Param]:
        """What code answers: ours, and that of outsiders' tools and reasoner."""
        tools, _ = load_tools(self.settings)
        reasoner = load_reasoner(self.settings.reasoner)
        others: dict[str, Param] = {
            f"tools.{slot}.code": code_digest(tool)
            for slot, tool in tools.items()
            if not is_ours(tool)
        }
        if not is_ours(reasoner):
            others["reasoner.code"] = code_of(reasoner)
        return {"code": code_of_ours("agents", "graphs", "tools"), **others}

    @property
    def _reasoner(self) -> dict[str, Param]:
        """Who reasons, with which arguments, and by which weights of somebody's own."""
        chosen = self.settings.reasoner
        own = load_weighting(str(chosen.arguments.get("weights", ""))).name
        return {
            "reasoner": chosen.use,
            **arguments_of(chosen),
            **({"weights": own} if own else {}),
        }

    @property
    def _priced(self) -> bool:
        told = self.settings.reasoner.arguments
        return bool(told.get("price_in") or told.get("price_out"))

    @property
    def _budget(self) -> dict[str, Param]:
        return {f"budget.{name}": most for name, most in self.settings.budget}

    def answer(self, sample: Sample) -> Prediction:
        if sample.clip is None:
            raise ClipError(f"{sample.name}: no media file; name their folder with --clips")
        heard = _Heard()
        found = ask(
            sample.clip,
            DEFAULT,
            subtitle=sample.subtitle if self.words_given and sample.subtitle else None,
            settings=self.settings,
            listener=heard,
        )
        return Prediction(
            name=sample.name,
            labels=tuple(label.name for label in found.explanation.labels),
            explanation=found.explanation,
            clues=found.clues,
            hypotheses=found.hypotheses,
            duration=heard.duration,
            draft=heard.draft,
            cost=Cost(
                seconds=found.seconds,
                tool_calls=heard.ran.total(),
                ran=heard.ran,
                rounds=heard.rounds,
                requests=heard.requests,
                tokens=found.tokens,
                fallbacks=heard.fallbacks,
                money=found.money if found.money or self._priced else None,
            ),
        )


@dataclass
class _Heard:
    """What is counted in a run: length, tools, rounds, requests, fallbacks, the first verdict."""

    duration: float | None = None
    ran: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    requests: int = 0
    fallbacks: int = 0
    draft: Draft | None = None

    def __call__(self, event: Event) -> None:
        match event:
            case Header():
                self.duration = event.clip.duration
            case ToolFinished():
                if not event.cached:
                    look = event.slot if event.span is None else f"{event.slot}, closer"
                    self.ran[look] += 1
            case ModelCalled():
                self.requests += 1
            case FellBack():
                self.fallbacks += 1
            case Decided():
                self.rounds = event.round + 1
            case Verified(attempt=1):
                self.draft = judged(event.verdicts)


def agent(home: Path, profile: str | None = None, tools: Mapping[str, str] | None = None,
          name: str = "agent", given: Input = "clip", who: Who = ANYONE) -> Agent:  # fmt: skip
    """Agent with its evidence and traces below `home`.

    The settings are those of ./emer.toml and the environment, with this profile, these
    tools, and this reasoner. `ConfigError` if it asks a model that can never be asked.
    """
    settings = reasoned_by(load_settings(profile=profile, tools=tools), who)
    prepared(settings.reasoner)
    return Agent(settings.model_copy(update={"home": home}), name, given)


def words_only(home: Path, who: Who = ANYONE) -> Agent:
    """Agent that only hears or reads what is said."""
    name = "agent, words only"
    return agent(home, tools=WORDS_ONLY, name=name, given="subtitle", who=who)


def _told(arguments: Mapping[str, Param]) -> list[str]:
    return [f"{key}={value}" for key, value in sorted(arguments.items())]
