"""From names in the settings to tools and reasoners."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from emer.agents.memory.cards import cards
from emer.agents.memory.embedder import load_embedder
from emer.agents.memory.exemplars import Exemplars
from emer.agents.memory.memory import Memory
from emer.agents.reasoner import Reasoner
from emer.graphs.settings import OBSERVES, Choice, Settings
from emer.tools import machine
from emer.tools.errors import ConfigError, EmerError, ToolMissing
from emer.tools.tool import Tool, load_tool, resolve
from emer.tools.types import MODALITIES, Modality, Param

REASONERS: Mapping[str, str] = {
    "rules": "emer.agents.rules:Rules",
    "llm": "emer.agents.llm.reasoner:Llm",
}
REASONER_GROUP = "emer.reasoners"


def load_tools(settings: Settings) -> tuple[dict[str, Tool], dict[str, ToolMissing]]:
    """Return the tool in each slot that is on, and the slots whose package is absent.

    From here on the process's models go by these settings. `ConfigError` names the slot, and
    the key if an argument is wrong.
    """
    machine.use(settings.machine)
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
    return fit(f"tools: {use}", resolve(use), mine[0].arguments) if mine else {}


def load_with(key: str, use: str, given: Mapping[str, Param]) -> Tool:
    """Return the tool of this name with these arguments; errors name the key in the settings."""
    try:
        return load_tool(use, fit(key, resolve(use), given))
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
        stated = getattr(resolve(use), "modality", None)
    except EmerError:
        return None
    return next((modality for modality in MODALITIES if modality == stated), None)


def _check_slot(slot: str, name: str, modality: Modality | None) -> None:
    wanted = OBSERVES.get(slot)
    if wanted is None or modality in (None, wanted):
        return
    places = [other for other, observed in OBSERVES.items() if observed == modality]
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
