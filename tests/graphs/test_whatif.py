"""Counterfactuals from stored clues: what is left out, and that nothing else differs."""

from __future__ import annotations

import json

import pytest
from graph_tools import CLOSER, LOUD, SMILE
from test_model_reasoner import CLUES, clue_ids, replies

from emer.agents.clue_edits import Edits, Rewrite
from emer.agents.types import Budget
from emer.graphs.ask import ask
from emer.graphs.resume import resume
from emer.graphs.settings import Choice
from emer.graphs.whatif import whatif
from emer.tools.errors import ConfigError
from tests.fixtures.graph_runs import fakes, trace_of

pytestmark = pytest.mark.slow


@pytest.fixture
def ruled(run):
    """Return the trace of a run by the rules, with three tools."""
    rules = {"reasoner": Choice(use="rules")}
    return trace_of(run(face="Smile", prosody="Sobbing", scene="Dark", change=rules))


def of(trace, text):
    return next(clue.id for clue in trace.clues if text in clue.text)


def texts(clues):
    return {clue.text for clue in clues}


def test_reasoning_anew_with_everything_gives_what_the_run_gave(ruled):
    found = whatif(ruled, ["scene"])
    assert found.everything.explanation == ruled.explanation
    assert found.removed == () and found.changes.same
    assert found.changes.because[0].startswith("Nothing of it is among the clues")


def test_what_a_closer_look_told_again_counts_once_there_too(run):
    answer = run("Asking", face="Again")
    trace = trace_of(answer)
    assert len(trace.observed) == 2
    assert trace.clues == answer.clues and len(answer.clues) == 1
    rest = whatif(trace, without_clues=[answer.clues[0].id]).rest
    assert rest.clues == ()


@pytest.mark.parametrize("name", ["face", "smile", " FACE "])
def test_a_slot_a_tool_or_a_modality_is_left_out(ruled, name):
    found = whatif(ruled, [name])
    assert texts(found.removed) == {SMILE[0], CLOSER[0]}
    assert texts(found.rest.clues) == texts(ruled.clues) - {SMILE[0], CLOSER[0]}
    assert SMILE[0] not in " ".join(s.text for s in found.rest.explanation.sentences)
    assert found.changes.labels and found.changes.probabilities
    assert "Left out: 2 clues of smile." in found.changes.because
    (gone,) = [m for m in found.rest.explanation.missing if m.modality == "face"]
    assert gone.why == "left out, to see what changes"
    scene = [m.why for m in found.rest.explanation.missing if m.modality == "scene"]
    assert scene == ["the picture is black"]


def test_what_was_missing_in_part_is_missing_as_a_whole(run):
    rules = {"reasoner": Choice(use="rules")}
    trace = trace_of(run(face="Smile", extra="FaceCrash", prosody="Loud", change=rules))
    found = whatif(trace, ["smile"])
    whole, rest = (side.explanation.missing for side in (found.everything, found.rest))
    assert whole == trace.explanation.missing and whole[0].why.count("other clues") == 1
    assert not any("other clues" in record.why for record in rest)


def test_a_single_clue_and_a_tool_together(ruled):
    found = whatif(ruled, ["prosody"], [of(ruled, SMILE[0]), of(ruled, CLOSER[0])])
    assert found.rest.clues == () and found.rest.stop_reason == "no_evidence"
    assert found.rest.explanation.labels == ()
    assert found.without == ("prosody", of(ruled, SMILE[0]), of(ruled, CLOSER[0]))


def test_no_tool_runs_and_nothing_is_written(ruled, run, clip_path, own_home):
    before = {path: path.read_bytes() for path in own_home.rglob("*") if path.is_file()}
    assert before
    clip_path.unlink()  # the clip is not needed any more
    first, second = (whatif(ruled, ["face"]).model_dump_json() for _ in range(2))
    assert first == second
    assert before == {path: path.read_bytes() for path in own_home.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "say what to leave out"),
        ({"without": ["nose"]}, "'nose' is nothing to leave out; there is: .*face.*smile"),
        ({"without_clues": ["f00000000"]}, "no clue 'f00000000'"),
        ({"without": ["face"], "llm": "script:x", "rules": True}, "one reasoner at a time"),
        ({"without": ["face"], "llm": "nosuch"}, "names no model"),
    ],
)
def test_what_cannot_be_left_out_is_one_line(ruled, change, message):
    with pytest.raises(ConfigError, match=message):
        whatif(ruled, **change)


def test_a_run_without_clues_is_one_line(run):
    with pytest.raises(ConfigError, match="no clues to reason from"):
        whatif(trace_of(run(scene="Dark")), ["scene"])


def test_a_persons_changes_go_with_their_tool_or_by_their_own_name(run):
    rules = {"reasoner": Choice(use="rules")}
    waits = run(face="Smile", prosody="Loud", change=rules, ask_with={"review": True})
    smile, loud = of(trace_of(waits), SMILE[0]), of(trace_of(waits), LOUD[0])
    edits = Edits(reject=(loud,), edit=(Rewrite(clue=smile, text="The person grins."),))
    trace = trace_of(resume(waits.run_id, edits))
    assert whatif(trace, ["smile"]).rest.clues == ()
    unreviewed = whatif(trace, ["reviewer"])
    assert texts(unreviewed.rest.clues) >= {SMILE[0], LOUD[0]}
    assert texts(unreviewed.removed) == {"The person grins."}
    assert "as before the review" in unreviewed.changes.because[0]


def test_the_runs_own_model_reasons_unless_another_is_named(clip_path, tmp_path):
    ids = clue_ids(clip_path)
    decided, _, _, written = replies(ids)
    script = tmp_path / "replies.json"
    script.write_text(json.dumps([{**decided, "settled": True}, written]))
    chosen = Choice(use="llm", model=f"script:{script}", when="always")
    settings = fakes(**CLUES).model_copy(update={"reasoner": chosen})
    trace = trace_of(ask(clip_path, settings=settings))
    by_model = whatif(trace, ["prosody"])
    assert by_model.reasoner == "llm" and by_model.usage.requests > 2
    assert by_model.everything.explanation.labels == trace.explanation.labels
    assert by_model.usage.fallbacks  # the script had nothing more to say, and the rules went on
    ruled = whatif(trace, ["prosody"], rules=True)
    assert ruled.reasoner == "rules" and ruled.usage.requests == 0
    again = whatif(ruled_trace := trace, ["prosody"], llm=f"script:{script}")
    assert again.reasoner == "llm" and ruled_trace.header.reasoner == "llm"


def test_both_sides_share_the_runs_budget(clip_path, tmp_path):
    ids = clue_ids(clip_path)
    decided, _, _, written = replies(ids)
    script = tmp_path / "replies.json"
    script.write_text(json.dumps([{**decided, "settled": True}, written] * 2))
    chosen = Choice(use="llm", model=f"script:{script}", when="always")
    budget = Budget(tokens=1000)
    update = {"reasoner": chosen, "budget": budget}
    trace = trace_of(ask(clip_path, settings=fakes(**CLUES).model_copy(update=update)))
    found = whatif(trace, ["prosody"])
    assert any("no tokens left" in step.why for step in found.usage.fallbacks)
