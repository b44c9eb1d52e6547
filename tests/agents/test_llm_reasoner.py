"""The llm reasoner with scripted models: what it keeps, repairs, refuses and falls back from."""

from __future__ import annotations

import pytest

from emer.agents.rules.reasoner import Rules
from emer.agents.scripted_model import Scripted, ScriptedModel
from emer.agents.types import Ask, Budget, Missing, Rejection, Turn
from emer.tools.types import Span
from tests.fixtures import clues as kit
from tests.fixtures.llm_replies import (
    DECIDED,
    EMPTY,
    LOOPING,
    MALFORMED,
    MIXED,
    OVERLONG,
    REFUSAL,
    TRUNCATED,
    UNSETTLED,
    WRITTEN,
    Talk,
    look,
)


def by_rules(*clues):  # type: ignore[no-untyped-def]
    return kit.decide(*clues), kit.explain(*clues)


def test_candidates_keep_their_counter_evidence_and_minority_readings() -> None:
    decision = Talk(DECIDED).decide()
    first, second = decision.hypotheses
    assert (first.label, first.supports, first.contradicts) == (
        "angry",
        (kit.INSULT.id,),
        (kit.POLITE.id,),
    )
    assert second.label == "happy" and decision.stop_reason == "nothing_to_ask"


def test_probabilities_are_measured_on_the_cited_clues_and_never_taken_from_the_model() -> None:
    kind = kit.clue("text", 'The subtitle reads: "I love you, thank you so much!"', (1.0, 2.0))
    clues = kit.inquiry(*kit.ANGRY, kind)

    def probability(label: str, *cited: str) -> float | None:
        reply = {"candidates": [{"label": label, "supports": list(cited)}], "settled": True}
        return Talk(reply).decide(clues).hypotheses[0].probability

    strong = probability("angry", *(clue.id for clue in kit.ANGRY))
    weak = probability("angry", kit.FURROW.id)
    assert strong is not None and weak is not None and strong > weak + 0.2


def test_a_candidate_that_its_clues_do_not_carry_is_dropped() -> None:
    sad = {"label": "sad", "supports": [kit.POLITE.id]}
    reply = {**DECIDED, "candidates": [sad, *DECIDED["candidates"]]}
    assert [h.label for h in Talk(reply).decide().hypotheses] == ["angry", "happy"]
    talk = Talk({"candidates": [sad]}, DECIDED)
    assert [h.label for h in talk.decide().hypotheses] == ["angry", "happy"]
    assert talk.outcomes[0] == ("decider", "faulty")
    assert "none of its candidates follows from the clues it cites ('sad'" in talk.calls[0].why


def test_conflicts_are_those_of_the_rules() -> None:
    clues = (kit.SMILE, kit.INSULT, kit.TONE)
    decision = kit.decide(*clues)
    smile = {"label": "happy", "supports": [kit.SMILE.id]}
    sentences = Talk({"candidates": [smile], "settled": True}).decide(kit.inquiry(*clues))
    assert sentences.conflicts == decision.conflicts != ()


def test_a_question_is_declined_only_without_candidates() -> None:
    assert Talk({**DECIDED, "declined": "identity"}).decide().declined is None


def test_an_unsettled_decision_is_followed_by_a_plan() -> None:
    talk = Talk(UNSETTLED, look())
    decision = talk.decide()
    assert decision.asks == (Ask(tool="mesh", span=Span(start=1, end=2), why="it could decide"),)
    assert decision.stop_reason is None
    assert talk.outcomes == [("decider", "ok"), ("planner", "ok")]


def test_asks_that_cannot_be_carried_out_are_refused_with_a_reason_the_model_sees() -> None:
    talk = Talk(UNSETTLED, look("sonar"), look("mesh", 3.0, 3.5))
    decision = talk.decide()
    assert [ask.tool for ask in decision.asks] == ["mesh"]
    assert [r.why for r in decision.refused] == [
        "there is no tool 'sonar' to ask; known: mesh, egemaps, camera, pocketsphinx"
    ]
    assert "there is no tool 'sonar'" in talk.request_text()


def test_a_planner_that_insists_is_not_heard_a_third_time() -> None:
    talk = Talk(UNSETTLED, look("sonar"), look("mesh", 30.0, 40.0))
    decision = talk.decide()
    assert decision.asks == () and decision.stop_reason == "nothing_to_ask"
    assert len(decision.refused) == 2 and not talk.fell


def test_refusals_of_earlier_rounds_are_told() -> None:
    first = Talk(UNSETTLED, look("sonar"), look("sonar")).decide()
    talk = Talk(DECIDED)
    talk.decide(kit.inquiry(*MIXED, refused=first.refused))
    assert "there is no tool 'sonar'" in talk.request_text()


def test_an_explanation_has_the_models_sentences_and_our_bands() -> None:
    explanation = Talk(WRITTEN).explain()
    sentences = [(s.block, s.text, s.clue_ids) for s in explanation.sentences]
    assert sentences == [
        ("video", WRITTEN["observed"][0]["text"], (kit.POLITE.id,)),
        ("therefore", WRITTEN["inferred"][0]["text"], (kit.POLITE.id,)),
    ]
    (label,) = explanation.labels
    assert (label.name, label.band, label.clue_ids) == ("happy", "low", (kit.POLITE.id,))
    (other,) = explanation.alternatives
    assert other.would_change.endswith(" would support it")


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (EMPTY, "it is empty"),
        (REFUSAL, "it is a refusal"),
        (MALFORMED, "its JSON is malformed"),
        (TRUNCATED, "it was cut short"),
        (LOOPING, "it repeats itself"),
        (OVERLONG, "it is longer than"),
        ("no object here", "there is no JSON object"),
        ({"candidates": [], "settled": True}, "it names no candidate"),
        ({"candidates": [{"label": "angry", "supports": []}]}, "supports"),
        ({"candidates": [{"label": "angry", "supports": ["f00000000"]}]}, "no clue 'f00000000'"),
        ({"moods": ["angry"]}, "candidates: Field required"),
    ],
)
def test_a_reply_that_cannot_be_used_is_repaired_once(reply: Scripted, why: str) -> None:
    talk = Talk(reply, DECIDED)
    assert talk.decide().hypotheses[0].label == "angry"
    assert talk.outcomes == [("decider", "faulty"), ("decider", "ok")]
    assert why in talk.calls[0].why and talk.calls[0].why in talk.request_text()
    assert not talk.fell


@pytest.mark.parametrize("reply", [EMPTY, REFUSAL, LOOPING, TRUNCATED])
def test_after_the_second_one_the_rules_take_the_step_and_it_is_reported(
    reply: Scripted,
) -> None:
    decision, explanation = by_rules(*MIXED)
    talk = Talk(reply, reply, reply, reply)
    assert talk.decide() == decision and talk.explain() == explanation
    assert [f.role for f in talk.fell] == ["decider", "writer"]
    assert all(f.why for f in talk.fell)


def test_a_model_that_cannot_be_reached_costs_its_step_only() -> None:
    talk = Talk(ConnectionError("nobody listens"), WRITTEN)
    assert (talk.decide(), talk.explain()) == by_rules(*MIXED)
    assert talk.outcomes == [("decider", "failed")] and len(talk.model.asked) == 1
    assert [f.role for f in talk.fell] == ["decider", "writer"]
    assert "ConnectionError: nobody listens" in talk.fell[0].why


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"clues": []}, "clues"),
        ({"clues": ["f0badbad0"]}, "no clue 'f0badbad0'"),
        ({"clues": ["<id of clues>"]}, "no clue '<id of clues>'"),
        ({"text": "<text>"}, "it copies the form"),
        ({"text": ""}, "text"),
    ],
)
def test_uncited_claims_invented_ids_and_copies_of_the_form_are_repaired(change, why) -> None:  # type: ignore[no-untyped-def]
    bad = {**WRITTEN, "observed": [{**WRITTEN["observed"][0], **change}]}
    talk = Talk(bad, WRITTEN)
    assert talk.explain().sentences
    assert talk.outcomes == [("writer", "faulty"), ("writer", "ok")]
    assert why in talk.calls[0].why


def test_a_claim_stands_in_the_block_of_its_clues_and_the_answer_comes_first() -> None:
    tone = {"clues": ["a1"], "text": "She speaks at a fast pace, in a questioning tone."}
    words = {"clues": ["t1"], "text": "She says to get out."}
    answer = {"clues": ["f1"], "text": "Yes, the person smiles clearly."}
    observed = [words, tone, *WRITTEN["observed"]]
    sentences = Talk({**WRITTEN, "observed": observed, "answer": answer}).explain().sentences
    assert [s.block for s in sentences] == ["answer", "video", "audio", "text", "therefore"]
    assert [s.clue_ids[0] for s in sentences[:2]] == [kit.POLITE.id] * 2


def test_a_label_on_some_of_its_candidate_s_clues_stands_on_all_of_them() -> None:
    """On others alone it does not: they may be an order in the clip."""
    happy = {"label": "happy", "supports": [kit.POLITE.id, kit.MEDIUM.id]}
    inferred = {**WRITTEN["inferred"][0], "supports": [kit.MEDIUM.id]}
    other = {**inferred, "supports": [kit.INSULT.id]}
    replies = [{**WRITTEN, "inferred": [claim]} for claim in (other, inferred)]
    talk = Talk({"candidates": [happy], "settled": True}, *replies)
    inquiry = kit.inquiry(*MIXED, kit.MEDIUM)
    explanation = talk.llm.explain(inquiry, talk.decide(inquiry))
    assert talk.outcomes == [("decider", "ok"), ("writer", "faulty"), ("writer", "ok")]
    assert [label.clue_ids for label in explanation.labels] == [(kit.POLITE.id, kit.MEDIUM.id)]


def test_tools_are_called_where_the_model_has_them() -> None:
    talk = Talk(model=ScriptedModel([DECIDED, MALFORMED, WRITTEN], calls_tools=True))
    assert talk.decide().hypotheses[0].label == "angry"
    assert talk.explain().labels[0].name == "happy"
    assert talk.outcomes == [("decider", "ok"), ("writer", "faulty"), ("writer", "ok")]


def test_a_server_that_refuses_tools_is_asked_for_json() -> None:
    class BadRequest(Exception):
        status_code = 400

    error = BadRequest("this model does not support tools")
    talk = Talk(model=ScriptedModel([error, DECIDED, WRITTEN], calls_tools=True))
    assert talk.decide().hypotheses and talk.explain().labels
    assert talk.outcomes == [("decider", "ok"), ("writer", "ok")]


def test_thoughts_and_fences_around_the_object_are_let_go() -> None:
    import json

    wrapped = f"<think>{{maybe}}</think>Here it is:\n```json\n{json.dumps(DECIDED)}\n```"
    assert Talk(wrapped).decide().hypotheses[0].label == "angry"


def test_the_cascade_leaves_the_model_alone_where_the_rules_are_sure() -> None:
    talk = Talk(when="unsure")
    inquiry = kit.inquiry(*kit.ANGRY)
    decision = talk.decide(inquiry)
    assert decision == Rules().decide(inquiry) and decision.stop_reason == "sure"
    assert talk.llm.explain(inquiry, decision) == Rules().explain(inquiry, decision)
    assert talk.model.asked == []


def test_the_cascade_asks_the_model_where_the_rules_are_unsure() -> None:
    talk = Talk(DECIDED, WRITTEN, when="unsure")
    talk.decide()
    talk.explain()
    assert talk.outcomes == [("decider", "ok"), ("writer", "ok")]


def test_agreement_of_all_modalities_skips_the_debate_but_not_the_writing() -> None:
    talk = Talk(WRITTEN)
    assert talk.decide(kit.inquiry(*kit.ANGRY)).stop_reason == "agreed"
    assert talk.model.asked == []


def test_the_model_may_decline_what_no_clip_shows() -> None:
    decision = Talk({"candidates": [], "declined": "identity"}).decide()
    assert (decision.declined, decision.stop_reason) == ("identity", "declined")


def test_spent_budgets_are_not_overdrawn() -> None:
    for budget in (Budget(tokens=0), Budget(money=0.0), Budget(seconds=0.0)):
        talk = Talk(DECIDED)
        assert talk.decide(kit.inquiry(*MIXED, budget=budget)).hypotheses
        assert talk.model.asked == [] and "left" in talk.fell[0].why


def test_a_repair_is_not_begun_once_the_tokens_are_spent() -> None:
    talk = Talk(EMPTY, DECIDED)
    talk.decide(kit.inquiry(*MIXED, budget=Budget(tokens=10)))
    assert talk.outcomes == [("decider", "faulty")]
    assert talk.fell[0].why == "no tokens left; it is empty"


def test_tokens_and_money_are_counted() -> None:
    model = ScriptedModel([DECIDED], counts_tokens=True)
    talk = Talk(model=model, price_in=2.0, price_out=8.0)
    talk.decide()
    (call,) = talk.calls
    assert call.counted and call.tokens_in > call.tokens_out > 0
    assert call.money == pytest.approx((2 * call.tokens_in + 8 * call.tokens_out) / 1e6)
    assert Talk(DECIDED).llm and not Talk(DECIDED).calls


def test_the_critic_speaks_of_each_sentence() -> None:
    draft = Talk(WRITTEN).explain()
    verdicts = {
        "verdicts": [{"sentence": 2, "verdict": "rejected", "why": "the words are hostile"}]
    }
    talk = Talk({"verdicts": [{"sentence": 9, "verdict": "confirmed"}]}, verdicts, critic=True)
    opinions = talk.llm.criticise(kit.inquiry(*MIXED), draft)
    assert [o.verdict for o in opinions] == ["unverified", "rejected"]
    assert talk.outcomes == [("critic", "faulty"), ("critic", "ok")]
    assert Talk().llm.criticise(kit.inquiry(*MIXED), draft) == ()


def test_what_was_struck_out_is_told_to_the_writer() -> None:
    talk = Talk(WRITTEN)
    talk.explain(
        kit.inquiry(*MIXED, rejected=(Rejection(text="The person cries.", why="no cited clue"),))
    )
    assert "The person cries. (no cited clue)" in talk.request_text()


def test_what_is_missing_is_told_without_its_cause() -> None:
    talk = Talk(DECIDED)
    why = "mesh failed: cannot open /secret/angry_017.mp4"
    talk.decide(kit.inquiry(*MIXED, missing=(Missing(modality="face", why=why),)))
    assert "Not observed: face." in talk.request_text() and "secret" not in talk.request_text()


def test_earlier_turns_are_told_without_the_clips_name() -> None:
    turn = Turn(run_id="r", clip="angry_017.mp4", question="Is she sad?", labels=("happy",))
    talk = Talk(DECIDED)
    talk.decide(kit.inquiry(*MIXED, history=(turn,)))
    assert "Is she sad?" in talk.request_text() and "angry_017" not in talk.request_text()


def test_a_chinese_question_is_put_in_chinese() -> None:
    talk = Talk(DECIDED)
    talk.decide(kit.inquiry(*MIXED, question="她是什么情绪？"))  # noqa: RUF001
    assert "任务：decide" in talk.request_text()  # noqa: RUF001
    english = Talk(DECIDED)
    wished = kit.inquiry(*MIXED, question="她是什么情绪？").model_copy(update={"language": "en"})  # noqa: RUF001
    english.decide(wished)
    assert "Task: decide" in english.request_text()


def test_a_look_that_brought_nothing_is_not_debated_again() -> None:
    talk = Talk(UNSETTLED, look())
    first = talk.decide()
    again = talk.decide(kit.inquiry(*MIXED, asked=first.asks))
    assert again.hypotheses == first.hypotheses
    assert (again.asks, again.stop_reason) == ((), "no_new_clues")
    assert len(talk.model.asked) == 2


def test_a_look_that_brought_something_is_debated() -> None:
    talk = Talk(UNSETTLED, look(), DECIDED)
    first = talk.decide()
    again = talk.decide(kit.inquiry(*MIXED, kit.SMILE, asked=first.asks))
    assert again.stop_reason == "nothing_to_ask" and len(talk.model.asked) == 3
