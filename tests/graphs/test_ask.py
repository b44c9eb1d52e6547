"""The whole loop with fake tools: what is asked, cached, missing, and in what order."""

from __future__ import annotations

import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from graph_tools import CLOSER, LOUD, SMILE, Together

from emer.agents.types import Budget
from emer.graphs.ask import ask
from emer.graphs.settings import load_settings
from emer.tools.errors import ClipError, ConfigError
from emer.tools.media.probe import ClipLimits
from tests.fixtures.clips import Written, write_clip
from tests.fixtures.graph_runs import events, fakes, trace_of


def test_explains_from_every_tool_and_traces_each_step(run):
    answer = run(face="Smile", prosody="Loud")
    assert [clue.text for clue in answer.clues] == [LOUD[0], SMILE[0]]
    assert {s.text for s in answer.explanation.sentences} == {SMILE[0], LOUD[0]}
    assert answer.stop_reason == "sure"
    kinds = [event.event for event in trace_of(answer).events]
    assert kinds[0] == "run_started" and kinds[-1] == "finished"
    assert kinds[-4:-1] == ["decided", "explained", "verified"]
    assert kinds.count("tool_started") == kinds.count("tool_finished") == 2
    assert SMILE[0] in answer.text


def test_second_question_calls_no_tool_and_answers_alike(run):
    first = run("Asking", face="Smile", prosody="Loud", scene="Dark")
    second = run(
        "Asking", face="Smile", prosody="Loud", scene="Dark", question="What is displayed?"
    )
    looked = [*events(second, "tool_finished"), *events(second, "nothing_observed")]
    assert looked and all(event.cached for event in looked)
    assert all(event.cached for event in events(second, "tool_started"))
    assert not any(event.cached for event in events(first, "tool_started") if event.round == 0)
    assert second.explanation.labels == first.explanation.labels


def test_swapping_a_tool_recomputes_that_tool_alone(run):
    run(face="Smile", prosody="Loud")
    swapped = run(face="Smile", prosody="Softer")
    anew = {event.slot for event in events(swapped, "tool_started") if not event.cached}
    assert anew == {"prosody"}
    assert LOUD[0] not in {clue.text for clue in swapped.clues}


def test_an_argument_of_a_tool_recomputes_it(run, clip_path):
    settings = fakes(face="Smile")
    ask(clip_path, settings=settings)
    more = settings.tools["face"].model_copy(update={"amount": 2})
    other = settings.model_copy(update={"tools": {**settings.tools, "face": more}})
    assert not events(ask(clip_path, settings=other), "tool_started")[0].cached
    assert events(ask(clip_path, settings=settings), "tool_started")[0].cached


@pytest.mark.parametrize(
    ("broken", "cause"),
    [
        ("Crash", "RuntimeError: the lens fell off"),
        ("Quit", "SystemExit: 3"),
        ("Nonsense", "AttributeError"),
        ("AbsentLater", "emer fetch later"),
    ],
)
def test_a_broken_tool_costs_its_clues_only(run, broken, cause):
    answer = run(face="Smile", scene=broken)
    (failure,) = events(answer, "tool_failed")
    message = f"{failure.cause} {failure.install}"
    assert cause in message and "\n" not in message
    assert [clue.text for clue in answer.clues] == [SMILE[0]]
    (gap,) = answer.explanation.missing
    assert gap.modality == "scene" and cause.split(":")[0] in gap.why
    again = run(face="Smile", scene=broken)
    assert [event.slot for event in events(again, "tool_started") if event.cached] == ["face"]


def test_settings_that_a_model_cannot_follow_are_told_in_the_tool_s_own_words(run):
    answer = run(face="Smile", scene="Refusing")
    (gap,) = answer.explanation.missing
    assert gap.why == (
        "refusing failed: refusing.language: the model does not know it; leave it at auto"
    )


def test_a_hanging_tool_is_abandoned_after_its_time(run):
    answer = run(face="Smile", scene="Hang", change={"tool_seconds": 0.2})
    (failure,) = events(answer, "tool_failed")
    assert failure.slot == "scene" and "0.2 s" in failure.cause
    assert [clue.text for clue in answer.clues] == [SMILE[0]]


def test_a_long_clip_gives_a_tool_as_much_more_time(tmp_path):
    seven_minutes = np.zeros(420 * 16_000, dtype=np.float32)
    long = write_clip(tmp_path / "long.wav", Written(sound=seven_minutes))
    settings = fakes(face="Smile", scene="Hang").model_copy(update={"tool_seconds": 0.1})
    (failure,) = events(ask(long, settings=settings), "tool_failed")
    assert failure.slot == "scene" and "0.28 s" in failure.cause


def test_a_tool_that_is_not_installed_is_told_with_its_install_line(run):
    answer = run(face="Smile", scene="Absent")
    (failure,) = events(answer, "tool_failed")
    assert failure.install == "pip install nosuch"
    assert "pip install nosuch" in answer.explanation.missing[0].why


def test_without_any_clue_the_explanation_abstains(run):
    answer = run(scene="Dark", extra="Crash")
    assert answer.explanation.labels == () == answer.explanation.sentences
    assert answer.stop_reason == "no_evidence"
    assert {m.why for m in answer.explanation.missing} >= {"the picture is black"}


def test_nothing_observed_is_told_and_cached_but_no_failure(run):
    run(scene="Dark", prosody="Loud")
    answer = run(scene="Dark", prosody="Loud")
    (event,) = events(answer, "nothing_observed")
    assert event.cached and event.why == "the picture is black"
    assert events(answer, "tool_failed") == []


def test_a_gap_is_told_as_partial_where_the_modality_gave_clues(run):
    answer = run(face="Smile", extra="Smile", scene="Dark", prosody="Loud")
    assert answer.explanation.missing[0].why == "the picture is black"
    partly = run(scene="Dark", extra="Crash", prosody="Loud")
    assert all("other clues" not in m.why for m in partly.explanation.missing)
    seen = run(face="Smile", extra="FaceCrash")
    assert "other clues of it were found" in seen.explanation.missing[0].why


def test_tools_work_at_the_same_time(run):
    Together.barrier = threading.Barrier(4)
    answer = run(face="Smile", a="Together", b="Together", c="Together", d="Together")
    assert events(answer, "tool_failed") == []


def test_asks_look_closer_until_two_rounds_bring_nothing(run):
    answer = run("Asking", face="Smile")
    assert answer.stop_reason == "no_new_clues"
    assert CLOSER[0] in {clue.text for clue in answer.clues}
    spans = [event.span for event in events(answer, "tool_started")]
    assert spans[0] is None and all(span is not None for span in spans[1:])


def test_the_same_ask_is_never_carried_out_twice(run):
    answer = run("Asking", arguments={"same": True}, face="Smile")
    assert answer.stop_reason == "nothing_to_ask"
    assert len(events(answer, "tool_started")) == 2


@pytest.mark.parametrize(
    "budget", [Budget(rounds=1), Budget(tool_calls=2)], ids=["rounds", "calls"]
)
def test_the_budget_ends_the_asking(run, budget):
    answer = run("Asking", face="Smile", change={"budget": budget})
    assert answer.stop_reason in ("rounds_spent", "tool_calls_spent")
    assert len(events(answer, "tool_started")) == 2


def test_tools_beyond_the_budget_are_told_as_not_looked_at(run):
    answer = run(face="Smile", prosody="Loud", change={"budget": Budget(tool_calls=1)})
    assert [event.slot for event in events(answer, "tool_started")] == ["face"]
    assert "budget" in answer.explanation.missing[0].why


def test_sentences_that_do_not_hold_are_rewritten_once_then_dropped(run):
    answer = run("Lying", face="Smile")
    assert [event.attempt for event in events(answer, "explained")] == [1, 2]
    first, last = events(answer, "verified")
    assert first.verdicts.rejected and last.verdicts.rejected
    assert [s.text for s in answer.explanation.sentences] == [SMILE[0]]


def test_a_thread_remembers_and_others_do_not(run):
    first = run(face="Smile", question="One?", ask_with={"thread": "talk"})
    other = run(face="Smile", question="Two?", ask_with={"thread": "other"})
    second = run(face="Smile", question="Three?", ask_with={"thread": "talk"})
    assert first.history == () == other.history
    assert [turn.question for turn in second.history] == ["One?"]
    assert second.history[0].labels == ("happy",)
    assert events(second, "run_started")[0].history == second.history


def test_a_thread_starts_each_run_afresh(run):
    run("Asking", face="Smile", prosody="Loud", ask_with={"thread": "talk"})
    second = run(prosody="Softer", ask_with={"thread": "talk"})
    assert {clue.source.tool for clue in second.clues} == {"softer"}
    assert second.explanation.missing == ()


def test_a_given_subtitle_is_read_in_place_of_the_speech(clip_path):
    settings = fakes(prosody="Loud").model_copy()
    answer = ask(clip_path, settings=settings, subtitle="It is fine.")
    assert events(answer, "tool_started")[-1].tool != "pocketsphinx"
    assert trace_of(answer).header.tools["speech"].tool == "subtitle"
    assert trace_of(answer).header.clip.subtitle is not None
    off = ask(clip_path, settings=settings, subtitle="It is fine.", tools={"speech": "none"})
    assert "speech" not in trace_of(off).header.tools


def test_the_listener_hears_what_is_in_the_trace(run):
    heard = []
    answer = run(face="Smile", prosody="Loud", ask_with={"listener": heard.append})
    trace = trace_of(answer)
    assert heard == [trace.header, *trace.events]


def test_a_broken_listener_is_left_out(run):
    def listener(event):
        raise ValueError("no ears")

    answer = run(face="Smile", ask_with={"listener": listener})
    assert any("no ears" in note for note in answer.notes)
    assert answer.clues


def test_a_broken_reasoner_is_in_the_trace(run, own_home):
    with pytest.raises(ZeroDivisionError):
        run("Broken", face="Smile")
    (path,) = (own_home / "traces").glob("*.jsonl")
    assert '"event":"failed"' in path.read_text().splitlines()[-1]


def test_a_clip_that_changes_ends_the_run_and_nothing_of_it_is_stored(run, clip_path):
    with pytest.raises(ClipError, match="was changed while it was being read"):
        run(face="Overwriting")
    with closing(sqlite3.connect(load_settings().evidence)) as store:
        assert store.execute("SELECT count(*) FROM observation").fetchone() == (0,)


CRASHES = """
import os, signal, sys
from emer.tools.media.decode_worker import RGB, Head
sys.stdout.buffer.write(Head(RGB, 0.0, 64, 48, (192,)).pack(192 * 48) + bytes(192 * 48))
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGSEGV)
"""


def test_what_was_seen_of_a_decode_that_crashed_is_said_and_not_stored(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "grey.mkv", Written([k / 25 for k in range(25)], [90] * 25))
    settings = fakes(face="Watching")

    def stored() -> int:
        with closing(sqlite3.connect(load_settings().evidence)) as store:
            return int(store.execute("SELECT count(*) FROM observation").fetchone()[0])

    with monkeypatch.context() as crashing:
        worker = "emer.tools.media.decode_process.WORKER"
        crashing.setattr(worker, (sys.executable, "-c", CRASHES))
        answer = ask(path, settings=settings)
    assert answer.clues and stored() == 0
    assert "the picture could be decoded until 0.0 s only: its decoder crashed (SIGSEGV)" in (
        answer.notes
    )
    assert not any("decoded" in note for note in ask(path, settings=settings).notes)
    assert stored() == 1


def test_the_limits_of_a_clip_come_from_the_settings(run):
    with pytest.raises(ClipError, match="within 1e-06 s"):
        run(change={"clip": ClipLimits(probe_seconds=1e-6)}, face="Smile")


def test_what_the_user_can_mend_is_one_line(clip_path):
    with pytest.raises(ClipError, match="no such file"):
        ask(Path("nowhere.mp4"))
    with pytest.raises(ConfigError, match=r"tools\.face.*nosuch"):
        ask(clip_path, tools={"face": "nosuch"})
    with pytest.raises(ConfigError, match=r"reasoner.*no reasoner is called"):
        settings = fakes(face="Smile")
        bad = settings.reasoner.model_copy(update={"use": "nosuch"})
        ask(clip_path, settings=settings.model_copy(update={"reasoner": bad}))


def test_same_input_twice_gives_the_same_bytes(run, tmp_path, monkeypatch):
    outputs = set()
    for home in "ab":
        monkeypatch.setenv("EMER_HOME", str(tmp_path / home))
        answer = run("Asking", face="Smile", prosody="Loud", scene="Dark", more="Softer")
        outputs.add(answer.explanation.model_dump_json())
    assert len(outputs) == 1
