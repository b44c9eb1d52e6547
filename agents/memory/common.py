"""Words that stand in nearly every clue sentence and make no two of them alike."""

from __future__ import annotations

from functools import cache

_WORDS = """
a about above after again also and appears are before being but clearly corner corners during
every for from has have he head heard her his in into is it its looks mouth moves much not of
once one other over person person's reads says she shows slightly some speaks strongly subtitle
than that the their them then there they this throughout to tone very visible voice was were
what when which while who with words you your
"""


@cache
def common() -> frozenset[str]:
    """Return the words, in lower case."""
    return frozenset(_WORDS.split())
