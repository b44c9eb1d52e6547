"""What a client can write of a served run: its thread's state, the next node, a resume value."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command, Send

from emer.agents.types import LONGEST_QUESTION
from emer.graphs.ask import ask
from emer.graphs.server import MOST_NAME
from emer.graphs.trace.jsonl import read_trace
from emer.tools.errors import ConfigError
from emer.tools.media.subtitles import MOST_WORDS
from tests.fixtures.servers.langgraph_dev import close_runs, served, thread

pytestmark = pytest.mark.slow

NODES = ("plan", "join", "review", "decide", "explain", "verify", "finish")
OTHER = "20260101-000000-000000-abcd"
CLUE = "f00000000"


@pytest.fixture(autouse=True)
def home(served_home):
    return served_home


def files(folder: Path) -> dict[Path, bytes]:
    """Return the content of every file but the stores, which any run writes."""
    return {
        path: path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".sqlite" not in path.name
    }


def refused(graph: Any, begin: Any, config: Any, message: str | None = None) -> str:
    """Return the error of a run, which is one line without folders of this machine."""
    with pytest.raises(ConfigError, match=message) as error:
        graph.invoke(begin, config)
    (line,) = str(error.value).splitlines()
    assert "/tmp" not in line and len(line) < 500
    return line


def waiting(graph: Any, clip: Path, name: str = "t") -> Any:
    """Return what a run comes to that waits for a review."""
    return graph.invoke({"clip": clip.name, "review": True}, thread(name))


@pytest.mark.parametrize("restarted", [False, True])
def test_a_run_id_that_is_a_path_opens_no_file(clip_path, tmp_path, home, restarted):
    graph = served()
    out = waiting(graph, clip_path)
    outside = tmp_path / "outside"
    outside.mkdir()
    shutil.copy(home / "traces" / f"{out['run_id']}.jsonl", outside / "x.jsonl")
    if restarted:
        close_runs()
    before = files(tmp_path)
    paths = ("../../../outside/x", "/tmp/x", "../traces/x", "", "x\0", OTHER + "\n")
    for run_id in (*paths, 7, None, ["a"]):
        graph.update_state(thread(), {"run_id": run_id})
        for node in NODES:
            refused(graph, Command(goto=node), thread(), "state")
        order = {"run_id": run_id, "job": {"slot": "face"}}
        refused(graph, Command(goto=Send("observe", order)), thread(), "state")
    assert files(tmp_path) == before


@pytest.mark.parametrize("restarted", [False, True])
def test_a_run_of_another_thread_does_not_go_on(clip_path, tmp_path, restarted):
    graph = served()
    mine, theirs = (waiting(graph, clip_path, name)["run_id"] for name in ("mine", "theirs"))
    if restarted:
        close_runs()
    before = files(tmp_path)
    graph.update_state(thread("mine"), {"run_id": theirs})
    for node in NODES:
        refused(graph, Command(goto=node), thread("mine"), "is not one of this thread")
    order = {"run_id": theirs, "job": {"slot": "face"}}
    refused(graph, Command(goto=Send("observe", order)), thread("mine"), "not one of this thread")
    assert files(tmp_path) == before
    done = graph.invoke(Command(resume={"reject": []}), thread("theirs"))
    assert done["answer"] and done["run_id"] == theirs != mine


def test_a_run_of_the_command_line_does_not_go_on(clip_path, tmp_path):
    asked = ask(clip_path, review=True)
    graph = served()
    waiting(graph, clip_path)
    before = files(tmp_path)
    graph.update_state(thread(), {"run_id": asked.run_id})
    refused(graph, Command(goto="decide"), thread(), "not one of this thread")
    assert files(tmp_path) == before


def test_a_finished_run_is_not_written_to(clip_path, tmp_path):
    graph = served()
    graph.invoke({"clip": clip_path.name}, thread())
    before = files(tmp_path)
    for node in NODES:
        refused(graph, Command(goto=node), thread(), "is finished")
    assert files(tmp_path) == before


def test_a_trace_that_is_a_link_is_not_followed(clip_path, tmp_path, home):
    graph = served()
    run_id = waiting(graph, clip_path)["run_id"]
    close_runs()
    trace, outside = home / "traces" / f"{run_id}.jsonl", tmp_path / "outside.jsonl"
    trace.rename(outside)
    trace.symlink_to(outside)
    before = files(tmp_path)
    refused(graph, Command(resume={"reject": []}), thread(), "no trace to go on from")
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    "written",
    [
        {"history": 7},
        {"history": [7]},
        {"history": [{"run_id": "r", "clip": "c", "question": "q"}] * 11},
        {"history": [{"run_id": "r", "clip": "c", "question": "q", "more": 1}]},
        {"history": [{"run_id": "r", "clip": "c", "question": "x" * 30_000}]},
        {"edited": [1]},
        {"edited": {"../x": []}},
        {"edited": {"0" * 64: [{"reject": [7]}]}},
    ],
)
def test_the_next_run_of_a_thread_does_not_take_up_a_forged_state(clip_path, home, written):
    graph = served()
    graph.invoke({"clip": clip_path.name}, thread())
    before = files(home)
    graph.update_state(thread(), written, as_node="finish")
    refused(graph, {"clip": clip_path.name}, thread(), "ask in a new thread")
    assert files(home) == before
    assert graph.invoke({"clip": clip_path.name}, thread("new"))["answer"]["text"]


FORGED_FIELDS: tuple[dict[str, Any], ...] = (
    {"known_ids": ["../x"]},
    {"known_ids": [CLUE]},
    {"known_ids": 7},
    {"clue_ids": [CLUE]},
    {"clue_ids": ["f" * 50_000]},
    {"struck": [CLUE]},
    {"struck": "f"},
    {"gaps": [{"slot": "face"}]},
    {"calls": -1_000_000},
    {"round": -1},
    {"round": 1.5},
    {"barren": None},
    {"attempt": 10**12},
    {"asked": [{"tool": "x"}]},
    {"refused": [[]]},
    {"rejected": [{"text": "x", "why": 1}]},
    {"review": "yes"},
    {"question": {"a": 1}},
    {"question": "x" * 30_000},
    {"decision": {"hypotheses": [], "more": 1}},
    {"decision": {"hypotheses": [{"label": "anger", "supports": [CLUE]}]}},
    {"explanation": "text"},
    {"explanation": {"labels": [{"name": "anger", "band": "high", "clue_ids": [CLUE]}]}},
)


def test_a_forged_field_ends_the_run_on_one_line(clip_path):
    graph = served()
    waiting(graph, clip_path)
    start = graph.get_state(thread())
    for written in FORGED_FIELDS:
        forged = graph.get_state(graph.update_state(start.config, written)).values
        assert {**forged, **written} == {**start.values, **written}, "nothing else is forged"
        for node in ("decide", "finish"):
            refused(graph, Command(goto=node), thread())
    with pytest.raises(TypeError):  # by the reducer
        graph.update_state(start.config, {"calls": "many"})
    graph.update_state(start.config, {"round": start.values["round"]})
    graph.invoke(Command(goto="decide"), thread())
    assert graph.get_state(thread()).values["decision"], "what is not forged goes on"


FORGED_JOBS = (
    {"slot": "../x"},
    {"slot": 7},
    {},
    {"slot": "face", "span": {"start": 2, "end": 1}},
    {"slot": "face", "span": {"start": 0, "end": 1e9}},
    {"slot": "face", "question": "x" * 1_000},
    {"slot": "face", "why": "x" * 30_000},
    {"slot": "face", "more": 1},
    "face",
)


def test_a_forged_order_calls_no_tool(clip_path, home):
    graph = served()
    run_id = waiting(graph, clip_path)["run_id"]
    path = home / "traces" / f"{run_id}.jsonl"
    before = [event.event for event in read_trace(path).events].count("tool_started")
    for job in FORGED_JOBS:
        refused(graph, Command(goto=Send("observe", {"run_id": run_id, "job": job})), thread())
    after = [event.event for event in read_trace(path).events].count("tool_started")
    assert before == after > 0


def test_a_node_without_a_run_says_what_it_needs():
    graph = served()
    for node in NODES:
        refused(graph, Command(goto=node), thread(node), "the state has no|clip: Field required")
    refused(
        graph, Command(goto=Send("observe", {})), thread("observe"), "the state has no|clip: Field"
    )
    refused(graph, Command(goto="probe"), thread("probe"), "clip: Field required")


WRONG_EDITS = (
    7,
    "x",
    {"reject": ["../x"]},
    {"reject": [CLUE]},
    {"reject": ["f"] * 2_000},
    {"reject": ["f" * 10_000]},
    {"add": [{"modality": "face", "text": "x" * 10_000}]},
    {"add": [{"modality": "face", "text": "She smiles.", "person": "x" * 10_000}]},
    {"add": [{"modality": "face", "text": "She smiles.", "span": [0, 100]}]},
    {"more": 1},
)


@pytest.mark.parametrize("restarted", [False, True])
def test_a_wrong_review_is_asked_for_again(clip_path, home, restarted):
    graph = served()
    waiting(graph, clip_path)
    for edits in WRONG_EDITS:
        if restarted:
            close_runs()
        again = graph.invoke(Command(resume=edits), thread())
        problem = again["__interrupt__"][0].value["problem"]
        assert again["answer"] is None and "\n" not in problem and len(problem) < 500
        trace = read_trace(home / "traces" / f"{again['run_id']}.jsonl")
        assert trace.paused and "reviewed" not in {event.event for event in trace.events}
    if restarted:
        close_runs()
    done = graph.invoke(Command(resume={"reject": []}), thread())
    assert done["answer"]["text"]


@pytest.mark.parametrize(
    ("name", "most"),
    [("clip", MOST_NAME), ("question", LONGEST_QUESTION), ("subtitle", MOST_WORDS)],
)
def test_texts_of_a_request_are_bounded(clip_path, home, name, most):
    asked = {"clip": clip_path.name, name: "x" * (most + 1)}
    refused(served(), asked, thread(), f"{name}: String should have at most {most} characters")
    assert not (home / "traces").exists()


def test_an_unknown_field_is_not_used(clip_path):
    graph = served()
    graph.invoke({"clip": clip_path.name, "home": "/tmp/x", "tools": {}}, thread())
    assert not {"home", "tools"} & graph.get_state(thread()).values.keys()


@pytest.mark.parametrize("clip", ["nowhere.wav", "../x.wav", "."])
def test_an_error_does_not_name_folders_of_this_machine(clip):
    refused(served(), {"clip": clip}, thread())
