"""The tool `captioner`: BLIP, Qwen-VL, SmolVLM and the like by transformers.

BLIP, or any image-text-to-text model with a chat template. Inputs are prepared one by one in the
caller's thread, before the model is borrowed, so that no device waits for them. Joined, they are
the processor's own batch: text padded on the left, smaller pictures on the right and below.

Pictures are prepared with PIL and without the part for videos, which wants torchvision: the same
pixels on every machine.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

from emer.tools.caption.caption_tool import CaptionTool
from emer.tools.caption.description import Caption, VisualPrompt
from emer.tools.errors import ConfigError, EmerError
from emer.tools.registry import register
from emer.tools.runtime.cancellation import locked, raise_if_cancelled
from emer.tools.runtime.device import CPU, RunOptions, choose_precision, run_options
from emer.tools.runtime.memo import Memo
from emer.tools.runtime.model_pool import Key, PooledModel
from emer.tools.runtime.native import importing
from emer.tools.types import Param, Source
from emer.tools.weights.locate import AUTO, Need, find, loading
from emer.tools.weights.model_loader import load_model, load_other, quiet, require

TOOL: Final = "captioner"
MODEL_CLASS: Final = "AutoModelForImageTextToText"
TEXT: Final = "input_ids"
VIDEO: Final = "video_processor"
SAME_PROCESSOR: Final = {"smolvlm": "idefics3"}
"""Model types whose inputs another type's processor prepares."""
FLOOR: Final = -100.0
"""Least mean log-probability; minus infinity is no JSON number."""
_GREEDY: Final[Mapping[str, Any]] = {
    "do_sample": False, "num_beams": 1, "repetition_penalty": 1.0,
    "return_dict_in_generate": True, "output_logits": True,
}  # fmt: skip
BATCH = {"cpu": 8, "mps": 8, "cuda": 8}
"""Frames captioned at once: as many as are chosen.

On a CPU a step of eight takes little more than one of two."""


@register("captioner", slot="caption", rank=10)
@dataclass(eq=False)
class Captioner(CaptionTool):
    """Describes frames with an image-text-to-text model of transformers.

    A model with a chat template can also be asked about a span; BLIP only describes.

    Args:
        model: A repository that was pulled, a folder, or "auto".
        most, most_close, mask_subtitles, max_side: As for `CaptionTool`.
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        dtype: "auto", "float32", "bfloat16" or "float16".
        batch: Frames captioned at once; 0 chooses by device.
    """

    model: str = AUTO
    device: str = AUTO
    dtype: str = AUTO
    batch: int = 0
    name: ClassVar[str] = TOOL
    description = (
        "Describes a few frames in words with a trained model, and may be asked about them."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch < 0:
            raise ConfigError(f"{TOOL}.batch must be at least 0")
        choose_precision(CPU, self.dtype)  # refuses an unknown precision at once

    @property
    def source(self) -> Source:
        """Name, version, weights and what changes the result."""
        require(TOOL)
        need = find(TOOL, self.model)
        params = {**self.params, "precision": self.dtype, "weights": need.fingerprint}
        return Source(tool=TOOL, version=version("transformers"), model=need.model, params=params)

    @property
    def hardware(self) -> Mapping[str, Param]:
        """Device, precision, batch and, on a CPU, threads."""
        return run_options(self.device, self.dtype, self.batch, BATCH).hardware

    @property
    def answers(self) -> bool:
        """Whether the model has a chat template; False while there is no model."""
        try:
            return has_chat(find(TOOL, self.model).path)
        except EmerError:
            return False

    def load(self) -> None:
        caption_model(*self._parts()).load()

    def unload(self) -> None:
        """Free the model's memory; the processor is small and stays."""
        caption_model(*self._parts()).unload()

    def write(self, prompts: Sequence[VisualPrompt]) -> Sequence[Caption]:
        need, options = self._parts()
        processor = processor_of(need)
        return caption_model(need, options)([processor(each, options.dtype) for each in prompts])

    def _parts(self) -> tuple[Need, RunOptions]:
        require(TOOL)
        options = run_options(self.device, self.dtype, self.batch, BATCH)
        return find(TOOL, self.model), options


class ModelInput(NamedTuple):
    """One prompt as CPU tensors of batch size 1."""

    tensors: Mapping[str, Any]
    padding: int
    """Token id that fills missing text."""
    most_tokens: int


class Processor:
    """A folder's processor of pictures and text; safe from several threads."""

    def __init__(self, processor: Any) -> None:
        self.processor = processor
        self._lock = threading.Lock()  # fast tokenizers refuse two borrowers

    @property
    def chats(self) -> bool:
        """Whether the model has a chat template, so that it can be instructed."""
        return getattr(self.processor, "chat_template", None) is not None

    def __call__(self, prompt: VisualPrompt, dtype: str) -> ModelInput:
        """The prompt as tensors, those of floating point with this precision."""
        import torch

        raise_if_cancelled()
        with locked(self._lock):
            if self.chats:
                batch = self._chat(prompt)
            else:  # a model without a chat template takes no text, and one picture
                batch = self.processor.image_processor([prompt.pictures[0]], return_tensors="pt")
        kind = getattr(torch, dtype)
        tensors = {name: t.to(kind) if t.is_floating_point() else t for name, t in batch.items()}
        padding = getattr(self.processor.tokenizer, "pad_token_id", None) or 0
        return ModelInput(tensors, padding, prompt.most_tokens(self.chats))

    def decode(self, tokens: Sequence[int]) -> str:
        with locked(self._lock):
            text = self.processor.tokenizer.decode(tokens, skip_special_tokens=True)
        return str(text).strip()

    def _chat(self, prompt: VisualPrompt) -> Any:
        images = [{"type": "image"} for _ in prompt.pictures]
        turn = [{"role": "user", "content": [*images, {"type": "text", "text": prompt.text}]}]
        template = self.processor.apply_chat_template
        text = template(turn, add_generation_prompt=True, tokenize=False)
        return self.processor(text=[text], images=[list(prompt.pictures)], return_tensors="pt")


class LoadedModel(NamedTuple):
    """A model, its processor, and the tokens that end its text."""

    model: Any
    processor: Processor
    ends: frozenset[int]


_PROCESSORS: Memo[Processor] = Memo(2)


def processor_of(need: Need) -> Processor:
    """A folder's processor, loaded at first use; `WeightsBroken` without one."""
    return _PROCESSORS.get((need.path, need.fingerprint), lambda: Processor(load_processor(need)))


def caption_model(need: Need, options: RunOptions) -> PooledModel[ModelInput, Caption]:
    """The shared model of a folder of weights; nothing is loaded."""
    differing = (("dtype", options.dtype), ("is", need.fingerprint))
    return PooledModel(
        Key(TOOL, str(need.path), options.device, differing),
        partial(_load, need, options),
        partial(generate, options),
        batch=options.batch,
        gigabytes=need.gigabytes,
    )


def has_chat(folder: Path) -> bool:
    """Whether a folder has a chat template; only its small files are read."""
    if any((folder / name).is_file() for name in ("chat_template.jinja", "chat_template.json")):
        return True
    for name in ("processor_config.json", "tokenizer_config.json"):
        with suppress(OSError, ValueError):
            config = json.loads((folder / name).read_text(encoding="utf-8"))
            if isinstance(config, dict) and config.get("chat_template"):
                return True
    return False


def generate(
    options: RunOptions, loaded: LoadedModel, inputs: Sequence[ModelInput]
) -> list[Caption]:
    """The greedy continuation of each input of one batch that fits the memory."""
    import torch

    with torch.inference_mode(), quiet():
        tensors = {name: t.to(options.device) for name, t in joined(inputs).items()}
        most = max(each.most_tokens for each in inputs)
        out = loaded.model.generate(
            **tensors, **_GREEDY, max_new_tokens=most, stopping_criteria=[_cancelled]
        )
        scores = torch.stack(out.logits, dim=1).float().log_softmax(dim=-1)
        tokens = out.sequences[:, -scores.shape[1] :]
        chosen = scores.gather(2, tokens[..., None])[..., 0].cpu()
    return [
        _caption(row.tolist()[: each.most_tokens], values.tolist(), loaded)
        for row, values, each in zip(tokens.cpu(), chosen, inputs, strict=True)
    ]


def joined(inputs: Sequence[ModelInput]) -> dict[str, Any]:
    """The inputs as one batch, equal to the processor's own."""
    import torch

    batch = {}
    for name in inputs[0].tensors:
        single = [each.tensors[name] for each in inputs]
        texts = [each.tensors.get(TEXT) for each in inputs]
        is_text = all(
            text is not None and text.shape == one.shape
            for text, one in zip(texts, single, strict=True)
        )
        filler = inputs[0].padding if name == TEXT else 0
        sizes = [max(side) for side in zip(*(one.shape[1:] for one in single), strict=True)]
        batch[name] = torch.cat([_padded(one, sizes, is_text, filler) for one in single])
    return batch


def _padded(tensor: Any, sizes: Sequence[int], left: bool, filler: int) -> Any:
    import torch

    lacks = [size - has for size, has in zip(sizes, tensor.shape[1:], strict=True)]
    room = [n for lack in reversed(lacks) for n in ((lack, 0) if left else (0, lack))]
    return torch.nn.functional.pad(tensor, room, value=filler)


def _caption(tokens: list[int], scores: list[float], loaded: LoadedModel) -> Caption:
    """The text up to the first token that ends it, that token's probability included."""
    end = next((place for place, token in enumerate(tokens) if token in loaded.ends), None)
    length = len(tokens) if end is None else end + 1
    mean = sum(scores[:length]) / length if length else FLOOR
    text = loaded.processor.decode(tokens[:length])
    return Caption(text, max(mean, FLOOR), truncated=end is None)


def _cancelled(tokens: Any, scores: Any, **_: Any) -> Any:
    """Stop no row; raise `Cancelled`, at any token, where the call was cancelled."""
    import torch

    raise_if_cancelled()
    return torch.zeros(tokens.shape[0], dtype=torch.bool, device=tokens.device)


def _load(need: Need, options: RunOptions) -> LoadedModel:
    processor = processor_of(need)  # what is wrong with it is told before the model is read
    model = load_model(TOOL, need, MODEL_CLASS, options.device, options.dtype)
    text = getattr(model.config, "text_config", model.config)
    ends = model.generation_config.eos_token_id
    # BLIP ends with the separator of BERT, which its generation config does not name.
    separator = None if processor.chats else getattr(text, "sep_token_id", None)
    known = [*(ends if isinstance(ends, list) else [ends]), separator]
    return LoadedModel(model, processor, frozenset(known) - {None})


def load_processor(need: Need) -> Any:
    """The processor of a folder.

    `WeightsBroken` if transformers has no captioner of its type, the folder no processor, or a
    tokenizer that is not the model's.
    """
    config = load_other(TOOL, need, "AutoConfig")
    with importing():
        import transformers
        from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING
        from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES
    kind = config.model_type
    with loading(TOOL, need), quiet():
        if type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
            raise ValueError(f"{kind} is no model of transformers that captions pictures")
        name = PROCESSOR_MAPPING_NAMES.get(SAME_PROCESSOR.get(kind, kind))
        if name is None:
            raise ValueError(f"{kind} has no processor of pictures and text")
        processor = without_video(getattr(transformers, name)).from_pretrained(
            need.path, local_files_only=True, trust_remote_code=False, backend="pil"
        )
        known = len(processor.tokenizer)
        size = int(getattr(getattr(config, "text_config", config), "vocab_size", 0))
        if known < size / 2:  # transformers makes one up where its files are missing
            raise ValueError(f"its tokenizer knows {known} tokens, the model {size}")
    processor.tokenizer.padding_side = "left"
    if getattr(processor.image_processor, "do_image_splitting", False):
        processor.image_processor.do_image_splitting = False  # one view, not up to 17 tiles
    return processor


def without_video(kind: Any) -> Any:
    """A processor class without its part for videos."""
    if VIDEO not in kind.get_attributes():
        return kind

    class Still(kind):  # type: ignore[misc]
        @classmethod
        def get_attributes(cls) -> list[str]:
            return [part for part in kind.get_attributes() if part != VIDEO]

    return Still
