"""From a name to a tool: registered, an entry point, or an import string; and what is refused."""

from __future__ import annotations

import subprocess
import sys

import pytest

from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.registry import (
    BUILT_IN,
    load_tool,
    ranked,
    register,
    registered,
    resolve,
    slots,
    tool_class,
)
from emer.tools.testing.fakes import FakeTool
from emer.tools.tool import Tool, card

OWN = """
from emer.tools.testing.fakes import FakeTool
from emer.tools.registry import register

@register("{name}", slot="{slot}", rank={rank}, modality="{modality}")
class {kind}(FakeTool):
    def __init__(self) -> None:
        super().__init__("{name}", "{modality}")
"""


@pytest.fixture
def run_code(tmp_path):
    """Write a module `own_tool` with a registered class, and run code in a fresh process."""

    def run(code: str, **facts: object) -> str:
        usual = {"name": "own", "slot": "face", "rank": 5, "modality": "face", "kind": "Own"}
        (tmp_path / "own_tool.py").write_text(OWN.format(**usual | facts))
        line = [sys.executable, "-c", code]
        done = subprocess.run(line, check=False, cwd=tmp_path, capture_output=True, text=True)
        return (done.stdout + done.stderr).strip()

    return run


@pytest.mark.parametrize("name", sorted(registered()))
def test_every_built_in_is_a_tool_that_knows_itself(name):
    assert tool_class(name).description.endswith(".")
    try:
        tool = load_tool(name)
    except ToolMissing as error:  # its weights, or an address
        assert error.tool == name and error.install
        return
    assert isinstance(tool, Tool) and tool.source.tool == name
    assert card(tool).description == tool.description
    assert tool.modality == registered()[name].modality


def test_every_built_in_module_registers_a_tool_and_no_other_does():
    assert [*dict.fromkeys(each.tool.__module__ for each in registered().values())] == [*BUILT_IN]


def test_slots_have_an_order_a_modality_and_tools_by_rank():
    assert [*slots().items()] == [
        ("face", "face"),
        ("expression", "face"),
        ("scene", "scene"),
        ("caption", "scene"),
        ("prosody", "audio"),
        ("voice", "audio"),
        ("speech", "text"),
        ("ocr", "text"),
    ]
    assert ranked("face") == ("blendshapes", "mesh")
    assert ranked("speech") == ("faster-whisper", "whisper", "asr", "pocketsphinx")
    assert ranked("taste") == ()


@pytest.mark.slow
def test_the_order_does_not_depend_on_what_is_imported_first(run_code):
    code = (
        "import emer.tools.speech.subtitle\n"
        "from emer.tools.registry import registered, slots\n"
        "print(*registered()); print(*slots())"
    )
    assert run_code(code) == f"{' '.join(registered())}\n{' '.join(slots())}"


@pytest.mark.slow
def test_settings_and_help_import_no_tool(run_code):
    code = (
        "import sys\nimport emer.app.cli\nfrom emer.graphs.settings import load_settings\n"
        "load_settings()\n"
        "from emer.tools.registry import BUILT_IN\nprint({*BUILT_IN} & {*sys.modules})"
    )
    assert run_code(code) == "set()"


def test_a_tool_comes_by_import_string_with_its_arguments():
    tool = load_tool("emer.tools.testing.fakes:FakeTool", {"name": "mine", "modality": "scene"})
    assert (card(tool).name, card(tool).modality) == ("mine", "scene")


@pytest.mark.parametrize(
    ("use", "message"),
    [
        ("nosuch", "no tool is called 'nosuch'; known: .*mesh"),
        ("nosuch_package:Tool", "no module nosuch_package"),
        ("emer.tools.testing.fakes:Nothing", "has no Nothing"),
        ("emer.tools.testing.fakes:SLACK", "not a class"),
        ("builtins:dict", "not a tool"),
    ],
)
def test_what_cannot_be_a_tool_is_said_on_one_line(use, message):
    with pytest.raises(ConfigError, match=message) as error:
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
    assert resolve("x", {"x": FakeTool}, "emer.nothing") is FakeTool


@pytest.mark.slow
def test_a_tool_that_sends_is_chosen_by_its_name_alone(run_code):
    code = (
        "import own_tool\n"
        "from emer.graphs.trust import harmless\n"
        "from emer.tools.registry import ranked, register\n"
        "far = type('Far', (own_tool.Own,), {'reach': lambda self: 'its address'})\n"
        "register('far', slot='face', rank=1)(far)\n"
        "for use in ('own', 'far'):\n"
        "    settings = {'tools': {'face': {'use': use}}}\n"
        "    print(use in ranked('face'), harmless(settings)[0] == settings)\n"
    )
    assert run_code(code).splitlines() == ["True True", "False False"]


@pytest.mark.slow
def test_an_imported_class_is_found_by_its_name_and_competes_by_its_rank(run_code):
    code = (
        "import own_tool\n"
        "from emer.graphs.components import choose\n"
        "from emer.graphs.settings import load_settings\n"
        "from emer.tools.registry import load_tool, ranked\n"
        "print(type(load_tool('own')) is own_tool.Own, ranked('face')[0])\n"
        "settings = load_settings(tools={'face': 'auto'})\n"
        "print(choose(settings).settings.tools['face'].use)\n"
        "print(load_settings(tools={'face': 'own'}).active_tools['face'].use)"
    )
    assert run_code(code).split("\n") == ["True own", "own", "own"]


@pytest.mark.slow
def test_a_registered_slot_of_another_name_is_one_more_slot(run_code):
    code = (
        "import own_tool\n"
        "from emer.graphs.components import choose\n"
        "from emer.graphs.settings import load_settings\n"
        "settings = choose(load_settings(profile='auto')).settings\n"
        "print([*settings.active_tools][-1], settings.active_tools['posture'].use)"
    )
    assert run_code(code, slot="posture", modality="scene") == "posture own"


@pytest.mark.slow
def test_the_command_line_and_an_import_string_find_the_same_class(run_code):
    code = "from emer.tools.registry import load_tool\nprint(load_tool('own_tool:Own').source.tool)"
    assert run_code(code) == "own"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("facts", "line"),
    [
        (
            {"name": "mesh"},
            "tool 'mesh': own_tool:Own cannot take this name, emer.tools.face.tool:FaceMesh has it",
        ),
        ({"slot": "speech"}, "tool own: it observes the face, slot 'speech' is for the text"),
        ({"modality": "smell"}, "tool own: Own.modality must be one of face, scene, audio, text"),
        ({"name": "auto"}, "tool 'auto': not a name that a tool can have"),
        ({"name": "a:B"}, "tool 'a:B': not a name that a tool can have"),
        ({"name": ""}, "tool '': not a name that a tool can have"),
    ],
)
def test_what_cannot_be_registered_is_refused_on_one_line(run_code, facts, line):
    assert (
        run_code("import own_tool", **facts).split("\n")[-1]
        == f"emer.tools.errors.ConfigError: {line}"
    )


def test_a_modality_against_that_of_the_class_is_refused():
    with pytest.raises(ConfigError, match="tool odd: registered for the text, its class says face"):

        @register("odd", slot="face", modality="text")
        class Odd(FakeTool):
            modality = "face"

    assert "odd" not in registered()


@pytest.mark.slow
def test_a_class_defined_anew_takes_its_own_name_again(run_code):
    code = (
        "import importlib, own_tool\n"
        "first = own_tool.Own\n"
        "importlib.reload(own_tool)\n"
        "from emer.tools.registry import tool_class\n"
        "print(tool_class('own') is own_tool.Own, tool_class('own') is first)"
    )
    assert run_code(code) == "True False"
