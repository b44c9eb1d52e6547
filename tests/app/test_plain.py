"""Text is made safe to show without losing what can be read."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from emer.app.render.format import seconds, to_json
from emer.tools.text import one_line, printable

UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


@given(st.text())
def test_nothing_unseen_is_left(text):
    assert not UNSEEN.search(printable(text))
    assert "\n" not in one_line(text)


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_what_can_be_read_stays(text):
    assert printable(text) == text


@given(st.dictionaries(st.text(), st.text()))
def test_json_says_the_same_and_is_safe(value):
    text = to_json(value)
    assert not UNSEEN.search(text) and json.loads(text) == value


def test_escapes_go_whole():
    assert printable("a\x1b[31mb\x1b]8;;http://x\x1b\\c\x1b(Bd") == "abcd"


def test_lengths_of_time_are_written_as_people_do():
    assert [seconds(x) for x in (0.034, 8.4, 125.0)] == ["0.03 s", "8.4 s", "2 min 5 s"]
