"""Literals of patterns: what is not tried could not have matched."""

from __future__ import annotations

import re

import pytest

from emer.agents.lexicon.lexicon import CHANNELS, lexicon
from emer.agents.lexicon.literals import literals, may_match
from tests.agents.test_verification_wordings import CARRIED, CLUES


@pytest.mark.parametrize(
    ("pattern", "needed"),
    [
        (r"\bsmil(?:e|es)\b|grin", ("smil", "grin")),
        (r"colou?r", ("colo",)),
        (r"(?:wide )?open", ("open",)),
        (r"(?:eyes|lids) \w+", ("eyes", "lids")),
        (r"[ab]x?", ()),
        ("皱.{0,3}眉", ("皱",)),
    ],
)
def test_each_match_has_one_of_its_literals(pattern: str, needed: tuple[str, ...]) -> None:
    assert literals(pattern) == needed


def test_no_pattern_is_left_out_that_matches() -> None:
    texts = [clue.text.casefold() for clue in CLUES.values()]
    texts += [text.casefold() for _, text, _ in CARRIED]
    patterns = [p for channel in CHANNELS for _, p in lexicon().patterns[channel]]
    left_out = [(p.pattern, t) for p in patterns for t in texts if not may_match(p, t)]
    assert not [pair for pair in left_out if re.search(*pair)]
    assert len(left_out) > len(patterns) * len(texts) / 2
