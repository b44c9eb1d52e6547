"""Sentences that a clue carries up to a bound, and of one sign not of another."""

from __future__ import annotations

from typing import Any

import pytest

from emer.agents.lexicon.lexicon import lexicon
from emer.agents.types import Explanation, Label, Sentence
from emer.agents.verification.carriers import Carrier, carrier_of
from emer.agents.verification.checks import MOST_READ
from emer.agents.verification.verifier import verify
from emer.tools.types import Clue
from tests.agents.test_verification_bounds import DURATION, WHOLE_CLIP, face
from tests.fixtures import clues as kit

NODS = kit.clue("face", "The person nods at 2.0-3.0 s.", (2.0, 3.0), person="person 1")
NODS_ONCE = kit.clue("face", "The person nods once at 2.0-3.0 s.", (2.0, 3.0), person="person 1")
NODS_TWICE = kit.clue(
    "face", "The person nods 2 times at 6.0-9.0 s.", (6.0, 9.0), person="person 1"
)
LOUDER = kit.clue(
    "audio", "The voice is louder at 6.0-8.0 s than at 1.0-2.0 s (+6.0 dB).", (6.0, 8.0)
)
SMILES = kit.clue("face", "The person smiles slightly at 1.0-3.0 s.", (1.0, 3.0), person="person 1")
SMILES_ON = kit.clue(
    "face", "The person smiles clearly at 5.0-9.0 s.", (5.0, 9.0), person="person 1"
)


def why(block: Any, text: str, *cited: Clue, clip: tuple[Clue, ...] = ()) -> str:
    """Return what is wrong with a sentence; empty if it is carried."""
    sentence = Sentence(block=block, text=text, clue_ids=tuple(clue.id for clue in cited))
    told = Explanation(sentences=(sentence,))
    (found,) = verify(told, (*cited, *clip), DURATION).sentences
    return "" if found.status == "supported" else found.why


@pytest.mark.parametrize(
    ("text", "cited", "clip", "is_carried"),
    [
        ("The only nod is at 2.0-3.0 s.", NODS, (), True),
        ("The only nod is at 2.0-3.0 s.", NODS, (NODS_TWICE,), False),
        ("The only nod is at 6.0-9.0 s.", NODS_TWICE, (), False),
        ("The only nod is at 2.0-3.0 s.", NODS_ONCE, (), True),
        ("The only smile is at 1.0-3.0 s.", SMILES, (NODS,), True),
    ],
)
def test_the_only_one_is_one_and_has_none_beside_it(
    text: str, cited: Clue, clip: tuple[Clue, ...], is_carried: bool
) -> None:
    assert (why("video", text, cited, clip=clip) == "") is is_carried


@pytest.mark.parametrize(
    ("moment", "is_carried"), [("6.0", True), ("6.5", True), ("6.6", False), ("1.0", False)]
)
def test_something_begins_at_its_onset_not_at_another_time_that_the_clue_states(
    moment: str, is_carried: bool
) -> None:
    found = why("audio", f"A louder voice begins at {moment} s.", LOUDER)
    assert (found == "") is is_carried, found


def test_of_clues_that_all_fail_the_first_cited_gives_the_reason() -> None:
    text = "The person smiles clearly at 1.0-3.0 s."
    assert why("video", text, SMILES, SMILES_ON) == (
        "it is stronger or weaker than its clues state"
    )
    assert why("video", text, SMILES_ON, SMILES) == "no cited clue is at 1, 3 s"


def test_a_sentence_is_read_up_to_its_longest() -> None:
    longest = "The person smiles " + "x" * (MOST_READ - 18)
    assert "longer than 1500 characters" not in why("video", longest, SMILES)
    assert why("video", longest + "x", SMILES) == "it is longer than 1500 characters"


NO_PAUSES = kit.clue(
    "audio",
    "The person speaks fast (6.1 syllables per second) at 1.0-5.0 s, with no pauses.",
    (1.0, 5.0),
)
UNBROKEN = carrier_of(NO_PAUSES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She pauses.", "its clues say the opposite about pauses"),
        ("There are pauses at 1.0-5.0 s.", "its clues say the opposite about pauses"),
        ("There is a long pause.", "its clues say the opposite about a long pause"),
        ("She speaks without pauses.", ""),
        ("She speaks fast, with no pauses.", ""),
    ],
)
def test_speech_without_pauses_has_none(text: str, expected: str) -> None:
    assert why("audio", text, NO_PAUSES) == expected


@pytest.mark.parametrize(
    ("clue", "stated", "denied"),
    [
        (face("The person smiles without the eyes taking part."), {"smile"}, {"smile_eyes"}),
        (face("The person smiles with the eyes narrowing."), {"smile", "smile_eyes"}, set()),
        (face("The face is at rest."), set(), {"brow_furrow", "brow_raise", "smile"}),
        (face("The body is still."), {"body_still"}, {"body_moves"}),
        (
            carrier_of(kit.clue("audio", "The person makes a long pause.")),
            {"long_pause", "pauses"},
            set(),
        ),
        (UNBROKEN, {"no_pauses"}, {"pauses", "long_pause"}),
    ],
)
def test_what_a_sign_states_or_denies_with_itself(
    clue: Carrier, stated: set[str], denied: set[str]
) -> None:
    assert all(clue.cues[cue] == {False} for cue in stated)
    assert all(clue.cues[cue] == {True} for cue in denied)


DIM = kit.clue("scene", "A slightly dark picture (mean brightness 30 %).", WHOLE_CLIP)
TWO_DEGREES = kit.clue(
    "face", "The person smiles slightly and furrows the brows strongly at 1.0-3.0 s.", (1.0, 3.0)
)


@pytest.mark.parametrize(
    ("text", "cited", "is_carried"),
    [
        ("It is a slightly dark picture.", DIM, True),
        ("It is a clearly dark picture.", DIM, False),
        ("She smiles slightly.", TWO_DEGREES, True),
        ("She smiles strongly.", TWO_DEGREES, False),
        ("She frowns strongly.", TWO_DEGREES, True),
        ("She frowns slightly.", TWO_DEGREES, False),
    ],
)
def test_a_degree_is_that_of_its_own_sign(text: str, cited: Clue, is_carried: bool) -> None:
    assert (why("video", text, cited) == "") is is_carried


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The person smiles slightly at her.", "it tells of another person as well"),
        ("She smiles slightly with him, at 1.0-3.0 s.", "it tells of another person as well"),
        ("She smiles slightly with her mouth.", ""),
        ("The person is seen early on, and smiles slightly at 1.0-3.0 s.", ""),
        ("As the person does, she smiles slightly.", "it tells of several people at once"),
        ("She smiles slightly.", ""),
    ],
)
def test_a_person_as_an_object_is_told_from_one_who_owns_a_part(text: str, expected: str) -> None:
    assert expected in why("video", text, SMILES)
    assert bool(expected) == bool(why("video", text, SMILES))


NO_SMILE = kit.clue("face", "The person does not smile.", WHOLE_CLIP)
NO_NOD = kit.clue("face", "The person does not nod.", WHOLE_CLIP)


@pytest.mark.parametrize(
    ("block", "text", "cited", "expected"),
    [
        ("video", "She does not smile.", (NO_SMILE,), ""),
        ("video", "She does not smile with a nod at 2.0-3.0 s.", (NO_SMILE, NODS),
         "it is not clear what it denies"),
        ("video", "She does not smile while nodding at 2.0-3.0 s.", (NO_SMILE, NODS), ""),
        ("video", "She does not smile nodding at 2.0-3.0 s.", (NO_SMILE, NO_NOD),
         "its clues say the opposite about a nod; it is not clear what it denies"),
        ("video", "She does not not smile.", (NO_SMILE,),
         "its clues say the opposite about a smile; it denies twice"),
        ("answer", "The person does not appear angry or sad.", (kit.SMILE,), ""),
        ("answer", "The person does not appear happy or sad.", (kit.SMILE,),
         "its clues speak for happy"),
    ],
)  # fmt: skip
def test_what_a_denial_denies(
    block: Any, text: str, cited: tuple[Clue, ...], expected: str
) -> None:
    assert why(block, text, *cited) == expected


@pytest.mark.parametrize("family", list(lexicon().families))
def test_the_rules_may_rest_on_the_speakers_own_word(family: str) -> None:
    words = f'The person says: "I am so {lexicon().label_of(family)}."'
    said = kit.clue("text", words, (1.0, 2.0), person="person 1")
    verdict = verify(kit.explain(said), (said,), kit.DURATION)
    assert kit.holds(verdict), [s.why for s in verdict.sentences if s.status != "supported"]


CHIN = kit.clue("face", "The person pushes the chin up clearly at 1.0-3.0 s.", (1.0, 3.0))
JUMP = kit.clue("audio", "The pitch rises sharply at 1.0-3.0 s (+5.1 semitones).", (1.0, 3.0))
GASP = kit.clue("audio", "A sharp intake of breath is heard at 1.0-3.0 s.", (1.0, 3.0))
FALLS = kit.clue("audio", "The pitch falls at 1.0-3.0 s (-2.1 semitones).", (1.0, 3.0))
AROUSED = kit.clue("audio", "The voice is high in arousal at 1.0-3.0 s, against typical values.")
QUIET = kit.clue("audio", "The recording has a low level (peak -46 dB).", (0.0, 4.0))


@pytest.mark.parametrize(
    ("block", "text", "cited"),
    [
        ("video", "The person raises the head.", CHIN),
        ("audio", "The voice is tense and sharp.", JUMP),
        ("audio", "The voice sounds tense and sharp.", GASP),
        ("audio", "The person speaks with a falling intonation at the end.", FALLS),
        ("audio", "The pitch is raised.", AROUSED),
        ("audio", "The voice is soft.", QUIET),
        ("audio", "The voice is loud.", QUIET),
    ],
)
def test_a_clue_does_not_carry_what_its_cue_is_only_named_like(
    block: Any, text: str, cited: Clue
) -> None:
    assert why(block, text, cited)


@pytest.mark.parametrize(
    "text",
    [
        "The person appears depressed.",
        "The person is not depressed.",
        "The person appears sad, perhaps from depression.",
        "The person appears mentally ill.",
        "此人显得抑郁。",
    ],
)
def test_health_is_never_claimed_nor_denied(text: str) -> None:
    assert why("answer", text, *kit.SAD)
    assert not why("answer", "The person appears sad.", *kit.SAD)


def test_a_label_of_health_is_struck_and_a_quotation_of_it_is_not() -> None:
    ids = tuple(clue.id for clue in kit.SAD)
    labels = tuple(Label(name=name, band="low", clue_ids=ids) for name in ("depressed", "downcast"))
    verdict = verify(Explanation(sentences=(), labels=labels), kit.SAD, DURATION)
    assert [found.status for found in verdict.labels] == ["unsupported", "supported"]
    said = kit.clue("text", 'The person says: "I am so depressed."', (1.0, 2.0))
    assert not why("text", 'The words "I am so depressed" are heard.', said)
