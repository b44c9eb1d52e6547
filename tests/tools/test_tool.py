"""From a name to a tool: built-ins, import strings, and what is said when there is none."""

from __future__ import annotations

import pytest

from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.testing.fakes import FakeTool
from emer.tools.tool import BUILT_IN, Tool, card, code_digest, load_tool, resolve


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_built_in_is_a_tool_that_knows_itself(name):
    assert resolve(name).description.endswith(".")
    try:
        tool = load_tool(name)
    except ToolMissing as error:  # its weights, or an address
        assert error.tool == name and error.install
        return
    assert isinstance(tool, Tool) and tool.source.tool == name
    assert card(tool).description == tool.description


def test_a_tool_comes_by_import_string_with_its_arguments():
    tool = load_tool("emer.tools.testing.fakes:FakeTool", {"name": "mine", "modality": "scene"})
    assert (card(tool).name, card(tool).modality) == ("mine", "scene")


@pytest.mark.parametrize(
    ("use", "said"),
    [
        ("nosuch", "no tool is called 'nosuch'; known: .*mesh"),
        ("nosuch_package:Tool", "no module nosuch_package"),
        ("emer.tools.testing.fakes:Nothing", "has no Nothing"),
        ("emer.tools.testing.fakes:_inside", "not a class"),
        ("builtins:dict", "not a tool"),
    ],
)
def test_what_cannot_be_a_tool_is_said_on_one_line(use, said):
    with pytest.raises(ConfigError, match=said) as error:
        load_tool(use)
    assert "\n" not in str(error.value)


def test_a_package_that_a_tool_lacks_comes_with_its_install_line(tmp_path, monkeypatch):
    (tmp_path / "needy_tool.py").write_text("import nosuch_package_at_all\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ToolMissing) as error:
        load_tool("needy_tool:Needy")
    assert error.value.install == "pip install nosuch_package_at_all"


def test_other_kinds_are_resolved_by_their_own_names():
    assert resolve("x", {"x": "emer.tools.testing.fakes:FakeTool"}, "emer.nothing") is FakeTool


def test_the_code_digest_is_of_the_file_with_the_class():
    class Local(FakeTool):
        pass

    assert code_digest(FakeTool()) and code_digest(Local()) != code_digest(FakeTool())
