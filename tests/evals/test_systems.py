"""Systems under test: floors, stored answers, a reasoner on human clues, the agent on clips."""

from __future__ import annotations

from pathlib import Path

import pytest

from emer.agents.rules.reasoner import Rules
from emer.evals.data.datasets import read_set
from emer.evals.data.locations import DataFolder
from emer.evals.data.types import Dataset, Described, Gold, Sample
from emer.evals.systems.agent import agent
from emer.evals.systems.baselines import CONSTANTS, floors, read_stored
from emer.evals.systems.oracle import OnHumanClues, clues_of
from emer.evals.systems.registry import Setup, named, on_human_clues
from emer.tools.errors import ClipError, ConfigError
from emer.tools.testing.fakes import FakeTool
from tests.fixtures.clips import silent_clip
from tests.fixtures.evals import datasets, plain_reasoner

PLAIN = plain_reasoner.Plain()
GOLDS = {f"c{n}": Gold(labels=("joy", "Rage")[: 1 + n % 2]) for n in range(40)}
SMILE = Described(language="en", masked=True, visual="She smiles. A smile!",
                  acoustic="Her voice smiles. It is loud.", subtitle="Do smile.")  # fmt: skip
SAMPLE = Sample(name="a", described=(SMILE,))


def test_floors_look_at_nothing_and_are_drawn_by_a_seed() -> None:
    made = floors(GOLDS)
    assert all(system.card.input == "nothing" for system in made)
    names = [system.card.name for system in made]
    assert len(set(names)) == len(names) == len(CONSTANTS) + 3
    for system in made:
        again = next(s for s in floors(GOLDS) if s.card == system.card)
        answers = [system.answer(Sample(name=name)) for name in GOLDS]
        assert answers == [again.answer(Sample(name=name)) for name in reversed(GOLDS)][::-1]


def test_common_labels_are_drawn_more_often() -> None:
    drawn = next(s for s in floors(GOLDS) if s.card.name.startswith("random: 3"))
    first = [drawn.answer(Sample(name=name)).labels[0] for name in GOLDS]
    assert first.count("joy") > first.count("rage") > 0
    assert set(drawn.answer(Sample(name="x")).labels) == {"joy", "rage"}


def test_another_clips_answer_is_never_ones_own() -> None:
    golds = {name: Gold(labels=(name,)) for name in "abc"}
    other = next(s for s in floors(golds) if "another" in s.card.name)
    assert all(other.answer(Sample(name=name)).labels != (name,) for name in golds)


def test_stored_answers_and_those_that_are_missing(tmp_path: Path) -> None:
    stored = read_stored(datasets.write_labels(tmp_path / "x.csv", [("joy",)], ["a"]))
    assert stored.card.name == "x"
    assert stored.answer(Sample(name="a")).labels == ("joy",)
    missing = stored.answer(Sample(name="b"))
    assert (missing.labels, missing.failed) == ((), "no stored answer")


def test_labels_are_read_from_texts_that_come_without(tmp_path: Path) -> None:
    path = datasets.write_csv(tmp_path / "v.csv", [("names", "chi_reasons"), ("a", "他很高兴。")])
    assert read_stored(path, text_only=True).answer(Sample(name="a")).labels == ("happy",)


def test_each_human_sentence_is_a_clue_without_time_or_invented_quality() -> None:
    clues = clues_of(SMILE)
    assert [(c.modality, c.text) for c in clues] == [
        ("face", "She smiles."), ("face", "A smile!"), ("audio", "Her voice smiles."),
        ("audio", "It is loud."), ("text", 'The subtitle reads: "Do smile."'),
    ]  # fmt: skip
    assert all(c.span is None and c.confidence is None and c.quality.score == 1 for c in clues)


def test_a_reasoner_is_given_the_parts_it_is_asked_about() -> None:
    whole, seen = (OnHumanClues(PLAIN, parts=p) for p in (("visual", "acoustic"), ("visual",)))
    assert len(whole.answer(SAMPLE).clues) == 4
    found = seen.answer(SAMPLE)
    assert {c.modality for c in found.clues} == {"face"}
    assert {m.modality for m in found.explanation.missing} == set()  # type: ignore[union-attr]
    assert found.first == ("joy", pytest.approx(2 / 3))
    assert found.cost.tool_calls == 1


def test_stepwise_it_stops_when_it_is_sure() -> None:
    found = OnHumanClues(PLAIN, stepwise=True).answer(SAMPLE)
    assert found.cost.rounds == 2  # three smiles are enough, the subtitle is not looked at
    assert {c.modality for c in found.clues} == {"face", "audio"}
    unsure = Sample(name="b", described=(SMILE.model_copy(update={"visual": "", "acoustic": "."}),))
    assert OnHumanClues(PLAIN, stepwise=True).answer(unsure).cost.rounds == 3


def test_the_form_of_the_clues_is_never_taken_for_another() -> None:
    with pytest.raises(ConfigError, match="a has no en human description"):
        OnHumanClues(PLAIN, masked=False).answer(SAMPLE)
    assert OnHumanClues(PLAIN).card.input == "human clues, masked"
    assert OnHumanClues(PLAIN, masked=False).card.input == "human clues"
    only = OnHumanClues(PLAIN, parts=("subtitle",), masked=False)
    assert only.card.input == "subtitle"
    assert only.answer(Sample(name="a", subtitle="I am so happy: a smile!")).labels == ("joy",)


def test_what_does_not_hold_is_struck_and_counted() -> None:
    class Liar(plain_reasoner.Plain):
        def explain(self, *args, **named):  # type: ignore[no-untyped-def]
            true = super().explain(*args, **named)
            lie = true.sentences[0].model_copy(update={"text": "In the video, the person nods."})
            return true.model_copy(update={"sentences": (*true.sentences, lie)})

    found = OnHumanClues(Liar(), parts=("visual",)).answer(SAMPLE)
    assert found.explanation is not None
    assert [s.text for s in found.explanation.sentences] == ["She smiles.", "A smile!"]
    assert found.draft is not None
    assert found.draft.unsupported == 1


def test_the_rules_reasoner_never_sees_a_label(shared: Path) -> None:
    dataset = read_set(DataFolder(shared / "data" / "emer"))
    sample = dataset.samples[0]
    assert set(type(sample).model_fields) == {"name", "clip", "subtitle", "described"}
    found = OnHumanClues(Rules(), masked=False).answer(sample)
    assert found.labels
    assert found.explanation is not None
    cited = {i for label in found.explanation.labels for i in label.clue_ids}
    assert cited <= {clue.id for clue in found.clues}


class Smiles(FakeTool):
    """Sees a smile."""

    def __init__(self) -> None:
        lines = [("The person smiles clearly.", 0.0, 0.1), ("The person laughs.", 0.1, 0.2)]
        super().__init__("smiles", "face", lines)


class Laughs(FakeTool):
    """Hears laughter."""

    def __init__(self) -> None:
        super().__init__("laughs", "audio", [("Laughter-like bursts are heard.", 0.0, 0.2)])


TOOLS = {"face": f"{__name__}:Smiles", "prosody": f"{__name__}:Laughs", "scene": "none",
         "speech": "none", "ocr": "none"}  # fmt: skip


def test_the_agent_explains_a_clip_and_says_what_it_cost(tmp_path: Path) -> None:
    sample = Sample(name="a", clip=silent_clip(tmp_path / "a.mkv"))
    system = agent(tmp_path / "home", tools=TOOLS)
    found = system.answer(sample)
    assert found.labels
    assert found.first is not None
    assert found.first[1] is not None
    assert found.duration == pytest.approx(0.2, abs=0.05)
    assert dict(found.cost.ran) == {"face": 1, "prosody": 1}
    assert found.draft is not None
    again = system.answer(sample)
    assert again.labels == found.labels
    assert again.cost.tool_calls == 0
    assert system.card.provenance["tools.face"] == f"{__name__}:Smiles"


def test_the_agent_on_words_alone_reads_the_subtitle(tmp_path: Path) -> None:
    sample = Sample(name="a", clip=silent_clip(tmp_path / "a.mkv"), subtitle="I am so happy!")
    dataset = Dataset(name="x", samples=(sample,), golds={"a": Gold()})
    system = named("text", Setup(dataset, OnHumanClues(PLAIN), tmp_path))
    assert system.card.input == "subtitle"
    found = system.answer(sample)
    assert {c.modality for c in found.clues} == {"text"}
    assert '"I am so happy!"' in found.clues[0].text


def test_without_a_media_file_there_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="a: no media file; name their folder with --clips"):
        agent(tmp_path).answer(Sample(name="a"))


def test_systems_are_named_on_the_command_line(tmp_path: Path) -> None:
    dataset = read_set(DataFolder(datasets.write_folder(tmp_path)))
    filmed = dataset.samples[0].model_copy(update={"clip": tmp_path / "a.mkv"})
    dataset = dataset.model_copy(update={"samples": (filmed, *dataset.samples[1:])})
    scene = Setup(dataset, OnHumanClues(PLAIN), tmp_path)
    file = tmp_path / "predictions" / "good.csv"
    for spec, name in {
        "agent": "agent", "text": "agent, words only", "oracle:full/zh": "plain/full/zh",
        "oracle:masked/visual+acoustic/stepwise": "plain/masked/visual+acoustic/stepwise",
        "constant:sad, low": "constant: sad, low", "random": "random: 3 labels", str(file): "good",
    }.items():  # fmt: skip
        assert named(spec, scene).card.name == name
    for wrong in ("nobody", "constant", "chat:", "agent.txt"):
        with pytest.raises(ConfigError, match="no system is called"):
            named(wrong, scene)
    with pytest.raises(ConfigError, match="'smell' is not understood"):
        on_human_clues(OnHumanClues(PLAIN), "masked/smell")
