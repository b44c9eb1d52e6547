"""Traces: every event survives the file, torn lines are tolerated, damage is named."""

from __future__ import annotations

import typing

import pytest
from graph_tools import LOUD, SMILE

from emer.graphs.trace.events import Event, Interrupted, RunStarted
from emer.graphs.trace.jsonl import TraceWriter, read_trace
from emer.tools.errors import ConfigError
from tests.fixtures.graph_runs import trace_of


def test_a_trace_reads_back_as_it_was(run):
    answer = run("Asking", face="Smile", prosody="Loud", scene="Crash", more="Dark")
    trace = trace_of(answer)
    assert [clue.text for clue in trace.clues][:2] == [LOUD[0], SMILE[0]]
    assert trace.clues == answer.clues
    assert trace.explanation == answer.explanation
    assert trace.finished is not None and trace.finished.stop_reason == answer.stop_reason
    assert trace.header.run_id == answer.run_id
    assert trace.header.settings["tools"]["face"] == {"use": "graph_tools:Smile"}
    assert trace.header.clip.sha256 and trace.header.versions["emer"]
    times = [event.at for event in trace.events]
    assert times == sorted(times)


def test_a_torn_last_line_is_left_out(run):
    answer = run(face="Smile")
    whole = answer.trace_path.read_bytes()
    for cut in (1, 40, len(whole.splitlines()[-1])):
        answer.trace_path.write_bytes(whole[:-cut])
        trace = read_trace(answer.trace_path)
        assert trace.torn and len(trace.events) == len(whole.splitlines()) - 2


def test_damage_before_the_last_line_is_named(run, tmp_path):
    answer = run(face="Smile")
    lines = answer.trace_path.read_text().splitlines(keepends=True)
    answer.trace_path.write_text("".join([*lines[:2], "{}\n", *lines[3:]]))
    with pytest.raises(ConfigError, match="line 3 is not an event"):
        read_trace(answer.trace_path)
    answer.trace_path.write_text("".join(lines[1:]))
    with pytest.raises(ConfigError, match="header"):
        read_trace(answer.trace_path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_trace(tmp_path / "nowhere.jsonl")


def test_events_are_on_disk_as_they_happen(tmp_path):
    path = tmp_path / "t.jsonl"
    writer = TraceWriter(path)
    writer.write(RunStarted(question="What?"))
    assert len(path.read_text().splitlines()) == 1
    writer.write(Interrupted(seconds=1.0))
    assert len(path.read_text().splitlines()) == 2
    writer.close()
    writer.write(Interrupted(seconds=1.0))
    assert len(path.read_text().splitlines()) == 2


def test_every_event_has_its_own_name():
    members = typing.get_args(typing.get_args(Event)[0])
    names = [member.model_fields["event"].default for member in members]
    assert len(set(names)) == len(names) == 18


def test_secrets_are_not_written(run, clip_path):
    from emer.graphs.ask import ask
    from emer.graphs.settings import Choice
    from tests.fixtures.graph_runs import fakes

    settings = fakes(face="Smile")
    tools = {**settings.tools, "other": Choice(use="none", api_key="sesame", keyframes="all")}
    answer = ask(clip_path, settings=settings.model_copy(update={"tools": tools}))
    text = answer.trace_path.read_text()
    assert "sesame" not in text and '"keyframes":"all"' in text


def test_a_trace_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("emer.graphs.trace.jsonl.MOST_BYTES", 1_000)
    (tmp_path / "x.jsonl").write_bytes(b"\n" * 1_001)
    with pytest.raises(ConfigError, match="larger than 1000 bytes"):
        read_trace(tmp_path / "x.jsonl")
