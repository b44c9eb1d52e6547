"""What is said of a model's classes of a face over time, and read of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from emer.agents.lexicon.cue_parser import mentions_in
from emer.tools.expression.sentences import (
    FaceCrop,
    averaged,
    classes,
    quality_of,
    why_no_class,
)
from emer.tools.face.tracker import SIDE, Crop

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
BLANK = np.zeros((SIDE, SIDE), np.uint8)


def row(label: str, share: float) -> tuple[float, ...]:
    rest = (1 - share) / (len(LABELS) - 1)
    return tuple(share if name == label else rest for name in LABELS)


def frames(times: Sequence[float], **facts: float) -> list[FaceCrop]:
    fields = {"face_px": 200.0, "yaw": 0.0, "pitch": 0.0, "sure": 1.0, **facts}
    return [
        FaceCrop(Crop(t, BLANK, facts.get("sharpness", 0.6)), *list(fields.values())[:4])
        for t in times
    ]


def findings(*spells: tuple[str, float, int], whose: tuple[str, str] = ("The person's face", "")):
    found = [row(label, share) for label, share, count in spells for _ in range(count)]
    times = np.arange(len(found)) / 4
    return list(classes(whose, frames(times.tolist()), found, LABELS))


def test_a_class_is_told_as_a_model_s_with_its_probability_and_frames():
    (found,) = findings(("happy", 0.81, 9), whose=("Person 2's face", " (on the left)"))
    assert found.text == (
        "Person 2's face (on the left) is classified as happy (probability 0.81, mean of 9 "
        "frames, among 7 classes of a model) at 0.0-2.0 s."
    )
    assert found.probability == 0.81 and (found.start, found.end) == (0.0, 2.0)
    assert found.data["class"] == "happy" and found.data["frames"] == 9


def test_a_change_of_class_is_told_where_it_is():
    happy, sad = findings(("happy", 0.9, 12), ("sad", 0.7, 10))
    assert (happy.data["class"], sad.data["class"]) == ("happy", "sad")
    assert happy.end == pytest.approx(2.75, abs=0.3) and sad.start == pytest.approx(3.0, abs=0.3)


def test_one_frame_of_another_class_changes_nothing():
    (only,) = findings(("happy", 0.9, 8), ("angry", 0.6, 1), ("happy", 0.9, 8))
    assert only.data["class"] == "happy" and (only.start, only.end) == (0.0, 4.0)


def test_neutral_near_chance_and_too_brief_are_told_as_nothing():
    assert findings(("neutral", 0.95, 12)) == []
    assert findings(("sad", 0.35, 12)) == [] and len(findings(("sad", 0.45, 12))) == 1
    assert findings(("sad", 0.9, 2)) == []
    assert list(classes(("The person's face", ""), [], [], LABELS)) == []


def test_a_face_out_of_sight_ends_the_span():
    times = [0.0, 0.25, 0.5, 0.75, 3.0, 3.25, 3.5, 3.75]
    found = [row("happy", 0.8)] * len(times)
    spans = [(s.start, s.end) for s in classes(("A face", ""), frames(times), found, LABELS)]
    assert spans == [(0.0, 0.75), (3.0, 3.75)]


def test_the_average_is_over_what_is_near():
    found = averaged(np.array([0.0, 0.4, 5.0]), np.array([[1.0], [0.0], [0.25]]))
    assert found[:, 0] == pytest.approx([0.5, 0.5, 0.25])


LEAST = "a class is told from 3 pictures on"


def why(*people: Sequence[tuple[str, float]], apart: float = 0.25) -> str:
    """Return why nothing is told of people who are each seen in such frames."""
    seen = [
        (frames([apart * k for k in range(len(own))]), [row(*each) for each in own])
        for own in people
    ]
    assert not any(list(classes(("A face", ""), *each, LABELS)) for each in seen)
    return why_no_class(seen, LABELS)


def test_why_nothing_is_told():
    assert why([("fear", 0.3)] * 3) == (
        "the model gives no face a clear class of emotion (most: afraid, 0.30 of 7 classes)"
    )
    assert "(most: neutral, 0.90 of 7 classes)" in why([("neutral", 0.9)] * 9)
    assert "turned away" in why([]) and "turned away" in why()


def test_a_face_that_is_seen_in_too_few_pictures_is_not_called_unclear():
    """The model may be as sure as it likes of two: it is we who tell nothing of them."""
    few = "no face is seen well in more than 2 of the pictures looked at; " + LEAST
    assert why([("happy", 0.95)] * 2) == few
    assert why([("happy", 0.95)] * 2, [("sad", 0.2)]) == few


def test_a_class_that_does_not_last_is_not_called_unclear():
    brief = [("happy", 0.9)] * 2 + [("neutral", 0.9)] * 8
    assert why(brief) == "no class of emotion lasts long enough (longest: happy); " + LEAST
    assert "(longest: sad)" in why([("sad", 0.9)] * 4, apart=1.5)
    assert "(longest: happy)" in why([("happy", 0.95)] * 2, [("sad", 0.2)] * 3)


def test_a_class_that_is_clear_in_faces_hardly_seen_is_not_called_unclear():
    seen = [(frames([0.0, 0.25, 0.5]), [row("happy", 0.9)] * 3)]
    assert why_no_class(seen, LABELS).startswith("every face is seen too poorly (small, blurred")


@pytest.mark.parametrize(
    ("worse", "factor"),
    [({"face_px": 40.0}, "face_px"), ({"yaw": 40.0}, "yaw_deg"), ({"pitch": 50.0}, "pitch_deg"),
     ({"sure": 0.4}, "landmarks_sure"), ({"sharpness": 0.1}, "sharpness")],
)  # fmt: skip
def test_what_makes_a_face_hard_to_see_lowers_the_quality(worse, factor):
    good, bad = quality_of(frames([0.0, 0.2])), quality_of(frames([0.0, 0.2], **worse))
    assert good.score > 0.95 and 0.0 < bad.score < 0.8
    assert bad.factors[factor] != good.factors[factor] and bad.factors["frames"] == 2


@pytest.mark.parametrize(
    ("label", "cue"),
    [("angry", "named_angry"), ("disgusted", "named_disgusted"), ("afraid", "named_worried"),
     ("happy", "named_happy"), ("sad", "named_sad"), ("surprised", "named_surprised")],
)  # fmt: skip
def test_the_reasoner_reads_what_is_meant(label, cue):
    text = f"The person's face is classified as {label} (probability 0.81, mean of 9 frames, "
    text += "among 7 classes of a model) at 0.0-2.0 s."
    assert {m.cue for m in mentions_in(text, "visual") if not m.negated} == {cue}
