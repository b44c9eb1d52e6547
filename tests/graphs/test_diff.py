"""What `diff` says of a swapped tool, a swapped model, and everything else that may differ."""

from __future__ import annotations

import json
from typing import Any

import pytest
from graph_tools import LOUD
from test_model_reasoner import CLUES, clue_ids, replies

from emer.agents.clue_edits import Edits
from emer.agents.types import Budget
from emer.graphs.ask import ask
from emer.graphs.resume import resume
from emer.graphs.settings import Choice
from emer.graphs.trace.diff import diff
from tests.fixtures.graph_runs import fakes, trace_of
from tests.fixtures.servers.openai_chat import serving

QUESTION = "What is displayed?"


def words(found) -> str:
    return "\n".join(found.because)


@pytest.fixture
def with_model(clip_path, tmp_path):
    """Return a function that asks with a scripted model and gives the run's trace."""

    def with_model(replies: list[Any], **options: Any):
        script = tmp_path / f"{len([*tmp_path.iterdir()])}.json"
        script.write_text(json.dumps(replies))
        arguments = {"when": "always", **options}
        chosen = Choice(use="llm", model=f"script:{script}", **arguments)
        settings = fakes(**CLUES).model_copy(update={"reasoner": chosen})
        return trace_of(ask(clip_path, QUESTION, settings=settings))

    return with_model


@pytest.fixture
def by_rules(clip_path):
    """Return the trace of a run that the rules reasoned."""
    settings = fakes(**CLUES).model_copy(update={"reasoner": Choice(use="rules")})
    return trace_of(ask(clip_path, QUESTION, settings=settings))


@pytest.mark.slow
def test_rules_a_scripted_model_and_one_over_http_are_told_apart(clip_path, by_rules, with_model):
    """The same clip, asked three ways: each pair of traces says why it differs."""
    ids = clue_ids(clip_path)
    decided, _, _, written = replies(ids)
    settled = [{**decided, "settled": True}, written]
    scripted = with_model(settled)
    with serving(*settled) as server:
        chosen = Choice(use="llm", model=f"tiny@{server.url}", when="always")
        settings = fakes(**CLUES).model_copy(update={"reasoner": chosen})
        served = trace_of(ask(clip_path, QUESTION, settings=settings))

    found = diff(by_rules, scripted)
    assert found.because[0].startswith("Another reasoner: rules → llm (script:")
    assert found.because[1] == "Clues that are gone: 1 clue of smile; new: none."
    assert "In b the model got 2 requests: about" in words(found)
    assert "The labels change: " in words(found)
    assert (found.usage_a.requests, found.usage_b.requests) == (0, 2)
    assert found.usage_b.roles == {"decider": 1, "writer": 1} and not found.usage_b.counted
    assert found.sentences_only_a and found.sentences_only_b

    found = diff(scripted, served)
    assert found.because[0] == f"Another model: {scripted_name(scripted)} → tiny@{server.url}."
    assert found.because[1] == "The clues are the same (2)."
    assert "The labels stay as they are." in words(found)
    assert found.usage_b.counted and found.usage_b.tokens_in > 0
    assert found.labels == found.probabilities == found.sentences_only_a == ()


def scripted_name(trace) -> str:
    return trace.header.settings["reasoner"]["model"]


def test_fallbacks_and_costs_are_told(clip_path, by_rules, with_model):
    broken = with_model(["no"] * 6, price_in=10.0, price_out=10.0)
    found = diff(by_rules, broken)
    assert found.because[1] == "The clues are the same (3)."
    assert "got 6 requests (6 without a usable reply)" in words(found)
    assert "In b the rules took over from the model: decider (2), writer; there" in words(found)
    assert "of money" in words(found) and found.usage_b.money > 0
    assert {c.key for c in found.work} >= {"requests to models", "steps the rules took over"}
    assert found.sentences_only_a == found.sentences_only_b == ()


def test_a_model_that_was_not_asked_is_told_with_the_reason(clip_path, by_rules):
    model = {"reasoner": Choice(use="llm", model="tiny@http://127.0.0.1:9/v1")}
    settings = fakes(**CLUES).model_copy(update=model)
    declined = trace_of(ask(clip_path, "Who is she?", settings=settings))
    text = words(diff(by_rules, declined))
    assert "In b the model was not asked: no clip could answer the question." in text


def test_hypotheses_that_come_and_go(clip_path, with_model):
    ids = clue_ids(clip_path)
    written = replies(ids)[3]
    one = {"label": "happy", "supports": [ids["face"]]}
    other = {"label": "sad", "supports": [ids["audio"]]}
    a = with_model([{"candidates": [one], "settled": True}, written])
    b = with_model([{"candidates": [other], "settled": True}, written])
    found = diff(a, b)
    assert "Readings that appear: sad." in words(found)
    assert "Readings that vanish: happy." in words(found)


def test_another_tool_is_named_with_the_clues_that_came_of_it(run, clip_path):
    a = trace_of(run(face="Smile", prosody="Loud"))
    b = trace_of(ask(clip_path, settings=fakes(prosody="Softer", face="Smile")))
    text = words(diff(a, b))
    assert "Another tool for prosody: loud 1 → softer 1." in text
    assert "Clues that are gone: 1 clue of loud; new: 1 clue of softer." in text


def test_two_reasons_to_stop_are_told_side_by_side(run):
    a, b = (trace_of(run(name, face="Smile")) for name in ("Asking", "Plain"))
    text = words(diff(a, b))
    assert "Another reasoner: graph_tools:Asking → graph_tools:Plain." in text
    assert (
        "a stopped because looking closer brought nothing new; "
        "b, because the leading reading was sure enough." in text
    )


def test_a_review_is_named(run):
    plain = run(face="Smile", prosody="Loud")
    waits = run(face="Smile", prosody="Loud", ask_with={"review": True})
    loud = next(clue.id for clue in waits.clues if clue.text == LOUD[0])
    found = diff(trace_of(plain), trace_of(resume(waits.run_id, Edits(reject=(loud,)))))
    assert "A person's review: none → 1 clues rejected, 0 edited, 0 added." in words(found)
    assert "Clues that are gone: 1 clue of loud; new: none." in words(found)


def test_question_words_budget_and_thread_are_named(run, clip_path):
    settings = fakes(face="Smile")
    less = settings.model_copy(update={"budget": Budget(rounds=1)})
    a = trace_of(ask(clip_path, "One?", settings=settings, thread="t", subtitle="It is fine."))
    b = trace_of(ask(clip_path, "Two?", settings=less, thread="t", subtitle="It is not."))
    text = words(diff(a, b))
    assert "Another question: One? → Two?." in text
    assert "Other words were given with the clip: " in text
    assert "Another setting, budget.rounds: 3 → 1." in text
    assert "Another number of earlier turns in the thread: 0 → 1." in text


def test_other_prompts_count_where_a_model_was_asked(clip_path, by_rules, with_model):
    a = with_model(["no"] * 4)
    changed = {**a.header.prompts, "llm/en/writer.md": "0" * 64}
    header = a.header.model_copy(update={"prompts": changed})
    b = type(a)(header=header, events=a.events)
    found = diff(a, b)
    assert [c.key for c in found.prompts] == ["llm/en/writer.md"]
    assert "Other prompts: llm/en/writer.md." in words(found)
    ruled = by_rules.header.model_copy(update={"prompts": changed})
    silent = diff(by_rules, type(a)(header=ruled, events=by_rules.events))
    assert not any("Other prompts" in line for line in silent.because)


def test_a_model_that_answers_otherwise_the_second_time_is_said(clip_path, tmp_path):
    ids = clue_ids(clip_path)
    script = tmp_path / "replies.json"
    traces = []
    for label in ("happy", "sad"):
        one = {"label": label, "supports": [*ids.values()]}
        script.write_text(json.dumps([{"candidates": [one], "settled": True}, replies(ids)[3]]))
        chosen = Choice(use="llm", model=f"script:{script}", when="always")
        settings = fakes(**CLUES).model_copy(update={"reasoner": chosen})
        traces.append(trace_of(ask(clip_path, QUESTION, settings=settings)))
    assert words(diff(*traces)).startswith("Nothing that went in differs: the model did not answer")


def test_runs_that_do_not_differ_are_not_explained(with_model, run):
    a, b = (trace_of(run(face="Smile", prosody="Loud")) for _ in range(2))
    assert diff(a, b).same and diff(a, b).because == ()
