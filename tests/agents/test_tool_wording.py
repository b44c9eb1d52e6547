"""Every wording of the tools in this package is read as the cue it means."""

from __future__ import annotations

import pytest

from emer.agents.lexicon.cue_parser import mentions_in
from emer.agents.lexicon.lexicon import Channel

SEEN = """
the person smiles: smile
the person smiles with the eyes narrowing: smile smile_eyes
the person smiles without the eyes taking part: smile smile_social
the person smiles with the mouth closed: smile smile_closed
one corner of the mouth rises: smile_one_sided
the corners of the mouth turn down: corners_down
the person furrows the brows: brow_furrow
the person raises the inner eyebrows: inner_brow_raise
the person raises the eyebrows: brow_raise
the person raises the outer eyebrows: outer_brow_raise
the person opens the eyes wide: eyes_wide
the person narrows the eyes: eyes_narrow
the person closes the eyes: eyes_closed
the person blinks rapidly: blinks
the person presses the lips together: lips_pressed
the person puckers the lips: lips_pucker
the person stretches the lips sideways: lips_stretch
the person pushes the chin up: chin_raise
the person opens the mouth: mouth_open
the person opens the mouth wide: jaw_drop
the mouth moves as in speech:
the person lowers the jaw clearly while the mouth stays shut:
the person moves the jaw sideways slightly, to the person's own left:
pulls the corners of the mouth back while the brows are drawn together: grimace
the person looks down: gaze_down
the person looks up: gaze_up
the person looks to the left: gaze_averted
the person nods: nod
the person shakes the head: head_shake
the person lowers the head: head_down
the person raises the head: head_up
the person turns the head away: head_away
the person tilts the head: head_tilt
the person wrinkles the nose: nose_wrinkle
the person covers the mouth with a hand: mouth_covered
a hand is near the face: hand_near_face
a hand covers the face: mouth_covered
the person raises a hand: gestures
the person points: points
the person gestures with the hands: gestures
the person crosses the arms: arms_crossed
the person leans forward: leans_forward
the person leans back: leans_back
shoulders drop: shoulders_drop
shoulders rise: shoulders_rise
the picture is dark:
the camera moves:
close-up:
the body moves a lot: body_moves
the body stays still: body_still
the shot changes 3 times:
"""
HEARD = """
the pitch rises sharply: pitch_jump pitch_up
the pitch rises: pitch_up
the pitch is raised: pitch_up
the pitch falls: pitch_down
the pitch stays level: steady
the voice is much louder: loud
the voice is louder: loud
the voice is softer: soft
the voice speaks fast: fast
the voice speaks slowly: slow
the intonation is flat: flat
the intonation is moderately varied:
the intonation is varied: varied
the intonation is highly varied: varied
rising intonation at the end: rising_end
falling intonation at the end: falling_end
the voice pauses 3 times: pauses
a long pause: long_pause pauses
no pauses: no_pauses
the voice trembles: trembles
the voice sounds breathy or hoarse: breathy
the voice sounds tense and sharp: tense_sharp
the voice sounds soft and dull: dull
laughter-like bursts: laughter
a sigh-like breath: sigh
sob-like breaks in the voice: sob
music or noise:
"""


def table(text: str) -> list[tuple[str, set[str]]]:
    lines = (line.partition(":") for line in text.strip().splitlines())
    return [(wording, set(cues.split())) for wording, _, cues in lines]


@pytest.mark.parametrize(("wording", "cues"), table(SEEN))
def test_what_is_seen_is_read(wording: str, cues: set[str]) -> None:
    assert read(f"{wording[0].upper()}{wording[1:]} at 2.1-2.8 s.", "visual") == cues


@pytest.mark.parametrize(("wording", "cues"), table(HEARD))
def test_what_is_heard_is_read(wording: str, cues: set[str]) -> None:
    assert read(f"{wording[0].upper()}{wording[1:]} at 2.1-2.8 s (+5.1 st).", "audio") == cues


def read(text: str, channel: Channel) -> set[str]:
    return {m.cue for m in mentions_in(text, channel) if not m.negated}
