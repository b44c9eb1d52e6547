"""How strongly clues must speak for what a conclusion says, and what stands instead."""

from __future__ import annotations

from typing import Any

import pytest

from emer.agents.lexicon.lexicon import DEFAULT_WEIGHTING
from emer.agents.rules.fusion import Standing
from emer.agents.types import Block, Explanation, Label, Sentence
from emer.agents.verification.carriers import carrier_of
from emer.agents.verification.checks import check_label
from emer.agents.verification.claims import Claim, gap
from emer.agents.verification.conclusions import (
    Ground,
    Stance,
    are_several,
    check_unclear,
    on_family,
)
from emer.agents.verification.reader import Item, parts_of
from emer.agents.verification.replacements import replacements
from emer.agents.verification.verifier import Finding, settle, verify
from emer.tools.types import Clue
from tests.fixtures import clues as kit
from tests.fixtures.standings import SEEN, evidence, standing

NO_CLUES = Ground(DEFAULT_WEIGHTING)
FOR = standing("happy", 0.8, (SEEN, 2.0))
AGAINST = standing("happy", 0.2, (SEEN, -1.0))
BOTH = standing("happy", 0.5, (SEEN, 2.0), (evidence("other"), -1.0))
NEITHER = standing("happy", 0.26, (SEEN, 0.05))


@pytest.mark.parametrize(
    ("found", "stance", "expected"),
    [
        (FOR, "for", []),
        (BOTH, "for", []),
        (AGAINST, "for", ["contradicted: its clues do not speak for happy"]),
        (NEITHER, "for", ["unsupported: its clues do not speak for happy"]),
        (AGAINST, "against", []),
        (BOTH, "against", []),
        (FOR, "against", ["unsupported: its clues do not speak against happy"]),
        (NEITHER, "against", ["unsupported: its clues do not speak against happy"]),
        (FOR, "not", ["contradicted: its clues speak for happy"]),
        (BOTH, "not", []),
        (AGAINST, "not", []),
        (NEITHER, "not", []),
        (FOR, "open", []),
        (FOR, "unclear", ["unsupported: it is not clear whether it speaks for happy"]),
    ],
)
def test_what_is_said_of_a_family_and_what_its_clues_say(
    found: Standing, stance: Stance, expected: list[str]
) -> None:
    problems = on_family(found, stance, "happy", NO_CLUES)
    assert [f"{p.status}: {p.why}" for p in problems] == expected


LOUD, DENIED = evidence("loud", "audio"), evidence("loud", "audio", negated=True)
NAMED = evidence("said_happy", "text")


@pytest.mark.parametrize(
    ("word", "signs", "fits"),
    [
        ("happy", [(SEEN, 0.2)], True),
        ("joyful", [(SEEN, 1.277)], False),
        ("joyful", [(SEEN, 1.278)], True),
        ("excited", [(SEEN, 2.0)], False),
        ("excited", [(SEEN, 2.0), (LOUD, 0.01)], True),
        ("excited", [(SEEN, 1.0), (LOUD, 0.01)], False),
        ("excited", [(SEEN, 2.0), (DENIED, -0.01)], False),
        ("proud", [(SEEN, 2.0)], False),
        ("proud", [(SEEN, 2.0), (NAMED, 0.01)], True),
        ("pleased", [(SEEN, 4.0)], True),
        ("no word of it", [(SEEN, 0.2)], True),
    ],
)
def test_an_extreme_needs_its_intensity_and_a_shade_its_own_cue(
    word: str, signs: list[Any], fits: bool
) -> None:
    """An intensity of 0.55, the 0.6 of "joyful" but for 0.05, is 1.6 ln(1 / 0.45) = 1.2776."""
    problems = list(on_family(standing("happy", 0.8, *signs), "for", word, NO_CLUES))
    assert [p.why for p in problems] == ([] if fits else [f"its clues are too weak for {word}"])


def test_an_extreme_may_rest_on_all_clues_of_the_clip() -> None:
    weak, clip = standing("happy", 0.5, (SEEN, 0.5)), Ground(DEFAULT_WEIGHTING, kit.POOL)
    assert list(on_family(weak, "for", "joyful", NO_CLUES)) != []
    assert list(on_family(weak, "for", "joyful", clip)) == []


def person(number: int, text: str, at: tuple[float, float] = (1.0, 2.0)) -> Clue:
    return kit.clue("face", f"Person {number} {text}", at, person=f"person {number}")


def test_clues_are_of_several_where_two_cannot_be_of_one() -> None:
    one, other = person(1, "smiles."), person(2, "smiles.")
    assert are_several([one, other]) and are_several([kit.LIVELY, one, other])
    assert not are_several([one, one]) and not are_several([one, kit.LIVELY])
    assert not are_several([]) and not are_several([kit.LIVELY])


def unclear(*clues: Clue) -> list[str]:
    claim = Claim([], [Item("open", "unclear", 0, 5)])
    carriers = [carrier_of(clue) for clue in clues]
    return [p.why for p in check_unclear(claim, carriers, NO_CLUES)]


def test_no_emotion_is_clear_only_where_no_clue_speaks_for_one() -> None:
    assert unclear(kit.SMILE) == ["its clues speak for an emotion"]
    assert unclear(kit.MEDIUM) == unclear() == []
    still = [carrier_of(kit.SMILE)]
    assert list(check_unclear(Claim([], []), still, NO_CLUES)) == []


def label(name: str, *clues: Clue) -> list[str]:
    ground = Ground(DEFAULT_WEIGHTING, clues)
    return [f"{p.status}: {p.why}" for p in check_label(name, clues, ground)]


@pytest.mark.parametrize(
    ("name", "clues", "expected"),
    [
        ("happy", (kit.SMILE,), []),
        ("happy", (), ["unsupported: it cites no clue"]),
        ("angry", (kit.SMILE,), ["contradicted: its clues do not speak for angry"]),
        ("smiling", (kit.SMILE,), []),
        ("nodding", (kit.SMILE,), ["unsupported: no cited clue carries the word nodding"]),
        ("smiling knife", (kit.SMILE,),
         ["unsupported: no cited clue carries the word smiling knife"]),
        ("happy", (person(1, "smiles."), person(2, "smiles.")),
         ["unsupported: it rests on clues of different people"]),
    ],
)  # fmt: skip
def test_a_label_is_a_family_or_a_sign_of_its_clues(
    name: str, clues: tuple[Clue, ...], expected: list[str]
) -> None:
    assert label(name, *clues) == expected


def judged(block: Block, text: str, *cited: Clue, labels: tuple[Label, ...] = ()) -> Finding:
    sentence = Sentence(block=block, text=text, clue_ids=tuple(clue.id for clue in cited))
    told = Explanation(sentences=(sentence,), labels=labels)
    return verify(told, (*cited, *kit.POOL), 4.0).sentences[0]


@pytest.mark.parametrize(
    ("when", "expected"),
    [("at 4.0 s", True), ("at 4.05 s", True), ("at 4.06 s", False), ("1.0-4.1 s", False)],
)
def test_a_time_passes_the_end_of_the_clip_by_a_frame_at_most(when: str, expected: bool) -> None:
    clue = kit.clue("face", "The person smiles.", (3.8, 4.0))
    assert ("beyond the clip's 4 s" not in judged("video", f"She smiles {when}.", clue).why) is (
        expected
    )


@pytest.mark.parametrize(
    ("band", "held", "kept"),
    [
        ("low", "low", True),
        ("medium", "low", False),
        ("medium", "medium", True),
        ("high", "medium", False),
        ("low", "high", True),
        ("high", "high", True),
    ],
)
def test_a_confidence_is_that_of_the_label_at_most(band: str, held: Any, kept: bool) -> None:
    labels = (Label(name="happy", band=held, clue_ids=(kit.SMILE.id,)),)
    text = f"Therefore, based on the smile, the person appears happy ({band} confidence)."
    found = judged("therefore", text, kit.SMILE, labels=labels)
    assert (found.status == "supported") is kept
    assert ("the confidence in happy is lower" in found.why) is not kept


@pytest.mark.parametrize(
    ("start", "end", "expected"), [(10, 14, 3), (0, 3, 1), (4, 7, 0), (5, 6, 0), (7, 9, 0)]
)
def test_the_gap_between_a_head_and_what_narrows_it_down(
    start: int, end: int, expected: int
) -> None:
    head = Item("cue", "smile", 4, 7)
    assert gap(head, Item("time", "early", start, end)) == expected


def test_of_two_heads_as_near_the_one_behind_is_meant() -> None:
    heads = [Item("cue", "smile", 0, 5), Item("cue", "nod", 12, 15)]
    claim = Claim(heads, [])
    assert claim.nearest(Item("degree", "3", 7, 10)) == heads[1]
    assert claim.nearest(Item("degree", "3", 6, 10)) == heads[0]
    assert Claim([], []).nearest(heads[0]) is None


def test_a_sentence_is_parted_at_its_breaks_but_not_in_parentheses_or_a_cue() -> None:
    def item(kind: str, value: str, at: int) -> Item:
        return Item(kind, value, at, at + 1)

    items = [
        item("cue", "a", 0), item("break", "comma", 1), item("cue", "b", 2),
        item("paren", "open", 3), item("paren", "open", 4), item("paren", "close", 5),
        item("break", "comma", 6), item("paren", "close", 7), item("paren", "close", 8),
        item("cue", "c", 9), item("break", "and", 10), Item("hit", "d", 11, 16),
        item("break", "and", 12), item("break", "stop", 17),
    ]  # fmt: skip
    parts = parts_of(items)
    assert [(part.after, [i.value for i in part.items]) for part in parts] == [
        ("", ["a"]), ("comma", ["b", "c"]), ("and", ["d"]),
    ]  # fmt: skip
    assert [part.after for part in parts_of([])] == [""]


def told(*sentences: tuple[Block, str, tuple[Clue, ...]], **rest: Any) -> Explanation:
    return Explanation(
        sentences=tuple(
            Sentence(block=block, text=text, clue_ids=tuple(c.id for c in cited))
            for block, text, cited in sentences
        ),
        **rest,
    )


CLIP = (kit.SMILE, kit.LIVELY, kit.INSULT, kit.FURROW)
WRONG = "it is wrong"


def instead(explanation: Explanation, *reasons: str | None) -> list[list[tuple[str, str]]]:
    found = replacements(explanation, reasons, CLIP)
    return [[(s.block, s.text) for s in words] for words in found]


def test_what_is_carried_is_replaced_by_nothing() -> None:
    assert instead(told(("video", "She smiles.", (kit.SMILE,))), None) == [[]]


def test_each_clue_stands_once_in_its_own_words_in_its_own_block() -> None:
    both = (kit.SMILE, kit.LIVELY)
    found = instead(told(("video", "A knife.", both), ("audio", "A knife.", both)), WRONG, WRONG)
    (seen, heard), rest = found
    assert (seen[0], heard[0], rest) == ("video", "audio", [])
    assert "smiles clearly with the eyes narrowing" in seen[1] and "lively" in heard[1]
    used = told(("video", "A knife.", both), ("video", "She smiles.", (kit.SMILE,)))
    assert [block for block, _ in instead(used, WRONG, None)[0]] == ["audio"]
    concluded = told(("video", "A knife.", both), ("therefore", "Happy.", (kit.SMILE,)))
    assert len(instead(concluded, WRONG, None)[0]) == 2, "a conclusion uses no clue up"


def test_a_cautious_conclusion_becomes_one_of_ours_once() -> None:
    odd = "Therefore, the smile may perhaps hint at some happy blorf."
    (ours,), again = instead(
        told(("therefore", odd, (kit.SMILE,)), ("therefore", odd, (kit.SMILE,))), WRONG, WRONG
    )
    assert ours[0] == "therefore" and "appears happy" in ours[1] and "smile" in ours[1]
    assert not [text for block, text in again if block == "therefore"]
    stated = told(("therefore", ours[1], (kit.SMILE,)), ("therefore", odd, (kit.SMILE,)))
    assert not [text for block, text in instead(stated, None, WRONG)[1] if block == "therefore"]


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("The smile may be a blorf.", ["video"]),
        ("The smile may be happy, because she is a blorf.", []),
        ("The smile is certainly a happy blorf.", []),
        ("The smile is sad.", []),
        ("The smile may not be a happy blorf.", ["video"]),
        ("The nod may be a blorf.", []),
        ("The smile may be an angry blorf.", ["video"]),
    ],
)
def test_a_conclusion_that_is_not_carried_leaves_its_clues_if_it_claims_little(
    text: str, blocks: list[str]
) -> None:
    (words,) = instead(told(("therefore", text, (kit.SMILE, kit.LIVELY))), WRONG)
    assert [block for block, _ in words] == blocks


def test_what_a_critic_rejects_does_not_come_back() -> None:
    odd = told(("therefore", "The smile may be a happy blorf.", (kit.SMILE,)))
    assert instead(odd, "the critic rejects it: no") == [[]]


def test_settled_sentences_stand_in_order_with_what_replaces_them() -> None:
    explanation = told(
        ("video", "She smiles.", (kit.SMILE,)),
        ("audio", "A knife.", (kit.LIVELY,)),
        ("therefore", "Sad.", (kit.SMILE,)),
    )
    verdict = verify(explanation, CLIP, kit.DURATION)
    assert [f.outcome for f in verdict.sentences] == ["kept", "replaced", "struck"]
    texts = [s.text for s in settle(explanation, verdict, CLIP).sentences]
    assert texts[0] == "She smiles." and "lively" in texts[1] and len(texts) == 2
    assert verdict.sentences[1].replacement == texts[1]
    assert verdict.sentences[0].replacement == verdict.sentences[2].replacement == ""
