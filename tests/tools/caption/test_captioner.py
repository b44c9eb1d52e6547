"""Captioners on tiny folders in transformers' own formats: real loading, known answers."""

from __future__ import annotations

import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from emer.tools.errors import ConfigError, ToolMissing, Unobservable, WeightsBroken
from emer.tools.media.clip import Clip
from emer.tools.runtime.cancellation import Abandoned, Call, at_work
from emer.tools.runtime.model_pool import SHELF
from emer.tools.testing.conformance import check_tool
from emer.tools.tool import Answering, Heavy, card, load_tool
from emer.tools.types import Span
from emer.tools.weights.locate import find
from tests.clips import Written as WrittenClip
from tests.clips import tone, write_clip

pytest.importorskip("transformers", reason="transformers is not installed")

from emer.tools.caption.caption_filter import MOST_TOKENS, Shown, Written
from emer.tools.caption.captioner import Captioner
from emer.tools.caption.vlm import Run, Writer, has_chat, load_processor
from tests.caption_kit import (
    CAPTION,
    WORDS,
    WRITERS,
    compiled_anew,
    room,
    with_words,
    without_a_compiler,
    write_blip,
    write_pictures,
    write_smolvlm,
)

KINDS = ("blip", "smolvlm", "qwen")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return folders that write `CAPTION`."""
    root = tmp_path_factory.mktemp("known")
    return {kind: write(root / kind) for kind, write in WRITERS.items()}


@pytest.fixture(scope="module")
def chance(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return folders with random weights."""
    root = tmp_path_factory.mktemp("chance")
    return {kind: write(root / kind, None) for kind, write in WRITERS.items()}


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
    SHELF.unload()


@pytest.fixture
def compiling(tmp_path):
    """Have torch compile anew; return what tells of it."""
    with compiled_anew(tmp_path / "inductor") as told:
        yield told


def texts(folder: Path, *shown: Shown, batch: int = 8, compiled: bool = False) -> list[Written]:
    run = Run("cpu", "float32", batch, compiled)
    return Writer(find("captioner", str(folder)), run)(shown)


@contextmanager
def at_each_token(monkeypatch, do):
    """Do something whenever the model has chosen a token."""
    from emer.tools.caption import vlm

    go_on = vlm._go_on

    def noting(tokens, scores, **rest):
        do()
        return go_on(tokens, scores, **rest)

    with monkeypatch.context() as patched:
        patched.setattr(vlm, "_go_on", noting)
        yield


def pictures(*seeds: int, size: tuple[int, int] = (240, 320)) -> list[Shown]:
    return [Shown((room(seed, size),)) for seed in seeds]


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


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_gives_what_each_alone_gives(kind, chance):
    shown = [*pictures(1, 2, 3), *pictures(4, size=(200, 340)), *pictures(5, size=(320, 200))]
    if kind != "blip":
        shown.append(Shown(tuple(p.pictures[0] for p in shown[:3]), "what is in her hands?"))
    together = texts(chance[kind], *shown)
    alone = [texts(chance[kind], one, batch=1)[0] for one in shown]
    assert [w.text for w in together] == [w.text for w in alone]
    for a, b in zip(together, alone, strict=True):
        assert a.logprob == pytest.approx(b.logprob, abs=1e-4)
    assert len({(w.text, round(w.logprob, 6)) for w in together}) > 1, "it looks at the pictures"


@pytest.mark.parametrize("kind", KINDS)
def test_no_more_than_forty_tokens_are_written(kind, tmp_path):
    words = [word for word in WORDS if word.islower() and word != "assistant"]
    (written,) = texts(WRITERS[kind](tmp_path / "endless", " ".join(words)), *pictures(1))
    assert len(words) > MOST_TOKENS
    assert written.unfinished and written.text.split() == words[:MOST_TOKENS]


@pytest.mark.parametrize("kind", KINDS)
def test_chance_never_becomes_a_clue(kind, chance, clip):
    with pytest.raises(Unobservable, match=r"captions cannot be used: (it guesses|its words go)"):
        Captioner(model=str(chance[kind])).observe(clip)


def test_a_model_that_half_doubts_is_told_as_unsure(tmp_path, clip):
    folder = write_smolvlm(tmp_path / "unsure", scale=3.0)
    (clue,) = Captioner(model=str(folder)).observe(clip)
    assert ", unsurely: " in clue.text and clue.quality.score <= 0.2
    assert -2.3 < clue.quality.factors["caption_logprob"] < -1.1


def test_smolvlm2_is_read_without_its_part_for_videos(tmp_path, clip):
    folder = write_smolvlm(tmp_path / "smolvlm2", kind="SmolVLM")
    assert '"smolvlm"' in (folder / "config.json").read_text()
    need = find("captioner", str(folder))
    pictures_of = load_processor("captioner", need, "smolvlm", 40).image_processor
    assert type(pictures_of).__name__ == "SmolVLMImageProcessorPil", "the same on every machine"
    assert CAPTION in Captioner(model=str(folder)).observe(clip)[0].text


@pytest.mark.parametrize("kind", ["smolvlm", "qwen"])
def test_a_question_about_a_span_is_answered_in_one_clue(kind, known, clip):
    tool = Captioner(model=str(known[kind]))
    assert isinstance(tool, Answering) and card(tool).answers
    (clue,) = tool.answer(clip, Span(start=1.0, end=3.0), "what is in her hands?")
    assert clue.text == (
        f'Asked "what is in her hands?", a model answers for 1.0-3.0 s: {CAPTION}.'
    )
    assert clue.data["question"] == "what is in her hands?" and len(clue.data["frames"]) <= 4
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


def test_few_frames_are_shown_and_fewer_in_a_closer_look(known, tmp_path):
    moving = write_pictures(tmp_path / "long.mp4", [room(n // 8) for n in range(240)])
    tool = Captioner(model=str(known["blip"]), most=6, most_close=3)
    chosen, _ = tool._choose(Clip.open(moving), None)
    assert 1 < len(chosen) <= 6
    span = Span(start=4.0, end=9.0)
    close, _ = tool._choose(Clip.open(moving), span)
    assert 1 < len(close) <= 3
    assert all(span.start <= one.time <= span.end for one in close)


def test_burnt_in_words_do_not_reach_the_model(known, tmp_path):
    said = ("You never told me", "What do you mean?", "I had no choice")
    shown = [with_words(room(n // 10), said[n // 10 % 3]) for n in range(30)]
    path = write_pictures(tmp_path / "subtitled.mp4", shown)
    plain = write_pictures(tmp_path / "plain.mp4", [room(n // 10) for n in range(30)])
    tool, off = (Captioner(model=str(known["blip"]), mask_subtitles=m) for m in ("found", "off"))
    masked, band = tool._choose(Clip.open(path), None)
    seen, _ = off._choose(Clip.open(path), None)
    clean, none = tool._choose(Clip.open(plain), None)
    assert band is not None and none is None
    for one, other, wanted in zip(masked, seen, clean, strict=True):
        part = np.s_[band.top : band.bottom, band.left : band.right]
        assert int(other.picture[part].max()) > 235 and int(one.picture[part].max()) < 225
        assert int(wanted.picture.max()) < 235
    (clue,) = tool.observe(Clip.open(path))
    assert clue.data["blanked"] == {"top": band.top, "bottom": band.bottom}
    assert clue.source.params["mask_subtitles"] == "found" and tool.source != off.source
    assert "blanked" not in tool.observe(Clip.open(plain))[0].data


def test_blank_pictures_are_not_described(known, tmp_path):
    tool = Captioner(model=str(known["blip"]))
    black = write_clip(tmp_path / "black.avi", WrittenClip(times=(0, 0.4, 0.8), greys=(9, 9, 9)))
    with pytest.raises(Unobservable, match="no picture that shows anything"):
        tool.observe(Clip.open(black))
    blind = write_clip(tmp_path / "blind.wav", WrittenClip(sound=tone(200, 1.0)))
    with pytest.raises(Unobservable, match="no picture"):
        tool.observe(Clip.open(blind))
    assert not SHELF.held(), "nothing was loaded for it"


@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_the_contract(kind, known, clip):
    def make() -> Captioner:
        return Captioner(model=str(known[kind]))

    findings = check_tool(make(), clip, again=make)
    assert [f"{f.check}: {f.why}" for f in findings if not f.ok] == []
    assert isinstance(make(), Heavy) and make().hardware["device"] == "cpu"


@pytest.mark.parametrize("how", ["cut short", "another format", "no tokenizer"])
def test_a_folder_that_cannot_be_read_is_told_on_one_line(how, tmp_path, clip):
    folder = write_blip(tmp_path / "broken")
    weights = folder / "model.safetensors"
    if how == "cut short":
        weights.write_bytes(weights.read_bytes()[:500])
    elif how == "another format":
        weights.write_bytes(b"not a model")
    else:
        for name in ("tokenizer.json", "vocab.txt"):
            (folder / name).unlink()
    with pytest.raises(WeightsBroken) as error:
        Captioner(model=str(folder)).observe(clip)
    assert str(error.value).startswith(f"captioner cannot load {folder}")
    assert "\n" not in str(error.value) and not SHELF.held()


def test_a_model_that_writes_nothing_of_pictures_is_refused(known, tmp_path, clip):
    folder = shutil.copytree(known["smolvlm"], tmp_path / "bert")
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"idefics3"', '"bert"'))
    with pytest.raises(WeightsBroken, match="bert is no model of transformers that writes"):
        Captioner(model=str(folder)).observe(clip)


def test_weights_that_the_folder_lacks_are_not_filled_with_chance(tmp_path, clip):
    from safetensors.torch import load_file, save_file

    folder = write_smolvlm(tmp_path / "headless")
    weights = load_file(folder / "model.safetensors")
    kept = {name: w for name, w in weights.items() if not name.startswith("lm_head")}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsBroken, match=r"it lacks lm_head\.weight"):
        Captioner(model=str(folder)).observe(clip)


@pytest.mark.parametrize("kind", ["blip", "smolvlm"])
def test_a_look_that_is_given_up_ends_between_two_tokens(kind, known, clip, monkeypatch):
    """Given up at the fifth token, the model writes no further one."""
    tool, call, steps = Captioner(model=str(known[kind])), Call(), []

    def count():
        steps.append(None)
        if len(steps) == 5:
            call.give_up()

    with at_each_token(monkeypatch, count), at_work(call), pytest.raises(Abandoned):
        tool.observe(clip)
    assert len(steps) == 5 < MOST_TOKENS
    tool.unload()
    assert not SHELF.held()


def test_compiled_steps_write_the_same(chance, compiling):
    shown = pictures(1, 2, 3)
    plain, compiled = (texts(chance["smolvlm"], *shown, compiled=how) for how in (False, True))
    assert [w.text for w in compiled] == [w.text for w in plain] and len(compiled) == 3
    for a, b in zip(compiled, plain, strict=True):
        assert a.logprob == pytest.approx(b.logprob, abs=1e-4)
    assert compiling()["unique_graphs"] == 1
    (hand,) = [t for t in threading.enumerate() if t.name == "emer-hand"]
    SHELF.unload()
    hand.join()


def test_steps_that_cannot_be_compiled_go_on_as_they_are(chance, compiling, monkeypatch):
    without_a_compiler(monkeypatch)
    with at_work(Call()) as call:
        found = texts(chance["qwen"], *pictures(1), compiled=True)
    assert found[0].text == texts(chance["qwen"], *pictures(1))[0].text
    (note,) = call.notes
    assert note.startswith("the captioner went on without compiled steps: ")


def test_a_compiled_look_that_is_given_up_ends(known, clip, compiling, monkeypatch):
    tool, call = Captioner(model=str(known["qwen"]), compiled=True), Call()
    with at_each_token(monkeypatch, call.give_up), at_work(call), pytest.raises(Abandoned):
        tool.observe(clip)
    assert tool.observe(clip), "the next look is not given up"


def test_blip_is_not_compiled_and_says_so(chance):
    with at_work(Call()) as call:
        found = texts(chance["blip"], *pictures(1), compiled=True)
    assert [w.text for w in found] == [w.text for w in texts(chance["blip"], *pictures(1))]
    assert "only models that chat" in call.notes[0]


def test_without_weights_it_names_the_command(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ToolMissing, match="emer models pull captioner-"):
        load_tool("captioner")
    assert Captioner().answers is False


@pytest.mark.parametrize(
    "given", [{"most": 0}, {"most_close": 99}, {"mask_subtitles": "yes"}, {"batch": -1}]
)
def test_settings_that_cannot_be_are_refused(given):
    with pytest.raises(ConfigError, match="captioner"):
        Captioner(**given)


def test_other_weights_are_other_evidence(known, chance):
    one, other = (Captioner(model=str(f["blip"])).source for f in (known, chance))
    assert one != other and one.params["weights"] != other.params["weights"]
