"""Pictures and words made what a model takes: one by one, before the model is borrowed.

Each caller prepares its own in its own thread, so that no device waits for it. What was prepared
alone is joined as the processor would have done it: words are filled up on the left, what is
smaller than another's on the right and below, with nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emer.tools.call import holding, still_wanted
from emer.tools.caption.processor import load_processor
from emer.tools.caption.records import Shown
from emer.tools.kept import Kept
from emer.tools.weights.locate import Need, loading
from emer.tools.weights.pretrained import load_other

WORDS = "input_ids"


@dataclass(frozen=True, slots=True)
class Prepared:
    """Tensors on the CPU, for one `Shown`."""

    tensors: Mapping[str, Any]
    filler: int
    """The token that stands where there are no words."""


class Preparer:
    """A folder's processor; safe from several threads."""

    def __init__(self, processor: Any) -> None:
        """Take the processor."""
        self.processor = processor
        self._lock = threading.Lock()  # tokenizers refuse two borrowers

    @property
    def chats(self) -> bool:
        """Whether the model is told in words what to do."""
        return getattr(self.processor, "chat_template", None) is not None

    def __call__(self, shown: Shown, dtype: str) -> Prepared:
        """Return what the model is given of it, with this precision."""
        import torch

        still_wanted()
        with holding(self._lock):
            made = self._chat(shown) if self.chats else self._picture(shown)
        kind = getattr(torch, dtype)
        tensors = {name: t.to(kind) if t.is_floating_point() else t for name, t in made.items()}
        return Prepared(tensors, getattr(self.processor.tokenizer, "pad_token_id", None) or 0)

    def text(self, tokens: Sequence[int]) -> str:
        """Return tokens as text."""
        with holding(self._lock):
            told = self.processor.tokenizer.decode(tokens, skip_special_tokens=True)
        return str(told).strip()

    def _chat(self, shown: Shown) -> Any:
        """Return what a model that is told in words is given: pictures, and the words around."""
        images = [{"type": "image"} for _ in shown.pictures]
        turn = [{"role": "user", "content": [*images, {"type": "text", "text": shown.words}]}]
        told = self.processor.apply_chat_template
        text = told(turn, add_generation_prompt=True, tokenize=False)
        return self.processor(text=[text], images=[list(shown.pictures)], return_tensors="pt")

    def _picture(self, shown: Shown) -> Any:
        """Return the first picture: a model without words describes one at a time."""
        return self.processor.image_processor([shown.pictures[0]], return_tensors="pt")


_PREPARERS: Kept[Preparer] = Kept(2)


def preparer(tool: str, need: Need) -> Preparer:
    """Return the one of a folder, loaded when first asked for; `WeightsBroken` without one."""
    return _PREPARERS.get((need.path, need.fingerprint), lambda: _load(tool, need))


def joined(items: Sequence[Prepared]) -> dict[str, Any]:
    """Return one batch of what was prepared."""
    return {name: _join(name, items) for name in items[0].tensors}


def _join(name: str, items: Sequence[Prepared]) -> Any:
    import torch

    alone = [item.tensors[name] for item in items]
    left = all(
        WORDS in i.tensors and i.tensors[WORDS].shape == i.tensors[name].shape for i in items
    )
    filler = items[0].filler if name == WORDS else 0
    sizes = [max(one.shape[n] for one in alone) for n in range(1, alone[0].dim())]
    return torch.cat([_filled(one, sizes, left, filler) for one in alone])


def _filled(tensor: Any, sizes: Sequence[int], left: bool, filler: int) -> Any:
    """Return the tensor with its dimensions behind the first made this large."""
    import torch

    room: list[int] = []
    for size, has in zip(reversed(sizes), reversed(tensor.shape[1:]), strict=True):
        room += [size - has, 0] if left else [0, size - has]
    return torch.nn.functional.pad(tensor, room, value=filler) if any(room) else tensor


def _load(tool: str, need: Need) -> Preparer:
    config = load_other(tool, need, "AutoConfig")
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

    with loading(tool, need):
        if type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
            raise ValueError(
                f"{config.model_type} is no model of transformers that writes of pictures"
            )
    words = int(getattr(getattr(config, "text_config", config), "vocab_size", 0))
    return Preparer(load_processor(tool, need, config.model_type, words))
