"""Of each slot that is left to us, the strongest tool that is ready, and why.

Ready means that its packages and weights are here. What cannot be had is passed over, and said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from emer.graphs.settings import AUTO, OFF, Choice, Settings
from emer.tools import machine
from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.tool import Tool, load_tool

STRONGEST: Mapping[str, tuple[str, ...]] = {
    "face": ("blendshapes", "mesh"),
    "expression": ("deepface",),
    "scene": ("camera",),
    "caption": ("captioner",),
    "prosody": ("egemaps",),
    "voice": ("speech-emotion",),
    "speech": ("faster-whisper", "whisper", "pocketsphinx"),
}
"""The tools of each slot, the strongest first (our judgement).

faster-whisper runs the same models as whisper and takes less of the machine.
"""


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
    names = STRONGEST.get(slot)
    if names is None:
        known = ", ".join(STRONGEST)
        raise ConfigError(f"tools.{slot}.use: there is no auto for this slot; there is for {known}")
    passed: list[str] = []
    for name in names:
        try:
            found = load_tool(name)
        except ToolMissing as error:
            passed.append(f"{name} needs {error.what}: {error.install}")
            continue
        taken = Choice(use=name, **choice.arguments)
        return taken, f"{_named(found)} is {_rank(names, passed)}"
    return Choice(use=OFF), f"nothing: {'; '.join(passed)}"


def _named(tool: Tool) -> str:
    source = tool.source
    return source.tool if source.model is None else f"{source.tool} ({source.model})"


def _rank(names: tuple[str, ...], passed: list[str]) -> str:
    if passed:
        return f"the strongest that is ready; {'; '.join(passed)}"
    return "the only tool for it" if len(names) == 1 else "the strongest"
