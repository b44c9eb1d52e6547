"""Settings to tools and reasoner; auto choice.

From names in the settings to tools and reasoners.

Of each slot that is left to us, the strongest tool that is ready, and why.

Ready means that its packages and weights are here. What cannot be had is passed over, and said.
Tools that run the same models go by the model first: a large one is preferred to a small one,
whichever library runs it. Equal models, and tools without one, go by the rank with which they
are registered. Arguments given with "auto" narrow the choice to those that take them.

Whether a language model takes part, and how: from the words of a command to settings.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from emer.agents.memory.cards import cards
from emer.agents.memory.embedder import load_embedder
from emer.agents.memory.exemplars import Exemplars
from emer.agents.memory.memory import Memory
from emer.agents.reasoner import Reasoner
from emer.graphs.settings import AUTO, OFF, Choice, Settings, with_reasoner
from emer.tools.errors import ConfigError, EmerError, ToolMissing
from emer.tools.registry import load_tool, ranked, resolve, slots, tool_class
from emer.tools.runtime.device import configure
from emer.tools.tool import Tool
from emer.tools.types import MODALITIES, Modality, Param
from emer.tools.weights.catalogue import rank

REASONERS: Mapping[str, str] = {
    "rules": "emer.agents.rules.reasoner:Rules",
    "llm": "emer.agents.llm.reasoner:Llm",
}
REASONER_GROUP = "emer.reasoners"


def load_tools(settings: Settings) -> tuple[dict[str, Tool], dict[str, ToolMissing]]:
    """Return the tool in each slot that is on, and the slots whose package is absent.

    From here on the process's models go by these settings. `ConfigError` names the slot, and
    the key if an argument is wrong.
    """
    configure(settings.machine)
    tools: dict[str, Tool] = {}
    absent: dict[str, ToolMissing] = {}
    for slot, choice in settings.chosen.items():
        try:
            tools[slot] = load_slot(slot, choice)
        except ToolMissing as error:
            absent[slot] = error
    return tools, absent


def load_reasoner(choice: Choice) -> Reasoner:
    """Return the reasoner that the settings name."""
    try:
        made = resolve(choice.use, REASONERS, REASONER_GROUP)
        arguments = fit("reasoner", made, choice.arguments)
        found: Reasoner = made(**arguments)
    except ConfigError as error:
        text = str(error).replace("no tool is called", "no reasoner is called")
        raise ConfigError(text if text.startswith("reasoner") else f"reasoner: {text}") from error
    if not (callable(getattr(found, "decide", None)) and callable(getattr(found, "explain", None))):
        raise ConfigError(f"reasoner: {choice.use} has no decide and explain")
    return found


def load_memory(settings: Settings) -> Memory:
    """Return the memory of cards and exemplars; its index is built at the first search."""
    chosen, exemplars = settings.memory, load_exemplars(settings)
    items = (*cards(), *(exemplar.item for exemplar in exemplars.all()))
    embedder = load_embedder(chosen.embedder.use, chosen.embedder.arguments)
    return Memory(items, embedder, chosen.nearest, exemplars.notes)


def load_exemplars(settings: Settings) -> Exemplars:
    """Return the explained runs that are kept."""
    return Exemplars(settings.remembered / "exemplars")


def arguments_for(use: str, settings: Settings) -> dict[str, Param]:
    """Return what the settings say to a tool of this name, in whichever slot; else nothing.

    `ConfigError` names an argument that the tool does not have.
    """
    mine = [choice for choice in settings.tools.values() if choice.use == use]
    return fit(f"tools: {use}", tool_class(use), mine[0].arguments) if mine else {}


def load_with(key: str, use: str, given: Mapping[str, Param]) -> Tool:
    """Return the tool of this name with these arguments; errors name the key in the settings."""
    try:
        return load_tool(use, fit(key, tool_class(use), given))
    except ConfigError as error:
        text = str(error)
        raise ConfigError(text if text.startswith(key) else f"{key}: {text}") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{key}: {use} refuses its arguments: {error}") from error


def load_slot(slot: str, choice: Choice) -> Tool:
    """Return the tool of a slot; `ConfigError` where it observes what the slot is not for.

    That is said before what it lacks: nobody gets weights for a tool that is then refused.
    """
    _check_slot(slot, choice.use, declared(choice.use))
    tool = load_with(f"tools.{slot}", choice.use, choice.arguments)
    _check_slot(slot, tool.source.tool, tool.modality)
    return tool


def declared(use: str) -> Modality | None:
    """Return the modality that a tool's class states, None where it states or is none."""
    try:
        stated = getattr(tool_class(use), "modality", None)
    except EmerError:
        return None
    return next((modality for modality in MODALITIES if modality == stated), None)


def _check_slot(slot: str, name: str, modality: Modality | None) -> None:
    observed = slots()
    wanted = observed.get(slot)
    if wanted is None or modality in (None, wanted):
        return
    places = [other for other, each in observed.items() if each == modality]
    raise ConfigError(
        f"tools.{slot}: {name} observes the {modality}, this slot is for the {wanted}; "
        f"put it in {' or '.join(places)}, or in a slot of another name beside them"
    )


def fit(key: str, made: type, given: Mapping[str, Param]) -> dict[str, Param]:
    """Return the arguments as the class takes them: known names, text turned to numbers.

    Environment variables are text; the type of an argument's default says what is meant.
    """
    known = inspect.signature(made).parameters
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values())
    for name in given:
        if name not in known and not takes_any:
            names = ", ".join(known) or "none"
            raise ConfigError(f"{key}.{name}: {made.__name__} has no such argument; known: {names}")
    return {name: _fit(f"{key}.{name}", known.get(name), value) for name, value in given.items()}


def _fit(key: str, parameter: inspect.Parameter | None, value: Param) -> Param:
    default: Any = parameter.default if parameter is not None else None
    if not isinstance(value, str) or not isinstance(default, bool | int | float):
        return value
    kind = type(default)
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise ConfigError(f"{key}: {value!r} is not a {kind.__name__}") from error


class Chosen(NamedTuple):
    """Settings without "auto", and for each slot that had it, what was taken and why."""

    settings: Settings
    why: dict[str, str]


def choose(settings: Settings) -> Chosen:
    """Return the settings with the strongest ready tool in each slot that says "auto".

    A slot for which nothing is ready is switched off; its line says what it lacks.
    """
    configure(settings.machine)
    tools, why = dict(settings.tools), {}
    for slot, choice in settings.tools.items():
        if choice.use == AUTO:
            tools[slot], why[slot] = _strongest(slot, choice)
    return Chosen(settings.model_copy(update={"tools": tools}), why)


def _strongest(slot: str, choice: Choice) -> tuple[Choice, str]:
    names = ranked(slot)
    if not names:
        known = ", ".join(known for known in slots() if ranked(known))
        raise ConfigError(f"tools.{slot}.use: there is no auto for this slot; there is for {known}")
    ready, passed = _ready(slot, names, choice)
    if not ready:
        return Choice(use=OFF), f"nothing: {'; '.join(passed)}"
    name = min(ready, key=lambda name: rank(ready[name].source.model))
    taken = Choice(use=name, **choice.arguments)
    weaker = [_named(tool) for other, tool in ready.items() if other != name]
    return taken, f"{_named(ready[name])} is {_rank(names, weaker, passed)}"


def _ready(slot: str, names: Sequence[str], choice: Choice) -> tuple[dict[str, Tool], list[str]]:
    """Return the tools that can be had with the arguments, and why the others cannot.

    `ConfigError` where no tool takes the arguments.
    """
    ready: dict[str, Tool] = {}
    passed: list[str] = []
    refused: list[ConfigError] = []
    for name in names:
        try:
            ready[name] = load_with(f"tools.{slot}", name, choice.arguments)
        except ToolMissing as error:
            passed.append(f"{name} needs {error.what}: {error.install}")
        except ConfigError as error:
            refused.append(error)
            passed.append(str(error).partition(";")[0])
    if len(refused) == len(names):
        raise refused[0]
    return ready, passed


def _named(tool: Tool) -> str:
    source = tool.source
    return source.tool if source.model is None else f"{source.tool} ({source.model})"


def _rank(names: Sequence[str], weaker: Sequence[str], passed: Sequence[str]) -> str:
    if len(names) == 1:
        return "the only tool for it"
    before = f", before {', '.join(weaker)}" if weaker else ""
    ready = " that is ready" if passed else ""
    return "; ".join((f"the strongest{ready}{before}", *passed))


_OPTIONS = {"when": "--llm-when", "critic": "--critic", "language": "--lang"}


@dataclass(frozen=True, slots=True)
class Thinking:
    """How a language model takes part, as it stands on the command line."""

    llm: str | None = None
    when: str | None = None
    critic: bool | None = None
    language: str | None = None


def with_thinking(settings: Settings, thinking: Thinking) -> Settings:
    """Return the settings in which a language model takes part as it was said.

    `ConfigError` where something is said of a model and none is named.
    """
    told = asdict(thinking)
    model = told.pop("llm")
    if model is None and settings.reasoner.use != "llm":
        said = [_OPTIONS[name] for name, value in told.items() if value is not None]
        if said:
            raise ConfigError(
                f"{', '.join(said)}: only a language model heeds this, and there is no model "
                "to ask; name one with --llm, as openai:gpt-4.1-mini"
            )
        return settings
    return with_reasoner(settings, "llm", model=model, **told)


def let_import_from_here(uses: Iterable[str]) -> None:
    """Let "module:Class" be found in the working folder, after everything installed."""
    here = os.getcwd()
    if any(":" in use for use in uses) and here not in sys.path:
        sys.path.append(here)
