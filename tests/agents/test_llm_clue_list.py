"""The clues that a model is given: short ids, no repetitions, the best of too many."""

from __future__ import annotations

from emer.agents.llm.clue_list import MOST_CLUES, ClueList
from tests.fixtures import clues as kit

NOTHING = "Nothing is known of it."


def test_short_ids_count_each_modality_and_stay_when_clues_arrive() -> None:
    first = ClueList([kit.SMILE, kit.LIVELY, kit.FURROW])
    later = ClueList([kit.SMILE, kit.LIVELY, kit.FURROW, kit.DARK, kit.LOUD])
    assert list(first.short.values()) == ["f1", "a1", "f2"]
    assert list(later.short.values()) == ["f1", "a1", "f2", "s1", "a2"]
    assert later.lines().startswith(first.lines())
    assert later.ids["a2"] == later.ids[kit.LOUD.id] == kit.LOUD.id
    assert later.cited([kit.FURROW.id, "f9"]) == "f2, f9" and later.cited([]) == "-"


def test_a_line_has_id_time_person_weakness_and_the_sentence() -> None:
    weak = kit.clue("audio", "The voice is low.", quality=0.2)
    assert ClueList([kit.OTHER, weak]).lines().split("\n") == [
        'f1 | 3-3.4 s | "person 2" | "Person 2 (on the left) nods at 3.0-3.4 s."',
        'a1 | weak | "The voice is low."',
    ]


def test_the_same_words_within_a_longer_span_are_told_once() -> None:
    whole = kit.clue("audio", "The voice is loud at 0.0-4.0 s (5 dB).", (0.0, 4.0))
    part = kit.clue("audio", "The voice is loud at 0.0-2.9 s (6 dB).", (0.0, 2.9))
    apart = kit.clue("audio", "The voice is loud at 3.5-4.5 s (6 dB).", (3.5, 4.5))
    seen = kit.clue("scene", "The voice is loud at 1.0-2.0 s (6 dB).", (1.0, 2.0))
    other = kit.clue("audio", "The voice is loud at 1.0-2.0 s (6 dB).", (1.0, 2.0), person="2")
    assert ClueList([part, whole, apart, seen, other]).names == ["a2", "a3", "s1", "a4"]
    assert ClueList([part, whole]).ids["a1"] == part.id, "it may be cited by its own id"


def test_of_too_many_clues_those_with_cues_and_the_best_measured_are_told() -> None:
    dull = [
        kit.clue("scene", f"{NOTHING} {chr(97 + n % 26)}{chr(97 + n // 26)}", quality=n / 100)
        for n in range(MOST_CLUES + 10)
    ]
    told = ClueList([*dull, kit.SMILE]).sent
    assert told == (*dull[11:], kit.SMILE)
