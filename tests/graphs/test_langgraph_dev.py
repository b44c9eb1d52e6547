"""`langgraph dev` on this project's langgraph.json, really started, asked through its SDK."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest

from tests.fixtures.clips import Written, write_clip
from tests.fixtures.packages import needs
from tests.fixtures.paths import ROOT, python_path
from tests.fixtures.servers.langgraph_dev import environment

pytestmark = [needs("langgraph_api"), pytest.mark.slow]


TRIES = 600
"""Tenths of a second that the server may take to start."""
NODES = {"probe", "plan", "observe", "join", "decide", "explain", "verify", "finish"}


@dataclass(frozen=True)
class Server:
    """A started server: its address, its process and what it prints."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    clip: Path
    client: Any

    def ask(self, thread: str | None, **more: Any) -> Any:
        """Return what a run comes to, errors as the client sees them."""
        return self.client.runs.wait(thread, "emer", raise_error=False, **more)

    def thread(self) -> str:
        return str(self.client.threads.create()["thread_id"])


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def answers(url: str) -> bool:
    try:
        return bool(httpx.get(f"{url}/ok").is_success)
    except httpx.TransportError:
        return False


def wait_until_it_answers(server: Server) -> None:
    """Return once the server answers; fail with what it printed when it ends before."""
    for _ in range(TRIES):
        if answers(server.url):
            return
        try:
            server.process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(f"the server did not start:\n{server.log.read_text()[-3000:]}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start the server in a folder of its own that holds langgraph.json and a clip."""
    from langgraph_sdk import get_sync_client

    folder = tmp_path_factory.mktemp("served")
    shutil.copy(ROOT / "langgraph.json", folder)
    silence = np.zeros(16_000, dtype=np.float32)
    clip = write_clip(folder / "silence.wav", Written(sound=silence))
    port, log = free_port(), folder / "server.log"
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("EMER_", "LANG"))}
    variables = {
        **clean,
        **environment(folder / "home", folder),
        "LANGGRAPH_CLI_NO_ANALYTICS": "1",
        "PYTHONPATH": python_path(),
    }
    line = [sys.executable, "-c", "from langgraph_cli.cli import cli; cli()", "dev"]
    line += ["--no-browser", "--no-reload", "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(line, cwd=folder, env=variables, stdout=out, stderr=out)
    url = f"http://127.0.0.1:{port}"
    try:
        with get_sync_client(url=url) as client:
            started = Server(url, process, log, clip, client)
            wait_until_it_answers(started)
            yield started
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_langgraph_json_names_the_graph_by_module() -> None:
    config = json.loads((ROOT / "langgraph.json").read_text())
    (named,) = config["graphs"].values()
    module, _, variable = named["path"].partition(":")
    assert "/" not in module and not module.endswith(".py")
    assert hasattr(__import__(module, fromlist=[variable]), variable)
    assert config["env"]["LANGSMITH_TRACING"] == "false"


def test_it_shows_the_nodes_of_the_controller(server: Server) -> None:
    (assistant,) = server.client.assistants.search()
    assert assistant["graph_id"] == "emer"
    drawn = server.client.assistants.get_graph(assistant["assistant_id"])
    assert {node["id"] for node in drawn["nodes"]} >= NODES
    schemas = server.client.assistants.get_schemas(assistant["assistant_id"])
    assert set(schemas["input_schema"]["properties"]) == {"clip", "question", "subtitle", "review"}
    assert schemas["input_schema"]["required"] == ["clip"]


def test_a_run_streams_its_steps_and_ends_in_a_cited_answer(server: Server) -> None:
    asked = {"clip": server.clip.name, "question": "What is displayed?"}
    parts = list(
        server.client.runs.stream(
            server.thread(), "emer", input=asked, stream_mode=["updates", "custom"]
        )
    )
    steps = [next(iter(part.data)) for part in parts if part.event == "updates"]
    assert steps[0] == "probe" and steps[-1] == "finish" and set(steps) >= NODES
    events = [part.data["event"] for part in parts if part.event == "custom"]
    assert events[0] == "run_started" and events[-1] == "finished"
    answer = parts[-1].data["finish"]["answer"]
    ids = {clue["id"] for clue in answer["clues"]}
    sentences = answer["explanation"]["sentences"]
    assert sentences and all(set(s["clue_ids"]) <= ids and s["clue_ids"] for s in sentences)


def test_a_thread_keeps_its_history_on_the_server(server: Server) -> None:
    thread = server.thread()
    first = server.ask(thread, input={"clip": server.clip.name})
    second = server.ask(thread, input={"clip": server.clip.name, "question": "Is she happy?"})
    values = server.client.threads.get_state(thread)["values"]
    assert [turn["run_id"] for turn in values["history"]] == [first["run_id"], second["run_id"]]
    assert len(server.client.threads.get_history(thread, limit=50)) > 10


def test_a_clip_outside_is_refused_on_one_line_and_the_server_goes_on(server: Server) -> None:
    for clip in ("../elsewhere.wav", "/etc/hostname"):
        error = server.ask(None, input={"clip": clip})["__error__"]
        assert error["error"] == "ConfigError" and "is outside" in error["message"]
        assert "\n" not in error["message"]
    assert server.ask(None, input={"clip": server.clip.name})["answer"]["clues"]


def test_a_review_waits_on_the_server_for_the_edits(server: Server) -> None:
    thread = server.thread()
    waiting = server.ask(thread, input={"clip": server.clip.name, "review": True})
    assert waiting["answer"] is None
    assert server.client.threads.get(thread)["status"] == "interrupted"
    clue = waiting["__interrupt__"][0]["value"]["clues"][0]
    done = server.ask(thread, command={"resume": {"reject": [clue]}})
    assert done["answer"] and clue not in {c["id"] for c in done["answer"]["clues"]}


FOREIGN = "https://evil.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST"}


def threads_of(server: Server) -> int:
    return int(server.client.threads.count())


@pytest.mark.parametrize("origin", [FOREIGN, "null", "http://127.0.0.1.evil.example", ""])
def test_a_page_of_another_site_is_refused(server: Server, origin: str) -> None:
    before = threads_of(server)
    asked = httpx.options(f"{server.url}/threads", headers={"Origin": origin, **PREFLIGHT})
    assert asked.status_code == 403
    for kind in ("text/plain", "application/json"):
        headers = {"Origin": origin, "Content-Type": kind}
        sent = httpx.post(f"{server.url}/threads", content="{}", headers=headers)
        assert sent.status_code == 403 and threads_of(server) == before
        assert not [name for name in sent.headers if name.startswith("access-control")]
    assert not [name for name in asked.headers if name.startswith("access-control-allow-origin")]
    wiped = httpx.post(f"{server.url}/internal/truncate", headers={"Origin": origin})
    assert wiped.status_code == 403


def test_a_page_of_this_machine_may_ask_without_credentials(server: Server) -> None:
    origin = "http://localhost:3000"
    asked = httpx.options(f"{server.url}/threads", headers={"Origin": origin, **PREFLIGHT})
    assert asked.is_success and asked.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-credentials" not in asked.headers
    sent = httpx.post(f"{server.url}/threads", json={}, headers={"Origin": origin})
    assert sent.is_success


@pytest.mark.parametrize("host", ["evil.example", "evil.example:2024", "127.0.0.1.evil.example"])
def test_a_foreign_host_name_is_refused(server: Server, host: str) -> None:
    for path in ("/threads", "/docs", "/ok", "/runs/wait"):
        assert httpx.get(f"{server.url}{path}", headers={"Host": host}).status_code == 400
    local = httpx.get(f"{server.url}/ok", headers={"Host": "localhost:2024"})
    assert local.is_success


def test_a_body_is_json_of_bounded_size(server: Server) -> None:
    before = threads_of(server)
    url = f"{server.url}/threads"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        sent = httpx.post(url, content="{}", headers={"Content-Type": kind})
        assert sent.status_code == 415
    assert httpx.post(url, json={"metadata": {"x": "." * 1_000_001}}).status_code == 413
    pieces = iter([b"{", b"}"])
    headers = {"Content-Type": "application/json"}
    assert httpx.post(url, content=pieces, headers=headers).status_code == 411
    assert threads_of(server) == before


def test_no_webhook_is_called(server: Server) -> None:
    called: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            called.append(self.path)
            self.send_response(200)
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as listener:
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        hook = f"http://127.0.0.1:{listener.server_port}/hook"
        for _ in range(2):  # the hook of a run is called before the next one begins
            assert server.ask(None, input={"clip": server.clip.name}, webhook=hook)["answer"]
        listener.shutdown()
    assert called == []


def test_routes_that_are_not_needed_are_closed(server: Server) -> None:
    for path in ("/store/items/search", "/mcp/", "/a2a/emer"):
        assert httpx.post(f"{server.url}{path}", json={}).status_code == 404


def test_a_forged_run_id_reaches_no_file(server: Server) -> None:
    outside = server.clip.parent / "outside"
    outside.mkdir()
    thread, other = server.thread(), server.thread()
    asked = {"clip": server.clip.name, "review": True}
    paused = server.ask(other, input=asked)["run_id"]
    run_id = server.ask(thread, input=asked)["run_id"]
    traces = server.clip.parent / "home" / "traces"
    shutil.copy(traces / f"{run_id}.jsonl", outside / "x.jsonl")
    before = {path: path.read_bytes() for path in [*traces.iterdir(), *outside.iterdir()]}
    for forged in ("../../outside/x", "../../../outside/x", str(outside / "x"), paused):
        server.client.threads.update_state(thread, {"run_id": forged})
        for config in ({}, {"configurable": {"thread_id": other}}):
            command = {"goto": "decide"}
            error = server.ask(thread, command=command, config=config)["__error__"]
            assert error["error"] == "ConfigError" and "\n" not in error["message"]
            assert str(server.clip.parent) not in error["message"]
    assert {path: path.read_bytes() for path in before} == before


def test_its_documentation_is_there_and_it_speaks_to_nobody_else(server: Server) -> None:
    assert httpx.get(f"{server.url}/docs").is_success
    info = httpx.get(f"{server.url}/info").json()
    assert info["flags"]["langsmith"] is False
    process = psutil.Process(server.process.pid)
    for connection in process.net_connections(kind="inet"):
        assert connection.laddr.ip == "127.0.0.1"
        assert not connection.raddr or connection.raddr.ip == "127.0.0.1"
