"""A language model in the loop: over HTTP, from the command line, in the trace."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from emer.graphs.answer import Answer
from emer.graphs.ask import ask
from emer.graphs.settings import Choice
from emer.prompts.prompt import digest, names
from emer.tools.errors import ConfigError
from tests.fixtures.graph_runs import events, fakes, trace_of
from tests.fixtures.packages import needs
from tests.fixtures.paths import MODULES
from tests.fixtures.servers.openai_chat import OpenAIServer, form_of_request, serving

pytestmark = [pytest.mark.slow, needs("langchain_openai")]


CLUES = {"face": "Smile", "prosody": "Sobbing"}
QUESTION = "What is displayed?"


def clue_ids(clip_path: Path) -> dict[str, str]:
    """Return the ids of the fakes' clues by modality."""
    answer = ask(clip_path, QUESTION, settings=fakes(**CLUES))
    return {clue.modality: clue.id for clue in answer.clues}


def replies(ids: dict[str, str]) -> list[dict[str, Any]]:
    """Return a decision with a closer look, a second decision, and an explanation."""
    candidates = [
        {"label": "happy", "supports": [ids["face"]], "contradicts": []},
        {"label": "sad", "supports": [ids["audio"]], "contradicts": [ids["face"]]},
    ]
    written = {
        "observed": [
            {"clues": [ids["face"]], "text": "In the video, the person smiles."},
            {"clues": [ids["audio"]], "text": "In the audio, sobbing is heard."},
        ],
        "inferred": [
            {
                "label": "happy",
                "supports": [ids["face"]],
                "text": "Therefore, based on the smile, the person appears happy.",
            }
        ],
    }
    return [
        {"candidates": candidates, "settled": False},
        {"asks": [{"tool": "smile", "start": 0.2, "end": 0.8, "why": "does it reach the eyes?"}]},
        {"candidates": candidates[:1], "settled": True},
        written,
    ]


def asked(clip_path: Path, server: OpenAIServer, **options: Any) -> Answer:
    """Ask about the clip with the server's model."""
    model = f"tiny@{server.url}"
    chosen = fakes(**CLUES).model_copy(
        update={"reasoner": Choice(use="llm", model=model, when="always", **options)}
    )
    return ask(clip_path, QUESTION, settings=chosen)


def test_a_model_behind_an_openai_compatible_server_plans_asks_and_writes(clip_path: Path) -> None:
    ids = clue_ids(clip_path)
    with serving(*replies(ids)) as server:
        answer = asked(clip_path, server, price_in=1.0, price_out=2.0)
    assert [label.name for label in answer.explanation.labels] == ["happy"]
    assert any("blinks" in clue.text for clue in answer.clues)
    calls = [event.call for event in events(answer, "model_called")]
    assert [(c.role, c.outcome) for c in calls] == [
        ("probe", "ok"),
        ("decider", "ok"),
        ("planner", "ok"),
        ("decider", "ok"),
        ("writer", "ok"),
    ]
    assert all(call.counted and call.tokens_in and call.seconds >= 0 for call in calls)
    assert answer.tokens == sum(c.tokens_in + c.tokens_out for c in calls)
    assert answer.money == pytest.approx(sum(c.money or 0 for c in calls)) and answer.money > 0
    assert [c.prompt for c in calls] == [digest(f"llm/en/{c.role}") for c in calls]
    told = trace_of(answer).header.prompts
    assert {f"{name}.md" for name in names()} == told.keys()
    assert all(body["stream"] and body["response_format"] for body in server.asked)
    assert {c.form for c in calls} == {"schema"}


def test_a_server_without_schemas_and_tools_is_asked_for_json(clip_path: Path) -> None:
    ids = clue_ids(clip_path)
    with serving(*replies(ids)) as server:
        server.refuses = {"schema", "tool", "required_tool"}
        answer = asked(clip_path, server)
    assert [label.name for label in answer.explanation.labels] == ["happy"]
    assert {form_of_request(body) for body in server.asked} == {"json"}
    assert not events(answer, "fell_back")


def test_a_server_that_is_down_costs_the_model_and_not_the_answer(clip_path: Path) -> None:
    with serving() as server:
        model = f"tiny@{server.url}"
    chosen = fakes(**CLUES).model_copy(
        update={"reasoner": Choice(use="llm", model=model, when="always")}
    )
    answer = ask(clip_path, QUESTION, settings=chosen)
    plain = ask(
        clip_path, QUESTION, settings=chosen.model_copy(update={"reasoner": Choice(use="rules")})
    )
    assert answer.explanation == plain.explanation
    fell = [event.step for event in events(answer, "fell_back")]
    assert {step.role for step in fell} == {"decider", "writer"}
    assert sum("the rules took the step" in note for note in answer.notes) == 2


def test_no_name_of_the_file_or_its_folder_reaches_a_model(clip_path: Path, tmp_path: Path) -> None:
    ids = clue_ids(clip_path)
    folder = tmp_path / "GOLD_furious"
    folder.mkdir()
    named = folder / "label_is_furious_017.wav"
    named.write_bytes(clip_path.read_bytes())
    broken = {**CLUES, "scene": "Crash"}
    with serving(*replies(ids)) as server:
        chosen = fakes(**broken).model_copy(
            update={
                "reasoner": Choice(
                    use="llm", model=f"tiny@{server.url}", when="always", critic=True
                )
            }
        )
        ask(named, QUESTION, settings=chosen, thread="furious-thread")
        ask(named, "And why?", settings=chosen, thread="furious-thread")
    requests = json.dumps(server.asked)
    assert len(server.asked) >= 5
    for word in ("furious", "GOLD", "label_is", str(tmp_path), "fell off"):
        assert word not in requests


def test_a_sentence_the_critic_rejects_is_written_once_more_and_then_dropped(
    clip_path: Path,
) -> None:
    ids = clue_ids(clip_path)
    decided, _, _, written = replies(ids)
    verdicts = {"verdicts": [{"sentence": 2, "verdict": "rejected", "why": "not for this label"}]}
    with serving({**decided, "settled": True}, written, verdicts, written, verdicts) as server:
        answer = asked(clip_path, server, critic=True)
    assert not any("sobbing" in s.text for s in answer.explanation.sentences)
    first, last = events(answer, "verified")
    assert first.verdicts.sentences[1].why == "the critic rejects it: not for this label"
    assert last.verdicts.opinions[1].verdict == "rejected"
    assert "not for this label" in json.dumps(server.asked[3])


def test_the_command_line_takes_a_model(clip_path: Path, tmp_path: Path) -> None:
    ids = clue_ids(clip_path)
    script = tmp_path / "script.json"
    script.write_text(json.dumps(replies(ids)))
    swaps = [f"{slot}=graph_tools:{name}" for slot, name in CLUES.items()]
    off = ["scene=none", "speech=none"]
    tools = [word for swap in (*swaps, *off) for word in ("--tool", swap)]
    command = [sys.executable, "-m", "emer.app", "ask", str(clip_path), *tools]
    model = ["--llm", f"script:{script}", "--llm-when", "always", "--json"]
    done = subprocess.run(
        [*command, *model], capture_output=True, text=True, check=True, cwd=MODULES
    )
    output = json.loads(done.stdout)
    assert [label["name"] for label in output["explanation"]["labels"]] == ["happy"]
    assert output["tokens"] > 0


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("gpt", "names no model"),
        ("nosuch:model", "nosuch"),
        ("script:/nowhere.json", "cannot be read"),
        ("hf:/nowhere/model", "hf download"),
        ("openai:gpt-4.1-mini", "api_key|OPENAI_API_KEY"),
    ],
)
def test_a_model_that_can_never_be_asked_is_one_line_before_anything_is_done(
    clip_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, why: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ConfigError, match=why) as caught:
        ask(clip_path, QUESTION, settings=fakes(**CLUES), llm=model)
    assert "\n" not in str(caught.value)


def test_a_declined_question_runs_no_tool(clip_path: Path) -> None:
    answer = ask(clip_path, "What is her name?", settings=fakes(**CLUES))
    assert answer.explanation.declined == "identity" and not events(answer, "tool_started")
    assert answer.text.startswith("This is not answered")


def test_a_planner_s_question_reaches_the_tool_and_stands_in_the_trace(clip_path: Path) -> None:
    slots = {**CLUES, "scene": "Described"}
    ids = {c.modality: c.id for c in ask(clip_path, QUESTION, settings=fakes(**slots)).clues}
    question = "what is in her hands?"
    decided, _, settled, written = replies(ids)
    look = {"tool": "described", "start": 0.2, "end": 0.8, "why": "a letter?"}
    planned = {"asks": [{**look, "question": question}, {**look, "question": "Is it a\nphone?"}]}
    repaired = {"asks": [{**look, "question": question}, {**look, "tool": "smile", "question": ""}]}
    with serving(decided, planned, repaired, settled, written) as server:
        chosen = fakes(**slots).model_copy(
            update={"reasoner": Choice(use="llm", model=f"tiny@{server.url}", when="always")}
        )
        answer = ask(clip_path, QUESTION, settings=chosen)
    text = 'Asked "what is in her hands?", a model answers for 0.2-0.8 s: a letter.'
    assert [c.text for c in answer.clues if c.text.startswith("Asked")] == [text]
    calls = [e for e in events(answer, "tool_finished") if e.round == 1]
    assert {(e.tool, e.question, e.cached) for e in calls} == {
        ("described", question, False), ("smile", None, False),
    }  # fmt: skip
    (decision, _) = events(answer, "decided")
    assert [a.question for a in decision.asks] == [question, None]
    plan = server.asked[1]["messages"][-1]["content"]
    (line,) = [line for line in plan.splitlines() if line.startswith("- described")]
    assert '"question"' in line and plan.count("It can also be asked") == 1
    outcomes = [(e.call.role, e.call.outcome) for e in events(answer, "model_called")]
    assert ("planner", "faulty") in outcomes, "a question of two lines is repaired"


def test_an_answer_is_kept_apart_from_a_look_and_from_other_questions(clip_path: Path) -> None:
    from emer.tools.evidence_store import EvidenceStore
    from emer.tools.media.clip import Clip
    from emer.tools.registry import load_tool
    from emer.tools.types import Span

    store, clip = EvidenceStore(None), Clip.open(clip_path)
    tool, span = load_tool("graph_tools:Described"), Span(start=0.2, end=0.8)
    keys = [store.key(clip, tool, span, asked) for asked in (None, "a letter?", "a phone?")]
    assert len({*keys}) == 3 and keys[0] == store.key(clip, tool, span)


def test_a_tool_of_before_is_never_asked_in_words(clip_path: Path) -> None:
    from emer.tools.registry import load_tool
    from emer.tools.tool import card

    assert card(load_tool("graph_tools:Described")).answers
    assert not card(load_tool("graph_tools:Smile")).answers
