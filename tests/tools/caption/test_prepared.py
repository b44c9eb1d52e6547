"""Pictures are prepared one by one, without the device; joined, they are the processor's batch."""

from __future__ import annotations

import threading

import pytest

pytest.importorskip("transformers", reason="transformers is not installed")

import torch

from emer.tools.caption.caption_filter import Shown
from emer.tools.caption.vlm import Preparer, Run, Writer, joined, preparer
from emer.tools.runtime.model_pool import SHELF, Key
from emer.tools.weights.locate import find
from tests.caption_kit import CAPTION, WRITERS, room, write_smolvlm

KINDS = {**WRITERS, "smolvlm2": lambda folder: write_smolvlm(folder, kind="SmolVLM")}
SHOWN = (
    Shown((room(1),)),
    Shown((room(2, (200, 340)),)),
    Shown((room(3, (320, 200)), room(4)), "what is in her hands?"),
)


@pytest.fixture(autouse=True)
def nothing_loaded():
    yield
    SHELF.unload()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_is_joined_is_bit_for_bit_the_processor_s_batch(kind, count, tmp_path):
    prepare = preparer("captioner", find("captioner", str(KINDS[kind](tmp_path / kind))))
    shown = SHOWN[:count]
    ours = joined([prepare(each, "float32") for each in shown])
    theirs = as_one_batch(prepare, shown)
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert ours[name].dtype == tensor.dtype and torch.equal(ours[name], tensor), name


def as_one_batch(prepare, shown):
    processor = prepare.processor
    if not prepare.chats:
        return processor.image_processor([s.pictures[0] for s in shown], return_tensors="pt")
    texts = [
        processor.apply_chat_template(
            [{"role": "user", "content": [*[{"type": "image"} for _ in each.pictures],
                                          {"type": "text", "text": each.words}]}],
            add_generation_prompt=True, tokenize=False,
        )
        for each in shown
    ]  # fmt: skip
    pictures = [list(each.pictures) for each in shown]
    return processor(text=texts, images=pictures, padding=True, return_tensors="pt")


def test_pictures_are_rounded_as_the_model_is(tmp_path):
    prepare = preparer("captioner", find("captioner", str(write_smolvlm(tmp_path / "m"))))
    exact, half = (prepare(SHOWN[0], dtype).tensors for dtype in ("float32", "float16"))
    assert torch.equal(half["pixel_values"], exact["pixel_values"].half())
    assert torch.equal(half["input_ids"], exact["input_ids"])


def test_pictures_are_prepared_while_the_device_works_for_another(tmp_path, monkeypatch):
    write = Writer(find("captioner", str(write_smolvlm(tmp_path / "m"))), Run("cpu", "float32", 8))
    prepared, found = [], []
    ready = threading.Event()
    prepare = Preparer.__call__

    def noting(self, shown, dtype):
        made = prepare(self, shown, dtype)
        prepared.append(shown)
        if len(prepared) == len(SHOWN):
            ready.set()
        return made

    monkeypatch.setattr(Preparer, "__call__", noting)
    thread = threading.Thread(target=lambda: found.extend(write(SHOWN)))
    with SHELF.borrow(Key("another", "", "cpu"), object):
        thread.start()
        assert ready.wait(60), "it waits for the device before it prepares anything"
        assert not found
    thread.join()
    assert [each.text for each in found] == [CAPTION] * len(SHOWN)


def test_several_threads_prepare_with_one_tokenizer(tmp_path):
    write = Writer(find("captioner", str(write_smolvlm(tmp_path / "m"))), Run("cpu", "float32", 8))
    found = [[] for _ in range(4)]
    threads = [threading.Thread(target=lambda f=f: f.extend(write(SHOWN))) for f in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [[w.text for w in each] for each in found] == [[CAPTION] * 3] * 4
