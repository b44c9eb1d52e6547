"""What is said of a model's classes and ratings, and read of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from emer.agents.lexicon.cue_parser import mentions_in
from emer.tools.errors import ConfigError
from emer.tools.types import Span
from emer.tools.voice import model
from emer.tools.voice.model import Emotions, is_dimensional, read_labels, word_of
from emer.tools.voice.sentences import Stretch, classes, ratings, undecided

LABELS = ("neu", "hap", "ang", "sad")
DIMENSIONS = ("arousal", "dominance", "valence")


def stretch(start: float, end: float) -> Stretch:
    return Stretch(Span(start=start, end=end), end - start)


def findings(*rows: tuple[float, ...]) -> list:
    stretches = [stretch(n * 3, n * 3 + 2) for n in range(len(rows))]
    return list(classes(stretches, [Emotions(LABELS, row) for row in rows]))


def test_a_class_is_told_as_a_model_s_with_its_probability():
    (found,) = findings((0.1, 0.05, 0.81, 0.04))
    classified = "The voice is classified as angry (probability 0.81 among 4 classes of a model)"
    assert found.text == f"{classified} at 0.0-2.0 s."
    assert found.probability == 0.81 and found.data["class"] == "ang"
    assert found.data["p_hap"] == 0.05


def test_stretches_of_one_class_are_told_as_one():
    angry, sad = (0.1, 0.1, 0.7, 0.1), (0.1, 0.1, 0.1, 0.7)
    found = findings(angry, (0.0, 0.0, 0.9, 0.1), sad, angry)
    assert [(f.data["class"], f.span.start, f.span.end) for f in found] == [
        ("ang", 0.0, 5.0), ("sad", 6.0, 8.0), ("ang", 9.0, 11.0),
    ]  # fmt: skip
    assert found[0].probability == pytest.approx(0.8)


def test_a_class_near_chance_is_not_told():
    unclear = (0.3, 0.25, 0.45, 0.0)
    assert findings(unclear) == [] and len(findings((0.2, 0.2, 0.5, 0.1))) == 1
    assert undecided([Emotions(LABELS, unclear)]) == (
        "the model is undecided about the voice (most: angry, 0.45 of 4 classes)"
    )


def test_of_two_classes_one_is_told_from_halfway_to_certain():
    def of_two(first: float) -> list:
        row = Emotions(("angry", "sad"), (first, 1 - first))
        return [f.data["class"] for f in classes([stretch(0, 2)], [row])]

    assert (of_two(0.76), of_two(0.74), of_two(0.2)) == (["angry"], [], ["sad"])


def test_ratings_are_told_where_they_are_high_or_low():
    judged = [Emotions(DIMENSIONS, (0.9, 0.5, 0.2)), Emotions(DIMENSIONS, (0.7, 0.5, 0.4))]
    found = list(ratings([stretch(0, 3), stretch(5, 6)], judged, (0.0, 1.0)))
    assert [f.text for f in found] == [
        "The voice is rated high in arousal (0.85 on a model's scale from 0 to 1) at 0.0-6.0 s.",
        "The voice is rated low in valence (0.25 on a model's scale from 0 to 1) at 0.0-6.0 s.",
    ]
    assert found[0].data == {"arousal": 0.85} and found[0].probability is None
    seven = [Emotions(DIMENSIONS, (4.0, 4.0, 4.0))]
    assert list(ratings([stretch(0, 3)], seven, (1.0, 7.0))) == []


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("The voice is classified as angry (probability 0.81 among 4 classes of a model).",
         {"heard_angry"}),
        ("The voice is classified as afraid (probability 0.81 among 4 classes of a model).",
         {"heard_worried"}),
        ("The voice is classified as neutral (probability 0.81 among 4 classes).", set()),
        ("The voice is rated high in arousal (0.85 on a model's scale from 0 to 1).",
         {"voice_high_arousal"}),
        ("The voice is rated low in arousal (0.15 on a model's scale from 0 to 1).",
         {"voice_low_arousal"}),
        ("The voice is rated high in valence (0.85 on a model's scale from 0 to 1).",
         {"voice_high_valence"}),
        ("The voice is rated low in valence (0.15 on a model's scale from 0 to 1).",
         {"voice_low_valence"}),
        ("The voice is rated high in dominance (0.85 on a model's scale from 0 to 1).", set()),
    ],
)  # fmt: skip
def test_the_reasoner_reads_what_is_meant(text, cues):
    assert {m.cue for m in mentions_in(text, "audio") if not m.negated} == cues


def test_every_word_for_a_class_that_names_an_emotion_is_known_to_the_lexicon():
    from emer.agents.lexicon.lexicon import lexicon

    table = Path(model.__file__).with_name("labels.csv").read_text(encoding="utf-8")
    words = {word_of(line.split(",")[0]) for line in table.splitlines()[1:]}
    known = {word for word in words if lexicon().family_of(word)}
    assert words - known == {"neutral", "frustrated", "pleasantly surprised"}


def test_labels_are_those_of_the_model_s_configuration():
    config = {0: "NEU", 1: " Hap", 2: "surprise_positive"}
    assert read_labels(config, "", "t") == ("neu", "hap", "surprise_positive")
    assert [word_of(label) for label in ("hap", "fear", "surprise_positive")] == [
        "happy", "afraid", "surprise positive",
    ]  # fmt: skip
    assert is_dimensional(DIMENSIONS) and not is_dimensional(LABELS) and not is_dimensional(())


def test_numbered_classes_are_never_guessed():
    config = {0: "LABEL_0", 1: "LABEL_1"}
    with pytest.raises(ConfigError, match=r"names its classes label_0, label_1 .*labels = "):
        read_labels(config, "", "t")
    assert read_labels(config, "angry, Calm", "t") == ("angry", "calm")
    with pytest.raises(ConfigError, match=r"t\.labels: 3 are given, the model has 2"):
        read_labels(config, "a,b,c", "t")
