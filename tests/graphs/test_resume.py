"""A person between the clues and the reasoner: runs that wait, and go on in another process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from graph_tools import CLOSER, LOUD, SMILE, Costly

from emer.agents.clue_edits import Addition, Edits, Rewrite
from emer.agents.types import Budget
from emer.graphs.ask import ask
from emer.graphs.resume import find_paused, resume, save_draft
from emer.graphs.settings import Choice
from emer.graphs.trace.jsonl import TraceWriter, read_trace
from emer.graphs.trace.runs import list_runs
from emer.tools.errors import ConfigError
from tests.fixtures.clips import Written, write_clip
from tests.fixtures.graph_runs import events, fakes, trace_of
from tests.fixtures.paths import ROOT, python_path

pytestmark = pytest.mark.slow

CRIES = Addition(modality="face", text="The person cries at 0.3-0.6 s.")


@pytest.fixture
def pause(run):
    """Return a function that starts a run which waits for a review."""

    def pause(reasoner="Plain", **more):
        settings = {"face": "Smile", "prosody": "Loud", **more}
        extra = settings.pop("ask_with", {})
        return run(reasoner, ask_with={"review": True, **extra}, **settings)

    return pause


def of(answer, text):
    """Return the id of the answer's clue with this sentence."""
    return next(clue.id for clue in answer.clues if clue.text == text)


def test_a_run_waits_once_the_first_clues_are_in(pause):
    waits = pause()
    assert waits.paused and waits.stop_reason == "paused"
    assert [clue.text for clue in waits.clues] == [LOUD[0], SMILE[0]]
    assert waits.explanation.sentences == () == waits.hypotheses
    kinds = [event.event for event in trace_of(waits).events]
    assert kinds[-1] == "paused" and "decided" not in kinds
    (card,) = list_runs(waits.trace_path.parent)
    assert card.state == "paused" and card.seconds is not None


def test_a_run_without_review_never_waits(run):
    answer = run(face="Smile")
    assert not answer.paused
    with pytest.raises(ConfigError, match="is finished"):
        resume(answer.run_id)


def test_accepting_everything_gives_what_a_run_without_review_gives(run, pause):
    plain = run("Asking", face="Smile", prosody="Loud")
    went_on = resume(pause("Asking").run_id)
    assert went_on.explanation.model_dump_json() == plain.explanation.model_dump_json()
    assert (went_on.clues, went_on.stop_reason) == (plain.clues, plain.stop_reason)


def test_the_reasoner_goes_on_from_what_the_person_left(pause):
    waits = pause()
    louder = of(waits, LOUD[0])
    edits = Edits(
        reject=(of(waits, SMILE[0]),),
        edit=(Rewrite(clue=louder, text="The voice trembles."),),
        add=(CRIES,),
    )
    answer = resume(waits.run_id, edits)
    assert {clue.text for clue in answer.clues} == {"The voice trembles.", CRIES.text}
    assert {s.text for s in answer.explanation.sentences} == {"The voice trembles.", CRIES.text}
    (event,) = events(answer, "reviewed")
    assert (event.edits, event.stage) == (edits, "done")
    assert {clue.data.get("revises") for clue in event.clues} == {louder, None}
    assert {clue.source.tool for clue in answer.clues} == {"reviewer"}
    assert set(event.struck) == set(edits.struck)
    assert trace_of(answer).clues == answer.clues


def test_the_trace_of_the_run_goes_on_growing(pause):
    waits = pause()
    before = waits.trace_path.read_bytes()
    answer = resume(waits.run_id)
    assert answer.trace_path == waits.trace_path and answer.run_id == waits.run_id
    assert waits.trace_path.read_bytes().startswith(before)
    times = [event.at for event in trace_of(answer).events]
    assert times == sorted(times)
    assert len([*waits.trace_path.parent.iterdir()]) == 1


def test_no_tool_looks_again_at_what_it_has_seen(pause):
    waits = pause()
    resume(waits.run_id)
    assert len(events(waits, "tool_started")) == 2


def test_a_closer_look_does_not_bring_back_what_was_rejected(pause):
    waits = pause("Asking")
    answer = resume(waits.run_id, Edits(reject=(of(waits, SMILE[0]),)))
    found = {clue.text for event in events(answer, "tool_finished") for clue in event.clues}
    assert CLOSER[0] in found  # it was looked at again, and the smile was there again
    assert {clue.text for clue in answer.clues} == {LOUD[0], CLOSER[0]}
    assert SMILE[0] not in answer.text


def test_a_closer_look_does_not_bring_it_back_in_other_words(pause):
    waits = pause("Asking", face="Fickle")
    answer = resume(
        waits.run_id, Edits(reject=(of(waits, "The person smiles clearly at 0.2-0.5 s."),))
    )
    found = {clue.text for event in events(answer, "tool_finished") for clue in event.clues}
    assert "The person smiles strongly at 0.1-0.5 s." in found
    assert [clue.text for clue in answer.clues] == [LOUD[0]]
    assert trace_of(answer).clues == answer.clues
    resumed = resume(pause("Asking", face="Fickle").run_id)
    assert "The person smiles strongly at 0.1-0.5 s." in {clue.text for clue in resumed.clues}


def test_a_sentence_that_the_reasoner_cannot_read_is_noted(pause):
    odd = Addition(modality="face", text="The lips of the person glisten.")
    answer = resume(pause().run_id, Edits(add=(odd, CRIES)))
    (note,) = (note for note in answer.notes if "no effect" in note)
    assert note.startswith('"The lips of the person glisten." has no effect on the answer')
    assert "pressed lips" in note


def test_a_person_may_see_the_same_thing_twice(pause):
    twice = [
        {"modality": "face", "text": "She winks.", "span": [at, at + 0.1]} for at in (0.1, 0.7)
    ]
    answer = resume(pause("Asking").run_id, Edits.model_validate({"add": twice}))
    assert [clue.text for clue in answer.clues].count("She winks.") == 2


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        (Edits(reject=("f12345678",)), "no clue 'f12345678'"),
        (Edits(add=(Addition(modality="face", text="x", span={"start": 0, "end": 3}),)), "lasts"),
    ],
)
def test_a_wrong_edit_leaves_the_run_waiting_as_it_was(pause, edits, message):
    waits = pause()
    before = waits.trace_path.read_bytes()
    for take_up in (resume, save_draft):
        with pytest.raises(ConfigError, match=message):
            take_up(waits.run_id, edits)
    assert waits.trace_path.read_bytes() == before
    assert not resume(waits.run_id).paused


def test_a_file_that_changed_or_is_gone_is_one_line(pause, clip_path, tmp_path):
    waits = pause()
    before = waits.trace_path.read_bytes()
    moved = shutil.copy(clip_path, tmp_path / "moved.wav")
    write_clip(clip_path, Written(sound=np.ones(16_000, dtype=np.float32)))
    with pytest.raises(ConfigError, match=r"silence\.wav has changed since run"):
        resume(waits.run_id)
    clip_path.unlink()
    with pytest.raises(ConfigError, match="--clip FILE"):
        resume(waits.run_id)
    assert waits.trace_path.read_bytes() == before
    assert resume(waits.run_id, clip=moved).explanation.sentences


def test_settings_are_those_of_the_trace_whatever_holds_today(pause, monkeypatch):
    waits = pause("Asking", change={"budget": Budget(rounds=1)})
    monkeypatch.setenv("EMER_BUDGET__ROUNDS", "3")
    monkeypatch.setenv("EMER_TOOLS__FACE__USE", "graph_tools:Crash")
    monkeypatch.setenv("EMER_TOOLS__PROSODY__AMOUNT", "7")
    assert find_paused(waits.run_id).settings.tools["prosody"].arguments == {}
    monkeypatch.setenv("EMER_REASONER__USE", "graph_tools:Broken")
    answer = resume(waits.run_id)
    assert answer.stop_reason == "rounds_spent"
    assert [e.slot for e in events(answer, "tool_started") if e.round == 1] == ["face", "prosody"]


def test_a_secret_comes_from_todays_settings(clip_path, tmp_path, monkeypatch):
    settings = fakes(face="Smile")
    tools = {**settings.tools, "other": Choice(use="none", api_key="sesame")}
    waits = ask(clip_path, settings=settings.model_copy(update={"tools": tools}), review=True)
    with pytest.raises(ConfigError, match=r"tools\.other\.api_key is a secret"):
        resume(waits.run_id)
    monkeypatch.setenv("EMER_TOOLS__OTHER__USE", "none")
    monkeypatch.setenv("EMER_TOOLS__OTHER__API_KEY", "sesame")
    assert find_paused(waits.run_id).settings.tools["other"] == tools["other"]
    assert resume(waits.run_id).explanation.sentences


def test_budgets_go_on_from_what_was_spent(pause, monkeypatch):
    """A continuation that broke off has been paid for, and its seconds are gone."""
    monkeypatch.setenv("COSTLY_BREAKS", "yes")
    budget = Budget(tokens=1000, money=2.0, seconds=500.0, tool_calls=20)
    waits = pause("Costly", arguments={"breaks": True}, change={"budget": budget})
    with pytest.raises(ZeroDivisionError):
        resume(waits.run_id)
    monkeypatch.delenv("COSTLY_BREAKS")
    broken = trace_of(waits).events[-1]
    answer = resume(waits.run_id)
    assert (Costly.left.tokens, Costly.left.money) == (900, 1.5)
    assert Costly.left.tool_calls == 18
    assert Costly.left.seconds < 500.0 - broken.at
    assert (answer.tokens, answer.money) == (200, 1.0)


def test_waiting_costs_no_seconds(pause):
    waits = pause("Costly")
    lines = waits.trace_path.read_text()
    assert json.loads(lines.splitlines()[-1])["seconds"] < 60
    os.utime(waits.trace_path, (0, 0))  # days later
    assert resume(waits.run_id).seconds < 60


def test_what_a_broken_off_continuation_found_is_not_in_the_ledger_twice(pause, monkeypatch):
    monkeypatch.setenv("COSTLY_BREAKS", "yes")
    waits = pause("Costly", arguments={"breaks": True})
    with pytest.raises(ZeroDivisionError):
        resume(waits.run_id, Edits(add=(CRIES,)))
    monkeypatch.delenv("COSTLY_BREAKS")
    answer = resume(waits.run_id, Edits())
    assert CRIES.text not in {clue.text for clue in answer.clues}
    assert trace_of(answer).clues == answer.clues


def test_a_killed_continuation_is_taken_up_again_with_its_edits(pause):
    waits = pause()
    edits = Edits(reject=(of(waits, SMILE[0]),))
    resume(waits.run_id, edits)
    lines = waits.trace_path.read_bytes().splitlines(keepends=True)
    cut = next(i for i, line in enumerate(lines) if b'"event":"reviewed"' in line)
    waits.trace_path.write_bytes(b"".join(lines[: cut + 1]) + b'{"event":"deci' * 500)
    answer = resume(waits.run_id)
    assert [clue.text for clue in answer.clues] == [LOUD[0]]
    trace = trace_of(answer)
    assert not trace.torn and trace.clues == answer.clues


def test_an_unfinished_review_is_kept(pause):
    waits = pause()
    edits = Edits(reject=(of(waits, SMILE[0]),), add=(CRIES,))
    save_draft(waits.run_id, edits)
    trace = trace_of(waits)
    assert trace.events[-1].event == "paused"
    assert trace.clues == waits.clues  # a draft changes nothing yet
    assert find_paused(waits.run_id).trace.edits == edits
    answer = resume(waits.run_id)
    assert {clue.text for clue in answer.clues} == {LOUD[0], CRIES.text}
    assert [e.stage for e in events(answer, "reviewed")] == ["draft", "done"]


def test_one_process_at_a_time_takes_a_run_up(pause):
    waits = pause()
    before = waits.trace_path.read_bytes()
    first = TraceWriter.reopen(waits.trace_path, 1.0)
    with pytest.raises(ConfigError, match="another process"):
        resume(waits.run_id)
    first.close()
    assert waits.trace_path.read_bytes() == before
    assert not resume(waits.run_id).paused


def test_a_state_that_is_gone_is_one_line(pause):
    waits = pause()
    home = Path(os.environ["EMER_HOME"])
    copy = shutil.copytree(home / "traces", home.parent / "elsewhere" / "traces")
    for file in home.glob("threads.sqlite*"):
        file.unlink()
    for trace in (waits.trace_path, copy / waits.trace_path.name):
        with pytest.raises(ConfigError, match="no longer holds where run"):
            resume(trace)
    assert not (copy.parent / "threads.sqlite").exists()


def test_without_a_home_that_can_be_written_nothing_begins(run, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("EMER_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(ConfigError, match="home that can be written"):
        run(face="Smile", ask_with={"review": True})
    home = tmp_path / "half"
    (home / "threads.sqlite").mkdir(parents=True)
    monkeypatch.setenv("EMER_HOME", str(home))
    with pytest.raises(ConfigError, match="home that can be written"):
        run(face="Smile", ask_with={"review": True})
    assert list((home / "traces").iterdir()) == []


def test_questions_of_the_thread_in_between_are_remembered(run, pause):
    waits = pause(question="One?", ask_with={"thread": "talk"})
    run(face="Smile", question="Two?", ask_with={"thread": "talk"})
    answer = resume(waits.run_id)
    assert [turn.question for turn in answer.history] == ["Two?"]
    after = run(face="Smile", question="Three?", ask_with={"thread": "talk"})
    assert [turn.question for turn in after.history] == ["Two?", "One?"]


def test_what_a_person_changed_holds_for_the_thread_and_for_that_clip(run, pause, tmp_path):
    waits = pause(ask_with={"thread": "talk"})
    resume(waits.run_id, Edits(reject=(of(waits, SMILE[0]),), add=(CRIES,)))
    tools = {"face": "Smile", "prosody": "Loud"}
    after = run("Asking", **tools, ask_with={"thread": "talk"})
    assert {clue.text for clue in after.clues} == {LOUD[0], CRIES.text, CLOSER[0]}
    assert events(after, "reviewed")[0].stage == "earlier"
    assert trace_of(after).clues == after.clues
    assert SMILE[0] in {clue.text for clue in run(**tools).clues}
    noise = write_clip(tmp_path / "noise.wav", Written(sound=np.ones(16_000, dtype=np.float32)))
    other = ask(noise, settings=fakes(**tools), thread="talk")
    assert SMILE[0] in {clue.text for clue in other.clues}


def test_a_second_review_in_a_thread_begins_where_the_first_ended(pause):
    first = pause(ask_with={"thread": "talk"})
    resume(first.run_id, Edits(reject=(of(first, SMILE[0]),), add=(CRIES,)))
    second = pause(ask_with={"thread": "talk"})
    assert {clue.text for clue in second.clues} == {LOUD[0], CRIES.text}
    resume(second.run_id, Edits(reject=(of(second, CRIES.text),)))
    third = pause(ask_with={"thread": "talk"})
    assert {clue.text for clue in third.clues} == {LOUD[0]}


def test_given_words_are_still_there(clip_path):
    settings = fakes("Asking", face="Smile")
    waits = ask(clip_path, settings=settings, subtitle="It is fine.", review=True)
    answer = resume(waits.run_id)
    looked = [e for e in events(answer, "tool_finished") if e.slot == "speech" and e.span]
    assert looked and all("It is fine." in e.clues[0].text for e in looked)
    assert events(answer, "tool_failed") == []


def test_without_any_clue_a_person_can_write_the_first(run):
    waits = run(scene="Dark", ask_with={"review": True})
    assert waits.paused and waits.clues == ()
    answer = resume(waits.run_id, Edits(add=(CRIES,)))
    assert [s.text for s in answer.explanation.sentences] == [CRIES.text]


def test_a_question_that_is_declined_needs_no_review(pause):
    answer = pause(question="Who is she?")
    assert answer.stop_reason == "declined" and not answer.paused


def test_a_tool_that_is_another_by_now_is_noted(pause, monkeypatch):
    waits = pause()
    monkeypatch.setattr("graph_tools.Smile.__init__.__defaults__", ("2", 1))
    assert any("face: smile is no longer" in note for note in resume(waits.run_id).notes)


SCRIPT = """
import sys
from emer.graphs.ask import ask
from tests.fixtures.graph_runs import fakes
print(ask(sys.argv[1], settings=fakes("Asking", face="Smile"), review=True).run_id)
"""

GO_ON = """
import sys
from emer.agents.clue_edits import Addition, Edits
from emer.graphs.resume import find_paused, resume
first = find_paused(sys.argv[1]).clues[0]
cries = Addition(modality="face", text="The person cries at 0.3-0.6 s.")
print(resume(sys.argv[1], Edits(reject=(first.id,), add=(cries,))).text)
"""


def test_a_run_outlives_its_process(clip_path):
    """One process pauses and ends; another one, started later, explains."""

    def process(script, word):
        done = subprocess.run(
            [sys.executable, "-c", script, str(word)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={**os.environ, "PYTHONPATH": python_path(ROOT)},
            cwd=clip_path.parent,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run_id = process(SCRIPT, clip_path).strip()
    output = process(GO_ON, run_id)
    assert CRIES.text in output and SMILE[0] not in output
    (path,) = (Path(os.environ["EMER_HOME"]) / "traces").iterdir()
    assert read_trace(path).finished is not None
