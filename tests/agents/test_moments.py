"""What is displayed at one moment does not speak against another moment."""

from __future__ import annotations

from emer.agents.lexicon.cue_parser import read
from emer.agents.rules.fusion import weigh
from tests.fixtures.clues import clue

TEARS = clue(
    "face",
    "The person pulls the corners of the mouth back strongly while the brows are drawn together "
    "at 0.0-3.0 s (AU12, intensity D).",
    (0.0, 3.0),
)
INNER = clue(
    "face", "The person raises the inner eyebrows strongly at 0.2-2.0 s (AU1).", (0.2, 2.0)
)


def smile(start: float, end: float):
    return clue(
        "face", f"The person smiles strongly at {start}-{end} s (AU12, intensity E).", (start, end)
    )


def probability(family, *clues):
    return next(s.probability for s in weigh(read(clues)) if s.family == family)


def test_pulled_back_corners_under_drawn_brows_are_no_smile():
    assert {m.cue for r in read([TEARS]) for m in r.mentions} >= {"grimace"}
    assert "smile" not in {m.cue for r in read([TEARS]) for m in r.mentions}


def test_a_late_smile_leaves_early_tears_as_they_were():
    alone = probability("sad", TEARS, INNER)
    assert probability("sad", TEARS, INNER, smile(10.0, 18.0)) == alone
    assert probability("happy", TEARS, INNER, smile(10.0, 18.0)) == probability(
        "happy", smile(10.0, 18.0)
    )


def test_a_smile_at_the_same_moment_speaks_against_sadness():
    assert probability("sad", TEARS, smile(1.0, 2.5)) < probability("sad", TEARS)
