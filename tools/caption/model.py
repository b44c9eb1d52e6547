"""A captioner of transformers: BLIP, or any model that is shown pictures in a chat."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from emer.tools.call import note, still_wanted
from emer.tools.caption.compiled import Compiler, filled
from emer.tools.caption.processor import load_processor
from emer.tools.caption.records import MOST_TOKENS, Shown, Written
from emer.tools.models import Key
from emer.tools.pretrained import load_model, load_other, quiet
from emer.tools.shared import Shared
from emer.tools.weights.need import Need, loading

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
    """A model with what prepares its input and reads its output."""

    model: Any
    processor: Any
    chats: bool
    """Whether it is told in words what to do."""
    compiler: Compiler | None = None
    """What compiles its steps, where that was asked for."""

    def close(self) -> None:
        """End what compiles."""
        if self.compiler is not None:
            self.compiler.close()


def writer(need: Need, run: Run) -> Shared[Shown, Written]:
    """Return what writes about pictures with a folder; nothing is loaded."""
    options = (("dtype", run.dtype), ("compiled", run.compiled), ("is", need.fingerprint))
    return Shared(
        Key(TOOL, str(need.path), run.device, options),
        partial(_load, need, run),
        partial(write, run),
        batch=run.batch,
        gigabytes=need.gigabytes,
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


def write(run: Run, loaded: Loaded, shown: Sequence[Shown]) -> list[Written]:
    """Write about one batch that fits: no sampling, so the same each time."""
    import torch

    given = filled(shown) if loaded.compiler else shown
    with torch.inference_mode(), quiet():
        told = {**_inputs(run, loaded, given), **_HOW, "stopping_criteria": [_go_on]}
        if loaded.compiler:
            out = loaded.compiler(loaded.model, told)
        else:
            out = loaded.model.generate(**told)
    return _read_all(loaded, out)[: len(shown)]


def _inputs(run: Run, loaded: Loaded, shown: Sequence[Shown]) -> dict[str, Any]:
    """Return what the model is given, on its device and at its precision."""
    import torch

    dtype = getattr(torch, run.dtype)
    prepared = _chat(loaded, shown) if loaded.chats else _pictures(loaded, shown)
    return {
        name: tensor.to(run.device, dtype if tensor.is_floating_point() else None)
        for name, tensor in prepared.items()
    }


def _read_all(loaded: Loaded, out: Any) -> list[Written]:
    """Return each row of what was generated as text."""
    import torch

    scores = torch.stack(out.logits, dim=1).float().log_softmax(dim=-1)
    tokens = out.sequences[:, -scores.shape[1] :]
    chosen = scores.gather(2, tokens[..., None])[..., 0].cpu()
    ends = _ends(loaded)
    return [
        _read(loaded, row.tolist(), given.tolist(), ends)
        for row, given in zip(tokens.cpu(), chosen, strict=True)
    ]


def _go_on(tokens: Any, scores: Any, **_: Any) -> Any:
    """Let writing go on after each token, unless nobody waits for it."""
    import torch

    still_wanted()
    return torch.zeros(tokens.shape[0], dtype=torch.bool, device=tokens.device)


def _chat(loaded: Loaded, shown: Sequence[Shown]) -> Any:
    """Return what a model that is told in words is given: pictures, and the words around them."""
    told = loaded.processor.apply_chat_template
    texts = [told(_turn(each), add_generation_prompt=True, tokenize=False) for each in shown]
    pictures = [list(each.pictures) for each in shown]
    return loaded.processor(text=texts, images=pictures, padding=True, return_tensors="pt")


def _turn(shown: Shown) -> list[dict[str, Any]]:
    images = [{"type": "image"} for _ in shown.pictures]
    return [{"role": "user", "content": [*images, {"type": "text", "text": shown.words}]}]


def _pictures(loaded: Loaded, shown: Sequence[Shown]) -> Any:
    """Return the first picture of each: a model without words describes one at a time."""
    pictures = [each.pictures[0] for each in shown]
    return loaded.processor.image_processor(pictures, return_tensors="pt")


def _ends(loaded: Loaded) -> frozenset[int]:
    """Return the tokens that end what is written."""
    config = loaded.model.generation_config
    text = getattr(loaded.model.config, "text_config", loaded.model.config)
    named = (config.eos_token_id, None if loaded.chats else getattr(text, "sep_token_id", None))
    found: set[int] = set()
    for given in named:
        found |= set(given if isinstance(given, list) else [] if given is None else [given])
    return frozenset(found)


def _read(loaded: Loaded, tokens: list[int], scores: list[float], ends: frozenset[int]) -> Written:
    """Return one row's text with its mean log-probability, its end included."""
    end = next((place for place, token in enumerate(tokens) if token in ends), None)
    length = len(tokens) if end is None else end + 1
    text = loaded.processor.tokenizer.decode(tokens[:length], skip_special_tokens=True)
    mean = sum(scores[:length]) / length if length else -100.0
    return Written(text.strip(), max(mean, -100.0), unfinished=end is None)


def _words(config: Any) -> int:
    """Return how many tokens the model knows."""
    return int(getattr(getattr(config, "text_config", config), "vocab_size", 0))


def _load(need: Need, run: Run) -> Loaded:
    config = load_other(TOOL, need, "AutoConfig")
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

    with loading(TOOL, need):
        if type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
            raise ValueError(
                f"{config.model_type} is no model of transformers that writes of pictures"
            )
    processor = load_processor(TOOL, need, config.model_type, _words(config))
    chats = getattr(processor, "chat_template", None) is not None
    compiled = run.compiled and chats
    if run.compiled and not chats:
        note(f"{config.model_type} went on without compiled steps: only models that chat have them")
    model = load_model(TOOL, need, KIND, run.device, run.dtype, stoppable=not compiled)
    return Loaded(model, processor, chats, Compiler() if compiled else None)
