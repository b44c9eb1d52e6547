"""Movements of a part of the face, body or voice: read by a table, and carried by one cue only."""

# ruff: noqa: RUF001  (full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import json
from pathlib import Path

import pytest

from emer.agents.lexicon.lexicon import lexicon
from emer.agents.lexicon.movements import movement_patterns, part_words, second_verbs
from emer.agents.types import Block, Explanation, Sentence
from emer.agents.verification.verifier import Finding, verify
from emer.evals.data.sentences import read_sentences
from emer.evals.metrics.grounding import result
from emer.tools.types import Clue
from tests.fixtures import clues as kit

DURATION = 10.0
HELD_OUT = sorted(Path(__file__).parents[2].joinpath("evals/data/held_out").glob("*.json"))
CLUES = {
    cue: kit.clue(modality, f"{words} at 2.0-3.0 s.", (2.0, 3.0), person="person 1")
    for cue, modality, words in (
        ("brow_raise", "face", "The person raises the eyebrows clearly"),
        ("inner_brow_raise", "face", "The person raises the inner eyebrows clearly"),
        ("brow_furrow", "face", "The person furrows the brows clearly"),
        ("eyes_wide", "face", "The person opens the eyes wide"),
        ("eyes_narrow", "face", "The person narrows the eyes"),
        ("eyes_closed", "face", "The person closes the eyes"),
        ("smile", "face", "The person smiles clearly"),
        ("mouth_open", "face", "The person opens the mouth"),
        ("jaw_drop", "face", "The person opens the mouth wide"),
        ("lips_pressed", "face", "The person presses the lips together"),
        ("gaze_down", "face", "The person looks down"),
        ("head_up", "face", "The person raises the head"),
        ("head_down", "face", "The person lowers the head"),
        ("shoulders_rise", "scene", "The person's shoulders rise"),
        ("shoulders_drop", "scene", "The person's shoulders drop"),
        ("leans_forward", "scene", "The person clearly leans forward"),
        ("leans_back", "scene", "The person clearly leans back"),
    )
}
VOICE = {
    "high": kit.clue(
        "audio", "The pitch is high for a speaking voice at 1.0-9.0 s, against typical values.",
        (1.0, 9.0),
    ),
    "low": kit.clue("audio", "The pitch falls at 3.0-5.0 s (-2.1 semitones).", (3.0, 5.0)),
    "soft": kit.clue("audio", "The voice is softer at 6.0-7.0 s (-5.0 dB).", (6.0, 7.0)),
    "sharp": kit.clue("audio", "The voice sounds tense and sharp at 1.0-9.0 s.", (1.0, 9.0)),
    "flat": kit.clue("audio", "The intonation is flat at 1.0-9.0 s.", (1.0, 9.0)),
    "pause": kit.clue("audio", "The person makes a long pause of 1.0 s at 0.5-1.5 s.", (0.5, 1.5)),
}  # fmt: skip
IN_WORDS = {
    "brow_raise": ("Her brows lift at 2.0-3.0 s.", "Both eyebrows go up.", "她的双眉抬高。"),
    "inner_brow_raise": ("The inner corners of his brows are drawn up.", "他的眉毛内侧上提。"),
    "brow_furrow": ("Her brows draw together.", "She knits her brows.", "她皱紧眉头。"),
    "eyes_wide": (
        "A widening of the eyes is seen.",
        "His eyes have widened.",
        "他双目圆睁，双眼睁大。",
    ),
    "eyes_narrow": ("Her eyes become narrower.", "She screws up her eyes.", "她的眼睛眯了起来。"),
    "eyes_closed": ("Her eyelids fall shut.", "She squeezes her eyes shut."),
    "smile": ("The corners of her mouth lift.", "She lifts the corners of her mouth."),
    "mouth_open": ("Her lips part.", "She parts her lips.", "她的双唇分开。"),
    "jaw_drop": ("His mouth gapes.", "His jaw drops.", "他大大张开嘴。"),
    "lips_pressed": ("She presses her lips together.", "她双唇紧抿。"),
    "gaze_down": ("Her gaze sinks.", "她的目光垂向下方。"),
    "head_up": ("Her head comes up.", "She lifts her chin.", "她把头抬了起来。"),
    "head_down": ("She bows her head.", "Her head sinks.", "她的头垂了下去。"),
    "shoulders_rise": ("Her shoulders lift.", "A lift of the shoulders is seen."),
    "shoulders_drop": ("Her shoulders sink.", "A drop of the shoulders is seen."),
    "leans_forward": ("She moves closer to the camera.", "Her torso tilts forward."),
    "leans_back": ("She draws back.", "Her upper body moves back."),
}


def finding(
    text: str, clues: tuple[Clue, ...], block: Block = "video", more: tuple[Clue, ...] = ()
) -> Finding:
    """What the verifier finds of a sentence that cites some clues, in a clip with more."""
    sentence = Sentence(block=block, text=text, clue_ids=tuple(clue.id for clue in clues))
    explanation = Explanation(sentences=(sentence,))
    return verify(explanation, (*clues, *more), DURATION).sentences[0]


@pytest.mark.parametrize(
    ("cue", "text"), [(cue, text) for cue, texts in IN_WORDS.items() for text in texts]
)
def test_a_movement_is_carried_by_its_own_cue_alone(cue: str, text: str) -> None:
    own = finding(text, (CLUES[cue],))
    assert (own.outcome, own.why) == ("kept", "its clues carry it")
    near = {cue, *lexicon().cues[cue].unless, "jaw_drop", "mouth_open"}
    for other in CLUES.keys() - near:
        if cue not in lexicon().cues[other].unless:
            assert finding(text, (CLUES[other],)).outcome != "kept", other


@pytest.mark.parametrize(
    "text",
    [
        "Her brows do not lift.", "Her brows never lift.", "Her brows fail to lift.",
        "One of her brows lifts.", "His brows lift mockingly.", "The interviewer's brows lift.",
        "Her brows lift at 7.0 s.", "Her brows lift three times.", "Her brows lift and knit.",
        "Her brows lift and her head drops.", "Her brows lift violently.", "她没有抬高双眉。",
    ],
)  # fmt: skip
def test_what_is_added_to_a_movement_is_not_carried(text: str) -> None:
    assert finding(text, (CLUES["brow_raise"],)).outcome != "kept"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A tense, sharp voice is heard.", ("sharp",)),
        ("The voice has a sharp, tense edge.", ("sharp",)),
        ("High and tense, her voice is heard.", ("high", "sharp")),
        ("The pitch stays high.", ("high",)),
        ("Her voice grows quieter at 6.0-7.0 s.", ("soft",)),
        ("Her voice softens.", ("soft",)),
        ("The pitch drops at 3.0-5.0 s.", ("low",)),
        ("The voice sounds flat and tense.", ("flat", "sharp")),
        ("嗓音又尖又紧。", ("sharp",)),
        ("语调没有什么起伏。", ("flat",)),
    ],
)
def test_a_voice_in_adjectives_stands_as_written(text: str, names: tuple[str, ...]) -> None:
    found = finding(text, tuple(VOICE[name] for name in names), "audio")
    assert (found.outcome, found.why) == ("kept", "its clues carry it")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("The pitch rises at 1.0-9.0 s.", ("high",)),  # it is high against other voices
        ("A rise in pitch is heard.", ("high",)),
        ("音调升高了。", ("high",)),
        ("A tense, loud voice is heard.", ("sharp",)),
        ("A tense, tearful voice is heard.", ("sharp",)),
        ("The voice has a knife edge.", ("sharp",)),
        ("The voice sounds flat and high.", ("flat",)),
    ],
)
def test_what_a_voice_does_not_show_is_not_carried(text: str, names: tuple[str, ...]) -> None:
    assert finding(text, tuple(VOICE[name] for name in names), "audio").outcome != "kept"


@pytest.mark.parametrize(
    ("text", "cited", "outcome"),
    [
        ("After a long pause, she smiles.", ("pause", "smile"), "kept"),
        ("停顿之后，她在微笑。", ("pause", "smile"), "kept"),
        ("Before a long pause, she smiles.", ("pause", "smile"), "replaced"),
        ("While her voice softens, she smiles.", ("soft", "smile"), "replaced"),
        ("While her voice sounds tense, she smiles.", ("sharp", "smile"), "kept"),
        ("She makes a long pause.", ("pause", "smile"), "replaced"),
        ("After a long pause.", ("pause", "smile"), "replaced"),
        ("After a scream, she smiles.", ("pause", "smile"), "replaced"),
        ("The smile fades at 3.0 s.", ("smile",), "kept"),
        ("The smile fades at 2.0 s.", ("smile",), "replaced"),
        ("A smile emerges at 2.0 s.", ("smile",), "kept"),
        ("A smile emerges at 3.0 s.", ("smile",), "replaced"),
        ("Pressed lips and widely opened eyes are seen.", ("lips_pressed", "eyes_wide"), "kept"),
        ("With her mouth open, she smiles.", ("mouth_open", "smile"), "kept"),
    ],
)
def test_when_something_was(text: str, cited: tuple[str, ...], outcome: str) -> None:
    clues = {**CLUES, **VOICE}
    assert finding(text, tuple(clues[name] for name in cited)).outcome == outcome


def test_the_table_names_cues_and_parts_that_there_are() -> None:
    known = {cue for cue, _ in (p for pairs in movement_patterns().values() for p in pairs)}
    assert len(known & lexicon().cues.keys()) > 30
    assert all(part_words().search(words) for words in ("brows", "mouth", "shoulders", "眉", "头"))
    assert all(cue in lexicon().cues for _, verbs in second_verbs() for cue, _ in verbs)


@pytest.mark.slow
@pytest.mark.parametrize("path", HELD_OUT, ids=[path.stem for path in HELD_OUT])
def test_no_false_sentence_that_was_kept_back_passes(path: Path) -> None:
    file = read_sentences(path)
    assert json.loads(path.read_text(encoding="utf-8"))["provenance"]
    for judged in file.sentences:
        if judged.verdict == "reject":
            words = (judged.block, judged.text, judged.clue_ids)
            found = result(
                Sentence(block=words[0], text=words[1], clue_ids=words[2]),
                file.clues,
                file.duration,
            )
            assert found.outcome != "kept", judged.text
