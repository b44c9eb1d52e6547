"""Registry of tools: from a name in the settings to the class of a tool.

A name is that of a registered tool ("mesh"), of an installed entry point of group
`emer.tools`, or "package.module:Class". The other keys of a slot's table in the settings
are the arguments of the class.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Final, TypeVar

from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.tool import Remote, Tool
from emer.tools.types import MODALITIES, Modality, Param

GROUP: Final = "emer.tools"
"""Entry point group of tools in other packages."""
BUILT_IN: Final = (
    "emer.tools.face.tool",
    "emer.tools.expression.deepface",
    "emer.tools.scene.tool",
    "emer.tools.caption.captioner",
    "emer.tools.caption.vision_api",
    "emer.tools.prosody.egemaps",
    "emer.tools.voice.speech_emotion",
    "emer.tools.voice.functionals",
    "emer.tools.speech.faster_whisper",
    "emer.tools.speech.openai_whisper",
    "emer.tools.speech.transformers_asr",
    "emer.tools.speech.pocketsphinx",
    "emer.tools.speech.subtitle",
    "emer.tools.ocr.tool",
)
"""Modules of the built-in tools by slot, imported when a tool is first named."""

_RESERVED = ("auto", "none")  # words of the settings that no tool may take
_registered: dict[str, Registration] = {}

Class = TypeVar("Class", bound=type)


@dataclass(frozen=True, slots=True)
class Registration:
    name: str
    tool: type
    slot: str
    modality: Modality
    rank: int | None
    """Place for "auto" among the tools of the slot, smallest first; None: never."""


def register(
    name: str, *, slot: str, rank: int | None = None, modality: Modality | None = None
) -> Callable[[Class], Class]:
    """Class decorator that names a tool, as the built-in tools are named.

    The name then stands for the class in settings, on the command line and in `ask(tools=...)`,
    as soon as the module with the class has been imported.

    Args:
        name: Name in the settings; equal to the `tool` of the class's `source`.
        slot: Slot that the tool is for: a built-in one ("face"), or one of another name.
        rank: Place for "auto" among the tools of the slot that are ready, smallest first, where
            they run equal models; built-in tools have 10, 20, ... None: "auto" never chooses it.
        modality: Modality of the tool's clues, where the class does not state it itself.

    Raises:
        ConfigError: The name is taken or not usable, or the modality is not that of the slot.
    """

    def decorate(tool: Class) -> Class:
        if modality is not None and not hasattr(tool, "modality"):
            tool.modality = modality  # type: ignore[attr-defined]
        if tool.__module__ not in BUILT_IN:
            _import_built_in()  # so that a built-in name is refused here, not later
        _add(Registration(name, tool, slot, _modality(name, tool, modality), rank))
        return tool

    return decorate


def registered() -> Mapping[str, Registration]:
    """Registered tools by name: the built-in ones by slot, then those of others."""
    _import_built_in()
    order = {module: place for place, module in enumerate(BUILT_IN)}
    by_slot = sorted(
        _registered.items(), key=lambda item: order.get(item[1].tool.__module__, len(order))
    )
    return dict(by_slot)


def slots() -> Mapping[str, Modality]:
    """Modality of the clues of each slot that a tool is registered for."""
    return {each.slot: each.modality for each in registered().values()}


def ranked(slot: str) -> tuple[str, ...]:
    """Names of the tools that "auto" may choose for a slot, strongest first."""
    places = {n: r for n, r in registered().items() if r.slot == slot}
    rank = {
        name: place.rank
        for name, place in places.items()
        if place.rank is not None and not issubclass(place.tool, Remote)
    }
    return tuple(sorted(rank, key=rank.__getitem__))


def load_tool(use: str, arguments: Mapping[str, Param] | None = None) -> Tool:
    """Tool that `use` names; `ConfigError` for a bad name; `ToolMissing` passes."""
    tool = tool_class(use)(**dict(arguments or {}))
    if not isinstance(tool, Tool):
        raise _no_tool(use)
    _ = tool.source  # raises `ToolMissing` at once
    return tool


def tool_class(use: str) -> type:
    """Class of the tool that `use` names, not yet constructed; errors as `resolve`."""
    found = resolve(use, {name: each.tool for name, each in registered().items()}, GROUP)
    # The other attributes of the contract may be set by its constructor.
    if not callable(getattr(found, "observe", None)):
        raise _no_tool(use)
    return found


def resolve(use: str, known: Mapping[str, type | str], group: str) -> type:
    """Class that `use` names; `ConfigError` lists the known names.

    `ToolMissing` where its module needs a package that is not installed.

    Args:
        use: A known name, the name of an entry point, or "package.module:Class".
        known: Classes, or their addresses "package.module:Class", by name.
        group: Entry point group in which other packages declare theirs.
    """
    target = known.get(use) or (use if ":" in use else _entry_point(use, known, group))
    if isinstance(target, type):
        return target
    module, _, name = target.partition(":")
    try:
        value = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        absent = error.name
        if absent is not None and (module == absent or module.startswith(f"{absent}.")):
            raise ConfigError(f"{use}: no module {absent}; is its package installed?") from error
        raise ToolMissing(use, f"the package {absent}", f"pip install {absent}") from error
    except AttributeError as error:
        raise ConfigError(f"{use}: module {module} has no {name}") from error
    except (TypeError, ValueError) as error:  # a relative or an empty name
        raise ConfigError(f"{use}: write 'package.module:Class'") from error
    if not isinstance(value, type):
        raise ConfigError(f"{use} is not a class")
    return value


@cache
def _import_built_in() -> None:
    for module in BUILT_IN:
        importlib.import_module(module)


def _modality(name: str, tool: type, registered: Modality | None) -> Modality:
    stated = next((each for each in MODALITIES if each == getattr(tool, "modality", None)), None)
    if registered is not None and stated not in (None, registered):
        raise ConfigError(f"tool {name}: registered for the {registered}, its class says {stated}")
    modality = stated or registered
    if modality not in MODALITIES:
        known = ", ".join(MODALITIES)
        raise ConfigError(f"tool {name}: {tool.__name__}.modality must be one of {known}")
    return modality


def _add(new: Registration) -> None:
    if not new.name or ":" in new.name or new.name in _RESERVED:
        raise ConfigError(f"tool {new.name!r}: not a name that a tool can have")
    holder = _registered.get(new.name)
    # A class defined anew, as by a reload, takes its own name again.
    if holder is not None and _address(holder.tool) != _address(new.tool):
        taken = f"cannot take this name, {_address(holder.tool)} has it"
        raise ConfigError(f"tool {new.name!r}: {_address(new.tool)} {taken}")
    for other in _registered.values():
        if other.slot == new.slot and other.modality != new.modality and other is not holder:
            what = f"slot {new.slot!r} is for the {other.modality}"
            raise ConfigError(f"tool {new.name}: it observes the {new.modality}, {what}")
    _registered[new.name] = new


def _address(tool: type) -> str:
    return f"{tool.__module__}:{tool.__qualname__}"


def _no_tool(use: str) -> ConfigError:
    return ConfigError(
        f"{use} is not a tool: it needs modality, description, source and "
        "observe(clip, span=None) (see emer.tools.tool.Tool)"
    )


def _entry_point(use: str, known: Mapping[str, type | str], group: str) -> str:
    installed = {point.name: point.value for point in entry_points(group=group)}
    if use not in installed:
        names = ", ".join(sorted({*known, *installed}))
        raise ConfigError(f"no tool is called {use!r}; known: {names}; or 'package.module:Class'")
    return installed[use]
