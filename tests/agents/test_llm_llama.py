"""A real small model behind a real server of llama.cpp (Qwen2.5 0.5 B, 4 bit).

What it writes is bad; what reaches the user must be grounded all the same.
EMER_TEST_CLIPS="emer/a.mp4,emer/b.mp4" asks about other clips than the shortest.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from emer.agents.llm import messages
from emer.agents.llm.messages import Language
from emer.agents.llm.providers import connect
from emer.agents.llm.reasoner import Llm
from emer.agents.types import Budget, Hypothesis, Inquiry, ModelCall
from emer.agents.verification.verifier import verify
from emer.graphs.ask import ask
from emer.graphs.settings import Choice, load_settings
from emer.tools.types import Clue
from tests.fixtures import clues as kit
from tests.fixtures.graph_runs import events
from tests.fixtures.packages import needs
from tests.fixtures.paths import ROOT
from tests.fixtures.servers.llama import llama_server

pytestmark = [
    needs("langchain_openai"),
    pytest.mark.slow,
    pytest.mark.weights,
    pytest.mark.timeout(3_000),
]

CLIPS = os.environ.get("EMER_TEST_CLIPS", "emer/sample_00003364.mp4").split(",")
QUESTIONS: dict[Language, str] = {
    "en": "What emotion does the person display, and why?",
    "zh": "这个人表现出什么情绪？为什么？",  # noqa: RUF001
}
PATIENT = {"first": 900.0, "total": 900.0}
"""Seconds: a busy machine reads ten tokens in one."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Yield the address of the server, started once."""
    with llama_server() as address:
        yield address


def test_it_keeps_a_schema_counts_tokens_and_cannot_invent_an_id(server: str) -> None:
    calls: list[ModelCall] = []
    llm = Llm(connect(f"qwen@{server}/v1", 300), when="always")
    llm.report_to(lambda report: calls.append(report) if isinstance(report, ModelCall) else None)
    llm.decide(kit.inquiry(kit.POLITE, kit.INSULT))
    probe, first, *_ = calls
    assert (probe.role, probe.form, probe.outcome) == ("probe", "schema", "ok")
    assert first.form == "schema" and first.counted and first.tokens_in > 300
    reply = json.loads(first.reply)
    cited = {i for c in reply["candidates"] for i in (*c["supports"], *c["contradicts"])}
    assert cited <= {"f1", "t1"}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("clip", CLIPS)
def test_an_answer_is_grounded_and_says_where_the_rules_stood_in(
    server: str, shared_clip: Callable[[str], Path], clip: str, language: Language
) -> None:
    model = Choice(use="llm", model=f"qwen@{server}/v1", when="always", max_tokens=900)
    settings = load_settings()
    network = settings.network.model_copy(update=PATIENT)
    change = {"reasoner": model, "network": network, "budget": Budget(rounds=1, seconds=2_800)}
    answer = ask(
        shared_clip(clip), QUESTIONS[language], settings=settings.model_copy(update=change)
    )
    explanation, clues = answer.explanation, answer.clues
    assert explanation.sentences and explanation.labels
    verdict = verify(explanation, clues, answer.clip.duration)
    assert kit.holds(verdict)
    calls = [event.call for event in events(answer, "model_called")]
    assert {call.form for call in calls} == {"schema"} and {c.role for c in calls} > {"probe"}
    fell = {event.step.role for event in events(answer, "fell_back")}
    used = {call.role for call in calls if call.outcome == "ok"}
    # Where the channels agree there is nothing to debate, and no decider is asked.
    steps = {"writer"} if answer.stop_reason == "agreed" else {"decider", "writer"}
    assert used | fell >= steps, "each step is the model's or said to be the rules'"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_prompt_of_a_clip_of_13_s_has_more_than_2500_tokens(
    server: str, language: Language
) -> None:
    """Counted by the model's own tokenizer, on the 29 clues of the longest clip."""
    (found,) = (
        run["stdout"]
        for run in json.loads((ROOT / "tests/golden/data/emer-694.json").read_text())
        if isinstance(run["stdout"], dict)
    )
    clues = tuple(Clue.model_validate({**record, "id": ""}) for record in found["clues"])
    ids = tuple(clue.id for clue in clues)
    inquiry = Inquiry(question=QUESTIONS[language], clues=clues, duration=13.6, tools=kit.TOOLS)
    candidates = [Hypothesis(label=f"word{n}", supports=ids[:5]) for n in range(4)]
    tasks = (
        messages.decider(inquiry, language, ["A note on displays and meanings. " * 12] * 3),
        messages.planner(inquiry, candidates, language),
        messages.writer(inquiry, candidates, language),
    )
    for task in tasks:
        talk = [*messages.begin(inquiry, language), task]
        assert 900 < tokens(server, talk) <= 2_500


def tokens(server: str, talk: list[Any]) -> int:
    """Number of tokens of a request, the model's chat template included."""
    roles = {"system": "system", "human": "user"}
    body = {"messages": [{"role": roles[m.type], "content": m.content} for m in talk]}
    prompt = httpx.post(f"{server}/apply-template", json=body, timeout=60).json()["prompt"]
    reply = httpx.post(f"{server}/tokenize", json={"content": prompt}, timeout=60).json()
    return len(reply["tokens"])
