"""The captioner on tiny folders in transformers' own formats: real loading, known answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from emer.graphs.components import load_tools
from emer.graphs.settings import Choice, load_settings
from emer.tools.caption.captioner import Captioner, has_chat
from emer.tools.errors import ConfigError, ToolMissing, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.runtime.cancellation import Call, Cancelled, in_call
from emer.tools.runtime.model_pool import POOL
from emer.tools.testing.conformance import check_tool
from emer.tools.tool import Answering, Heavy, card
from emer.tools.types import Span
from tests.fixtures.checkpoints.caption import (
    CAPTION,
    FRAME,
    WRITERS,
    room,
    write_blip,
    write_pictures,
    write_smolvlm,
)
from tests.fixtures.packages import needs

pytestmark = [needs("transformers"), pytest.mark.slow]

KINDS = ("blip", "smolvlm", "qwen")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return folders that write `CAPTION`."""
    root = tmp_path_factory.mktemp("known")
    return {kind: write(root / kind) for kind, write in WRITERS.items()}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clip of two shots, 4 s."""
    pictures = [room(1 if n < 20 else 9) for n in range(40)]
    return write_pictures(tmp_path_factory.mktemp("clip") / "clip.mp4", pictures)


@pytest.fixture
def clip(path: Path) -> Clip:
    return Clip.open(path)


@pytest.fixture(autouse=True)
def nothing_loaded():
    yield
    POOL.unload()


@pytest.mark.parametrize("kind", KINDS)
def test_each_shot_is_told_as_what_a_model_says_of_a_frame(kind, known, clip):
    tool = Captioner(model=str(known[kind]))
    (clue,) = tool.observe(clip)  # both frames were given the same words
    assert clue.text.startswith("A model describes the frames at ")
    assert clue.text.endswith(f" s: {CAPTION}.") and clue.modality == "scene"
    first, second = clue.data["frames"]
    assert first < 2.0 <= second and (clue.span.start, clue.span.end) == (first, second)
    assert clue.confidence is None, "a model's mean log-probability is no measured probability"
    assert clue.quality.factors["caption_logprob"] == pytest.approx(0.0, abs=0.05)
    assert clue.data["caption"] == CAPTION and clue.source == tool.source


def test_a_description_in_json_becomes_one_sentence(tmp_path, clip):
    folder = write_smolvlm(tmp_path / "json", FRAME)
    (clue,) = Captioner(model=str(folder)).observe(clip)
    assert clue.text.startswith("A model describes the frames at ")
    assert clue.text.endswith(" s: a woman; gaze looks down; hands empty.")


@pytest.mark.parametrize("kind", KINDS)
def test_chance_never_becomes_a_clue(kind, tmp_path, clip):
    folder = WRITERS[kind](tmp_path / kind, None)
    with pytest.raises(Unobservable, match=r"captions cannot be used: (it guesses|its words go)"):
        Captioner(model=str(folder)).observe(clip)


def test_a_model_that_half_doubts_is_told_as_unsure(tmp_path, clip):
    folder = write_smolvlm(tmp_path / "unsure", scale=3.0)
    (clue,) = Captioner(model=str(folder)).observe(clip)
    assert ", unsurely: " in clue.text and clue.quality.score <= 0.2
    assert -2.3 < clue.quality.factors["caption_logprob"] < -1.1


@pytest.mark.parametrize("kind", ["smolvlm", "qwen"])
def test_a_question_about_a_span_is_answered_in_one_clue(kind, known, clip):
    tool = Captioner(model=str(known[kind]))
    assert isinstance(tool, Answering) and card(tool).answers
    (clue,) = tool.answer(clip, Span(start=1.0, end=3.0), 'what is "in" her hands?')
    assert clue.text == (
        f"Asked \"what is 'in' her hands?\", a model answers for 1.0-3.0 s: {CAPTION}."
    )
    assert clue.data["question"] == 'what is "in" her hands?' and len(clue.data["frames"]) <= 4
    assert (clue.span.start, clue.span.end) == (1.0, 3.0)


def test_an_answer_that_it_cannot_be_seen_is_no_clue(tmp_path, clip):
    folder = write_smolvlm(tmp_path / "blind", "it cannot be seen")
    with pytest.raises(Unobservable, match='asked "is she tall\\?", the model says that it cannot'):
        Captioner(model=str(folder)).answer(clip, Span(start=0, end=2), "is she tall?")


def test_blip_describes_and_answers_nothing(known, clip):
    tool = Captioner(model=str(known["blip"]))
    assert not tool.answers and not card(tool).answers and not has_chat(known["blip"])
    with pytest.raises(Unobservable, match="describes and answers no questions"):
        tool.answer(clip, Span(start=0, end=1), "who is it?")


def test_what_is_felt_is_told_as_a_look_and_kept_in_the_data(tmp_path, clip):
    folder = write_smolvlm(tmp_path / "sad", "she is sad")
    (clue,) = Captioner(model=str(folder)).observe(clip)
    assert clue.text.endswith(": she is sad-looking.") and clue.data["inferred"] == ["sad"]


@pytest.mark.parametrize("kind", ["blip", "smolvlm"])
def test_it_keeps_the_contract(kind, known, clip):
    def make() -> Captioner:
        return Captioner(model=str(known[kind]))

    findings = check_tool(make(), clip, again=make)
    assert [f"{f.check}: {f.why}" for f in findings if not f.ok] == []
    assert isinstance(make(), Heavy) and make().hardware["device"] == "cpu"


@pytest.mark.parametrize("kind", ["blip", "smolvlm"])
def test_a_look_that_is_given_up_ends_between_two_tokens(kind, known, clip):
    """Given up at the fifth token, the model writes no further one."""
    tool, call, steps = Captioner(model=str(known[kind])), Call(), []
    tool.load()
    (key,) = POOL.held()

    def count(module, arguments, output):
        steps.append(None)
        if len(steps) == 5:
            call.cancel()

    with POOL.borrow(key, object) as loaded:
        writer = getattr(loaded.model, "text_decoder", loaded.model)
        hook = writer.get_output_embeddings().register_forward_hook(count)
    with in_call(call), pytest.raises(Cancelled):
        tool.observe(clip)
    hook.remove()
    assert len(steps) == 5
    tool.unload()
    assert not POOL.held()


def test_without_weights_it_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ToolMissing, match="emer models pull captioner-"):
        load_tool("captioner")
    assert Captioner().answers is False


@pytest.mark.parametrize(
    "options", [{"most": 0}, {"most_close": 99}, {"mask_subtitles": "yes"}, {"batch": -1}]
)
def test_settings_that_cannot_be_are_refused(options):
    with pytest.raises(ConfigError, match="captioner"):
        Captioner(**options)


def test_compiled_steps_are_no_setting_any_more(known):
    settings = load_settings(profile="embedded", tools={"caption": "captioner"})
    choice = Choice(use="captioner", model=str(known["blip"]), compiled=True)
    tools = {**settings.tools, "caption": choice}
    with pytest.raises(ConfigError, match=r"compiled: Captioner has no such argument; known: "):
        load_tools(settings.model_copy(update={"tools": tools}))


def test_other_weights_are_other_evidence(known, tmp_path):
    one = Captioner(model=str(known["blip"])).source
    other = Captioner(model=str(write_blip(tmp_path / "other", None))).source
    assert one != other and one.params["weights"] != other.params["weights"]
