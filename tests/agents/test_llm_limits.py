"""Chat models whose server never comes to an end, over real connections on loopback."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage

from emer.agents.llm.client import ReplyInvalid, ask_record
from emer.agents.llm.providers import connect
from emer.agents.llm.reasoner import Llm
from emer.agents.llm.schemas import Deciding
from emer.agents.types import Budget, ModelCall
from emer.graphs.ask import ask
from emer.graphs.settings import load_settings
from emer.tools.runtime.cancellation import Call, Cancelled, in_call
from emer.tools.runtime.device import Machine, Network, configure
from emer.tools.runtime.time_limit import WORKER
from tests.fixtures import clues as kit
from tests.fixtures import llm_replies
from tests.fixtures.clips import Written, write_clip
from tests.fixtures.packages import needs
from tests.fixtures.servers.faults import FAULTS, Fault, FaultyServer, faulty

pytestmark = [needs("langchain_openai"), pytest.mark.slow]

LATE = 2.0
"""Seconds by which a deadline may be missed on a busy machine; the faults never end."""


def limits(**seconds: float) -> None:
    configure(Machine(network=Network(**seconds)))


def model(server: FaultyServer, provider: str, patch: pytest.MonkeyPatch) -> str:
    if provider == "served":
        return f"tiny@{server.url}/v1"
    needed = {"anthropic": "langchain_anthropic", "ollama": "langchain_ollama"}
    pytest.importorskip(needed[provider])
    patch.setenv("ANTHROPIC_API_KEY", "k")
    patch.setenv("ANTHROPIC_BASE_URL", server.url)
    patch.setenv("OLLAMA_HOST", server.url)
    return f"{provider}:tiny"


def are_done(before: int) -> bool:
    """Tell whether the threads of the calls end, and not only their waiting."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if workers() <= before:
            return True
        threading.Event().wait(0.05)
    return False


def workers() -> int:
    return sum(thread.name == WORKER for thread in threading.enumerate())


@pytest.mark.parametrize("fault", FAULTS)
def test_the_budget_ends_a_request_whatever_the_server_does(fault: Fault) -> None:
    before, calls = workers(), list[ModelCall]()
    with faulty(fault) as server:
        llm = Llm(connect(f"tiny@{server.url}/v1", 500), when="always")
        llm.report_to(lambda report: calls.append(report) if hasattr(report, "outcome") else None)
        began = time.monotonic()
        inquiry = kit.inquiry(*llm_replies.MIXED)
        decision = llm.decide(inquiry.model_copy(update={"budget": Budget(seconds=1.0)}))
        assert time.monotonic() - began < 1.0 + LATE
        assert server.asked.is_set() and decision.hypotheses, "the rules decide"
        assert are_done(before), "the connection is closed and its thread ends"
    assert {call.outcome for call in calls} <= {"failed", "faulty"} and calls


@pytest.mark.parametrize("provider", ["served", "anthropic", "ollama"])
@pytest.mark.parametrize("fault", ["silent", "header_drip", "headers_only", "pings", "drip"])
def test_a_server_without_a_word_counts_as_down(
    fault: Fault, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits(first=0.5)
    before = workers()
    with faulty(fault) as server:
        llm = Llm(connect(model(server, provider, monkeypatch), 500), when="always")
        began = time.monotonic()
        decision = llm.decide(kit.inquiry(*llm_replies.MIXED))
        assert decision.hypotheses and time.monotonic() - began < 0.5 + LATE
        assert are_done(before)
        llm.explain(kit.inquiry(*llm_replies.MIXED), decision)
        assert time.monotonic() - began < 0.5 + LATE, "it is not asked again"


@pytest.mark.parametrize("fault", ["pings", "drip", "header_drip", "flood"])
def test_a_benchmark_s_request_has_a_time_and_a_size(fault: Fault) -> None:
    limits(total=1.0)
    before = workers()
    with faulty(fault) as server:
        began = time.monotonic()
        with pytest.raises(ReplyInvalid):
            ask_record(connect(f"tiny@{server.url}/v1", 5), [HumanMessage("?")], Deciding)
        assert time.monotonic() - began < 2.0 + LATE
        assert are_done(before)
        assert server.sent < 200_000_000


def test_a_cancelled_call_closes_its_connection() -> None:
    with faulty("pings") as server:
        llm, call = Llm(connect(f"tiny@{server.url}/v1", 5), when="always"), Call()
        threading.Thread(target=lambda: server.asked.wait(30) and call.cancel()).start()
        with pytest.raises(Cancelled), in_call(call):
            llm.decide(kit.inquiry(*llm_replies.MIXED))
        assert server.left.wait(10)


@pytest.mark.parametrize("fault", ["pings", "silent", "tokens"])
def test_the_budget_of_a_run_holds(fault: Fault, tmp_path: Path) -> None:
    import numpy as np

    clip = write_clip(tmp_path / "s.wav", Written(sound=np.zeros(16_000, np.float32)))
    off = dict.fromkeys(("scene", "prosody", "speech"), "none")
    with faulty(fault) as server:
        settings = load_settings(tools={"face": "graph_tools:Smile", **off}).model_copy(
            update={"budget": Budget(seconds=2.0)}
        )
        began = time.monotonic()
        answer = ask(clip, settings=settings, llm=f"tiny@{server.url}/v1")
        assert time.monotonic() - began < 2.0 + LATE
    assert answer.clues and answer.explanation.sentences, "the rules finish the answer"
