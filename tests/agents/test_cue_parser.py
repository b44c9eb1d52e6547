"""Sentences in, cues out: our tools' wording, people's wording, negation, degrees."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import pytest

from emer.agents.lexicon.cue_parser import mentions_in, read, transcript
from emer.agents.lexicon.lexicon import Channel
from tests.fixtures import clues as kit

CASES: tuple[tuple[Channel, str, set[str]], ...] = (
    ("visual", "The person smiles clearly with the eyes narrowing.", {"smile", "smile_eyes"}),
    ("visual", "The person smiles without the eyes taking part.", {"smile", "smile_social"}),
    ("visual", "One corner of the mouth rises slightly.", {"smile_one_sided"}),
    ("visual", "The person narrows the eyes.", {"eyes_narrow"}),
    ("visual", "The person opens the mouth wide at 1.0-1.4 s.", {"jaw_drop"}),
    ("visual", "The mouth moves as in speech at 0.0-2.0 s.", set()),
    ("visual", "his eyebrows are slightly furrowed", {"brow_furrow"}),
    ("visual", "the corners of her mouth are slightly downturned", {"corners_down"}),
    ("visual", "an upward curve at the corners of his mouth", {"smile"}),
    ("visual", "direct eye contact", {"gaze_fixed"}),
    ("visual", "The person lowers the head and looks down.", {"head_down", "gaze_down"}),
    ("visual", "眉头紧锁，嘴角略微下垂", {"brow_furrow", "corners_down"}),
    ("visual", "面带微笑", {"smile"}),
    ("audio", "speaks at a fast pace, in a questioning tone", {"fast", "questioning"}),
    ("audio", "The pitch rises sharply at 2.1-2.8 s (+5.1 semitones).", {"pitch_jump", "pitch_up"}),
    ("audio", "The pitch stays level.", {"steady"}),
    ("audio", "the tone is low and monotonous", {"pitch_down", "flat"}),
    ("audio", "语速较快，音量较高，带有哭腔", {"fast", "loud", "sob"}),
    ("text", "How could he know?", {"question", "rhetorical"}),
    ("text", "谢谢你", {"thanks"}),
    ("text", "Thank you so much!", {"thanks", "exclamation"}),
)


@pytest.mark.parametrize(("channel", "text", "expected"), CASES)
def test_the_cues_of_a_sentence_are_read(channel: Channel, text: str, expected: set[str]) -> None:
    assert stated(text, channel) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The person does not smile.",
        "no smile can be seen",
        "He speaks without smiling.",
        "She never smiles or laughs",
        "他没有微笑",
        "面部毫无笑容",
    ],
)
def test_a_denied_smile_is_no_smile(text: str) -> None:
    assert "smile" in {m.cue for m in mentions_in(text, "visual") if m.negated}
    assert not [m for m in mentions_in(text, "visual") if not m.negated]


@pytest.mark.parametrize(
    "text", ["She cannot help smiling.", "不禁露出微笑", "She does not frown, but smiles."]
)
def test_what_only_looks_like_a_denial_is_a_smile(text: str) -> None:
    assert "smile" in {m.cue for m in mentions_in(text, "visual") if not m.negated}


def strength(text: str) -> float:
    return max(m.strength for m in mentions_in(text, "visual"))


def test_degrees_and_facs_letters_scale_a_cue() -> None:
    cues = [
        strength(f"The person {how} furrows the brows.") for how in ("slightly", "", "strongly")
    ]
    assert cues == sorted(set(cues))
    chinese = [strength(f"他{how}皱眉") for how in ("微微", "", "非常明显地")]
    assert chinese[0] < chinese[1]
    letters = [strength(f"The person smiles (AU12, intensity {x}).") for x in "ABCDE"]
    assert letters == sorted(set(letters))
    by_data = kit.clue("face", "The person smiles.", data={"intensity": "A"})
    assert read([by_data])[0].mentions[0].strength == letters[0]


def test_setting_and_other_people_are_not_the_persons_cues() -> None:
    assert mentions_in("The atmosphere is tense and the lighting sad.", "visual") == ()
    assert mentions_in("The other person smiles broadly.", "visual") == ()
    assert mentions_in("She smiles at the other person.", "visual") != ()


def test_a_doubtful_or_badly_measured_clue_counts_little() -> None:
    (sure,) = read([kit.clue("text", 'The person says: "thank you"')])
    (doubtful,) = read([kit.DOUBTFUL])
    assert doubtful.reliability < 0.05 < sure.reliability
    (blurred,) = read([kit.clue("face", "The person smiles.", quality=0.2)])
    assert blurred.reliability < 0.1


def test_only_quoted_words_of_a_transcript_are_read() -> None:
    assert transcript(kit.INSULT).startswith("You ruined")
    assert transcript(kit.clue("text", "字幕：谢谢")) == "谢谢"


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
def test_every_wording_of_the_visual_tools_is_read_as_its_cue(wording: str, cues: set[str]) -> None:
    assert stated(f"{wording[0].upper()}{wording[1:]} at 2.1-2.8 s.", "visual") == cues


@pytest.mark.parametrize(("wording", "cues"), table(HEARD))
def test_every_wording_of_the_audio_tools_is_read_as_its_cue(wording: str, cues: set[str]) -> None:
    assert stated(f"{wording[0].upper()}{wording[1:]} at 2.1-2.8 s (+5.1 st).", "audio") == cues


def stated(text: str, channel: Channel) -> set[str]:
    return {m.cue for m in mentions_in(text, channel) if not m.negated}
