"""Settings to components: tools, reasoner and memory; the choice behind "auto".

"auto" takes the strongest tool of a slot that is ready, which means that its packages and
weights are here, and not slow: a model of over 500 MB is left to machines with a GPU and to users
who name it. The others are passed over, and the reason is recorded. Tools that run the same
models are compared by the model first: a large one is preferred to a small one, whichever
library runs it. Equal models, and tools without one, go by their registered rank. Arguments
given with "auto" narrow the choice to the tools that take them.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from emer.agents.memory.cards import cards
from emer.agents.memory.embedder import load_embedder
from emer.agents.memory.exemplars import Exemplars
from emer.agents.memory.memory import Memory
from emer.agents.reasoner import Reasoner, Remembering, Reporting
from emer.graphs.settings import AUTO, OFF, Choice, Settings, with_reasoner
from emer.tools.errors import ConfigError, EmerError, ToolMissing
from emer.tools.registry import load_tool, ranked, resolve, slots, tool_class
from emer.tools.runtime.device import CPU, choose_device, configure, machine
from emer.tools.tool import Tool
from emer.tools.types import MODALITIES, Modality, Param
from emer.tools.weights.catalogue import Weights, of_tool, rank
from emer.tools.weights.locate import CONVERTED, locate

REASONERS: Mapping[str, str] = {
    "rules": "emer.agents.rules.reasoner:Rules",
    "llm": "emer.agents.llm.reasoner:Llm",
}
REASONER_GROUP = "emer.reasoners"
LARGEST_ON_CPU = 500
"""Megabytes of the largest model that "auto" takes without a GPU.

Whisper small (486 MB) keeps about the pace of the sound on 2 cores, by the size of its layers
against those of base, which was measured; medium (1.5 GB) takes three times as long.
"""


@dataclass(frozen=True, slots=True)
class Components:
    """Tools and reasoner of a run, with the settings they were made from."""

    settings: Settings
    """Without "auto": each slot has the tool that was chosen."""
    reasons: dict[str, str]
    """By slot that was "auto": why this tool was chosen."""
    tools: dict[str, Tool]
    absent: dict[str, ToolMissing]
    reasoner: Reasoner


def load_components(settings: Settings) -> Components:
    """Tools, reasoner and memory of the settings; `ConfigError` names what is wrong."""
    asked = settings.tools
    settings, reasons = choose(settings)
    tools, absent = load_tools(settings)
    absent |= {
        slot: _unmet(slot, asked[slot]) for slot in reasons if _is_unmet(slot, asked, settings)
    }
    reasoner = load_reasoner(settings.reasoner)
    if isinstance(reasoner, Reporting):
        reasoner.prepare()
    if isinstance(reasoner, Remembering) and settings.memory.on:
        reasoner.remember_with(load_memory(settings))
    return Components(settings, reasons, tools, absent, reasoner)


def _is_unmet(slot: str, asked: Mapping[str, Choice], settings: Settings) -> bool:
    """Whether a slot has arguments, and no tool that is ready takes them."""
    return slot in asked and bool(asked[slot].arguments) and settings.tools[slot].use == OFF


def _unmet(slot: str, choice: Choice) -> ToolMissing:
    what = f"a tool that is ready and takes {', '.join(choice.arguments)}"
    return ToolMissing(f"slot {slot}", what, "emer doctor")


def load_tools(settings: Settings) -> tuple[dict[str, Tool], dict[str, ToolMissing]]:
    """Load the tools of the active slots; the second dict has those without package.

    It also sets the device and weights folder of the process. `ConfigError` names the slot, and
    the key if an argument is wrong.
    """
    configure(settings.machine)
    tools: dict[str, Tool] = {}
    absent: dict[str, ToolMissing] = {}
    for slot, choice in settings.active_tools.items():
        try:
            tools[slot] = load_slot(slot, choice)
        except ToolMissing as error:
            absent[slot] = error
    return tools, absent


def load_slot(slot: str, choice: Choice) -> Tool:
    """Load the tool of a slot; `ConfigError` if its modality is another one."""
    # Checked before the tool is built, so that no weights are asked for in vain.
    _check_modality(slot, choice.use, declared_modality(choice.use))
    tool = _load(f"tools.{slot}", choice.use, choice.arguments)
    _check_modality(slot, tool.source.tool, tool.modality)
    return tool


def load_reasoner(choice: Choice) -> Reasoner:
    try:
        made = resolve(choice.use, REASONERS, REASONER_GROUP)
        # Before it is constructed: to construct a class of another kind may do anything.
        if not all(callable(getattr(made, name, None)) for name in ("decide", "explain")):
            raise ConfigError(f"{choice.use} has no decide and explain")
        reasoner: Reasoner = made(**_typed_arguments("reasoner", made, choice.arguments))
    except ConfigError as error:
        text = str(error).replace("no tool is called", "no reasoner is called")
        raise ConfigError(text if text.startswith("reasoner") else f"reasoner: {text}") from error
    return reasoner


def load_memory(settings: Settings) -> Memory:
    """Load the memory of cards and exemplars; its index is built at the first search."""
    memory, exemplars = settings.memory, load_exemplars(settings)
    items = (*cards(), *(exemplar.item for exemplar in exemplars.all()))
    embedder = load_embedder(memory.embedder.use, memory.embedder.arguments)
    return Memory(items, embedder, memory.nearest, exemplars.notes)


def load_exemplars(settings: Settings) -> Exemplars:
    """The explained runs that `emer memory add` saved."""
    return Exemplars(settings.memory_folder / "exemplars")


def arguments_for(use: str, settings: Settings) -> dict[str, Param]:
    """Arguments that the settings give to a tool of this name, in any slot.

    `ConfigError` names an argument that the tool does not have.
    """
    arguments = [choice.arguments for choice in settings.tools.values() if choice.use == use]
    return _typed_arguments(f"tools: {use}", tool_class(use), arguments[0]) if arguments else {}


def declared_modality(use: str) -> Modality | None:
    """Modality that a tool's class declares; None if it is absent or declares none."""
    try:
        stated = getattr(tool_class(use), "modality", None)
    except EmerError:
        return None
    return next((modality for modality in MODALITIES if modality == stated), None)


def allow_local_imports(settings: Settings, *named: str) -> None:
    """Let "module:Class" of the settings be found, after everything installed.

    It is looked for in the folder of the file that names it; one of the command line, the
    environment or `named`, in the working folder.
    """
    here = [os.getcwd()] if any(":" in use for use in named) else []
    sys.path += [p for p in dict.fromkeys([*settings.places.values(), *here]) if p not in sys.path]


def _load(key: str, use: str, arguments: Mapping[str, Param]) -> Tool:
    """Load a tool with these arguments; errors begin with the key of the settings."""
    try:
        return load_tool(use, _typed_arguments(key, tool_class(use), arguments))
    except ConfigError as error:
        text = str(error)
        raise ConfigError(text if text.startswith(key) else f"{key}: {text}") from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{key}: {use} refuses its arguments: {error}") from error


def _check_modality(slot: str, name: str, modality: Modality | None) -> None:
    modalities = slots()
    wanted = modalities.get(slot)
    if wanted is None or modality in (None, wanted):
        return
    places = [other for other, each in modalities.items() if each == modality]
    raise ConfigError(
        f"tools.{slot}: {name} observes the {modality}, this slot is for the {wanted}; "
        f"put it in {' or '.join(places)}, or in a slot of another name beside them"
    )


def _typed_arguments(key: str, made: type, arguments: Mapping[str, Param]) -> dict[str, Param]:
    """Check the names of the arguments; turn text from the environment into numbers."""
    known = inspect.signature(made).parameters
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in known.values())
    for name in arguments:
        if name not in known and not takes_any:
            names = ", ".join(known) or "none"
            raise ConfigError(f"{key}.{name}: {made.__name__} has no such argument; known: {names}")
    return {
        name: _typed(f"{key}.{name}", known.get(name), value) for name, value in arguments.items()
    }


def _typed(key: str, parameter: inspect.Parameter | None, value: Param) -> Param:
    default: Any = parameter.default if parameter is not None else None
    if not isinstance(value, str) or not isinstance(default, bool | int | float):
        return value
    kind = type(default)
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise ConfigError(f"{key}: {value!r} is not a {kind.__name__}") from error


class Selection(NamedTuple):
    """Settings without "auto", and by slot that had it the reason for the choice."""

    settings: Settings
    reasons: dict[str, str]


def choose(settings: Settings) -> Selection:
    """Replace "auto" in each slot by the strongest tool that is ready.

    A slot for which nothing is ready is switched off; its reason says what is lacking.
    """
    configure(settings.machine)
    tools, reasons = dict(settings.tools), {}
    if settings.profile == AUTO:  # slots of other packages have joined since
        tools |= {slot: Choice(use=AUTO) for slot in slots() if slot not in tools and ranked(slot)}
    for slot, choice in tools.items():
        if choice.use == AUTO:
            tools[slot], reasons[slot] = _strongest(slot, choice)
    return Selection(settings.model_copy(update={"tools": tools}), reasons)


def _strongest(slot: str, choice: Choice) -> tuple[Choice, str]:
    """The strongest tool that takes the arguments and is ready, and why it is chosen.

    `ConfigError` where no tool takes the arguments.
    """
    names = ranked(slot)
    if not names:
        known = ", ".join(known for known in slots() if ranked(known))
        raise ConfigError(f"tools.{slot}.use: there is no auto for this slot; there is for {known}")
    ready: dict[str, Tool] = {}
    arguments: dict[str, Mapping[str, Param]] = {}
    obstacles: list[str] = []
    refusals: list[ConfigError] = []
    for name in names:
        try:
            arguments[name] = _light_model(slot, name, choice.arguments)
            ready[name] = _load(f"tools.{slot}", name, arguments[name])
        except _Slow as error:
            obstacles.append(str(error))
        except ToolMissing as error:
            obstacles.append(f"{name} needs {error.what}: {error.install}")
        except ConfigError as error:
            refusals.append(error)
            obstacles.append(str(error).partition(";")[0])
    if len(refusals) == len(names):
        raise refusals[0]
    if not ready:
        return Choice(use=OFF), f"nothing: {'; '.join(obstacles)}"
    best = min(ready, key=lambda name: rank(ready[name].source.model))
    weaker = [_tool_and_model(tool) for name, tool in ready.items() if name != best]
    reason = f"{_tool_and_model(ready[best])} is {_rank_in_words(names, weaker, obstacles)}"
    return Choice(use=best, **arguments[best]), reason


class _Slow(EmerError):
    """A tool whose weights are here, but too large for this machine."""


def _light_model(slot: str, name: str, arguments: Mapping[str, Param]) -> Mapping[str, Param]:
    """Arguments with the strongest model that is here and not slow; else `_Slow`."""
    here = [w for w in of_tool(name) if locate(w).usable]
    if not here or arguments.get("model", AUTO) != AUTO:
        return arguments
    light = next((w for w in here if not _is_slow(w)), None)
    if light is None:
        facts = f"{name} ({here[0].model}, {here[0].size}) is slow without a GPU"
        raise _Slow(f"{facts}: --tool {slot}={name} takes it all the same")
    return arguments if light is here[0] else {**arguments, "model": light.model}


def _is_slow(weights: Weights) -> bool:
    """True for large weights on a CPU; torch is imported for large ones alone."""
    if weights.megabytes is None or weights.megabytes <= LARGEST_ON_CPU:
        return False
    device = CPU if machine().device == CPU else choose_device()
    return device == CPU or (device == "mps" and CONVERTED in weights.files)


def _tool_and_model(tool: Tool) -> str:
    source = tool.source
    return source.tool if source.model is None else f"{source.tool} ({source.model})"


def _rank_in_words(names: Sequence[str], weaker: Sequence[str], obstacles: Sequence[str]) -> str:
    if len(names) == 1:
        return "the only tool for it"
    before = f", before {', '.join(weaker)}" if weaker else ""
    ready = " that is ready" if obstacles else ""
    return "; ".join((f"the strongest{ready}{before}", *obstacles))


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Options about the reasoning and its language; None: as in the settings."""

    llm: str | None = None
    when: str | None = None
    critic: bool | None = None
    language: str | None = None


_OPTION_NAMES = {"when": "--llm-when", "critic": "--critic"}


def with_model_options(settings: Settings, options: ModelOptions) -> Settings:
    """Settings with the options; `ConfigError` for one of a model without a model."""
    values = asdict(options)
    model, language = values.pop("llm"), values.pop("language")
    if language is not None:
        settings = settings.model_copy(update={"language": language})
    if model is not None or settings.reasoner.use == "llm":
        return with_reasoner(settings, "llm", model=model, **values)
    unused = [_OPTION_NAMES[name] for name, value in values.items() if value is not None]
    if unused:
        raise ConfigError(
            f"{', '.join(unused)}: only a language model heeds this, and there is no model "
            "to ask; name one with --llm, as openai:gpt-4.1-mini"
        )
    return settings
