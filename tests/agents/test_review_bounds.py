"""A reviewer's change moves each emotion in its direction only."""

from __future__ import annotations

import pytest

from emer.agents.clue_edits import Addition, Edits, reviewer_clues
from emer.agents.rules.case import case_of
from emer.agents.types import Inquiry
from emer.tools.types import Clue, Span
from tests.fixtures import clues as kit

STRONG = kit.clue("face", "The person smiles clearly at 1.0-2.0 s.", (1.0, 2.0))
FAINT = kit.clue("face", "The person smiles slightly at 6.0-7.0 s.", (6.0, 7.0))
FROWN = kit.clue("face", "The person furrows the brows strongly at 1.0-2.0 s (AU4).", (1.0, 2.0))
CORNERS = kit.clue("face", "The corners of the mouth turn down at 1.0-2.0 s.", (1.0, 2.0))
GRIM = (FROWN, CORNERS)


def probability(family: str, *clues: Clue, struck: tuple[Clue, ...] = ()) -> float:
    inquiry = Inquiry(question=kit.WHY, clues=clues, struck=struck, duration=8.0)
    return case_of(inquiry).standing(family).probability


def added(text: str) -> Clue:
    span = Span(start=1.0, end=2.0)
    (clue,) = reviewer_clues((), Edits(add=(Addition(modality="face", text=text, span=span),)))
    return clue


def test_without_the_smile_that_the_frown_speaks_against_the_other_one_counts_more():
    """What the bounds are for: the same clues, without a review."""
    assert probability("happy", FAINT, *GRIM) > probability("happy", STRONG, FAINT, *GRIM)


def test_rejecting_a_smile_makes_happy_no_more_probable():
    before = probability("happy", STRONG, FAINT, *GRIM)
    assert probability("happy", FAINT, *GRIM, struck=(STRONG,)) == before


def test_adding_a_smile_makes_happy_no_less_probable():
    before = probability("happy", FAINT, *GRIM)
    smile = added("The person smiles strongly.")
    assert probability("happy", FAINT, smile, *GRIM) >= before


def test_rejecting_the_only_smile_makes_happy_less_probable():
    before = probability("happy", STRONG, kit.LIVELY)
    assert probability("happy", kit.LIVELY, struck=(STRONG,)) < before


@pytest.mark.parametrize("family", ["happy", "sad", "angry"])
def test_a_clue_that_says_nothing_of_an_emotion_leaves_it_alone(family: str):
    before = probability(family, STRONG, FROWN)
    assert probability(family, STRONG, FROWN, added("The person blinks 2 times.")) == before
