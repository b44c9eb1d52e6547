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
    ("text", "How could you do this to me?", {"question", "rhetorical"}),
    ("text", "谢谢你", {"thanks"}),
    ("text", "Thank you so much!", {"thanks", "exclamation"}),
)


@pytest.mark.parametrize(("channel", "text", "expected"), CASES)
def test_the_cues_of_a_sentence_are_read(channel: Channel, text: str, expected: set[str]) -> None:
    assert {m.cue for m in mentions_in(text, channel) if not m.negated} == expected


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
    said = [
        strength(f"The person {how} furrows the brows.") for how in ("slightly", "", "strongly")
    ]
    assert said == sorted(set(said))
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
