"""Typed cues of our own sentences: the same as the parser reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from emer.agents.lexicon.cue_parser import mentions_in, parsed, read
from emer.agents.lexicon.lexicon import Channel, lexicon
from emer.tools.cues import FACS_LETTERS, FILE, cue_names
from emer.tools.face.action_unit_sentences import AMOUNT, EYES, WORDS, smile_details
from emer.tools.face.sentences import CUES as STATES
from emer.tools.prosody import sentences as prosody
from emer.tools.prosody.arousal import Arousal
from emer.tools.scene.gestures import ACTS
from emer.tools.types import Clue, CueMention, Quality, Source, Span
from emer.tools.voice.model import DIMENSIONS, class_cues, word_of

GOLDEN = Path(__file__).parents[1] / "golden" / "data"
AT = "at 1.0-2.0 s"
Stated = set[tuple[str, bool, float]]


def weighed(cues: tuple[CueMention, ...]) -> Stated:
    """The cues that the lexicon knows; others are neutral."""
    return {(c.cue, c.negated, c.strength) for c in cues if c.cue in lexicon().cues}


def reading(text: str, channel: Channel) -> Stated:
    return {(m.cue, m.negated, m.strength) for m in mentions_in(text, channel)}


def test_every_action_unit_s_sentence_states_what_is_read_of_it():
    eyes = (*EYES, None)
    for letter, strength in FACS_LETTERS.items():
        amount = AMOUNT[letter.upper()]
        end = f"{AT}, most at 1.5 s (intensity {letter.upper()}; it happens 3 times in all)."
        for words in WORDS.values():
            for side in ("left", "right"):
                text = f"The person {words.text.format(amount=amount, side=side)} {end}"
                cue = {(words.cue, False, strength)} if words.cue in lexicon().cues else set()
                assert reading(text, "visual") == cue, text
        for closed, look in product((True, False), eyes):
            details, cues = smile_details(closed, look)
            text = f"Person 2 (on the left) smiles {amount}{details} {end}"
            assert reading(text, "visual") == {(c, False, strength) for c in ("smile", *cues)}


STATE_SENTENCES = {
    "mouth moves as in speech": f"may be talking: the mouth moves as in speech {AT} (50%).",
    "mouth open": f"opens the mouth {AT}, most at 1.5 s (AU25/26, no speech-like movement).",
    "mouth wide open": f"opens the mouth wide {AT} (AU25+27, no speech-like movement).",
    "blinks": "blinks 3 times in 8.0 s (at 1.0, 2.0, 3.0 s).",
    "eyes closed": f"closes the eyes {AT} (for 1.0 s, AU43).",
    "one eye shut": f"shuts the left eye alone {AT} (AU46).",
    "eyes narrowed": f"narrows the eyes {AT} (to 60% of their usual opening).",
    "looks towards the camera": "looks towards the camera most of the time (80% of 90 frames).",
    "looks to the left": f"looks to the left {AT} (the person's own left).",
    "turned": (
        "has the head turned to the left most of the time (about 40 degrees from the camera, "
        "the person's own left)."
    ),
    "brows and mouth corners level": "keeps brows and mouth corners where they rest throughout.",
}


@pytest.mark.parametrize(("state", "cue"), STATES.items())
def test_every_state_of_a_face_states_what_is_read_of_it(state: str, cue: str):
    text = STATE_SENTENCES.get(state, f"{state} {AT} (by up to 20 degrees).")
    known = {(cue, False, 1.0)} if cue in lexicon().cues else set()
    assert reading(f"The person {text}", "visual") == known


@pytest.mark.parametrize(("what", "act"), ACTS.items())
def test_every_act_of_the_hands_states_what_is_read_of_it(what: str, act: tuple[Any, ...]):
    known = {(act[0], False, 1.0)} if act[0] in lexicon().cues else set()
    assert reading(f"The person {what} {AT}.", "visual") == known


def prosody_sentences() -> Iterator[prosody.Sentence]:
    """A sentence of every form, by the module's own functions."""
    span = Span(start=1.0, end=2.0)
    for pitch_range, hertz in product((1.0, 4.0, 7.0, 12.0), (60.0, 150.0, 400.0)):
        yield from prosody.intonation(pitch_range, hertz, span, 2.0)
    for score in (-1.2, -0.7, 0.7, 1.2):
        voice = Arousal(score, score, -9.0, 18.0, 240.0)
        yield from (*prosody.aroused(voice, span), *prosody.effort(voice, span))
    phrases, pause = (Span(start=0, end=5.0),), (Span(start=1.0, end=2.0),)
    for rate, pauses in product((2.0, 5.0, 8.0), ((), pause, pause * 2)):
        yield from prosody.pace(prosody.Timing(phrases, pauses, round(rate * 5)), span)
    for pitch, level in product((-3.0, 0.0, 2.5, 5.0), (-7.0, -4.0, 4.0, 7.0)):
        yield from prosody.changes(
            prosody.Shift(span, pitch, level, 5.0, -4.0, 200.0, 180.0, "REST", 0.8, 0.0)
        )
    excursion = [prosody.Excursion(span, 8.0)]
    yield from prosody.accents(excursion, excursion, 200.0)
    for change in (3.0, -3.0):
        yield from prosody.ending(change, span)
    burst = [prosody.Burst(span, 5.0)]
    yield from prosody.bursts(burst, burst, burst)


def test_every_form_of_prosody_states_what_is_read_of_it():
    found = list(prosody_sentences())
    assert {m.cue for each in found for m in each.cues} >= {
        "flat", "intonation_moderate", "varied", "pitch_up", "pitch_down", "tense_sharp", "dull",
        "fast", "slow", "rate_moderate", "pauses", "no_pauses", "long_pause", "pitch_jump", "loud",
        "soft", "breathy", "rising_end", "falling_end", "trembles", "laughter", "sigh",
        "voice_high_arousal", "voice_low_arousal",
    }  # fmt: skip
    for each in found:
        assert each.cues, each.text
        assert weighed(each.cues) == reading(each.text, "audio"), each.text


@pytest.mark.parametrize("label", ["ang", "hap", "exc", "sad", "fea", "dis", "con", "ps", "calm"])
def test_a_class_states_what_is_read_of_its_word(label: str):
    text = f"is classified as {word_of(label)} (probability 0.60 among 7 classes of a model) {AT}."
    heard, seen = class_cues(label, "heard"), class_cues(label, "named")
    assert weighed(heard) == reading(f"The voice {text}", "audio") != set()
    assert weighed(seen) == reading(f"The person's face {text}", "visual") != set()


def test_ratings_state_what_is_read_of_them():
    for name, how in product({*DIMENSIONS.values()}, ("high", "low")):
        text = f"The voice is rated {how} in {name} (0.80 on a model's scale from 0 to 1) {AT}."
        cue = f"voice_{how}_{name}"
        assert cue_names()[cue].channel == "audio"
        assert reading(text, "audio") == ({(cue, False, 1.0)} if name != "dominance" else set())


def clues_of(value: Any) -> Iterator[Clue]:
    """Every clue in a JSON value."""
    if isinstance(value, dict):
        if {"modality", "text", "quality", "source"} <= value.keys():
            yield Clue.model_validate({k: v for k, v in value.items() if k not in ("id", "cites")})
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from clues_of(each)


def test_on_all_golden_clips_both_readings_are_the_same():
    """Those frozen before clues had typed cues hold none: then there is nothing to compare."""
    found = {
        clue.id: clue
        for file in sorted(GOLDEN.glob("*.json"))
        for clue in clues_of(json.loads(file.read_text(encoding="utf-8")))
    }
    assert len(found) > 200
    for clue in found.values():
        letter = str(clue.data.get("intensity", "")).casefold()
        by_letter = FACS_LETTERS.get(letter)
        if clue.cues:
            typed = weighed(clue.cues)
            assert typed == {(m.cue, m.negated, by_letter or m.strength) for m in parsed(clue)}


def test_typed_cues_are_read_before_the_sentence():
    typed = (
        CueMention(cue="nod", strength=0.6),
        CueMention(cue="smile", negated=True),
        CueMention(cue="light"),  # neutral: not weighed
        CueMention(cue="loud"),  # of another channel
    )
    (one,) = read([clue("The head of the figure goes down and up.", cues=typed)])
    assert [(m.cue, m.negated, m.strength) for m in one.mentions] == [
        ("nod", False, 0.6),
        ("smile", True, 1.0),
    ]
    (neutral,) = read([clue("The picture smiles.", cues=(CueMention(cue="light"),))])
    assert neutral.mentions == ()
    (letter,) = read([clue("It moves.", cues=typed[:1], data={"intensity": "D"})])
    assert [m.strength for m in letter.mentions] == [FACS_LETTERS["d"]]


def test_every_weighed_cue_has_names_and_every_name_is_one():
    names = cue_names()
    assert names.keys() >= lexicon().cues.keys()
    assert all(name.english and name.chinese for name in names.values())
    assert len(names) == len(FILE.read_text(encoding="utf-8").splitlines()) - 1
    assert names["smile"] == ("visual", "a smile", "微笑")
    for family in lexicon().families:
        label = lexicon().label_of(family)
        assert names[f"named_{family}"].english == f"an expression described as {label}"
        assert names[f"heard_{family}"].english == f"a tone described as {label}"


def clue(text: str, **fields: Any) -> Clue:
    """A clue of a strange tool."""
    base: dict[str, Any] = {"modality": "face", "span": None, "quality": Quality(score=1.0)}
    return Clue(**{**base, "source": Source(tool="t", version="1"), "text": text, **fields})
