"""No sentence made from the clues' own words says what they do not, however it is twisted."""

# ruff: noqa: RUF001  (the look-alike letters and the full-width marks are meant)
from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from emer.agents.types import Alternative, Explanation, Label, Sentence
from emer.agents.verification.verifier import settle, verify
from emer.tools.types import Clue
from tests.fixtures import clues as kit

CLUES = (
    kit.SMILE, kit.FURROW, kit.PRESSED, kit.INNER, kit.CORNERS, kit.DOWN, kit.BROWS_UP,
    kit.EYES_WIDE, kit.AGAPE, kit.LIVELY, kit.LOUD, kit.SHARP, kit.SOFTER, kit.FALLS,
)  # fmt: skip
OPPOSED = {kit.LOUD.id: kit.SOFTER, kit.SOFTER.id: kit.LOUD, kit.SMILE.id: kit.CORNERS}
LOOK_ALIKES = dict(zip("aeopcxi", "аеорсхі", strict=True))
STRANGE = (
    "secretly", "gun", "behind", "nobody", "false", "refuses", "lächelt", "souriant", "Muslim",
    "depressed", "lying", "twice", "murderer", "opponent", "hardly", "except", "假装", "没",
    "should", "because", "100%", "minutes", "\u202e", "certainly", "drunk", "不", "улыбка",
)  # fmt: skip
quick = settings(max_examples=120, deadline=None, derandomize=True)
clues = st.sampled_from(CLUES)


def block_of(clue: Clue) -> str:
    return "audio" if clue.modality == "audio" else "video"


def survives(text: str, *cited: Clue) -> bool:
    """Return whether the text reaches the user as it was written."""
    sentence = Sentence(block=block_of(cited[0]), text=text, clue_ids=tuple(c.id for c in cited))
    told = Explanation(sentences=(sentence,))
    verdict = verify(told, CLUES, kit.DURATION)
    return any(s.text == text for s in settle(told, verdict, CLUES).sentences)


def bare(clue: Clue) -> str:
    """Return the clue's sentence without its numbers in parentheses."""
    return re.sub(r" \([^)]*\)", "", clue.text)


@quick
@given(clues)
def test_the_clues_own_words_stand(clue: Clue) -> None:
    assert survives(clue.text, clue)
    assert survives(bare(clue), clue)
    assert survives(bare(clue).replace("The person", "She"), clue)


@quick
@given(clues, st.sampled_from(STRANGE), st.data())
def test_one_word_that_no_clue_carries_is_enough(
    clue: Clue, word: str, data: st.DataObject
) -> None:
    words = bare(clue).split()
    place = data.draw(st.integers(0, len(words)))
    assert not survives(" ".join([*words[:place], word, *words[place:]]), clue)


@quick
@given(clues, st.data())
def test_one_look_alike_letter_is_enough(clue: Clue, data: st.DataObject) -> None:
    text = bare(clue)
    place = data.draw(st.sampled_from([i for i, c in enumerate(text) if c in LOOK_ALIKES]))
    assert not survives(text[:place] + LOOK_ALIKES[text[place]] + text[place + 1 :], clue)


@quick
@given(clues, clues, st.sampled_from([" and ", ", ", "; ", " while ", ". ", " before "]))
def test_what_another_clue_says_is_not_carried(one: Clue, other: Clue, joint: str) -> None:
    text = bare(one).rstrip(".") + joint + bare(other)
    if one.id != other.id and other not in (kit.AGAPE,):
        assert not survives(text, one)


@quick
@given(clues, st.sampled_from(["does not", "never", "did not"]), st.booleans())
def test_a_denial_is_not_carried(clue: Clue, denial: str, whole: bool) -> None:
    words = bare(clue).split()
    place = 0 if whole else 2
    assert not survives(" ".join([*words[:place], denial, *words[place:]]), clue)


@quick
@given(clues, st.floats(0.0, 4.0), st.floats(0.0, 4.0))
def test_a_time_outside_the_span_is_not_carried(clue: Clue, start: float, end: float) -> None:
    first, last = round(min(start, end), 1), round(max(start, end), 1)
    text = re.sub(r"\d\.\d-\d\.\d s", f"{first}-{last} s", bare(clue))
    span = clue.span
    assert span is not None
    inside = span.start - 0.5 <= first and last <= span.end + 0.5
    assert survives(text, clue) == inside or text == bare(clue)


@quick
@given(clues, st.permutations(range(9)))
def test_a_shuffle_states_no_other_cue_and_loses_none(clue: Clue, order: list[int]) -> None:
    words = bare(clue).rstrip(".").split()
    shuffled = [words[i] for i in order if i < len(words)] + words[9:]
    other = OPPOSED.get(clue.id)
    if other is not None:  # the same words, and one of the opposite
        assert not survives(" ".join([*shuffled, *bare(other).split()[:4]]), clue)
    assert not survives(" ".join([*shuffled, "not"]), clue)


@quick
@given(st.text(min_size=1, max_size=20), clues)
def test_labels_and_alternatives_are_words_that_their_clues_carry(word: str, clue: Clue) -> None:
    told = Explanation(
        labels=(Label(name=word, band="low", clue_ids=(clue.id,)),),
        alternatives=(Alternative(label=word, would_change="", clue_ids=(clue.id,)),),
    )
    assert settle(told, verify(told, CLUES, kit.DURATION), CLUES) == Explanation()
