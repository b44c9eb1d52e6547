"""The reasoner named on the command line, for the agent and for human clues."""

from __future__ import annotations

from dataclasses import dataclass, replace

from emer.agents.reasoner import Reasoner, Reporting
from emer.evals.systems.oracle import OnHumanClues
from emer.graphs.components import ModelOptions, load_reasoner, with_model_options
from emer.graphs.session import masked
from emer.graphs.settings import Choice, Settings, load_settings, with_reasoner
from emer.tools.errors import ConfigError
from emer.tools.types import Param


@dataclass(frozen=True, slots=True)
class ReasonerOptions:
    """A reasoner's name, folder of cue weights, language model and its use.

    Without a name, the rules reason on human clues, and the agent keeps its settings.
    """

    name: str | None = None
    weights: str = ""
    llm: str | None = None
    when: str | None = None


DEFAULT_REASONER = ReasonerOptions()


def with_options(settings: Settings, options: ReasonerOptions) -> Settings:
    """Settings with this reasoner; `ConfigError` for contradictory options."""
    if options.llm is not None and options.name not in (None, "llm"):
        raise ConfigError(
            f"--reasoner {options.name} asks no model: leave out --llm {options.llm}, or --reasoner"
        )
    chosen = settings if options.name is None else with_reasoner(settings, options.name)
    chosen = with_model_options(chosen, ModelOptions(llm=options.llm, when=options.when))
    if options.weights:
        chosen = with_reasoner(chosen, chosen.reasoner.use, weights=options.weights)
    return chosen


def reasoner_on_clues(options: ReasonerOptions) -> OnHumanClues:
    """Reasoner on human clues: by default the rules with the shipped weights.

    Any other reasoner takes its arguments from the settings.
    """
    settings = load_settings()
    if options.name is None and options.llm is None and options.when is None:
        options = replace(options, name="rules")
    if options.name == "rules":
        settings = settings.model_copy(update={"reasoner": Choice(use="rules")})
    choice = with_options(settings, options).reasoner
    return OnHumanClues(prepared(choice), arguments=arguments_of(choice))


def prepared(choice: Choice) -> Reasoner:
    """The loaded reasoner; `ConfigError` if it needs a model and none is configured."""
    if choice.use == "llm" and not choice.arguments.get("model"):
        raise ConfigError("there is no model to ask; name one with --llm, as openai:gpt-4.1-mini")
    reasoner = load_reasoner(choice)
    if isinstance(reasoner, Reporting):
        reasoner.prepare()
    return reasoner


def arguments_of(choice: Choice) -> dict[str, Param]:
    """Reasoner's arguments for a provenance, without secrets.

    The folder of its weights is left out: the provenance has the name of the weights.
    """
    public = {k: v for k, v in sorted(choice.arguments.items()) if k != "weights"}
    hidden = masked(dict(public))
    assert isinstance(hidden, dict)
    return {f"reasoner.{key}": hidden[key] for key in public}  # type: ignore[misc]
