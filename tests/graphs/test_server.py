"""The served graph: the same nodes and answers, JSON alone, and only the clips it may open."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from langgraph.types import Command

from emer.graphs.ask import ask
from emer.graphs.controller import build
from emer.graphs.server import MOST_OPEN, RUNS, served_clip
from emer.graphs.trace.jsonl import read_trace
from emer.tools.errors import ConfigError
from tests.fixtures.servers.langgraph_dev import close_runs, served, thread

pytestmark = pytest.mark.slow

QUESTION = "Is she happy?"


@pytest.fixture(autouse=True)
def server(served_home):
    return served_home


def trace_of(home: Path, out) -> object:
    return read_trace(home / "traces" / f"{out['run_id']}.jsonl")


def shape(graph) -> tuple[set[str], set[tuple[str, str, bool]]]:
    drawn = graph.get_graph()
    return set(drawn.nodes), {(e.source, e.target, e.conditional) for e in drawn.edges}


def test_it_has_the_nodes_and_edges_of_the_controller():
    assert shape(served()) == shape(build())
    assert {"probe", "plan", "observe", "join", "decide", "explain", "verify", "finish"} <= shape(
        served()
    )[0]


def test_it_answers_as_ask_does(clip_path, server):
    out = served().invoke({"clip": clip_path.name, "question": QUESTION}, thread())
    asked = ask(clip_path, QUESTION)
    answer = out["answer"]
    assert answer["text"] == asked.text and answer["stop_reason"] == asked.stop_reason
    assert {clue["id"] for clue in answer["clues"]} == {clue.id for clue in asked.clues}
    trace = trace_of(server, out)
    assert trace.finished.explanation == asked.explanation
    assert trace.header.thread == "t" and trace.started.question == QUESTION
    assert "trace" not in answer and len(RUNS) == 0


def test_the_state_is_plain_json_and_small(clip_path):
    graph = served()
    graph.invoke({"clip": clip_path.name}, thread())
    for state in graph.get_state_history(thread()):
        text = json.dumps(state.values)
        assert json.loads(text) == state.values and len(text) < 64_000


def test_a_thread_remembers_and_asks_again_about_the_same_clip(clip_path, server):
    graph = served()
    first = graph.invoke({"clip": clip_path.name}, thread())
    second = graph.invoke({"question": QUESTION}, thread())
    assert first["run_id"] != second["run_id"]
    trace = trace_of(server, second)
    assert [turn.run_id for turn in trace.started.history] == [first["run_id"]]
    started = [event for event in trace.events if event.event == "tool_started"]
    assert started and all(event.cached for event in started)


def test_progress_is_streamed_without_what_is_of_this_machine(clip_path):
    parts = list(served().stream({"clip": clip_path.name}, thread(), stream_mode="custom"))
    kinds = [part["event"] for part in parts]
    assert kinds[0] == "run_started" and kinds[-1] == "finished" and "tool_finished" in kinds
    assert str(clip_path.parent) not in json.dumps(parts)


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        ("../silence.wav", "is outside"),
        ("/etc/hostname", "is outside"),
        ("link.wav", "is outside"),
        ("folder/../../x.wav", "is outside"),
        ("nowhere.wav", "nowhere.wav"),
        (".", "is not a file"),
        ("a\0b", "no name of a file"),
        ("", "clip: Field required"),
        (7, "clip: Input should be a valid string"),
        (None, "clip: Field required"),
    ],
)
def test_any_other_clip_is_refused_on_one_line(
    tmp_path, clip_path, server, monkeypatch, clip, message
):
    root = tmp_path / "served"
    (root / "folder").mkdir(parents=True)
    (root / "link.wav").symlink_to(clip_path)
    monkeypatch.setenv("EMER_SERVE_ROOT", str(root))
    with pytest.raises(ConfigError, match=message) as error:
        served().invoke({"clip": clip}, thread())
    assert "\n" not in str(error.value)
    assert len(RUNS) == 0 and not (server / "traces").exists()


def test_the_working_folder_is_served_unless_told(clip_path, monkeypatch):
    monkeypatch.delenv("EMER_SERVE_ROOT")
    monkeypatch.chdir(clip_path.parent)
    assert served().invoke({"clip": clip_path.name}, thread())["answer"]["clues"]
    assert served_clip("a/../b.wav", Path()) == clip_path.parent / "b.wav"


def test_a_client_names_no_tools_and_no_files_of_words(clip_path, server, monkeypatch):
    monkeypatch.setenv("EMER_TOOLS__SPEECH__USE", "pocketsphinx")
    (clip_path.parent / "secret.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nsesame\n")
    asked = {
        "clip": clip_path.name,
        "subtitle": str(clip_path.parent / "secret.srt"),
        "tools": {"face": "graph_tools:Quit"},
    }
    out = served().invoke(asked, thread())
    texts = [clue["text"] for clue in out["answer"]["clues"]]
    assert any("secret.srt" in text for text in texts) and "sesame" not in str(texts)
    assert trace_of(server, out).header.tools["face"].tool == "smile"


def test_words_of_one_request_are_not_those_of_the_next(clip_path, server):
    graph = served()
    first = graph.invoke({"clip": clip_path.name, "subtitle": "Hello there."}, thread())
    assert "Hello there" in first["answer"]["text"]
    second = graph.invoke({"clip": clip_path.name}, thread())
    assert "Hello there" not in str(second["answer"]["clues"])
    assert trace_of(server, second).header.clip.subtitle is None


def test_a_run_that_breaks_says_so_and_is_closed(clip_path, server, monkeypatch):
    monkeypatch.setenv("EMER_REASONER__USE", "graph_tools:Broken")
    with pytest.raises(ZeroDivisionError):
        served().invoke({"clip": clip_path.name}, thread())
    (path,) = (server / "traces").glob("*.jsonl")
    assert read_trace(path).events[-1].event == "failed"
    assert len(RUNS) == 0


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("words", [{}, {"subtitle": "Hello there."}])
def test_a_review_interrupts_and_goes_on_even_after_a_restart(clip_path, server, restarted, words):
    graph = served()
    out = graph.invoke({"clip": clip_path.name, "review": True, **words}, thread())
    assert out["answer"] is None and len(RUNS) == 1
    clues = out["__interrupt__"][0].value["clues"]
    if restarted:
        close_runs()
    smile = next(clue for clue in clues if clue.startswith("f"))
    done = graph.invoke(Command(resume={"reject": [smile]}), thread())
    assert smile not in str(done["answer"]["clues"]) and len(RUNS) == 0
    trace = trace_of(server, done)
    kinds = [event.event for event in trace.events]
    assert kinds.count("paused") == 1 and kinds.count("reviewed") == 1
    assert kinds[-1] == "finished" and smile not in {clue.id for clue in trace.clues}
    again = graph.invoke({"clip": clip_path.name}, thread())
    assert again["answer"] is not None


def test_a_run_whose_clip_changed_meanwhile_does_not_go_on(clip_path, server):
    graph = served()
    graph.invoke({"clip": clip_path.name, "review": True}, thread())
    close_runs()
    content = clip_path.read_bytes()
    clip_path.write_bytes(content[:-2] + b"\x01\x01")
    with pytest.raises(ConfigError, match="its clip or words changed"):
        graph.invoke(Command(resume={"reject": []}), thread())
    for path in (server / "traces").glob("*.jsonl"):
        path.unlink()
    with pytest.raises(ConfigError, match="no trace to go on from"):
        graph.invoke(Command(resume={"reject": []}), thread())


def test_no_more_than_a_few_waiting_runs_stay_open(clip_path):
    graph = served()
    for number in range(MOST_OPEN + 3):
        graph.invoke({"clip": clip_path.name, "review": True}, thread(f"t{number}"))
        assert len(RUNS) <= MOST_OPEN
    done = graph.invoke(Command(resume={"reject": []}), thread("t0"))
    assert done["answer"]["text"]
