"""Memory in a run: in the trace, switched off by a setting, and unknown to the rules."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emer.graphs.answer import Answer
from emer.graphs.ask import ask
from emer.graphs.components import load_exemplars, load_memory
from emer.graphs.settings import Choice, MemorySettings
from emer.graphs.trace.diff import diff
from tests.fixtures.graph_runs import events, fakes, trace_of
from tests.fixtures.packages import needs

pytestmark = needs("langchain_openai", "faiss")


CLUES = {"face": "Smile", "prosody": "Sobbing"}


@pytest.fixture
def asked(clip_path, tmp_path) -> Any:
    """Return a function that asks a scripted model; it decides on the clip's own smile."""

    def run(**memory: Any) -> Answer:
        smile = next(
            clue.id
            for clue in ask(clip_path, settings=fakes(**CLUES)).clues
            if clue.modality == "face"
        )
        script = tmp_path / "script.json"
        decided = {"candidates": [{"label": "happy", "supports": [smile]}], "settled": True}
        written = {
            "observed": [{"text": "In the video, the person smiles.", "clues": [smile]}],
            "inferred": [{"label": "happy", "supports": [smile],
                          "text": "The person appears happy."}],
        }  # fmt: skip
        script.write_text(json.dumps([decided, written]))
        settings = fakes(**CLUES).model_copy(
            update={
                "reasoner": Choice(use="llm", model=f"script:{script}", when="always"),
                "memory": MemorySettings(**memory),
            }
        )
        return ask(clip_path, settings=settings)

    return run


def test_what_was_remembered_is_in_the_trace_before_the_decision(asked):
    answer = asked()
    (event,) = events(answer, "remembered")
    analogies = event.recollection.analogies
    assert 1 <= len(analogies) <= 3 and all(0 < a.score <= 1 for a in analogies)
    assert all(a.kind == "card" and a.source for a in analogies)
    assert event.at <= events(answer, "decided")[0].at
    assert [label.name for label in answer.explanation.labels] == ["happy"]
    cited = {i for s in answer.explanation.sentences for i in s.clue_ids}
    assert cited and not cited & {a.key for a in analogies}


def test_a_setting_says_how_many_and_switches_it_off(asked):
    assert len(events(asked(nearest=1), "remembered")[0].recollection.analogies) == 1
    assert events(asked(on=False), "remembered") == []


def test_a_kept_run_of_another_clip_is_remembered_and_its_own_is_not(asked, clip_path):
    first = asked()
    settings = fakes(**CLUES)
    exemplars = load_exemplars(settings)
    sad = [label.model_copy(update={"name": "sad"}) for label in first.explanation.labels]
    written = first.explanation.model_copy(update={"labels": tuple(sad)})
    exemplar = exemplars.add(first.run_id, "", first.clues, written)
    copies = [c.model_copy(update={"id": "", "text": f"{c.text[:-1]} too."}) for c in first.clues]
    clues = [type(c).model_validate(c.model_dump(mode="json", exclude={"id"})) for c in copies]
    other = exemplars.add("another", "", clues, written)
    keys = [a.key for a in events(asked(nearest=12), "remembered")[0].recollection.analogies]
    assert other.key in keys and exemplar.key not in keys
    assert {exemplar.key, other.key} <= {item.key for item in load_memory(settings).items}


def test_what_a_model_was_reminded_of_explains_a_difference(asked):
    one, other, without = asked(), asked(nearest=1), asked(on=False)
    found = diff(trace_of(one), trace_of(other))
    assert found.reminders and any("reminded of other things" in why for why in found.because)
    assert "→ none" in " ".join(diff(trace_of(one), trace_of(without)).because)
    assert not diff(trace_of(one), trace_of(asked())).reminders


def test_the_rules_remember_nothing(clip_path, tmp_path):
    settings = fakes("Plain", **CLUES).model_copy(update={"reasoner": Choice(use="rules")})
    answer = ask(clip_path, settings=settings)
    assert events(answer, "remembered") == []
    assert not settings.memory_folder.exists()
