"""Inputs are prepared one by one, without the device; joined, they are the processor's batch."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from emer.tools.caption.captioner import Captioner, Processor, joined, processor_of
from emer.tools.caption.description import JSON_TOKENS, PLAIN_TOKENS, Caption, VisualPrompt
from emer.tools.errors import WeightsBroken
from emer.tools.runtime.model_pool import POOL, Key
from emer.tools.weights.locate import find
from tests.fixtures.checkpoints.caption import (
    CAPTION,
    FRAME,
    WORDS,
    WRITERS,
    room,
    write_blip,
    write_smolvlm,
)
from tests.fixtures.packages import needs

pytestmark = [needs("transformers"), pytest.mark.slow]

KINDS = {**WRITERS, "smolvlm2": lambda folder: write_smolvlm(folder, kind="SmolVLM")}
PROMPTS = (
    VisualPrompt((room(1),)),
    VisualPrompt((room(2, (200, 340)),)),
    VisualPrompt((room(3, (320, 200)), room(4)), "what is in her hands?"),
)


def processor_in(folder: Path) -> Processor:
    return processor_of(find("captioner", str(folder)))


def write(folder: Path, prompts: Sequence[VisualPrompt], batch: int = 8) -> Sequence[Caption]:
    return Captioner(model=str(folder), device="cpu", dtype="float32", batch=batch).write(prompts)


def described(*seeds: int, size: tuple[int, int] = (240, 320)) -> list[VisualPrompt]:
    return [VisualPrompt((room(seed, size),)) for seed in seeds]


@pytest.fixture(autouse=True)
def nothing_loaded():
    yield
    POOL.unload()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_is_joined_is_bit_for_bit_the_processor_s_batch(kind, count, tmp_path):
    processor = processor_in(KINDS[kind](tmp_path / kind))
    prompts = PROMPTS[:count]
    ours = joined([processor(each, "float32") for each in prompts])
    theirs = as_one_batch(processor, prompts)
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert ours[name].dtype == tensor.dtype and ours[name].equal(tensor), name


def as_one_batch(ours, prompts):
    processor = ours.processor
    if not ours.chats:
        return processor.image_processor([p.pictures[0] for p in prompts], return_tensors="pt")
    texts = [
        processor.apply_chat_template(
            [{"role": "user", "content": [*[{"type": "image"} for _ in each.pictures],
                                          {"type": "text", "text": each.text}]}],
            add_generation_prompt=True, tokenize=False,
        )
        for each in prompts
    ]  # fmt: skip
    pictures = [list(each.pictures) for each in prompts]
    return processor(text=texts, images=pictures, padding=True, return_tensors="pt")


def test_pictures_are_rounded_as_the_model_is(tmp_path):
    processor = processor_in(write_smolvlm(tmp_path / "m"))
    exact, half = (processor(PROMPTS[0], dtype).tensors for dtype in ("float32", "float16"))
    assert half["pixel_values"].equal(exact["pixel_values"].half())
    assert half["input_ids"].equal(exact["input_ids"])


def test_pictures_are_prepared_while_the_device_works_for_another(tmp_path, monkeypatch):
    folder = write_smolvlm(tmp_path / "m")
    prepared, written = [], []
    ready = threading.Event()
    prepare = Processor.__call__

    def noting(self, prompt, dtype):
        made = prepare(self, prompt, dtype)
        prepared.append(prompt)
        if len(prepared) == len(PROMPTS):
            ready.set()
        return made

    monkeypatch.setattr(Processor, "__call__", noting)
    thread = threading.Thread(target=lambda: written.extend(write(folder, PROMPTS)))
    with POOL.borrow(Key("another", "", "cpu"), object):
        thread.start()
        assert ready.wait(60), "it waits for the device before it prepares anything"
        assert not written
    thread.join()
    assert [each.text for each in written] == [CAPTION] * len(PROMPTS)


def test_several_threads_prepare_with_one_tokenizer(tmp_path):
    folder = write_smolvlm(tmp_path / "m")
    lists = [[] for _ in range(4)]
    threads = [
        threading.Thread(target=lambda each=each: each.extend(write(folder, PROMPTS)))
        for each in lists
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [[c.text for c in each] for each in lists] == [[CAPTION] * 3] * 4


@pytest.mark.parametrize("kind", WRITERS)
def test_a_batch_gives_what_each_alone_gives(kind, tmp_path):
    folder = WRITERS[kind](tmp_path / kind, None)
    prompts = [*described(1, 2, 3), *described(4, size=(200, 340)), *described(5, size=(320, 200))]
    if kind != "blip":
        pictures = tuple(p.pictures[0] for p in prompts[:3])
        prompts.append(VisualPrompt(pictures, "what is in her hands?"))
    together = write(folder, prompts)
    single = [write(folder, [one], batch=1)[0] for one in prompts]
    assert [c.text for c in together] == [c.text for c in single]
    for a, b in zip(together, single, strict=True):
        assert a.logprob == pytest.approx(b.logprob, abs=1e-4)
    assert len({(c.text, round(c.logprob, 6)) for c in together}) > 1, "it looks at the pictures"


@pytest.mark.parametrize("kind", WRITERS)
def test_a_description_in_json_may_be_longer_than_a_caption_or_an_answer(kind, tmp_path):
    words = [word for word in WORDS if word.islower() and word != "assistant"]
    folder = WRITERS[kind](tmp_path / "endless", " ".join(words))
    described_, answered = write(folder, [*described(1), VisualPrompt((room(2),), "why?")])
    assert PLAIN_TOKENS < len(words) < JSON_TOKENS
    short = Caption(" ".join(words[:PLAIN_TOKENS]), pytest.approx(0.0, abs=0.05), truncated=True)
    if kind == "blip":
        assert described_ == short
    else:
        assert described_.text.split()[: len(words)] == words and answered == short


def test_json_comes_back_as_the_model_wrote_it(tmp_path):
    (caption,) = write(write_smolvlm(tmp_path / "m", FRAME), described(1))
    assert caption.text == FRAME and not caption.truncated


@pytest.mark.parametrize("how", ["cut short", "another format", "no tokenizer"])
def test_a_folder_that_cannot_be_read_is_one_line(how, tmp_path):
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
        write(folder, described(1))
    assert str(error.value).startswith(f"captioner cannot load {folder}")
    assert "\n" not in str(error.value) and not POOL.held()


def test_a_model_that_captions_nothing_is_refused(tmp_path):
    folder = shutil.copytree(write_smolvlm(tmp_path / "m"), tmp_path / "bert")
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"idefics3"', '"bert"'))
    with pytest.raises(WeightsBroken, match="bert is no model of transformers that captions"):
        write(folder, described(1))


def test_weights_that_the_folder_lacks_are_not_filled_with_chance(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = write_smolvlm(tmp_path / "headless")
    weights = load_file(folder / "model.safetensors")
    rest = {name: w for name, w in weights.items() if not name.startswith("lm_head")}
    save_file(rest, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsBroken, match=r"it lacks lm_head\.weight"):
        write(folder, described(1))


def test_smolvlm2_is_read_without_its_part_for_videos(tmp_path):
    folder = write_smolvlm(tmp_path / "smolvlm2", kind="SmolVLM")
    assert '"smolvlm"' in (folder / "config.json").read_text()
    pictures_of = processor_in(folder).processor.image_processor
    assert type(pictures_of).__name__ == "SmolVLMImageProcessorPil", "the same on every machine"
    assert write(folder, described(1))[0].text == CAPTION
