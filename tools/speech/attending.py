"""When openai-whisper's words are heard: where its decoder attends, for many windows at once.

The library aligns window by window and runs its decoder again for each. Here the decoder runs once
for a batch and keeps the heads that tell times; the library's own alignment is then given what it
attended to. On a GPU that is one pass instead of one a window.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

from emer.tools.runtime.batching import in_batches


class Asked(NamedTuple):
    """A window whose words are to be found in time."""

    features: Any
    """What was encoded of it, (positions, width)."""
    written: Sequence[int]
    """The tokens of its text; at least one."""
    frames: int
    """Frames of 10 ms that are sound; at least two."""


def align(model: Any, tokenizer: Any, asked: Sequence[Asked]) -> list[Any]:
    """Return the library's word timings of each window."""
    work = partial(_align, model, tokenizer)
    return in_batches(asked, len(asked), work, str(model.device))


def _align(model: Any, tokenizer: Any, asked: Sequence[Asked]) -> list[Any]:
    import torch
    from whisper.model import disable_sdpa
    from whisper.timing import find_alignment

    tokens = _tokens(tokenizer, [each.written for each in asked])
    features = torch.stack([each.features for each in asked])
    with torch.inference_mode(), disable_sdpa(), _watched(model) as seen:
        logits = model.decoder(torch.tensor(tokens).to(model.device), features)
    attended = torch.cat(list(seen), dim=1)
    with warnings.catch_warnings():  # without a compiler for its GPU kernels it goes a slower way
        warnings.simplefilter("ignore")
        return [
            find_alignment(
                _Replayed(attended[row, :, : _length(tokenizer, each)],
                          logits[row, : _length(tokenizer, each)]),
                tokenizer, list(each.written), each.features, each.frames,
            )
            for row, each in enumerate(asked)
        ]  # fmt: skip


def _tokens(tokenizer: Any, written: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return what the decoder reads of each window, filled up to one length at the end."""
    rows = [
        [*tokenizer.sot_sequence, tokenizer.no_timestamps, *own, tokenizer.eot] for own in written
    ]
    longest = max(len(row) for row in rows)
    return [[*row, *[tokenizer.eot] * (longest - len(row))] for row in rows]


def _length(tokenizer: Any, asked: Asked) -> int:
    return len(tokenizer.sot_sequence) + 1 + len(asked.written) + 1


@contextmanager
def _watched(model: Any) -> Iterator[list[Any]]:
    """Yield a list that takes what the heads that tell times attend to, layer by layer.

    Each is of shape (windows, heads, tokens, positions). Nothing stays with the model, even if the
    pass is given up.
    """
    heads: dict[int, list[int]] = {}
    for layer, head in model.alignment_heads.indices().T.tolist():
        heads.setdefault(layer, []).append(head)
    seen: list[Any] = []

    def keep(own: list[int], _: Any, __: Any, out: Any) -> None:
        seen.append(out[1][:, own])

    hooks = [
        model.decoder.blocks[layer].cross_attn.register_forward_hook(partial(keep, own))
        for layer, own in sorted(heads.items())
    ]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


class _Replayed:
    """A model of one layer, to the library, that has already attended.

    `attended` is of shape (heads, tokens, positions), `logits` of (tokens, vocabulary).
    """

    device = "cpu"
    """Of the tokens it is given, which it does not read."""

    def __init__(self, attended: Any, logits: Any) -> None:
        import torch

        self._attended, self._logits = attended[None], logits[None]
        self._layer = torch.nn.Identity()
        self.dims = SimpleNamespace(n_text_layer=1)
        self.decoder = SimpleNamespace(blocks=[SimpleNamespace(cross_attn=self._layer)])
        self.alignment_heads = torch.ones(1, len(attended), dtype=torch.bool).to_sparse()

    def __call__(self, _: Any, __: Any) -> Any:
        self._layer((None, self._attended))
        return self._logits
