"""Forms of reply: probed once on a real server, remembered, given up when they fail."""

from __future__ import annotations

import pytest

from emer.agents.llm import reply_forms
from emer.agents.llm.providers import connect
from emer.agents.llm.reasoner import Llm
from emer.agents.types import Decision, ModelCall, ReplyForm
from tests.fixtures import clues as kit
from tests.fixtures.llm_replies import DECIDED, MIXED, WRITTEN
from tests.fixtures.packages import needs
from tests.fixtures.servers.openai_chat import OpenAIServer, form_of_request, serving

pytestmark = needs("langchain_openai")


def asking(server: OpenAIServer, **options: object) -> tuple[Llm, list[ModelCall]]:
    calls: list[ModelCall] = []
    llm = Llm(connect(f"tiny@{server.url}", 500), when="always", **options)  # type: ignore[arg-type]
    llm.report_to(lambda report: calls.append(report) if isinstance(report, ModelCall) else None)
    return llm, calls


TRIED: list[ReplyForm] = ["schema", "tool", "required_tool", "json"]


@pytest.mark.parametrize(
    ("keeps", "refuses", "probed", "kept"),
    [
        ({"schema", "tool", "json"}, set(), TRIED[:1], "schema"),
        ({"tool", "json"}, {"schema"}, TRIED[:2], "tool"),
        ({"required_tool"}, {"schema", "tool"}, TRIED[:3], "required_tool"),
        ({"required_tool", "json"}, {"schema"}, TRIED[:3], "required_tool"),
        ({"json"}, {"schema"}, TRIED, "json"),
        (set(), set(), TRIED, "text"),
        (set(), set(TRIED), TRIED, "text"),
    ],
)
def test_the_strictest_form_that_a_server_keeps_is_used(keeps, refuses, probed, kept) -> None:  # type: ignore[no-untyped-def]
    """The first keeps all, the last but one replies text to all, the last refuses all."""
    with serving(DECIDED, WRITTEN) as server:
        server.keeps, server.refuses = keeps, refuses
        llm, calls = asking(server)
        inquiry = kit.inquiry(*MIXED)
        assert llm.explain(inquiry, llm.decide(inquiry)).labels[0].name == "happy"
        assert server.probed == probed
        assert [form_of_request(body) for body in server.asked] == [kept, kept]
    asked = [call for call in calls if call.role != "probe"]
    assert [(call.role, call.outcome, call.form) for call in asked] == [
        ("decider", "ok", kept),
        ("writer", "ok", kept),
    ]
    assert all(call.counted for call in asked), "the server counts, also in a stream"


def test_what_a_server_keeps_is_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(*[DECIDED] * 3) as server:
        for _ in range(2):
            asking(server)[0].decide(kit.inquiry(*MIXED))
        assert server.probed == ["schema"]
        monkeypatch.setattr(reply_forms, "REMEMBERED", 0.0)
        asking(server)[0].decide(kit.inquiry(*MIXED))
        assert server.probed == ["schema", "schema"]


def test_a_server_that_no_longer_keeps_its_form_is_probed_again() -> None:
    with serving(DECIDED, "It looks angry to me.", DECIDED) as server:
        llm, calls = asking(server)
        llm.decide(kit.inquiry(*MIXED))
        server.keeps = {"json"}
        llm.decide(kit.inquiry(*MIXED, kit.SMILE))
    assert [(c.form, c.outcome) for c in calls if c.role == "decider"] == [
        ("schema", "ok"),
        ("schema", "faulty"),
        ("json", "ok"),
    ]


def test_a_form_that_is_refused_only_for_the_real_schema_is_lowered() -> None:
    with serving(400, 400, DECIDED) as server:
        llm, calls = asking(server)
        assert llm.decide(kit.inquiry(*MIXED)).hypotheses[0].label == "angry"
    assert [c.form for c in calls if c.role == "decider"] == ["required_tool"]


def test_the_ids_of_the_run_are_the_only_ones_that_a_server_lets_be_written() -> None:
    with serving(DECIDED, WRITTEN) as server:
        llm, _ = asking(server)
        inquiry = kit.inquiry(*MIXED)
        llm.explain(inquiry, llm.decide(inquiry))
    schemas = [body["response_format"]["json_schema"] for body in server.asked]
    assert all(schema["strict"] for schema in schemas)
    ids = [schema["schema"]["$defs"]["clues"]["enum"] for schema in schemas]
    assert ids == [["f1", "t1", "a1"]] * 2
    assert schemas[1]["schema"]["$defs"]["labels"]["enum"] == ["angry", "happy"]
    told = str(server.asked)
    assert "<id of" not in told and kit.POLITE.id not in told


def test_the_form_is_in_the_prompt_only_where_it_is_not_enforced() -> None:
    with serving(DECIDED) as server:
        llm, calls = asking(server, tools=False)
        llm.decide(kit.inquiry(*MIXED))
        assert server.probed == []
    assert '"supports": [<id of clues>, ...]' in server.asked[0]["messages"][-1]["content"]
    assert [call.form for call in calls] == ["text"]


def test_a_model_without_candidates_may_name_any_label() -> None:
    with serving(WRITTEN) as server:
        asking(server)[0].explain(kit.inquiry(*MIXED), Decision(hypotheses=()))
    schema = server.asked[0]["response_format"]["json_schema"]["schema"]
    label = schema["properties"]["inferred"]["items"]["properties"]["label"]
    assert label == {"type": "string"}


def test_a_probe_is_paid_from_the_run_s_budget_and_stands_in_the_trace() -> None:
    with serving(DECIDED) as server:
        server.keeps = {"tool"}
        llm, calls = asking(server)
        llm.decide(kit.inquiry(*MIXED))
        forms = [call.form for call in calls if call.role == "probe"]
    assert forms == ["schema", "tool"]
    assert [(c.outcome, c.tokens_in > 0) for c in calls[:2]] == [("faulty", True), ("ok", True)]
    assert "does not keep to the form" in calls[0].why
