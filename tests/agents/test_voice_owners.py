"""A voice is of the person whose mouth moves with it, of no one in view, or its own."""

from __future__ import annotations

from typing import Any

import pytest

from emer.agents.lexicon.cue_parser import read
from emer.agents.people import numbering
from emer.agents.questions.person_focus import by_person
from emer.agents.questions.question import topic_of
from emer.tools.cues import stated
from emer.tools.types import Clue, CueMention, Quality, Source, Span

LEFT, RIGHT = (0.4, 0.4, 0.3), (1.3, 0.4, 0.3)


def face(number: int, talks: list[list[float]] | None, box: tuple[float, float, float]) -> Clue:
    """A face whose mouth speaks in these intervals; None: it is still for 8 s."""
    data: dict[str, Any] = {} if talks is None else {"intervals": talks}
    return Clue(
        modality="face",
        span=Span(start=0.0, end=8.0),
        person=f"person {number}",
        text=f"Person {number} (on the left) may be talking.",
        quality=Quality(
            score=0.9,
            factors=dict(zip(("face_x", "face_y", "face_height"), box, strict=True)),
        ),
        source=Source(tool="mesh", version="1"),
        data=data,
        cues=(CueMention(cue="mouth_talking", negated=talks is None),),
        place="on the left" if box == LEFT else "on the right",
    )


def sound(
    text: str, at: tuple[float, float], cue: str, name: str | None = None, **data: Any
) -> Clue:
    return Clue(
        modality="audio",
        span=Span(start=at[0], end=at[1]),
        person=name,
        text=text,
        quality=Quality(score=0.9),
        source=Source(tool="egemaps", version="1"),
        data=data,
        cues=stated([cue]),
    )


def heard(name: str | None, *turns: list[float]) -> Clue:
    text = f"{(name or 'a voice').capitalize()} is heard at {turns[0][0]}-{turns[-1][1]} s."
    return sound(text, (turns[0][0], turns[-1][1]), "voice_heard", name, turns=[*turns])


LOUD = sound("Voice 1 is louder at 1.0-2.0 s.", (1.0, 2.0), "loud", "voice 1")
HIGH = sound("The pitch of voice 2 is raised at 5.0-6.0 s.", (5.0, 6.0), "pitch_up", "voice 2")
TWO = (heard("voice 1", [0.0, 3.0]), heard("voice 2", [4.0, 7.0]), LOUD, HIGH)


def named(*clues: Clue) -> dict[str, tuple[str | None, str]]:
    common = numbering(clues)
    return {c.id: (n.person, n.text) for c, n in ((c, common.apply(c)) for c in clues)}


def test_voices_belong_to_the_faces_whose_mouths_move_with_them() -> None:
    found = named(*TWO, face(1, [[4.2, 6.9]], LEFT), face(2, [[0.3, 2.8]], RIGHT))
    assert found[LOUD.id] == ("person 2", "Person 2 is louder at 1.0-2.0 s.")
    assert found[HIGH.id] == ("person 1", "The pitch of person 1 is raised at 5.0-6.0 s.")


def test_a_mouth_that_moves_with_both_voices_has_neither() -> None:
    found = named(*TWO, face(1, [[0.0, 8.0]], LEFT))
    assert found[LOUD.id] == ("voice 1", LOUD.text)
    assert found[HIGH.id] == ("voice 2", HIGH.text)


def test_two_voices_beside_a_still_mouth_are_of_no_one_in_view() -> None:
    found = named(*TWO, face(1, None, LEFT))
    assert found[LOUD.id] == ("voice 1", LOUD.text)
    assert found[TWO[0].id][1] == "Voice 1 is heard, and no one in view speaks, at 0.0-3.0 s."


def test_one_voice_goes_with_one_person_unless_the_mouth_is_still() -> None:
    voice = heard(None, [0.0, 3.0])
    slow = sound("The person speaks slowly at 0.0-3.0 s.", (0.0, 3.0), "slow")
    assert named(voice, slow, face(1, [[0.0, 3.0]], LEFT))[slow.id] == (None, slow.text)
    unseen = named(voice, slow, face(1, None, LEFT))
    assert unseen[slow.id] == ("voice 1", "Voice 1 speaks slowly at 0.0-3.0 s.")
    assert unseen[voice.id][1] == "A voice is heard, and no one in view speaks, at 0.0-3.0 s."
    # A mouth that is not seen says nothing.
    assert named(voice, slow)[slow.id] == (None, slow.text)


def test_of_two_people_the_one_who_talks_has_the_one_voice() -> None:
    voice = heard(None, [0.0, 3.0])
    slow = sound("The person speaks slowly at 0.0-3.0 s.", (0.0, 3.0), "slow")
    found = named(voice, slow, face(1, None, LEFT), face(2, [[0.2, 2.9]], RIGHT))
    assert found[slow.id] == ("person 2", "Person 2 speaks slowly at 0.0-3.0 s.")
    both = named(voice, slow, face(1, [[0.0, 3.0]], LEFT), face(2, [[0.2, 2.9]], RIGHT))
    assert both[slow.id] == (None, "Someone speaks slowly at 0.0-3.0 s.")


def test_what_is_measured_over_both_voices_goes_with_neither() -> None:
    over = sound("The voice sounds angry at 0.0-7.0 s.", (0.0, 7.0), "heard_angry")
    within = sound("The voice sounds angry at 4.1-6.8 s.", (4.1, 6.8), "heard_angry")
    found = named(*TWO, over, within)
    assert found[over.id][0] == "several voices"
    assert found[within.id][0] == "voice 2"


def test_no_conclusion_mixes_two_voices() -> None:
    common = numbering(TWO)
    parts = by_person(read([common.apply(clue) for clue in TWO]))
    for part in parts.values():
        assert len({r.clue.person for r in part} - {None}) <= 1
    assert len(parts) == 2


@pytest.mark.parametrize(
    ("question", "voice"),
    [
        ("How does voice 2 sound?", "voice 2"),
        ("Is the first voice angry?", "voice 1"),
        ("声音2听起来怎么样？", "voice 2"),  # noqa: RUF001
        ("How does the voice sound?", None),
    ],
)
def test_a_question_may_be_about_a_voice(question: str, voice: str | None) -> None:
    assert topic_of(question, (), 8.0, lambda _: True).person == voice
