"""Listing, finding and comparing runs."""

from __future__ import annotations

import pytest
from graph_tools import LOUD, SMILE

from emer.graphs.ask import ask
from emer.graphs.trace.diff import diff
from emer.graphs.trace.runs import find_run, list_runs
from emer.tools.errors import ConfigError
from tests.fixtures.graph_runs import fakes, trace_of


def test_runs_are_listed_with_their_outcome(run, tmp_path):
    answer = run(face="Smile", question="What is it?")
    with pytest.raises(ZeroDivisionError):
        run("Broken", face="Smile")
    folder = answer.trace_path.parent
    torn = folder / "20000101-000000-torn.jsonl"
    torn.write_bytes(answer.trace_path.read_bytes()[:-20])
    (folder / "noise.jsonl").write_text("nothing\n")
    (folder / "empty.jsonl").write_text("")
    cards = list_runs(folder)
    assert [card.state for card in cards if card.path == torn] == ["unfinished"]
    assert sorted(card.state for card in cards) == ["failed", "finished", "unfinished"]
    (card,) = [card for card in cards if card.path == answer.trace_path]
    assert (card.question, card.clip, card.labels) == ("What is it?", "silence.wav", ("happy",))
    assert card.stop_reason == "sure" and card.seconds is not None
    assert list_runs(tmp_path / "nowhere") == ()


def test_a_run_is_found_by_id_prefix_path_or_as_the_last(run):
    path = run(face="Smile").trace_path
    traces = path.parent
    later = traces / f"9{path.name}"
    later.write_bytes(path.read_bytes())
    assert find_run(traces, "last") == later
    assert find_run(traces, path.stem) == path == find_run(traces, path.stem[:-2])
    assert find_run(traces, str(path)) == path
    with pytest.raises(ConfigError, match="the last one is"):
        find_run(traces, "nosuch")
    (traces / f"{path.stem}b.jsonl").write_bytes(path.read_bytes())
    assert find_run(traces, path.stem) == path
    with pytest.raises(ConfigError, match="could be 2 runs"):
        find_run(traces, path.stem[:-1])


def test_without_runs_it_says_so(tmp_path):
    with pytest.raises(ConfigError, match="no runs"):
        find_run(tmp_path, "last")


def test_the_same_run_twice_does_not_differ(run):
    a, b = (trace_of(run(face="Smile", prosody="Loud")) for _ in range(2))
    assert diff(a, b).same


def test_a_swapped_tool_shows_in_the_difference(run, clip_path):
    a = trace_of(run(face="Smile", prosody="Loud"))
    settings = fakes(prosody="Softer", face="Smile")
    b = trace_of(ask(clip_path, settings=settings))
    found = diff(a, b)
    assert [(c.key, c.a, c.b) for c in found.tools] == [("prosody", "loud 1", "softer 1")]
    assert {c.key for c in found.settings} == {"tools.prosody.use"}
    assert [clue.text for clue in found.clues_only_a] == [LOUD[0]]
    assert [clue.source.tool for clue in found.clues_only_b] == ["softer"]
    assert found.sentences_only_a == (LOUD[0],) and SMILE[0] not in found.sentences_only_b
    assert not found.same


def test_what_holds_no_run_is_not_the_last(run):
    path = run(face="Smile").trace_path
    for number, content in enumerate((b"", b'{"event":"hea', b"nothing\n")):
        (path.parent / f"99990101-000000-00000{number}-abcd.jsonl").write_bytes(content)
    assert find_run(path.parent, "last") == path
    with pytest.raises(ConfigError, match=f"the last one is {path.stem}"):
        find_run(path.parent, "nosuch")
    path.unlink()
    with pytest.raises(ConfigError, match="no runs"):
        find_run(path.parent, "last")


def test_a_clock_that_was_set_back_keeps_the_order_of_the_runs(run):
    first = run(face="Smile", ask_with={"thread": "talk"}, question="One?").trace_path
    later = first.with_name("29990101-000000-999999-abcd.jsonl")
    later.write_bytes(first.read_bytes())
    second = run(face="Smile").trace_path
    assert second.stem > later.stem and second.stem.startswith("29990101-000001-000000-")
    third = run(face="Smile").trace_path
    assert find_run(first.parent, "last") == third > second
    (first.parent / "99991231-235959-999999-abcd.jsonl").write_bytes(first.read_bytes())
    (first.parent / "99999999-999999-999999-abcd.jsonl").write_bytes(first.read_bytes())
    assert run(face="Smile").trace_path is not None
