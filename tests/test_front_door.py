"""`import emer`: the public names, each imported at its first use."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version

import pytest

import emer

HEAVY = ("numpy", "cv2", "pandas", "pydantic", "langgraph", "torch", "emer.graphs")
LISTED = """
import sys, emer
dir(emer)
print(*sorted(sys.modules))
"""


def test_every_public_name_is_there_and_the_right_thing():
    from emer.agents.clue_edits import Addition, Edits
    from emer.graphs.answer import Answer
    from emer.graphs.ask import ask
    from emer.graphs.resume import resume
    from emer.tools.media.clip import Clip
    from emer.tools.registry import register
    from emer.tools.tool import Tool
    from emer.tools.types import Clue

    assert (emer.ask, emer.resume, emer.register) == (ask, resume, register)
    assert (emer.Answer, emer.Edits, emer.Addition) == (Answer, Edits, Addition)
    assert (emer.Clip, emer.Clue, emer.Tool) == (Clip, Clue, Tool)
    assert emer.__version__ == version("emer")
    assert all(hasattr(emer, name) for name in emer.__all__)
    assert dir(emer) == sorted(emer.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'emer' has no attribute 'nothing'"):
        _ = emer.nothing


FRONTS = {
    "emer.tools": (
        "Clip", "Clue", "Tool", "register", "load_tool", "Span", "Quality", "Source",
        "ConfigError", "ToolFailed", "ToolMissing", "Unobservable",
    ),
    "emer.agents": ("Ask", "Reasoner", "Inquiry", "Decision", "Explanation"),
    "emer.graphs": ("Answer", "Settings", "load_settings"),
}  # fmt: skip


@pytest.mark.parametrize("package", FRONTS)
def test_a_package_offers_the_names_that_its_users_need(package):
    front = import_module(package)
    for name in FRONTS[package]:
        assert name in front.__all__
        assert getattr(front, name).__name__ == name
    with pytest.raises(AttributeError, match=f"'{package}' has no attribute 'nothing'"):
        _ = front.nothing


@pytest.mark.slow
def test_the_front_of_the_tools_loads_no_decoder():
    line = [sys.executable, "-c", "import sys, emer.tools; print(*sys.modules)"]
    loaded = set(subprocess.run(line, check=True, capture_output=True, text=True).stdout.split())
    assert "emer.tools.errors" in loaded and not loaded & {*HEAVY, "av", "emer.tools.media"}


@pytest.mark.slow
def test_the_import_loads_nothing_else():
    line = [sys.executable, "-c", LISTED]
    loaded = set(subprocess.run(line, check=True, capture_output=True, text=True).stdout.split())
    assert "emer" in loaded and not loaded & set(HEAVY)


@pytest.mark.parametrize("name", sorted({*emer.__all__} - {"__version__", "ConfigError"}))
def test_the_help_describes_every_parameter(name):
    """More than three parameters are described under `Args:`, each of them."""
    thing = getattr(emer, name)
    text = inspect.getdoc(thing) or ""
    assert len(text.splitlines()[0]) <= 80
    parameters = inspect.signature(thing).parameters
    names = [p for p in parameters if p not in ("id", "args", "kwargs")]
    if len(names) > 3:
        arguments = text.split("Args:\n")[1]
        assert [n for n in names if f"    {n}: " not in arguments] == []


@pytest.mark.parametrize("name", ["ask", "resume"])
def test_the_help_of_the_calls_has_result_errors_and_an_example(name):
    text = inspect.getdoc(getattr(emer, name)) or ""
    assert all(f"{part}:\n" in text for part in ("Args", "Returns", "Raises", "Example"))
