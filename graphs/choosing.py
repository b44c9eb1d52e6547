"""Of each slot that is left to us, the strongest tool that is ready, and why.

Ready means that its packages and weights are here. What cannot be had is passed over, and said.
Tools that run the same models go by the model first: a large one is preferred to a small one,
whichever library runs it. Equal models, and tools without one, go by the rank with which they
are registered. Arguments given with "auto" narrow the choice to those that take them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from emer.graphs.loading import load_with
from emer.graphs.settings import AUTO, OFF, Choice, Settings
from emer.tools import machine
from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.registry import ranked, slots
from emer.tools.tool import Tool
from emer.tools.weights.catalogue import rank


class Chosen(NamedTuple):
    """Settings without "auto", and for each slot that had it, what was taken and why."""

    settings: Settings
    why: dict[str, str]


def choose(settings: Settings) -> Chosen:
    """Return the settings with the strongest ready tool in each slot that says "auto".

    A slot for which nothing is ready is switched off; its line says what it lacks.
    """
    machine.use(settings.machine)
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
