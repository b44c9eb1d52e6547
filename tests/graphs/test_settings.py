"""Settings: file, environment and call, in rising order; one line for what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from emer.graphs.components import load_reasoner, load_tools
from emer.graphs.settings import (
    Choice,
    Settings,
    load_settings,
    with_profile,
    with_subtitle,
    with_tools,
)
from emer.tools.errors import ConfigError
from emer.tools.tool import Tool
from tests.fixtures.trusted import write_trusted


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "emer.toml"


def test_the_embedded_profile_fills_the_slots():
    settings = load_settings(profile="embedded")
    uses = {slot: choice.use for slot, choice in settings.active_tools.items()}
    assert uses == {
        "face": "mesh",
        "scene": "camera",
        "prosody": "egemaps",
        "speech": "pocketsphinx",
    }
    assert settings.reasoner.use == "rules" and settings.budget.rounds == 3


def test_a_file_in_the_working_folder_is_read(file):
    write_trusted(
        file,
        'tool_seconds = 9\n[tools.face]\nmax_people = 3\n[tools.voice]\nuse = "a:B"\n'
        '[tools.scene]\nuse = "none"\n[budget]\nrounds = 1\n[reasoner]\nuse = "c:D"\nhow = "x"\n',
    )
    settings = load_settings(profile="embedded")
    assert settings.tools["face"] == Choice(use="mesh", max_people=3)
    assert settings.tools["face"].arguments == {"max_people": 3}
    assert list(settings.active_tools) == ["face", "prosody", "voice", "speech"]
    assert load_settings().tools["face"] == Choice(use="auto", max_people=3)
    assert settings.budget.rounds == 1 and settings.budget.tool_calls == 24
    assert settings.reasoner.arguments == {"how": "x"} and settings.tool_seconds == 9


def test_the_environment_wins_over_the_file_and_the_call_over_both(file, monkeypatch):
    write_trusted(file, '[tools.face]\nuse = "a:B"\nsize = 3\n[budget]\nrounds = 1\n')
    monkeypatch.setenv("EMER_BUDGET__ROUNDS", "7")
    monkeypatch.setenv("EMER_TOOLS__FACE__USE", "c:D")
    monkeypatch.setenv("EMER_TEST_DATA", "/nowhere")
    settings = load_settings()
    assert settings.budget.rounds == 7 and settings.tools["face"].use == "c:D"
    called = load_settings(tools={"face": "e:F", "extra": "g:H"})
    assert called.tools["face"] == Choice(use="e:F")
    assert called.tools["extra"].use == "g:H"
    assert with_tools(settings, {"face": "c:D"}).tools["face"].arguments == {"size": 3}


def test_the_home_is_the_users_folder_unless_told(monkeypatch):
    monkeypatch.delenv("EMER_HOME")
    assert load_settings().home.name == "emer"
    monkeypatch.setenv("EMER_HOME", "/elsewhere")
    assert load_settings().traces == Path("/elsewhere/traces")


def test_a_tilde_is_the_users_folder_in_file_and_environment(file, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("EMER_HOME", "~/own")
    write_trusted(file, 'weights = "~/models"\nserve_root = "~/clips"\n')
    settings = load_settings()
    assert settings.machine.weights == tmp_path / "models"
    assert (settings.home, settings.serve_root) == (tmp_path / "own", tmp_path / "clips")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tool_second = 3", "tool_second"),
        ("tool_seconds = 0", "tool_seconds"),
        ("[budget]\nrounds = 'many'", r"budget\.rounds"),
        ("[budget]\nround = 2", r"budget\.round"),
        ("[tools.fcae]\nmax = 3", r"tools\.fcae\.use"),
        ("[tools.face]\nuse = 3", r"tools\.face\.use"),
        ("tools = 3", "tools"),
        ("profile = 'giant'", "profile.*giant.*embedded"),
        ("profile = ", "emer.toml"),
    ],
)
def test_what_is_wrong_is_one_line_with_the_key(file, text, message):
    file.write_text(text)
    with pytest.raises(ConfigError, match=message) as error:
        load_settings()
    assert "\n" not in str(error.value)


def test_a_named_file_must_exist(tmp_path):
    with pytest.raises(ConfigError, match="nowhere"):
        load_settings(tmp_path / "nowhere.toml")


def test_wrong_arguments_name_the_key():
    settings = load_settings(tools={"face": "graph_tools:Smile"})
    bad = settings.model_copy(update={"tools": {"face": Choice(use="graph_tools:Smile", amuont=2)}})
    with pytest.raises(ConfigError, match=r"tools\.face\.amuont.*known: version, amount"):
        load_tools(bad)


def test_text_from_the_environment_becomes_what_the_argument_is(monkeypatch):
    monkeypatch.setenv("EMER_TOOLS__FACE__USE", "graph_tools:Smile")
    monkeypatch.setenv("EMER_TOOLS__FACE__AMOUNT", "3")
    only = {"scene": "none", "prosody": "none", "speech": "none"}
    tools, absent = load_tools(load_settings(profile="embedded", tools=only))
    assert tools["face"].source.params == {"amount": 3} and absent == {}
    assert isinstance(tools["face"], Tool)
    monkeypatch.setenv("EMER_TOOLS__FACE__AMOUNT", "three")
    with pytest.raises(ConfigError, match=r"tools\.face\.amount: 'three' is not a int"):
        load_tools(load_settings(profile="embedded", tools=only))


def test_a_tool_of_another_modality_is_refused_in_our_slots_and_welcome_beside_them():
    with pytest.raises(ConfigError) as error:
        load_tools(load_settings(profile="embedded", tools={"speech": "mesh"}))
    assert str(error.value) == (
        "tools.speech: mesh observes the face, this slot is for the text; "
        "put it in face or expression, or in a slot of another name beside them"
    )
    with pytest.raises(ConfigError, match="whisper observes the text, this slot is for the scene"):
        load_tools(
            load_settings(profile="embedded", tools={"caption": "whisper"})
        )  # whose weights are not here
    with pytest.raises(ConfigError, match=r"tools: 'whisper' is no table of slots; write"):
        load_settings(tools="whisper")  # type: ignore[arg-type]
    tools, _ = load_tools(load_settings(profile="embedded", tools={"second_look": "mesh"}))
    assert tools["second_look"].modality == "face"


def test_a_reasoner_must_decide_and_explain():
    assert load_reasoner(Choice(use="graph_tools:Plain")).name == "plain"
    assert load_reasoner(Choice(use="rules")).name
    with pytest.raises(ConfigError, match="no decide and explain"):
        load_reasoner(Choice(use="graph_tools:Smile"))
    with pytest.raises(ConfigError, match="reasoner: no reasoner is called 'x'; known: llm, rules"):
        load_reasoner(Choice(use="x"))


def test_a_subtitle_beside_the_clip_leaves_the_users_choice():
    chosen = load_settings(tools={"speech": "a:B"})
    assert with_subtitle(chosen, always=False).tools["speech"].use == "a:B"
    assert with_subtitle(chosen, always=True).tools["speech"].use == "subtitle"
    assert with_subtitle(load_settings(), always=False).tools["speech"].use == "subtitle"


def test_a_profile_leaves_the_users_tools():
    settings = Settings(tools={"face": {"use": "a:B"}})
    assert with_profile(settings, "embedded").tools["face"].use == "a:B"
    with pytest.raises(ConfigError, match="profile"):
        with_profile(settings, "giant")


@pytest.mark.parametrize("tools", [{"fcae": "mesh"}, {"nose": "none"}])
def test_a_slot_that_is_misspelt_or_unknown_and_switched_off_is_refused(tools):
    with pytest.raises(ConfigError, match=r"there is no slot .* there are face, expression"):
        load_settings(tools=tools)
    assert load_settings(tools={"extra": "a:B"}).tools["extra"].use == "a:B"


def test_a_misspelt_slot_of_the_file_is_refused(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('[tools.scenes]\nuse = "camera"\n')
    with pytest.raises(ConfigError, match="there is no slot 'scenes'; there are face"):
        load_settings(file)
    write_trusted(file, '[tools.dance]\nuse = "mine:Dance"\n')
    assert load_settings(file).tools["dance"].use == "mine:Dance"


def test_a_tool_is_swapped_with_arguments_as_a_table():
    table = {"speech": {"use": "whisper", "model": "tiny"}, "scene": "none"}
    found = with_tools(load_settings(), table)
    assert found.tools["speech"] == Choice(use="whisper", model="tiny")
    again = with_tools(found, {"speech": "whisper"})
    assert again.tools["speech"].arguments == {"model": "tiny"}, "named alone, it keeps them"
    for wrong in (object(), {"model": "tiny"}, 3):
        with pytest.raises(ConfigError, match=r"tools\.speech: name a tool .* or give a table"):
            with_tools(found, {"speech": wrong})
