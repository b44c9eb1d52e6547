"""Settings of others: what is taken of them, what needs trust, and what they can never do."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from graph_tools import SMILE

from emer.agents.memory.embedder import load_embedder
from emer.graphs.ask import ask
from emer.graphs.components import load_reasoner
from emer.graphs.resume import find_paused, resume
from emer.graphs.server import graph as served_graph
from emer.graphs.settings import Choice, Settings, load_settings
from emer.graphs.trace.jsonl import read_trace
from emer.graphs.trace.stored_settings import is_own, restore
from emer.graphs.trust import harmless, read_file, trust, trusted_files
from emer.graphs.whatif import whatif
from emer.tools.errors import ConfigError
from emer.tools.registry import load_tool
from tests.fixtures.graph_runs import fakes, trace_of
from tests.fixtures.servers.openai_chat import serving
from tests.fixtures.trusted import write_trusted

pytestmark = pytest.mark.slow

QUIET = "".join(f'[tools.{slot}]\nuse = "none"\n' for slot in ("scene", "prosody", "speech"))
HARMLESS = """
profile = "embedded"
device = "cpu"
parallel = 2
tool_seconds = 9
offline = true
[budget]
rounds = 1
tokens = 200_000
money = 0.5
[clip]
hours = 1
[tools.face]
use = "mesh"
max_people = 3
[tools.speech]
use = "whisper"
model = "large-v3.turbo"
device = "cuda:1"
[reasoner]
use = "rules"
[memory]
on = false
nearest = 2
[memory.embedder]
use = "cues"
"""
HARMFUL = {
    "tools.face.use": '[tools.face]\nuse = "subprocess:Popen"\n',
    "tools.nose.use": '[tools.nose]\nuse = "os.path:join"\n',
    "reasoner.use": '[reasoner]\nuse = "builtins:exec"\n',
    "reasoner.model": '[reasoner]\nuse = "llm"\nmodel = "openai:gpt-4.1-mini"\n',
    "reasoner.weights": '[reasoner]\nweights = "weights"\nuse = "rules"\n',
    "memory.embedder.use": '[memory.embedder]\nuse = "hf:model"\n',
    "tools.caption.url": '[tools.caption]\nuse = "vision-api"\nurl = "evil.example"\n',
    "tools.caption.api_key": '[tools.caption]\nuse = "vision-api"\napi_key = "k"\n',
    "tools.caption.host": '[tools.caption]\nuse = "vision-api"\nhost = "evil.example"\n',
    "tools.speech.model": '[tools.speech]\nuse = "whisper"\nmodel = "../evil.pt"\n',
    "tools.voice.model": '[tools.voice]\nuse = "speech-emotion"\nmodel = "here"\n',
    "home": 'home = "elsewhere"\n',
    "serve_root": 'serve_root = "/"\n',
    "weights": 'weights = "mine"\n',
    "offline": "offline = false\n",
    "clip.hours": "[clip]\nhours = 1000\n",
    "budget.tokens": "[budget]\ntokens = 200_001\n",
    "budget.seconds": "[budget]\nseconds = 601\n",
    "tool_seconds": "tool_seconds = 301\n",
    "tools.caption.use": '[tools.caption]\nuse = "vision-api"\n',
    "reasoner.when": '[reasoner]\nuse = "llm"\nwhen = "always"\n',
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder of a stranger, with a module and a model that would be found."""
    place = tmp_path / "theirs"
    (place / "here").mkdir(parents=True)
    marker = f"import pathlib; pathlib.Path({str(tmp_path / 'ran')!r}).touch()\n"
    (place / "payload.py").write_text(marker + "class Tool:\n    observe = decide = None\n")
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(place)
    return place


def test_harmless_settings_need_no_trust(folder: Path) -> None:
    Path("emer.toml").write_text(HARMLESS)
    settings = load_settings()
    assert settings.notes == ()
    assert settings.offline and settings.parallel == 2 and settings.clip.hours == 1
    assert settings.tools["speech"].arguments == {"model": "large-v3.turbo", "device": "cuda:1"}


@pytest.mark.parametrize("key", HARMFUL)
def test_what_can_do_harm_is_left_out_in_one_line(folder: Path, key: str) -> None:
    Path("emer.toml").write_text(HARMFUL[key])
    settings, plain = load_settings(), Settings()
    assert settings.model_dump() == plain.model_dump()
    (note,) = settings.notes
    named = note.partition("not taken from it: ")[2].partition("; ")[0]
    assert key in named.split(", ") and f"emer trust {folder}" in note
    write_trusted(Path("emer.toml"), HARMFUL[key])
    allowed = load_settings()
    assert allowed.notes == ()
    same = key in ("home", "offline")  # of the environment, and as it is without a file
    assert (allowed.model_dump() == plain.model_dump()) is same


def test_the_name_of_an_entry_point_needs_no_trust(folder: Path) -> None:
    Path("emer.toml").write_text('[reasoner]\nuse = "installed"\n[memory.embedder]\nuse = "mine"\n')
    settings = load_settings()
    assert settings.notes == ()
    assert (settings.reasoner.use, settings.memory.embedder.use) == ("installed", "mine")


def test_a_folder_does_not_send_to_what_the_user_has_configured(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither more often to the model of the environment, nor pictures to its address."""
    for name, value in (("USE", "llm"), ("MODEL", "openai:gpt-4.1-mini")):
        monkeypatch.setenv(f"EMER_REASONER__{name}", value)
    monkeypatch.setenv("EMER_VISION_URL", "http://127.0.0.1:9/v1")
    mine = load_settings()
    for text in ('[reasoner]\nwhen = "always"\n', HARMFUL["tools.caption.use"]):
        Path("emer.toml").write_text(text)
        settings = load_settings()
        assert settings.model_dump() == mine.model_dump() and len(settings.notes) == 1
    monkeypatch.setenv("EMER_TOOLS__CAPTION__USE", "vision-api")
    assert load_settings().tools["caption"].use == "vision-api", "the user's own choice"


def test_no_folder_of_a_stranger_is_the_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative home would be the stranger's, with a list of trusted files and a key."""
    (folder / "home").mkdir()
    (folder / "home" / "emer.toml").write_text(HARMFUL["tools.face.use"])
    monkeypatch.setenv("EMER_HOME", "home")
    for work in (load_settings, trusted_files, lambda: load_settings(Path("home/emer.toml"))):
        with pytest.raises(ConfigError, match=r"^the home home is relative"):
            work()
    monkeypatch.setenv("EMER_HOME", "")
    with pytest.raises(ConfigError, match="is relative"):
        load_settings()


def test_settings_among_the_downloads_of_the_home_are_a_stranger_s(folder: Path) -> None:
    place = load_settings().home / "weights" / "org--name"
    place.mkdir(parents=True)
    (place / "emer.toml").write_text(HARMFUL["tools.face.use"])
    (note,) = load_settings(place / "emer.toml").notes
    assert "tools.face.use" in note


def test_a_named_file_needs_trust_as_well_and_the_user_s_own_does_not(folder: Path) -> None:
    (folder / "mine.toml").write_text(HARMFUL["home"])
    (note,) = load_settings(Path("mine.toml")).notes
    assert f"emer trust {folder / 'mine.toml'}" in note
    home = load_settings().home
    home.mkdir(exist_ok=True)
    (home / "own.toml").write_text('[tools.face]\nuse = "a:B"\n')
    settings = load_settings(home / "own.toml")
    assert settings.tools["face"].use == "a:B" and settings.notes == ()
    assert settings.places == {"a:B": str(home.resolve())}, "never in the folder of a stranger"


def test_trust_ends_when_the_file_changes(folder: Path) -> None:
    file = write_trusted(Path("emer.toml"), HARMFUL["tools.face.use"])
    assert load_settings().tools["face"].use == "subprocess:Popen"
    file.write_text(HARMFUL["tools.face.use"] + "# one byte more\n")
    assert load_settings().tools["face"].use == "auto"
    listed = load_settings().home / "trust.json"
    assert stat.S_IMODE(listed.stat().st_mode) == 0o600
    assert [*listed.parent.glob(".trust-*")] == []


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"/x": 1}', b"\xff", b""])
def test_a_damaged_list_trusts_nothing_and_is_kept(folder: Path, content: bytes) -> None:
    file = write_trusted(Path("emer.toml"), HARMFUL["tools.face.use"])
    listed = load_settings().home / "trust.json"
    listed.write_bytes(content)
    settings = load_settings()
    assert settings.tools["face"].use == "auto" and "trust.json is damaged" in settings.notes[0]
    read = read_file(file)
    assert read is not None
    with pytest.raises(ConfigError, match="damaged"):
        trust(read)
    assert listed.read_bytes() == content


def test_a_home_that_the_file_names_brings_no_trust(folder: Path) -> None:
    file = folder / "emer.toml"
    file.write_text(f'home = "{folder}"\n{HARMFUL["tools.face.use"]}')
    read = read_file(file)
    assert read is not None
    (folder / "trust.json").write_text(json.dumps({str(file): read.sha256}))
    settings = load_settings()
    assert settings.tools["face"].use == "auto" and settings.home != folder
    assert trusted_files() == ({}, "")


def test_what_is_shown_of_a_file_cannot_steer_the_terminal(folder: Path) -> None:
    key = '"\\u001b]0;x\\u0007\\u202efa\\nce"'
    Path("emer.toml").write_text(f'[tools.{key}]\nuse = "a\\u001b[2J:B"\n')
    (note,) = load_settings().notes
    assert note.isprintable()
    _, demands = harmless(read_file(Path("emer.toml")).data)  # type: ignore[union-attr]
    assert all(d.key.isprintable() and d.value.isprintable() for d in demands)


@pytest.mark.parametrize("content", [b"a = " + b"[" * 50_000, b"a = " + b"1" * 9_000, b"\xff"])
def test_a_file_that_no_parser_bears_is_one_line(folder: Path, content: bytes) -> None:
    Path("emer.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"^emer\.toml: "):
        load_settings()
    Path("emer.toml").write_bytes(b"#" * 1_100_000)
    with pytest.raises(ConfigError, match="larger than"):
        load_settings()


def test_python_asks_with_the_defaults_and_says_so(folder: Path, clip_path: Path) -> None:
    with serving() as server:
        model = f'[reasoner]\nuse = "llm"\nwhen = "always"\nmodel = "x@{server.url}"\n'
        evil = '[tools.face]\nuse = "payload:Tool"\n'
        Path("emer.toml").write_text(evil + model + QUIET)
        answer = ask(clip_path, tools={"face": "graph_tools:Smile"})
        assert server.asked == [] == server.keys
    assert not (folder.parent / "ran").exists()
    (note,) = (note for note in answer.notes if "not trusted" in note)
    assert "reasoner.model" in note and "tools.face.use" not in note, "the call names another"
    assert trace_of(answer).header.reasoner == "rules"


def test_the_served_graph_takes_no_more_of_its_folder(
    folder: Path, clip_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("emer.toml").write_text('[tools.face]\nuse = "payload:Tool"\n' + QUIET)
    monkeypatch.setenv("EMER_SERVE_ROOT", str(clip_path.parent))
    out = served_graph.invoke({"clip": clip_path.name})
    assert not (folder.parent / "ran").exists()
    assert any("tools.face.use" in note for note in out["answer"]["notes"])


def forged(path: Path, settings: dict[str, Any], **header: Any) -> Path:
    """Write a copy of a trace with another header into the working folder."""
    first, *rest = path.read_text().splitlines()
    record = json.loads(first)
    record |= header
    record["settings"] |= settings
    copy = Path("received", "traces", "run.jsonl").absolute()
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text("\n".join([json.dumps(record), *rest, ""]))
    return copy


EVIL: dict[str, Any] = {"reasoner": {"use": "payload:Tool"}}


def test_a_trace_of_one_s_own_needs_no_trust(run: Any) -> None:
    trace = trace_of(run(face="Smile"))
    assert is_own(trace.header)
    found = whatif(trace, ["face"])
    assert found.reasoner == "graph_tools:Plain"
    key = load_settings().home / "trace.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.unlink()
    assert not is_own(trace.header)


def test_a_received_trace_reasons_with_the_rules(run: Any, folder: Path) -> None:
    with serving() as server:
        model = {"reasoner": {"use": "llm", "when": "always", "model": f"x@{server.url}"}}
        for settings in (EVIL, model):
            received = read_trace(forged(run(face="Smile").trace_path, settings))
            assert not is_own(received.header)
            assert whatif(received, ["face"]).reasoner == "rules"
        assert server.asked == []
    assert not (folder.parent / "ran").exists()
    plain = read_trace(forged(run(face="Smile").trace_path, {}, signature=None))
    assert whatif(plain, ["face"]).reasoner == "rules"
    assert whatif(plain, ["face"], trust=True).reasoner == "graph_tools:Plain"


def test_a_signature_is_of_the_whole_header(run: Any) -> None:
    header = trace_of(run(face="Smile")).header
    for change in ({"run_id": "x"}, {"places": {"a:B": "/tmp"}}, {"signature": "0" * 64}):
        assert not is_own(header.model_copy(update=change))
    assert is_own(header.model_copy(update={"at": 3.0}))


def test_a_received_trace_takes_what_today_s_settings_have(run: Any) -> None:
    header = trace_of(run(face="Smile")).header.model_copy(update={"signature": None})
    today = fakes(face="Smile")
    same = restore(header, today, home=today.home)
    assert same.reasoner.use == "graph_tools:Plain" and same.notes == ()
    other = restore(header, Settings(), home=today.home)
    assert (other.reasoner.use, other.tools["face"].use) == ("rules", "mesh")
    assert "reasoner.use" in other.notes[0] and "--trust" in other.notes[0]


def test_a_received_trace_opens_no_other_file_and_writes_into_no_other_home(
    run: Any, folder: Path
) -> None:
    waits = run(face="Smile", ask_with={"review": True})
    secret = folder / "secret.txt"
    secret.write_text("of the user")
    clip = {**read_trace(waits.trace_path).header.clip.model_dump(), "path": str(secret)}
    received = forged(waits.trace_path, EVIL, clip=clip)
    paused = find_paused(received)
    assert paused.settings.home == load_settings().home and paused.clues[0].text == SMILE[0]
    assert paused.settings.reasoner.use == "rules"
    before = received.read_bytes()
    with pytest.raises(ConfigError, match="has changed since run"):
        resume(received)
    assert received.read_bytes() == before
    assert [*received.parents[1].rglob("*.*")] == [received], "nothing is written beside it"
    assert not (folder.parent / "ran").exists()


def test_a_received_trace_asks_no_long_question(run: Any, folder: Path) -> None:
    waits = run(face="Smile", question="Why so?", ask_with={"review": True})
    received = forged(waits.trace_path, {})
    received.write_text(received.read_text().replace("Why so?", "why " * 1_001))
    for work in (find_paused, resume, lambda path: whatif(read_trace(path), ["face"])):
        with pytest.raises(ConfigError, match=r"^the question has 4,004 characters"):
            work(received)


@pytest.mark.parametrize(("count", "size"), [(5_001, 1), (2, 500_001)])
def test_a_received_trace_brings_no_endless_subtitle(
    run: Any, folder: Path, count: int, size: int
) -> None:
    waits = run(face="Smile", ask_with={"review": True})
    received = forged(waits.trace_path, {})
    *lines, last = received.read_text().splitlines()
    paused = json.loads(last) | {"subtitle": [{"span": None, "text": "x" * size}] * count}
    received.write_text("\n".join([*lines, json.dumps(paused), ""]))
    with pytest.raises(ConfigError, match=rf"^the subtitle has {count:,} pieces"):
        resume(received)


@pytest.mark.parametrize("use", ["subprocess:Popen", "os:system", "builtins:exec", ":x", ".a:B"])
def test_a_class_is_checked_before_it_is_made(tmp_path: Path, use: str) -> None:
    arguments = {"args": f"touch {tmp_path / 'ran'}", "shell": True}
    with pytest.raises(ConfigError):
        load_tool(use, arguments)
    with pytest.raises(ConfigError, match=r"^reasoner"):
        load_reasoner(Choice(use=use, **arguments))
    with pytest.raises(ConfigError, match=r"^memory"):
        load_embedder(use, arguments)
    assert not (tmp_path / "ran").exists()
