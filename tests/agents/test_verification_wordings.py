"""The verifier reads the same facts in many words, and not their opposites."""

# ruff: noqa: E501, RUF001  (tables; full-width marks are meant)
from __future__ import annotations

import pytest

from emer.agents.types import Block, Explanation, Sentence
from emer.agents.verification.verifier import Finding, verify
from emer.tools.types import Clue
from tests.fixtures import clues as kit

DURATION = 12.0


def face(text: str, at: tuple[float, float], letter: str = "", person: str = "person 1") -> Clue:
    data = {"intensity": letter, "times": 1} if letter else {}
    return kit.clue("face", text, at, person=person, data=data)


CLUES: dict[str, Clue] = {
    "smile": face("The person smiles slightly at 1.0-2.0 s, most at 1.5 s (AU12, intensity B).", (1.0, 2.0), "B"),
    "smile2": face("The person smiles clearly at 8.0-11.0 s, most at 9.0 s (AU12, intensity C).", (8.0, 11.0), "C"),
    "social": face("The person smiles slightly without the eyes taking part at 1.0-2.0 s, most at 1.5 s (AU12, intensity B).", (1.0, 2.0), "B"),
    "frown": face("The person furrows the brows clearly at 3.0-5.0 s, most at 4.2 s (AU4, intensity C).", (3.0, 5.0), "C"),
    "brows": face("The person raises the eyebrows strongly at 6.0-7.0 s, most at 6.4 s (AU1+2, intensity D).", (6.0, 7.0), "D"),
    "wide": face("The person opens the eyes wide at 6.0-7.5 s, most at 6.5 s (AU5, intensity C).", (6.0, 7.5), "C"),
    "jaw": face("The person opens the mouth wide at 6.2-7.4 s, most at 6.6 s (AU25+27, no speech-like movement).", (6.2, 7.4)),
    "closed": face("The person closes the eyes at 9.0-10.5 s (for 1.5 s, AU43).", (9.0, 10.5)),
    "left": face("The person looks to the left at 5.2-5.8 s (the person's own left).", (5.2, 5.8)),
    "down": face("The person looks down at 2.2-2.9 s.", (2.2, 2.9)),
    "away": face("The person turns the head away to the right at 7.2-7.6 s (by up to 35 degrees).", (7.2, 7.6)),
    "tilt": face("The person tilts the head to the left at 0.2-0.8 s (by up to 14 degrees).", (0.2, 0.8)),
    "shake": face("The person shakes the head at 10.8-11.9 s (3 half swings, 40 degrees peak to peak).", (10.8, 11.9)),
    "camera": kit.clue("face", "The person looks towards the camera most of the time (68% of 300 frames).", (0.0, 12.0), person="person 1", data={"share": 0.68}),
    "two": kit.clue("scene", "2 people are visible at the same time at 0.0-12.0 s (counted by their faces).", (0.0, 12.0), data={"people": 2}),
    "one": kit.clue("scene", "One person is visible throughout (counted by the face).", (0.0, 12.0), data={"people": 1}),
    "shot": kit.clue("scene", "The person is shown in a close-up in one continuous shot with a still camera (the face fills 52% of the picture height).", (0.0, 12.0)),
    "dark": kit.clue("scene", "The picture is dark (mean brightness 12 %).", (0.0, 12.0)),
    "cuts": kit.clue("scene", "The shot changes 2 times (at 3.2, 8.1 s).", (3.2, 8.1)),
    "hand": kit.clue("scene", "A hand is near the face of the person at 4.6-8.6 s, held under the chin.", (4.6, 8.6)),
    "handup": kit.clue("scene", "The person raises a hand above the shoulders at 9.0-9.4 s.", (9.0, 9.4)),
    "shoulders": kit.clue("scene", "The person's shoulders rise at 0.8-1.6 s (by 0.24 face heights).", (0.8, 1.6)),
    "forward": kit.clue("scene", "The person clearly leans forward at 1.4-2.2 s (the face becomes 25% larger in the picture).", (1.4, 2.2)),
    "rate": kit.clue("audio", "The person speaks at a moderate rate (4.0 syllables per second) at 0.5-11.5 s and pauses 3 times (2.4 s in all).", (0.5, 11.5)),
    "pause": kit.clue("audio", "The person makes a long pause of 1.1 s at 4.0-5.1 s.", (4.0, 5.1), data={"pause_s": 1.1}),
    "flat": kit.clue("audio", "The intonation is flat (pitch range 1.8 semitones, median 190 Hz) at 5.1-7.9 s.", (5.1, 7.9)),
    "end1": kit.clue("audio", "The person speaks with falling intonation at the end of the utterance, at 3.6-3.9 s (-3.0 semitones in 0.3 s).", (3.6, 3.9)),
    "end2": kit.clue("audio", "The person speaks with falling intonation at the end of the utterance, at 7.6-7.9 s (-6.4 semitones in 0.3 s).", (7.6, 7.9)),
    "louder": kit.clue("audio", "The voice is louder at 8.2-9.4 s (+6.0 dB against the speaker's other speech in the clip).", (8.2, 9.4)),
    "tense": kit.clue("audio", "The voice sounds tense and sharp at 8.2-9.4 s (alpha ratio +4.3 dB against the speaker's other speech in the clip).", (8.2, 9.4)),
    "said": kit.clue("text", 'The person says: "I did not expect that at all".', (8.2, 9.6)),
    "doubt": kit.clue("text", 'The person may be saying: "over the bridge" (low recognition confidence).', (6.0, 7.0), 0.2),
    "left1": face("Person 1 (on the left) smiles clearly at 1.0-3.0 s, most at 2.0 s (AU12, intensity C).", (1.0, 3.0), "C"),
    "right2": face("Person 2 (on the right) furrows the brows slightly at 2.0-4.0 s, most at 3.0 s (AU4, intensity B).", (2.0, 4.0), "B", person="person 2"),
}  # fmt: skip


def finding(block: Block, text: str, keys: str) -> Finding:
    cited = [CLUES[key] for key in keys.split()]
    sentence = Sentence(block=block, text=text, clue_ids=tuple(clue.id for clue in cited))
    alone = {"left1", "right2", "social", "one"} - {*keys.split()}
    clip = tuple(clue for key, clue in CLUES.items() if key not in alone)
    return verify(Explanation(sentences=(sentence,)), clip, DURATION).sentences[0]


CARRIED: list[tuple[Block, str, str]] = [
    ("video", "A faint smile shows about one and a half seconds in.", "smile"),
    ("video", "In the opening two seconds a slight smile appears.", "smile"),
    ("video", "The corners of her mouth turn up a little between 1 and 2 s.", "smile"),
    ("video", "Her smile leaves the eyes out.", "social"),
    ("video", "She smiles with the mouth only.", "social"),
    ("video", "The second smile is clearer than the first and lasts longer.", "smile smile2"),
    ("video", "Of the two smiles, the second is the longer one.", "smile smile2"),
    ("video", "She smiles two times, once early on and once towards the end.", "smile smile2"),
    ("video", "From 3 s on the brows are pulled together.", "frown"),
    ("video", "Her forehead is clearly furrowed for about two seconds.", "frown"),
    ("video", "The brows go up strongly halfway through.", "brows"),
    ("video", "Halfway through the clip the eyebrows shoot up while the eyes widen.", "brows wide"),
    ("video", "Around the six-and-a-half-second mark the mouth hangs wide open.", "jaw"),
    ("video", "Around 6.5 s her jaw drops, with no sign of talking.", "jaw"),
    ("video", "First the brows are knitted, afterwards the eyebrows rise.", "frown brows"),
    ("video", "She shuts her eyes for one and a half seconds near the end.", "closed"),
    ("video", "She glances off to her left for a moment.", "left"),
    ("video", "The gaze drops at about 2.5 s.", "down"),
    ("video", "She turns away to the right for an instant, by about 35 degrees.", "away"),
    ("video", "At the very beginning she cocks her head to the left.", "tilt"),
    ("video", "The clip ends with a shake of the head.", "shake"),
    ("video", "In the last second or so, the head shakes.", "shake"),
    ("video", "For about two thirds of the time she faces the camera.", "camera"),
    ("video", "Two faces are in view.", "two"),
    ("video", "Only one person can be seen.", "one"),
    ("video", "The framing is a close-up, taken with a fixed camera in a single take.", "shot"),
    ("video", "The face takes up roughly half of the picture height.", "shot"),
    ("video", "It is a dark picture.", "dark"),
    ("video", "There are two cuts, at 3.2 s and at 8.1 s.", "cuts"),
    ("video", "The chin rests on a hand for four seconds.", "hand"),
    ("video", "Her shoulders lift near the start.", "shoulders"),
    ("video", "She bends forward, clearly, between 1.4 and 2.2 s.", "forward"),
    ("video", "The one on the left smiles clearly while the one on the right frowns slightly.", "left1 right2"),
    ("video", "Person 1 smiles; person 2, on the right, draws the brows together slightly.", "left1 right2"),
    ("audio", "She talks neither fast nor slowly and falls silent three times.", "rate"),
    ("audio", "The three pauses add up to 2.4 s.", "rate"),
    ("audio", "There is a silence of more than a second midway.", "pause"),
    ("audio", "A lengthy pause begins at 4.0 s.", "pause"),
    ("audio", "The pitch hardly varies from 5.1 s to 7.9 s.", "flat"),
    ("audio", "Both utterances end on a falling pitch, the second more steeply.", "end1 end2"),
    ("audio", "The voice rises in volume by about 6 dB in the second half.", "louder"),
    ("audio", "Her voice gets louder and takes on a tense, sharp tone.", "louder tense"),
    ("text", 'She is heard saying "I did not expect that at all".', "said"),
    ("text", 'The words might be "over the bridge", but the recogniser is unsure.', "doubt"),
    ("therefore", "The widened eyes and the dropped jaw point towards surprise.", "wide jaw"),
    ("therefore", "The lifted brows might suggest surprise, though it is hard to tell.", "brows wide"),
    ("therefore", "A smile without the eyes could just be a polite one.", "social"),
    ("therefore", "The knitted brows hint at anger, or simply at concentration.", "frown"),
    ("therefore", "This is consistent with happiness rather than sadness, going by the smiles.", "smile smile2"),
    ("therefore", "A furrowed brow alone does not settle the emotion.", "frown"),
    ("video", "一开始嘴角略微上扬。", "smile"),
    ("video", "她笑了两次，第二次更明显。", "smile smile2"),
    ("video", "大约在4.2秒处眉头皱得最紧。", "frown"),
    ("video", "中途她高高挑起眉毛，眼睛也睁大了。", "brows wide"),
    ("video", "她先皱眉，后来扬起眉毛。", "frown brows"),
    ("video", "接近结尾时她闭了一会儿眼睛。", "closed"),
    ("video", "她朝左边瞥了一眼。", "left"),
    ("video", "片尾她摇了摇头。", "shake"),
    ("video", "她有将近七成的时间面朝镜头。", "camera"),
    ("video", "画面里有两个人。", "two"),
    ("video", "画面昏暗。", "dark"),
    ("video", "镜头一共切换了两次。", "cuts"),
    ("video", "左边的人明显在笑，右边的人略微皱眉。", "left1 right2"),
    ("audio", "她说话不快不慢，其间停顿了三次。", "rate"),
    ("audio", "4秒到5.1秒之间停顿较长。", "pause"),
    ("audio", "5.1到7.9秒，语调平直。", "flat"),
    ("audio", "后半段音量变大，嗓音也变得尖锐。", "louder tense"),
    ("text", "字幕写着“I did not expect that at all”。", "said"),
    ("therefore", "睁大的眼睛和张大的嘴可能表示惊讶。", "wide jaw"),
    ("therefore", "她的笑容或许只是出于礼貌。", "social"),
    ("therefore", "仅凭皱眉还难以判断是什么情绪。", "frown"),
]  # fmt: skip

DENIED: list[tuple[Block, str, str]] = [
    ("video", "In the closing two seconds a slight smile appears.", "smile"),
    ("video", "She breaks into a strong smile at 1.5 s.", "smile"),
    ("video", "The first smile is the longer one.", "smile smile2"),
    ("video", "The second smile is weaker than the first.", "smile smile2"),
    ("video", "She smiles just once.", "smile"),
    ("video", "The only smile is a slight one at 1.0-2.0 s.", "smile"),
    ("video", "The last smile is slight.", "smile"),
    ("video", "She smiles with the eyes narrowing.", "social"),
    ("video", "From 1 s on the brows are pulled together.", "frown"),
    ("video", "The brows are knitted for four seconds.", "frown"),
    ("video", "First the brows rise, afterwards they are knitted.", "frown brows"),
    ("video", "Her eyes are shut for 10.5 s.", "closed"),
    ("video", "She glances off to her right.", "left"),
    ("video", "The head turns away to the left.", "away"),
    ("video", "The gaze drops from time to time.", "down"),
    ("video", "For about one third of the time she faces the camera.", "camera"),
    ("video", "At most two people are in view.", "two"),
    ("video", "There are three cuts.", "cuts"),
    ("video", "A hand is in front of the mouth.", "hand"),
    ("video", "The one on the right smiles clearly.", "left1 right2"),
    ("video", "She has yet to smile.", "smile"),
    ("video", "She is about to smile.", "smile"),
    ("video", "She has to smile.", "smile"),
    ("video", "She keeps from smiling.", "smile"),
    ("audio", "She pauses 3 times, for 1.1 s each.", "rate pause"),
    ("audio", "A lengthy pause begins at 5.0 s.", "pause"),
    ("audio", "The first utterance falls more steeply than the second.", "end1 end2"),
    ("audio", "Both endings rise.", "end1 end2"),
    ("audio", "Each pause lasts longer than a second.", "rate"),
    ("text", 'She certainly says "over the bridge".', "doubt"),
    ("therefore", "She is without doubt surprised.", "wide jaw"),
    ("therefore", "No clear emotion can be made out.", "smile smile2"),
    ("therefore", "The smile hints at contempt for the viewer.", "smile"),
    ("video", "她时不时微笑。", "smile"),
    ("video", "她只笑过一次。", "smile"),
    ("video", "第一次笑得更久。", "smile smile2"),
    ("video", "她朝右边瞥了一眼。", "left"),
    ("video", "她先扬眉，后来皱眉。", "frown brows"),
    ("video", "她有三成时间面朝镜头。", "camera"),
    ("audio", "她停顿了三次，每次1.1秒。", "rate pause"),
    ("therefore", "毫无疑问，她很惊讶。", "wide jaw"),
]  # fmt: skip


@pytest.mark.parametrize(("block", "text", "keys"), CARRIED)
def test_a_fact_in_other_words_stands_as_written(block: Block, text: str, keys: str) -> None:
    found = finding(block, text, keys)
    assert (found.outcome, found.why) == ("kept", "its clues carry it")


@pytest.mark.parametrize(("block", "text", "keys"), DENIED)
def test_what_is_not_so_never_stands(block: Block, text: str, keys: str) -> None:
    assert finding(block, text, keys).outcome != "kept"
