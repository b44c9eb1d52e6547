"""What a clip's clues bring to mind: the right card, the same each time, never the clip itself."""

from __future__ import annotations

import random

import numpy as np
import pytest

from emer.agents.memory.cards import cards
from emer.agents.memory.embedder import CueEmbedder
from emer.agents.memory.memory import Item, Memory
from emer.agents.memory.passages import MOST_LINES, of_clues, of_text
from emer.tools.errors import ToolFailed, ToolMissing
from emer.tools.types import Clue
from tests.fixtures import clues as kit
from tests.fixtures.memory_items import Blind, labelled

clue = kit.clue
SITUATIONS: dict[str, tuple[Clue, ...]] = {
    "brows_and_lips": (kit.FURROW, kit.PRESSED),
    "loud_sharp_voice": (kit.LOUD, kit.SHARP),
    "grief_face": kit.SAD,
    "startle": kit.SURPRISED,
    "smile_with_eyes": (kit.SMILE, kit.LIVELY),
    "insult_with_smile": (kit.POLITE, kit.INSULT),
    "bashful_smile": (
        clue("face", "The person smiles slightly at 1.0-2.0 s."),
        clue("face", "The person looks down at 1.5-3.0 s."),
    ),
    "sobbing": (
        clue("audio", "She is sobbing, her voice trembles."),
        clue("face", "Tears well up in her eyes."),
    ),
    "fear_face": (
        clue("face", "The person raises the inner eyebrows and draws the brows together clearly."),
        clue("face", "The person opens the eyes wide at 1.0-2.0 s."),
    ),
    "sarcastic_tone": (
        clue("text", 'The subtitle reads: "Well done, genius, brilliant."'),
        clue("audio", "He speaks in a mocking, drawn-out tone."),
    ),
    "attentive_posture": (
        clue("scene", "The person leans forward at 1.0-3.0 s."),
        clue("face", "The person nods at 1.0-1.4 s."),
        clue("face", "The person looks directly at the other person."),
    ),
    "aroused_voice_no_face": (
        kit.LOUD,
        clue("audio", "The pitch is raised."),
        clue("audio", "The person speaks fast."),
    ),
    "rising_question": (
        clue("text", 'The subtitle reads: "What do you mean?"'),
        clue("audio", "The person speaks with rising intonation at the end."),
    ),
    "loss_told_calmly": (
        clue("text", 'The subtitle reads: "My mother passed away last year."'),
        clue("audio", "The intonation is steady."),
    ),
    "mouth_corners_down": (clue("face", "他的嘴角下垂。"),),
    "brows_drawn_alone": (clue("face", "他眉头紧锁。", quality=0.4),),
}


@pytest.fixture(scope="module")
def memory() -> Memory:
    return Memory(cards(), CueEmbedder())


@pytest.mark.parametrize("key", SITUATIONS)
def test_the_clues_of_a_situation_bring_its_card_to_mind_first(key: str, memory: Memory) -> None:
    found = memory.recall(SITUATIONS[key])
    assert found[0].item.key == key
    assert len(found) <= 3 and all(match.score >= CueEmbedder.least for match in found)


def test_every_card_is_found_by_its_own_display(memory: Memory) -> None:
    missed = [c.key for c in cards() if memory.nearest(c.passage)[0].item.key != c.key]
    assert not missed


def test_the_order_of_the_clues_and_of_the_cards_changes_nothing() -> None:
    mixed = random.Random(3)
    clues = list(kit.POOL)
    first = Memory(cards(), CueEmbedder()).recall(clues)
    for _ in range(3):
        mixed.shuffle(clues)
        shuffled = mixed.sample(cards(), len(cards()))
        again = Memory(shuffled, CueEmbedder()).recall(clues)
        assert [(m.item.key, m.score) for m in again] == [(m.item.key, m.score) for m in first]


def test_nothing_comes_to_mind_where_nothing_is_near(memory: Memory) -> None:
    assert memory.recall([]) == ()
    assert memory.recall([kit.DARK, kit.MEDIUM]) == ()
    assert memory.nearest(of_text("zzz qqq")) == ()
    assert Memory((), CueEmbedder()).recall([kit.SMILE]) == ()


def test_a_clip_is_not_reminded_of_itself() -> None:
    item = Item(
        key="x1", kind="exemplar", source="run 1", passage=of_clues([kit.SMILE, kit.LIVELY]),
        labels=("happy",), en="own", zh="own",
    )  # fmt: skip
    memory = Memory([item, labelled("happy", text="The person smiles.")], CueEmbedder())
    assert [m.item.key for m in memory.recall([kit.SMILE, kit.LIVELY, kit.DARK])] == ["x-happy"]
    other = clue("face", "The person smiles broadly with the eyes narrowing at 0.3-0.9 s.")
    assert "x1" in [m.item.key for m in memory.recall([other])]


def test_a_passage_of_many_clues_keeps_the_best_measured_that_state_a_cue() -> None:
    many = [clue("face", f"The person smiles at {n}.0 s.", quality=n / 40) for n in range(1, 30)]
    lines = of_clues([*many, kit.DARK, kit.MEDIUM]).lines
    assert len(lines) == MOST_LINES
    assert {line.text for line in lines} == {c.text for c in many[-MOST_LINES:]}


def test_free_text_is_seen_heard_or_said() -> None:
    passage = of_text('She frowns. The voice is softer. "Thank you so much."')
    assert [line.modality for line in passage.lines] == ["face", "audio", "text"]
    assert [line.modality for line in of_text("thank you so much").lines] == ["face", "text"]
    assert of_text("").lines == ()


def test_scores_are_inner_products_of_the_embedder(memory: Memory) -> None:
    passage = of_clues(SITUATIONS["grief_face"])
    rows = memory.embedder.embed([passage, *(card.passage for card in cards())])
    products = dict(zip((card.key for card in cards()), rows[1:] @ rows[0], strict=True))
    found = memory.nearest(passage, len(cards()))
    assert len(found) > 3
    for match in found:
        assert match.score == pytest.approx(products[match.item.key], abs=1e-4)


def test_an_exemplar_is_found_by_the_next_memory() -> None:
    exemplar = labelled("sad", text="Tears flow. She presses her lips together.")
    assert exemplar.key in [
        match.item.key
        for match in Memory((*cards(), exemplar), CueEmbedder()).nearest(of_text("Tears flow."))
    ]


def test_an_embedder_that_gives_nonsense_is_a_failure_of_the_tool() -> None:
    class Nonsense(Blind):
        def embed(self, passages):  # type: ignore[no-untyped-def]
            return np.full((len(passages), 2), np.nan, dtype=np.float32)

    class Short(Blind):
        def embed(self, passages):  # type: ignore[no-untyped-def]
            return np.ones((1, 2), dtype=np.float32)

    for embedder in (Nonsense(), Short()):
        with pytest.raises(ToolFailed, match="no finite row"):
            Memory(cards(), embedder).recall(kit.ANGRY)


def test_without_faiss_the_line_that_installs_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(ToolMissing, match=r"pip install 'emer\[llm\]'"):
        Memory(cards(), CueEmbedder()).recall(kit.ANGRY)
