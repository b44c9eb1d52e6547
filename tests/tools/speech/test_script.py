"""Mandarin is written in simplified characters, whichever a model chooses."""

from __future__ import annotations

import pytest

from emer.tools.speech.languages import simplified_words
from emer.tools.speech.transcript import TimedWord
from tests.fixtures.packages import needs

TRADITIONAL = (TimedWord("我聽", 0.0, 0.4, 0.9), TimedWord("出來了", 0.4, 0.9, 0.8))


@needs("opencc")
def test_traditional_characters_become_simplified_and_times_stay():
    found = simplified_words(TRADITIONAL, "zh")
    assert [word.text for word in found] == ["我听", "出来了"]
    assert [(w.start, w.end, w.probability) for w in found] == [(0.0, 0.4, 0.9), (0.4, 0.9, 0.8)]


@pytest.mark.parametrize("language", ["ja", "yue", None])
def test_other_languages_keep_their_characters(language):
    assert simplified_words(TRADITIONAL, language) == TRADITIONAL
