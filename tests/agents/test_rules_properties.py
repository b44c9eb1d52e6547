"""What holds for any clues in any order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emer.agents.rules.passages import render
from emer.agents.verification.verifier import verify
from emer.tools.types import Clue
from tests.fixtures import clues as kit

subsets = st.lists(st.sampled_from(kit.POOL), max_size=10, unique_by=lambda c: c.id)
questions = st.sampled_from((kit.WHY, "Is she angry?", "Why not happy at 2.4 s?", "困惑吗", ""))
quick = settings(max_examples=120, deadline=None, derandomize=True)


@pytest.mark.slow
@quick
@given(subsets, questions)
def test_every_sentence_cites_clues_that_exist_and_the_verifier_agrees(
    clues: list[Clue], question: str
) -> None:
    explanation = kit.explain(*clues, question=question)
    ids = {clue.id for clue in clues}
    cited = (*explanation.sentences, *explanation.labels, *explanation.alternatives)
    for item in cited:
        assert item.clue_ids
        assert set(item.clue_ids) <= ids
    verdict = verify(explanation, clues, kit.DURATION)
    assert [f for f in verdict.sentences if f.status != "supported"] == []
    assert kit.holds(verdict)
    assert render(explanation)


@pytest.mark.slow
@quick
@given(subsets, questions, st.randoms(use_true_random=False))
def test_the_order_of_the_clues_changes_nothing(clues: list[Clue], question: str, rng) -> None:  # type: ignore[no-untyped-def]
    shuffled = [*clues, *clues[:2]]
    rng.shuffle(shuffled)
    assert kit.decide(*clues, question=question) == kit.decide(*shuffled, question=question)
    one = kit.explain(*clues, question=question)
    assert render(one) == render(kit.explain(*shuffled, question=question))


@quick
@given(subsets)
def test_a_decision_stops_with_a_reason_or_asks(clues: list[Clue]) -> None:
    decision = kit.decide(*clues)
    assert (decision.stop_reason is None) == bool(decision.asks)
    ids = {clue.id for clue in clues}
    for hypothesis in decision.hypotheses:
        assert set(hypothesis.supports) | set(hypothesis.contradicts) <= ids
    labels = [h.label for h in decision.hypotheses]
    assert len(labels) == len(set(labels))


@quick
@given(st.text(max_size=200), st.sampled_from(("face", "audio", "scene", "text")))
def test_any_words_can_be_read(words: str, modality: str) -> None:
    strange = kit.clue(modality, words or "-", (0.0, 1.0))  # type: ignore[arg-type]
    explanation = kit.explain(strange, kit.SMILE)
    assert all(s.clue_ids for s in explanation.sentences)
