"""A captioner of transformers: BLIP, or any model that is shown pictures in a chat."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from emer.tools.call import note, still_wanted
from emer.tools.caption.compiled import Compiler, filled
from emer.tools.caption.prepared import Prepared, Preparer, joined, preparer
from emer.tools.caption.records import MOST_TOKENS, Shown, Written
from emer.tools.models import SHELF, Key
from emer.tools.shared import Shared
from emer.tools.weights.locate import Need
from emer.tools.weights.pretrained import load_model, quiet

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
