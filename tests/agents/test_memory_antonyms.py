"""Opposites never come back as neighbours, whatever embeds; what means the same does."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from emer.agents.lexicon.lexicon import lexicon
from emer.agents.memory.embedder import CueEmbedder, Embedder, load_embedder
from emer.agents.memory.memory import Memory
from emer.agents.memory.passages import of_text
from emer.agents.rules.fusion import POLAR
from tests.fixtures.memory_items import (
    ANTONYMS,
    STIRRED_OR_STILL,
    SYNONYMS,
    Blind,
    finds,
    labelled,
    likeness,
    pairs,
    write_sentence_model,
)

SENTENCES = pytest.param("sentences", marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def sentence_model(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    """Return a random sentence model."""
    try:
        folder: Path = write_sentence_model(tmp_path_factory.mktemp("sentences"))
    except ImportError:
        pytest.skip("a sentence model needs emer[local-llm]")
    return load_embedder(f"hf:{folder}", {"least": 0.0})


@pytest.fixture(params=["cues", "blind", SENTENCES])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    """Return the built-in embedder, one that sees no difference, and a random sentence model."""
    if request.param == "sentences":
        return request.getfixturevalue("sentence_model")  # type: ignore[no-any-return]
    return CueEmbedder() if request.param == "cues" else Blind()


def opposite_families() -> list[tuple[str, str]]:
    """Return every ordered pair of a pleasant and an unpleasant family."""
    valence = {name: family.valence for name, family in lexicon().families.items()}
    polar = [name for name in valence if abs(valence[name]) >= POLAR and name != "interested"]
    return [(a, b) for a, b in permutations(polar, 2) if valence[a] * valence[b] < 0]


def test_the_words_of_opposite_families_never_come_back(embedder: Embedder) -> None:
    words = [(label.family, label.name) for label in lexicon().labels]
    items = [labelled(name) for _, name in words]
    family_of = {item.key: family for item, (family, _) in zip(items, words, strict=True)}
    wrong, opposites = [], set(opposite_families())
    memory = Memory(items, embedder)
    for family, name in words:
        back = [match.item.key for match in memory.nearest(of_text(name), len(items))]
        wrong += [(name, key) for key in back if (family, family_of[key]) in opposites]
        assert f"x-{name}" in back
    assert not wrong


def test_antonyms_never_come_back(embedder: Embedder) -> None:
    for one, two in (*pairs(ANTONYMS), *STIRRED_OR_STILL):
        assert finds(one, [labelled(two)], embedder) == [], (one, two)
        assert finds(two, [labelled(one)], embedder) == [], (two, one)


def test_what_is_denied_does_not_come_back(embedder: Embedder) -> None:
    for positive, negative in (
        ("not happy", "happy"),
        ("not surprised", "surprised"),
        ("no longer calm", "calm"),
        ("不高兴", "高兴"),
    ):
        assert finds(positive, [labelled(negative)], embedder) == []
    smiling = labelled("happy", text="The person smiles clearly.")
    assert finds("The person does not smile.", [smiling], embedder) == []


def test_words_nobody_knows_are_not_guessed_about() -> None:
    assert finds("generous", [labelled("greedy")], Blind()) == []
    assert finds("generous", [labelled("generous")], Blind()) == ["x-generous"]


@pytest.mark.slow
@pytest.mark.parametrize("embedder", ["cues", "sentences"], indirect=True)
def test_words_of_one_meaning_do_come_back(embedder: Embedder) -> None:
    for one, two in pairs(SYNONYMS):
        assert finds(one, [labelled(two)], embedder) == [f"x-{two}"], (one, two)


def test_the_built_in_embedding_itself_puts_opposites_on_opposite_sides() -> None:
    cues = CueEmbedder()
    for one, two in pairs(ANTONYMS):
        assert likeness(cues, one, two) < -0.1, (one, two)
    for one, two in opposite_families():
        assert likeness(cues, lexicon().label_of(one), lexicon().label_of(two)) < cues.least, (
            one,
            two,
        )


def test_opposite_displays_lie_on_opposite_sides() -> None:
    cues = CueEmbedder()
    for one, two in (
        ("The person smiles.", "The corners of the mouth turn down."),
        ("The person nods.", "The person shakes the head."),
        ("The person looks up.", "The person looks down."),
        ("The person leans forward.", "The person leans back."),
        ("The person stares at the other.", "The person averts the gaze."),
        ("The voice is louder.", "The voice is softer."),
        ("The pitch is raised.", "The pitch is low."),
        ("The person speaks fast.", "The person speaks slowly."),
    ):
        assert likeness(cues, one, two) < -0.15, (one, two)


def test_what_shares_a_sign_of_the_face_but_points_the_other_way_does_not_come_back(
    embedder: Embedder,
) -> None:
    wide = labelled("terrified", text="A terrified person opens the eyes wide.")
    assert finds("A delighted person opens the eyes wide.", [wide], embedder) == []
    assert finds("A horrified person opens the eyes wide.", [wide], embedder) == [wide.key]


def test_a_clip_that_shows_both_may_be_reminded_of_either(embedder: Embedder) -> None:
    both = "The person smiles. Tears are visible in the eyes."
    items = [labelled("happy", text="The person smiles."), labelled("sad", text="Tears flow.")]
    assert len(finds(both, items, embedder)) == 2
