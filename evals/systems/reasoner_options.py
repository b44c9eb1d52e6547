"""Who reasons, as it stands on the command line: in the agent, and on human clues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from emer.agents.reasoner import Reasoner, Reporting
from emer.graphs.loading import Thinking, load_reasoner, with_thinking
from emer.graphs.session import masked
from emer.graphs.settings import Choice, Settings, load_settings, with_reasoner
from emer.tools.errors import ConfigError
from emer.tools.types import Param


@dataclass(frozen=True, slots=True)
class Who:
    """A reasoner by name, the cue weights of a folder, a model and when it is asked.

    Without a name, human clues are for the rules, and the agent keeps to its settings.
    """

    name: str | None = None
    weights: str = ""
    llm: str | None = None
    when: str | None = None


ANYONE = Who()


@dataclass(frozen=True)
class Thinker:
    """A reasoner, and the arguments by which its answers differ from another's."""

    reasoner: Reasoner
    arguments: Mapping[str, Param] = field(default_factory=dict)


def reasoned_by(settings: Settings, who: Who) -> Settings:
    """Settings in which this one reasons; `ConfigError` if that cannot be."""
    if who.llm is not None and who.name not in (None, "llm"):
        raise ConfigError(
            f"--reasoner {who.name} asks no model: leave out --llm {who.llm}, or --reasoner"
        )
    chosen = settings if who.name is None else with_reasoner(settings, who.name)
    chosen = with_thinking(chosen, Thinking(llm=who.llm, when=who.when))
    if who.weights:
        chosen = with_reasoner(chosen, chosen.reasoner.use, weights=who.weights)
    return chosen


def on_clues(who: Who) -> Thinker:
    """Who reasons on human clues: the rules with the weights that ship, or whom one names.

    Any other reasoner has what the settings say of it.
    """
    settings, name = load_settings(), who.name
    if name is None and who.llm is None and who.when is None:
        name = "rules"
    if name == "rules":
        settings = settings.model_copy(update={"reasoner": Choice(use="rules")})
    choice = reasoned_by(settings, Who(name, who.weights, who.llm, who.when)).reasoner
    return Thinker(prepared(choice), arguments_of(choice))


def prepared(choice: Choice) -> Reasoner:
    """Reasoner; `ConfigError` at once if it asks a model that can never be asked."""
    if choice.use == "llm" and not choice.arguments.get("model"):
        raise ConfigError("there is no model to ask; name one with --llm, as openai:gpt-4.1-mini")
    reasoner = load_reasoner(choice)
    if isinstance(reasoner, Reporting):
        reasoner.prepare()
    return reasoner


def arguments_of(choice: Choice) -> dict[str, Param]:
    """Reasoner's arguments for a provenance, without secrets.

    The folder of its weights is left out: what is in them is told by their name.
    """
    told = {k: v for k, v in sorted(choice.arguments.items()) if k != "weights"}
    hidden = masked(dict(told))
    assert isinstance(hidden, dict)
    return {f"reasoner.{key}": hidden[key] for key in told}  # type: ignore[misc]
