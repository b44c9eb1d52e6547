"""How the verifier reads letters, words and phrases."""

# ruff: noqa: RUF001  (look-alikes, full-width and curly marks are meant)
from __future__ import annotations

import pytest

from emer.agents.verification.normalization import fold, strange_words
from emer.agents.verification.vocabulary import (
    expand,
    families_of,
    head_of,
    hits_in,
    is_boundary,
    phrase_at,
    phrases,
)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("She  Smiles\n`now`", "she smiles 'now'"),
        ("“Yes”, she said – ‘no’", "\"yes\", she said - 'no'"),
        ("她微笑。然后，点头、离开", "她微笑.然后,点头,离开"),
        ("ѕmіlеs", "smiles"),
        ("ｓｍｉｌｅｓ", "smiles"),
        ("smi\u200bles\u202e", "smiles"),
        ("a\u00a0b\tc", "a b c"),
        ("2〜3", "2-3"),
        ("", ""),
    ],
)
def test_text_is_folded_into_one_form(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("text", "known", "strange"),
    [
        ("She smiles, naïvely.", (), ()),
        ("她微笑。", (), ()),
        ("She nоds twice.", (), ("nоds",)),
        ("ｎｏｄ", (), ("ｎｏｄ",)),
        ("n\u200bods", (), ("n\u200bods",)),
        ("nod\u0336s", (), ("nod\u0336s",)),
        ("cafe\u0301", (), ()),
        ("я не знаю nоd", ("says: я не знаю", "x"), ("nоd",)),
        ("я я", (), ("я",)),
    ],
)
def test_words_in_letters_of_another_form_are_strange(
    text: str, known: tuple[str, ...], strange: tuple[str, ...]
) -> None:
    assert strange_words(text, known) == strange


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", ["a b"]),
        ("(a|b) c", ["a c", "b c"]),
        ("a( b|) c", ["a b c", "a c"]),
        ("(a|b)(c|d)", ["ac", "ad", "bc", "bd"]),
        ("(", ["("]),
        ("(ab) c", ["(ab) c"]),
    ],
)
def test_a_phrase_with_choices_is_several(text: str, expected: list[str]) -> None:
    assert list(expand(text)) == expected


@pytest.mark.parametrize(
    ("text", "places"),
    [("ab c", [0, 2, 3, 4]), ("a微b", [0, 1, 2, 3]), ("a_1", [0, 3]), ("", [0])],
)
def test_words_begin_and_end_where_no_latin_word_goes_on(text: str, places: list[int]) -> None:
    assert [at for at in range(len(text) + 1) if is_boundary(text, at)] == places


@pytest.mark.parametrize(
    ("text", "at", "head"),
    [("smiles now", 0, "smiles"), ("smiles now", 7, "now"), ("微笑", 0, "微"), ("at微", 0, "at"),
     (", a", 0, ","), ("a_b", 0, "a")],
)  # fmt: skip
def test_the_head_of_a_phrase_is_its_first_word_or_character(text: str, at: int, head: str) -> None:
    assert head_of(text, at) == head


def test_the_longest_phrase_that_fits_is_read() -> None:
    text = "she nods at the same time as before"
    found = phrase_at(text, text.index("at the"))
    assert found is not None and found.text.startswith("at the same time")
    short = phrase_at(text, text.index("at the"), text.index("at the") + 3)
    assert short is None or len(short.text) <= 3
    assert phrase_at("throughouts", 0) is None
    assert phrase_at("blorf", 0) is None
    assert all(key == phrase.text == " ".join(key.split()) for key, phrase in phrases().items())


@pytest.mark.parametrize(
    ("word", "families"),
    [
        ("happy", ("happy",)),
        ("joyful", ("happy",)),
        ("furious", ("angry",)),
        ("高兴", ("happy",)),
        ("tired", ("tired",)),
        ("affectionate", ("affectionate",)),
        ("blorf", ()),
    ],
)
def test_the_families_of_a_word(word: str, families: tuple[str, ...]) -> None:
    assert families_of(word) == families


@pytest.mark.parametrize(
    ("text", "channel", "words"),
    [
        ("she smiles and nods", "visual", {"smile": "smiles", "nod": "nods"}),
        ("she frowns and nods", "audio", {}),
        ("the voice is louder", "audio", {"loud": "louder"}),
        ("", "visual", {}),
    ],
)
def test_cues_are_found_where_they_stand(text: str, channel, words: dict[str, str]) -> None:
    hits = hits_in(text, channel)
    assert {hit.cue for hit in hits} == {*words}
    assert all(words[hit.cue] in text[hit.start : hit.end] for hit in hits)
    assert [hit.start for hit in hits] == sorted(hit.start for hit in hits)
    assert all(hit.start <= a <= b <= hit.end for hit in hits for a, b in hit.free)
