"""Prompt, processor and generation of a VLM.

What prepares pictures and words for a model of a folder, without torchvision.

Processors of transformers that also take videos want torchvision for them (and SmolVLM's a package
that spells numbers). Pictures alone need neither, and prepared with PIL they are the same on every
machine.

Pictures and words made what a model takes: one by one, before the model is borrowed.

Each caller prepares its own in its own thread, so that no device waits for it. What was prepared
alone is joined as the processor would have done it: words are filled up on the left, what is
smaller than another's on the right and below, with nothing.

A captioner of transformers: BLIP, or any model that is shown pictures in a chat.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from emer.tools.caption.caption_filter import MOST_TOKENS, Shown, Written
from emer.tools.caption.compiled import Compiler, filled
from emer.tools.runtime.cancellation import holding, note, still_wanted
from emer.tools.runtime.memo import Kept
from emer.tools.runtime.model_pool import SHELF, Key, Shared
from emer.tools.runtime.native import importing
from emer.tools.weights.locate import Need, loading
from emer.tools.weights.pretrained import load_model, load_other, quiet

ALIKE = {"smolvlm": "idefics3"}
"""Kinds whose pictures and words are prepared as another's."""
VIDEO = "video_processor"


def load_processor(tool: str, need: Need, model_type: str, words: int) -> Any:
    """Return the processor of a folder for this type of model, which knows so many tokens.

    `WeightsBroken` if there is none, or its tokenizer is not the model's.
    """
    with importing():
        import transformers
        from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES
    with loading(tool, need), quiet():
        name = PROCESSOR_MAPPING_NAMES.get(ALIKE.get(model_type, model_type))
        if name is None:
            raise ValueError(f"{model_type} has no processor of pictures and words")
        made = without_video(getattr(transformers, name)).from_pretrained(
            need.path, local_files_only=True, trust_remote_code=False, backend="pil"
        )
        _require_words(made.tokenizer, words)
    made.tokenizer.padding_side = "left"
    if getattr(made.image_processor, "do_image_splitting", False):
        made.image_processor.do_image_splitting = False  # one view of a frame, not up to 17 parts
    return made


def _require_words(tokenizer: Any, words: int) -> None:
    """Raise `ValueError` for a tokenizer that the library made up because its files are missing."""
    if len(tokenizer) < words / 2:
        raise ValueError(f"its tokenizer knows {len(tokenizer)} tokens, the model {words}")


def without_video(kind: Any) -> Any:
    """Return the processor class without its part for videos."""
    if VIDEO not in kind.get_attributes():
        return kind

    class Still(kind):  # type: ignore[misc]
        @classmethod
        def get_attributes(cls) -> list[str]:
            return [part for part in kind.get_attributes() if part != VIDEO]

    return Still


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


TOOL = "captioner"
KIND = "AutoModelForImageTextToText"
_HOW: Mapping[str, Any] = {
    "max_new_tokens": MOST_TOKENS, "do_sample": False, "num_beams": 1, "repetition_penalty": 1.0,
    "return_dict_in_generate": True, "output_logits": True,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """How the model is run; nothing of it changes what comes out but the precision."""

    device: str
    dtype: str
    batch: int
    compiled: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model, and what compiles its steps where that was asked for."""

    model: Any
    chats: bool
    """Whether it is told in words what to do."""
    compiler: Compiler | None = None

    def close(self) -> None:
        """End what compiles."""
        if self.compiler is not None:
            self.compiler.close()


class Row(NamedTuple):
    """What a model wrote about one, in tokens."""

    tokens: list[int]
    logprob: float
    """Mean log-probability of its tokens, its end included."""
    unfinished: bool


class Writer:
    """Writes about pictures with a folder; cheap to make, nothing is loaded.

    Pictures are prepared, and tokens read, in the caller's thread while the device works.
    """

    def __init__(self, need: Need, run: Run) -> None:
        """Take the folder and how its model is run."""
        self._need, self._run = need, run
        options = (("dtype", run.dtype), ("compiled", run.compiled), ("is", need.fingerprint))
        self.key = Key(TOOL, str(need.path), run.device, options)

    def __call__(self, shown: Sequence[Shown]) -> list[Written]:
        """Return what the model writes about each; raise what loading or the model raised."""
        prepare = self.preparer
        rows = self._shared(prepare)([prepare(each, self._run.dtype) for each in shown])
        return [Written(prepare.text(r.tokens), r.logprob, r.unfinished) for r in rows]

    @property
    def preparer(self) -> Preparer:
        """What prepares its pictures, loaded when first asked for."""
        return preparer(TOOL, self._need)

    def load(self) -> None:
        """Load the model now."""
        self._shared(self.preparer).load()

    def unload(self) -> None:
        """Let go of the model; what prepares its pictures takes little, and stays."""
        SHELF.unload(self.key)

    def _shared(self, prepare: Preparer) -> Shared[Prepared, Row]:
        return Shared(
            self.key,
            partial(_load, self._need, self._run, prepare.chats),
            partial(write, self._run),
            batch=self._run.batch,
            gigabytes=self._need.gigabytes,
        )


def has_chat(folder: Path) -> bool:
    """Tell whether a folder's model is told in words what to do; its small files are read."""
    if any((folder / name).is_file() for name in ("chat_template.jinja", "chat_template.json")):
        return True
    for name in ("processor_config.json", "tokenizer_config.json"):
        try:
            told = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(told, dict) and told.get("chat_template"):
            return True
    return False


def write(run: Run, loaded: Loaded, items: Sequence[Prepared]) -> list[Row]:
    """Write about one batch that fits: no sampling, so the same each time."""
    import torch

    batch = joined(filled(items) if loaded.compiler else items)
    with torch.inference_mode(), quiet():
        given = {name: tensor.to(run.device) for name, tensor in batch.items()}
        told = {**given, **_HOW, "stopping_criteria": [_go_on]}
        if loaded.compiler:
            out = loaded.compiler(loaded.model, told)
        else:
            out = loaded.model.generate(**told)
    return _rows(loaded, out)[: len(items)]


def _rows(loaded: Loaded, out: Any) -> list[Row]:
    """Return each row of what was generated, up to its end."""
    import torch

    scores = torch.stack(out.logits, dim=1).float().log_softmax(dim=-1)
    tokens = out.sequences[:, -scores.shape[1] :]
    chosen = scores.gather(2, tokens[..., None])[..., 0].cpu()
    ends = _ends(loaded)
    return [
        _row(row.tolist(), given.tolist(), ends)
        for row, given in zip(tokens.cpu(), chosen, strict=True)
    ]


def _row(tokens: list[int], scores: list[float], ends: frozenset[int]) -> Row:
    """Return one row with its mean log-probability, its end included."""
    end = next((place for place, token in enumerate(tokens) if token in ends), None)
    length = len(tokens) if end is None else end + 1
    mean = sum(scores[:length]) / length if length else -100.0
    return Row(tokens[:length], max(mean, -100.0), unfinished=end is None)


def _go_on(tokens: Any, scores: Any, **_: Any) -> Any:
    """Let writing go on after each token, unless nobody waits for it."""
    import torch

    still_wanted()
    return torch.zeros(tokens.shape[0], dtype=torch.bool, device=tokens.device)


def _ends(loaded: Loaded) -> frozenset[int]:
    """Return the tokens that end what is written."""
    config = loaded.model.generation_config
    text = getattr(loaded.model.config, "text_config", loaded.model.config)
    named = (config.eos_token_id, None if loaded.chats else getattr(text, "sep_token_id", None))
    found: set[int] = set()
    for given in named:
        found |= set(given if isinstance(given, list) else [] if given is None else [given])
    return frozenset(found)


def _load(need: Need, run: Run, chats: bool) -> Loaded:
    compiled = run.compiled and chats
    model = load_model(TOOL, need, KIND, run.device, run.dtype, stoppable=not compiled)
    if run.compiled and not chats:
        kind = model.config.model_type
        note(f"{kind} went on without compiled steps: only models that chat have them")
    return Loaded(model, chats, Compiler() if compiled else None)
