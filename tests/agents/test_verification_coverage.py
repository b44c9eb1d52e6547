"""Every word of a sentence is carried by a cited clue, or the sentence is not."""

# ruff: noqa: E501, RUF001  (tables; full-width marks and look-alikes are meant)
from __future__ import annotations

import pytest

from emer.agents.types import Block, Explanation, Sentence
from emer.agents.verification.verifier import Finding, verify
from emer.tools.types import Clue
from tests.fixtures import clues as kit

DURATION = 10.0

CLUES: dict[str, Clue] = {
    "smile": kit.clue(
        "face", "The person smiles clearly at 1.0-3.0 s, most at 1.8 s (AU12, intensity C).",
        (1.0, 3.0), person="person 1", data={"intensity": "C", "apex": 1.8},
    ),
    "social": kit.clue(
        "face",
        "The person smiles slightly without the eyes taking part at 8.2-9.6 s, most at 9.0 s"
        " (AU12, intensity B).",
        (8.2, 9.6), person="person 1", data={"intensity": "B"},
    ),
    "nod": kit.clue("face", "The person nods at 4.0-4.8 s (2 half swings).", (4.0, 4.8), person="person 1"),
    "down": kit.clue("face", "The person looks down at 5.0-6.5 s.", (5.0, 6.5), person="person 1"),
    "blink": kit.clue(
        "face", "The person blinks 4 times in 10.0 s (at 1.2, 3.3, 6.0, 8.1 s).", (1.2, 8.1),
        person="person 1", data={"count": 4, "at": [1.2, 3.3, 6.0, 8.1]},
    ),
    "camera": kit.clue(
        "face", "The person looks towards the camera most of the time (81% of 250 frames).",
        (0.0, 10.0), person="person 1", data={"share": 0.81},
    ),
    "frown2": kit.clue(
        "face", "Person 2 (on the right) furrows the brows strongly at 2.0-3.5 s (AU4, intensity D).",
        (2.0, 3.5), person="person 2", data={"intensity": "D"},
    ),
    "loud": kit.clue(
        "audio", "The voice is louder at 6.0-7.5 s (+6.1 dB against the speaker's other speech in the clip).",
        (6.0, 7.5), data={"level_db": 6.1},
    ),
    "soft": kit.clue("audio", "The voice is softer at 0.5-1.5 s (-5.0 dB).", (0.5, 1.5)),
    "pitch": kit.clue("audio", "The pitch falls at 3.0-5.0 s (-2.1 semitones).", (3.0, 5.0)),
    "pauses": kit.clue(
        "audio", "The person speaks slowly (2.9 syllables per second) at 0.2-9.8 s and pauses 3 times (2.2 s in all).",
        (0.2, 9.8), data={"syllables_per_s": 2.9},
    ),
    "sob": kit.clue("audio", "The person sobs at 1.0-2.0 s.", (1.0, 2.0)),
    "said": kit.clue("text", 'The person says: "I do not want to go home, thank you".', (2.0, 4.0)),
    "doubt": kit.clue(
        "text", 'The person may be saying: "over the bridge" (low recognition confidence).', (6.0, 7.0), 0.2
    ),
    "two": kit.clue("scene", "2 people are visible at the same time at 0.0-10.0 s (counted by their faces).", (0.0, 10.0), data={"people": 2}),
    "dark": kit.clue("scene", "The picture is dark (mean brightness 12 %).", (0.0, 10.0)),
    "dog": kit.clue("scene", "A dog jumps over the yellow fence.", (2.0, 3.0)),
    "woman": kit.clue("face", "The woman raises the eyebrows clearly at 1.0-2.0 s.", (1.0, 2.0)),
    "russian": kit.clue("text", 'The person says: "я не знаю".', (2.0, 4.0)),
}  # fmt: skip


def finding(block: Block, text: str, *keys: str) -> Finding:
    clues = [CLUES[key] for key in keys]
    sentence = Sentence(block=block, text=text, clue_ids=tuple(c.id for c in clues))
    told = Explanation(sentences=(sentence,))
    return verify(told, tuple(CLUES.values()), DURATION).sentences[0]


CARRIED: list[tuple[Block, str, str]] = [
    ("video", "She smiles clearly at 1.0-3.0 s, most at 1.8 s (AU12, intensity C).", "smile"),
    ("video", "The person shows a clear smile around 1.8 s.", "smile"),
    ("video", "Early in the clip, her lip corners are pulled up clearly.", "smile"),
    ("video", "She smiles, strongest around 1.8 s.", "smile"),
    ("video", "A smile can be seen in the first half of the clip.", "smile"),
    ("video", "She smiles twice, at 1.0-3.0 s and again near the end.", "smile social"),
    ("video", "There are two smiles.", "smile social"),
    ("video", "She smiles early in the clip and then nods at 4.0-4.8 s.", "smile nod"),
    ("video", "In the video, the person smiles slightly, without the eyes taking part, at 8.2-9.6 s.", "social"),
    ("video", "The smile near the end does not reach the eyes.", "social"),
    ("video", "She nods around 4.4 s.", "nod"),
    ("video", "Midway through the clip, she nods.", "nod"),
    ("video", "Her gaze is lowered from 5.0 to 6.5 s.", "down"),
    ("video", "She looks down for about 1.5 seconds.", "down"),
    ("video", "She blinks four times.", "blink"),
    ("video", "She looks at the camera most of the time.", "camera"),
    ("video", "Person 2 furrows the brows strongly.", "frown2"),
    ("video", "The person on the right frowns strongly at 2.0-3.5 s.", "frown2"),
    ("video", "Person 2 has strongly furrowed brows, intensity D.", "frown2"),
    ("video", "Two people are visible.", "two"),
    ("video", "The picture is dark.", "dark"),
    ("video", "In the video, a dog jumps over the yellow fence.", "dog"),
    ("video", "The woman raises her eyebrows clearly.", "woman"),
    ("video", "It seems that she smiles.", "smile"),
    ("audio", "Her voice is louder at 6.0-7.5 s.", "loud"),
    ("audio", "The voice gets louder later in the clip, by about 6 dB.", "loud soft"),
    ("audio", "The voice is softer at first.", "soft"),
    ("audio", "The pitch falls by 2.1 semitones.", "pitch"),
    ("audio", "She speaks slowly, with three pauses.", "pauses"),
    ("audio", "She speaks slowly, at 2.9 syllables per second.", "pauses"),
    ("audio", "In the audio, sobbing is heard.", "sob"),
    ("text", 'In the text, the person says "I do not want to go home".', "said"),
    ("text", "The words “thank you” are heard.", "said"),
    ("text", "The speaker thanks.", "said"),
    ("text", 'The words may be "over the bridge".', "doubt"),
    ("text", 'The person says "я не знаю".', "russian"),
    ("therefore", "Therefore, based on the smile in the video, the person appears happy (low confidence).", "smile"),
    ("therefore", "The smile is more likely a polite one, as it does not involve the eyes.", "social"),
    ("therefore", "The two smiles make a happy expression the most likely reading.", "smile social"),
    ("therefore", "The smile suggests that she appears happy rather than sad.", "smile"),
    ("therefore", "Person 2 appears angry, based on the strongly furrowed brows.", "frown2"),
    ("answer", "Anger is not what the clues suggest; she smiles.", "smile"),
    ("answer", "Yes, she smiles at 1.0-3.0 s.", "smile"),
    ("answer", "The smile speaks against sadness.", "smile"),
    ("video", "视频中，她在1.0到3.0秒之间明显微笑。", "smile"),
    ("video", "她点头。", "nod"),
    ("video", "她在1.8秒左右微笑。", "smile"),
    ("video", "视频开头，她明显微笑。", "smile"),
    ("video", "她没有笑到眼睛。", "social"),
    ("audio", "音频中，在6.0-7.5秒，她的音量变大。", "loud"),
    ("audio", "语速缓慢，有三次停顿。", "pauses"),
    ("text", "文本中，说话者说“thank you”。", "said"),
    ("therefore", "因此，根据视频中的微笑，她显得高兴。", "smile"),
]  # fmt: skip

DENIED: list[tuple[str, Block, str, str]] = [
    ("negation", "video", "She never nods.", "nod"),
    ("negation", "video", "She almost nods.", "nod"),
    ("negation", "video", "She nods at no time.", "nod"),
    ("negation", "video", "She avoids nodding.", "nod"),
    ("negation", "video", "She would nod if she agreed.", "nod"),
    ("negation", "video", "She stops smiling at 1.0-3.0 s.", "smile"),
    ("negation", "video", "Contrary to the claim, she smiles.", "smile"),
    ("negation", "video", "No: the person nods at 4.0-4.8 s (2 half swings).", "nod"),
    ("negation", "video", "She does not not smile.", "smile"),
    ("negation", "audio", "The voice is not louder at 6.0-7.5 s.", "loud"),
    ("negation", "audio", "The voice is anything but soft.", "soft"),
    ("opposite", "video", "She shakes her head at 4.0-4.8 s.", "nod"),
    ("opposite", "video", "She looks up at 5.0-6.5 s.", "down"),
    ("opposite", "audio", "The pitch rises at 3.0-5.0 s.", "pitch"),
    ("opposite", "audio", "She speaks fast.", "pauses"),
    ("person", "video", "Person 1 furrows the brows strongly.", "frown2"),
    ("person", "video", "Her opponent nods.", "nod"),
    ("person", "video", "The man smiles clearly.", "smile"),
    ("person", "video", "Someone else nods.", "nod"),
    ("person", "video", "She smiles clearly and furrows the brows strongly.", "smile frown2"),
    ("person", "video", "Three people are visible.", "two"),
    ("person", "video", "Dozens of people are visible.", "two"),
    ("person", "therefore", "Therefore, the person appears happy.", "smile frown2"),
    ("person", "therefore", "Person 1 appears angry.", "frown2"),
    ("time", "video", "She nods near the end of the clip.", "nod"),
    ("time", "video", "She nods at 1.0-3.0 s.", "nod smile"),
    ("time", "video", "She smiles clearly throughout.", "smile"),
    ("time", "video", "She nods at dawn.", "nod"),
    ("time", "video", "She nods first and smiles clearly later.", "nod smile"),
    ("time", "video", "She nods before she smiles.", "nod smile"),
    ("time", "video", "She smiles in the last second of the clip.", "smile"),
    ("time", "video", "She looks at the camera all the time.", "camera"),
    ("modality", "audio", "In the audio, she nods.", "nod"),
    ("modality", "video", "In the video, the voice is louder.", "loud"),
    ("modality", "video", "In the audio, the person smiles clearly.", "smile"),
    ("intensity", "video", "She smiles very strongly.", "smile"),
    ("intensity", "video", "She smiles clearly, intensity E.", "smile"),
    ("intensity", "video", "She beams with boundless delight.", "smile"),
    ("intensity", "audio", "The voice is extremely loud.", "loud"),
    ("intensity", "audio", "She shouts at 6.0-7.5 s.", "loud"),
    ("count", "video", "She blinks twice.", "blink"),
    ("count", "video", "She nods three times.", "nod"),
    ("count", "audio", "She pauses five times.", "pauses"),
    ("number", "audio", "The pitch falls by 2.1 octaves.", "pitch"),
    ("number", "audio", "The pitch falls by twenty-one semitones.", "pitch"),
    ("number", "audio", "The pitch falls by 2.1 Hz.", "pitch"),
    ("number", "video", "She looks down for 15 seconds.", "down"),
    ("number", "video", "She looks down for two hours.", "down"),
    ("number", "video", "She smiles (AU15).", "smile"),
    ("mixed", "video", "She nods while holding a gun.", "nod"),
    ("mixed", "video", "She nods at her dead mother.", "nod"),
    ("mixed", "video", "A dog jumps over the yellow fence and bites her.", "dog"),
    ("mixed", "video", "A dog does not jump over the yellow fence.", "dog"),
    ("mixed", "video", "The yellow dog jumps over a fence.", "dog"),
    ("mixed", "video", "Her lips are secretly pulled up.", "smile"),
    ("causal", "video", "She nods because she agrees.", "nod"),
    ("causal", "answer", "She nods because she smiles.", "nod smile"),
    ("causal", "answer", "She smiles because she is happy.", "smile"),
    ("quote", "text", 'The person says "I want to go home".', "said"),
    ("quote", "text", 'The person says "want to go home".', "said"),
    ("quote", "text", "The person says: I hate you.", "said"),
    ("quote", "text", "The person says that she hates you.", "said"),
    ("quote", "text", "The person talks about a murder.", "said"),
    ("quote", "text", "The speaker threatens.", "said"),
    ("quote", "text", 'The words "over the bridge" are heard.', "doubt"),
    ("quote", "text", "The words ‹I hate you› are heard.", "said"),
    ("inner", "therefore", "Deep down she is devastated.", "smile"),
    ("inner", "therefore", "The person is certainly happy.", "smile"),
    ("inner", "therefore", "The person appears extremely happy.", "smile"),
    ("inner", "answer", "She is lying.", "said"),
    ("inner", "answer", "She is hiding something.", "down"),
    ("identity", "answer", "She is a nurse from Berlin.", "two"),
    ("identity", "therefore", "The person is gay.", "smile"),
    ("health", "therefore", "The person appears autistic.", "down"),
    ("health", "answer", "She has had a stroke.", "pauses"),
    ("advice", "answer", "She should see a doctor.", "pauses"),
    ("advice", "answer", "You can trust her.", "smile"),
    ("character", "therefore", "She is a narcissist.", "smile"),
    ("emotion", "therefore", "The smile suggests anger.", "smile"),
    ("emotion", "therefore", "The person appears furious.", "frown2"),
    ("emotion", "video", "She smiles sadly.", "smile"),
    ("emotion", "therefore", "The person appears happy (high confidence).", "smile"),
    ("language", "video", "Sie lächelt deutlich.", "smile"),
    ("language", "video", "Elle sourit nettement.", "smile"),
    ("language", "video", "Она улыбается.", "smile"),
    ("language", "video", "彼女は笑顔です。", "smile"),
    ("zh", "video", "她没有点头。", "nod"),
    ("zh", "video", "她在摇头。", "nod"),
    ("zh", "video", "她微笑了三次。", "smile"),
    ("zh", "video", "她一直在微笑。", "smile"),
    ("zh", "video", "她一边微笑一边拿着刀。", "smile"),
    ("zh", "video", "她明显微笑，因为她赢了。", "smile"),
    ("zh", "video", "她在8.0到9.0秒之间微笑。", "smile"),
    ("zh", "therefore", "因此，她显得愤怒。", "smile"),
    ("zh", "answer", "她是骗子。", "said"),
    ("zh", "answer", "她有自杀倾向。", "down"),
    ("zh", "text", "说话者说“我恨你”。", "said"),
    ("unicode", "video", "She nоds at 4.0-4.8 s.", "nod"),
    ("unicode", "video", "She n\u200bods at 4.0-4.8 s.", "nod"),
    ("unicode", "video", "She \u202esdon\u202c at 4.0-4.8 s.", "nod"),
    ("unicode", "video", "She ｎｏｄｓ at 4.0-4.8 s.", "nod"),
    ("unicode", "therefore", "The person appears s\u0336ad.", "smile"),
    ("empty", "video", "In the video, the person is visible.", "smile"),
    ("empty", "therefore", "Therefore, it may be.", "smile"),
    ("empty", "video", "…", "smile"),
]  # fmt: skip


@pytest.mark.parametrize(("block", "text", "keys"), CARRIED)
def test_what_the_clues_carry_stands_as_written(block: Block, text: str, keys: str) -> None:
    found = finding(block, text, *keys.split())
    assert (found.outcome, found.why) == ("kept", "its clues carry it")


@pytest.mark.parametrize(("kind", "block", "text", "keys"), DENIED)
def test_what_they_do_not_carry_never_stands(kind: str, block: Block, text: str, keys: str) -> None:
    found = finding(block, text, *keys.split())
    expected = "struck" if block in ("answer", "therefore") else "replaced"
    assert found.outcome == expected, kind
    assert found.why
