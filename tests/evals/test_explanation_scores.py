"""What explanations name and whether they rest on it: cues, completeness, faithfulness."""

from __future__ import annotations

from pathlib import Path

import pytest

from emer.agents.types import Decision, Explanation, Inquiry, Label, Sentence
from emer.evals.data.datasets import read_set
from emer.evals.data.locations import DataFolder
from emer.evals.metrics.bootstrap import value
from emer.evals.metrics.cue_overlap import (
    Agreement,
    agree,
    completeness,
    cue_scores,
    cues_in,
    present_in,
)
from emer.evals.metrics.emotion_words import labels_in, language_of
from emer.evals.metrics.faithfulness import Evidence, citations, consistency, corrupt, delete, flip
from emer.evals.systems.oracle import judged
from emer.tools.types import Clue
from tests.fixtures.evals import emotion_wheels
from tests.fixtures.evals import plain_reasoner as kit

PLAIN = kit.Plain()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Her brows are slightly furrowed and she frowns.", {"brow_furrow"}),
        ("The corners of his mouth turn up.", {"smile"}),
        ("There is no smile on her face.", set()),
        ("He speaks quickly, and his voice is loud.", {"speech_fast", "voice_loud"}),
        ("他眉头紧皱,语速较快。", {"brow_furrow", "speech_fast"}),
        ("她没有微笑。", set()),
        ("She sighs and her voice trembles.", {"sigh", "trembling_voice"}),
    ],
)
def test_cues_are_found_in_both_languages_and_denied_ones_are_not(
    text: str, named: set[str]
) -> None:
    assert {cue.name for cue in cues_in(text)} == named


def test_a_quotation_is_a_cue_of_its_own_and_its_words_are_not() -> None:
    found = cues_in('The subtitle says, "Do not smile at me!"')
    assert [(cue.channel, cue.name) for cue in found] == [("textual", "do not smile at me")]


def test_cues_are_found_missed_and_invented() -> None:
    gold = 'She smiles; her tone is rising. It says, "I never said that to you."'
    both = agree(gold, 'She smiles and nods. They say: "I never said that."')
    assert sorted(cue.channel for cue in both.matched) == ["textual", "visual"]
    assert [cue.channel for cue in both.missed] == ["acoustic"]
    assert [cue.channel for cue in both.invented] == ["visual"]
    scores = cue_scores([both, agree(gold, "")])
    assert value(scores.precision, 2) == pytest.approx(2 / 3)
    assert value(scores.recall, 2) == pytest.approx(2 / 6)
    assert value(scores.f, 2) == pytest.approx(4 / 9)


def test_the_two_languages_of_one_human_text_name_much_the_same(shared: Path) -> None:
    dataset = read_set(DataFolder(shared / "data" / "emer"))
    texts = [gold.explanations for gold in dataset.golds.values()]
    for channel in ("visual", "acoustic"):
        pairs = [
            [frozenset(cue for cue in cues_in(t[language]) if cue.channel == channel)
             for language in ("en", "zh")]
            for t in texts
        ]  # fmt: skip
        found = [Agreement(a & b, a - b, b - a) for a, b in pairs]
        assert value(cue_scores(found).f, len(texts)) > 0.75


def test_emotion_words_without_the_denied_ones() -> None:
    assert labels_in("He is not angry; he looks cheerful and a bit worried.") == (
        "happy",
        "worried",
    )
    assert labels_in("他没有生气,看起来很高兴。") == ("happy",)
    assert language_of("字幕内容：“OK”") == "zh"  # noqa: RUF001
    assert language_of("He says 好") == "en"


def test_modalities_are_present_by_block_or_by_what_is_named() -> None:
    smile = kit.clue("She smiles.")
    structured = Explanation(
        sentences=(
            Sentence(block="video", text="She smiles.", clue_ids=(smile.id,)),
            Sentence(block="therefore", text="In the audio she is happy.", clue_ids=(smile.id,)),
        )
    )
    assert present_in(structured) == {"visual"}
    assert completeness("In the video, x. The voice is loud.") == pytest.approx(2 / 3)
    assert completeness("在视频中,他笑。在音频中,语气平。在文本中,“嗯”。") == 1
    assert completeness("") == 0


def test_citations_that_exist_are_counted() -> None:
    smile = kit.clue("She smiles.")
    explanation = Explanation(
        sentences=(Sentence(block="video", text="x", clue_ids=(smile.id, "f00000000")),),
        labels=(Label(name="joy", band="low", clue_ids=(smile.id,)),),
    )
    found = citations(explanation, [smile])
    assert (found.part, found.whole) == (2, 3)


def test_a_label_is_consistent_when_the_text_names_its_class() -> None:
    lexicon = emotion_wheels.small_lexicon()
    words = {"joyful": ("joyful",), "happy": ("happy",)}
    known = {**lexicon.synonyms, "joyful": ("joy",), "happy": ("bliss",)}
    lexicon = type(lexicon)("2026", {**lexicon.forms, **words}, known, lexicon.wheels)
    found = consistency(["joyful", "rage", "nonsense"], "She appears happy.", lexicon)
    assert (found.part, found.whole) == (1, 2)


def test_what_the_verifier_held_is_counted() -> None:
    from emer.agents.verification.verifier import verify

    smile = kit.clue("The person smiles.")
    written = Explanation(
        sentences=(
            Sentence(block="video", text="In the video, the person smiles.", clue_ids=(smile.id,)),
            Sentence(block="video", text="In the video, the person nods.", clue_ids=(smile.id,)),
        )
    )
    draft = judged(verify(written, [smile], 5.0))
    assert (draft.parts, draft.unsupported, draft.contradicted) == (2, 1, 0)


def _label(clues: list[Clue]) -> Label:
    inquiry = Inquiry(question="", clues=tuple(clues), duration=5.0)
    return PLAIN.explain(inquiry, PLAIN.decide(inquiry)).labels[0]


def test_a_claim_falls_without_its_clues_and_not_without_others() -> None:
    clues = [
        kit.clue("She smiles."),
        kit.clue("A wide smile."),
        kit.clue("A hat."),
        kit.clue("A car."),
    ]
    found = delete(Evidence(PLAIN, "", clues, 5.0), _label(clues))
    assert (found.before, found.after, found.others) == (pytest.approx(2 / 3), 0, found.before)


def test_as_many_others_need_be_there() -> None:
    clues = [kit.clue("She smiles."), kit.clue("A wide smile."), kit.clue("A hat.")]
    assert delete(Evidence(PLAIN, "", clues, 5.0), _label(clues)).others is None


def test_evidence_is_dropped_flipped_and_moved() -> None:
    clues = [kit.clue("She smiles.", span=(0.0, 1.0)), kit.clue("A smile again.", span=(0.5, 1.5)),
             kit.clue("The voice is loud.", "audio")]  # fmt: skip
    found = {c.kind: c for c in corrupt(Evidence(PLAIN, "", clues, 6.0), _label(clues))}
    assert set(found) == {"drop", "flip", "shift"}
    assert (found["drop"].after, found["drop"].fits) == (0, True)
    assert (found["flip"].after, found["flip"].fits) == (0, True)
    assert (found["shift"].after, found["shift"].fits) == (found["shift"].before, True)


def test_a_reasoner_that_does_not_mind_fails_the_probe() -> None:
    class Stubborn(kit.Plain):
        def decide(self, inquiry: Inquiry) -> Decision:
            return super().decide(inquiry.model_copy(update={"clues": (kit.clue("smile"),)}))

    clues = [kit.clue("She smiles.")]
    for corruption in corrupt(Evidence(Stubborn(), "", clues, 5.0), _label(clues)):
        assert not corruption.fits


def test_what_cannot_be_spoilt_is_not_counted() -> None:
    clues = [kit.clue("Smile!")]  # no opposite in this form, no span
    assert "shift" not in {c.kind for c in corrupt(Evidence(PLAIN, "", clues, 5.0), _label(clues))}


@pytest.mark.parametrize(
    ("text", "flipped"),
    [
        ("Smiling, he speaks in a loud voice.", "Frowning, he speaks in a soft voice."),
        ("The corners are upturned.", "The corners are downturned."),
        ("嘴角上扬,语速较快", "嘴角下垂,语速较慢"),
        ("A chair.", "A chair."),
    ],
)
def test_words_are_turned_to_their_opposites(text: str, flipped: str) -> None:
    assert flip(text) == flipped
    assert flip(flipped) == text
