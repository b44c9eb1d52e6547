"""Threads: follow-ups are answered from the ledger, and ask tools only when they must."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emer.agents.scripted_model import ScriptedModel
from emer.graphs import components
from emer.graphs.answer import Answer
from emer.graphs.ask import ask
from emer.graphs.settings import DEFAULT, Choice
from tests.fixtures.clips import Written, write_clip
from tests.fixtures.graph_runs import events, fakes

PEOPLE = {"face": "Pair", "prosody": "Tense"}
ALONE = {"face": "Smile", "prosody": "Sobbing"}


@pytest.fixture
def talk(clip_path):
    """Return a function that asks the next question of one thread, by the rules."""

    def talk(question: str = DEFAULT, path: Path = clip_path, **slots: str) -> Answer:
        rules = {"reasoner": Choice(use="rules")}
        settings = fakes(**(slots or PEOPLE)).model_copy(update=rules)
        return ask(path, question, settings=settings, thread="talk", subtitle="Get out!")

    return talk


def worked(answer: Answer) -> list[Any]:
    """Return the calls for which a tool really worked: those the store did not know."""
    return [event for event in events(answer, "tool_started") if not event.cached]


def answer_text(answer: Answer) -> str:
    return " ".join(s.text for s in answer.explanation.by_modality.get("answer", ()))


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("why not angry?", "angry"),
        ("what about her voice?", "The voice sounds tense and sharp"),
        ("and the words?", "Get out!"),
        ("what happens at 0.3 s?", "Around 0.3 s"),
        ("why?", "appears happy (low confidence), from a smile"),
        ("她的声音呢？", "声音紧张尖锐"),
        ("为什么不生气？", "不是生气"),
    ],
)
def test_a_follow_up_runs_no_tool(talk, question, wanted):
    assert worked(talk())
    again = talk(question)
    assert worked(again) == [] and wanted in answer_text(again)
    assert [turn.question for turn in again.history] == [DEFAULT]


def test_a_follow_up_about_a_person_asks_only_where_it_could_decide(talk):
    talk()
    left = talk("and the woman on the left?")
    assert not any("Person 2" in s.text for s in left.explanation.sentences)
    assert all(event.span is not None for event in worked(left))  # no first look again
    assert worked(talk("and the woman on the left?")) == []


@pytest.mark.parametrize("question", ["and the woman in the middle?", "Who is she?", "at 9 s?"])
def test_what_cannot_be_answered_asks_nothing(talk, question):
    talk()
    again = talk(question)
    assert worked(again) == []
    missing = [m.why for m in again.explanation.missing]
    assert again.explanation.declined or any(
        "nobody is seen in" in why or "9 s" in why for why in missing
    )


def test_a_moment_no_clue_tells_of_is_looked_at(talk):
    talk()
    looked = talk("what happens at 0.9 s?")
    spans = {event.slot: event.span for event in worked(looked) if event.round == 1}
    assert spans.keys() == {"face", "prosody"}
    assert all((span.start, span.end) == (0.4, 1.0) for span in spans.values())
    assert "nods at 0.7-0.9 s" in answer_text(looked)
    assert worked(talk("what happens at 0.9 s?")) == []


def test_what_another_clip_showed_is_no_part_of_the_conversation(talk, tmp_path):
    other = write_clip(tmp_path / "other.wav", Written(sound=np.ones(16_000, dtype=np.float32)))
    talk("And the woman on the left?")
    elsewhere = talk("Is she angry?", other)
    assert len(elsewhere.history) == 1  # the user's thread still remembers it
    renamed = tmp_path / "renamed.wav"
    renamed.write_bytes(Path(tmp_path / "silence.wav").read_bytes())
    here = talk("Is she angry?", renamed)  # the same content under another name
    assert "person 1 (on the left)" in answer_text(here).casefold()  # the woman asked for
    assert "on the left" not in elsewhere.line


def test_what_comes_next_is_declined_only_without_a_moment(talk):
    assert talk("What happens next?").explanation.declined == "future"
    talk("What happens at 0.2 s?")
    assert talk("What happens next?").explanation.declined is None


def test_a_model_hears_the_earlier_turns_and_no_file_name(clip_path, tmp_path, monkeypatch):
    """A follow-up sees what was asked and answered; the clip's name and folder it never sees."""
    ids = {c.modality: c.id for c in ask(clip_path, settings=fakes(**ALONE)).clues}
    decided = {"candidates": [{"label": "happy", "supports": [ids["face"]]}], "settled": True}
    line = {"text": "In the video, the person smiles.", "clues": [ids["face"]]}
    happy = {"label": "happy", "supports": [ids["face"]], "text": "The person appears happy."}
    written = {"observed": [line], "inferred": [happy]}
    model = ScriptedModel([decided, written] * 3)
    from emer.agents.llm.reasoner import Llm

    monkeypatch.setattr(components, "load_reasoner", lambda choice: Llm(model, when="always"))
    folder = tmp_path / "FURIOUS_label"
    folder.mkdir()
    named = folder / "gold_is_furious.wav"
    named.write_bytes(clip_path.read_bytes())
    other = write_clip(folder / "calm.wav", Written(sound=np.ones(16_000, dtype=np.float32)))

    def follow(question: str, path: Path = named) -> str:
        before = len(model.asked)
        ask(path, question, settings=fakes(**ALONE), thread="furious-thread")
        return "\n".join(str(m.content) for asked in model.asked[before:] for m in asked)

    assert "Earlier in this conversation" not in follow("What is it?")
    second = follow("Why not sad?")
    assert "- What is it? -> happy: In the video, the person smiles." in second
    assert "What is it?" not in follow("And here?", other)
    everything = json.dumps([str(m.content) for asked in model.asked for m in asked])
    for word in ("furious", "FURIOUS", "gold", "calm.wav", str(tmp_path)):
        assert word not in everything
