"""Large models with random weights, built from published configurations.

A batch is compared with the same items one by one, as the libraries' examples go, and a step of
decoding with its floor: each token reads every weight of the decoder from memory, so no step is
shorter than reading them once, as a large matrix times a vector reads on the same device. Each
side generates exactly `TOKENS` tokens. The table is large_models.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from emer.evals.speed.measure import (
    Measure,
    Unequal,
    at_least,
    at_most,
    gpu_note,
    in_turn,
    paired,
    seconds,
)
from emer.tools.runtime.device import choose_precision
from emer.tools.weights.model_loader import quiet, require

TABLE: Final = Path(__file__).with_suffix(".json")
TOKENS: Final = 40
"""Tokens generated from each item: a caption, or the words of about ten seconds."""
MATRIX_GB: Final = 0.5
"""Size of the multiplied matrix: many times a processor's cache."""
READINGS: Final = 9
GRID: Final = (1, 30, 54)
"""Frames, rows and columns of patches of a picture of 756 x 420 pixels."""
PROMPT: Final = 60
"""Tokens of the words that ask for a caption."""


class Size(NamedTuple):
    """A published size of a model."""

    name: str
    kind: str
    """Of transformers' classes: `Whisper`, `Qwen2_5_VL`."""
    published: str
    item: str
    encoder: str
    """Part of the names of weights that a decoding step does not read."""
    batches: Mapping[str, int]
    """Items at once by kind of device."""
    config: Mapping[str, Any]
    """The published configuration, as transformers' configuration class takes it."""

    def inputs(self, count: int) -> dict[str, Any]:
        """Inputs of `generate` for so many items, as the model's processor prepares them."""
        import torch

        if self.kind == "Whisper":  # log-mel windows of 30 s
            return {"input_features": torch.randn(count, self.config["num_mel_bins"], 3000)}
        vision, image = self.config["vision_config"], self.config["image_token_id"]
        patches = GRID[1] * GRID[2]
        start, end = self.config["vision_start_token_id"], self.config["vision_end_token_id"]
        images = [image] * (patches // vision["spatial_merge_size"] ** 2)
        ids = torch.tensor([[start, *images, end, *range(PROMPT)]] * count)
        values = 3 * vision["temporal_patch_size"] * vision["patch_size"] ** 2
        return {
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids),
            "mm_token_type_ids": (ids == image).int(),
            "pixel_values": torch.randn(count * patches, values),
            "image_grid_thw": torch.tensor([GRID] * count),
        }


SIZES: Final[Mapping[str, Size]] = {
    row["name"]: Size(**row) for row in json.loads(TABLE.read_text(encoding="utf-8"))
}


def measure_size(size: Size, device: str, rounds: int) -> list[Measure]:
    """Speed of a batch against one by one, and a decoding step over its floor.

    At the usual precision of the device ("cpu", "mps" or "cuda:N"); of the rounds, in which the
    sides take turns, the least counts. `ToolMissing` without torch or transformers, `Unequal`
    where a side did not generate `TOKENS` tokens.
    """
    require(size.name)
    dtype = choose_precision(device)
    model = build_model(size, device, dtype)
    count = size.batches[device.partition(":")[0]]
    batch, one = (
        {k: v.to(model.device, model.dtype if v.is_floating_point() else None)
         for k, v in size.inputs(n).items()}
        for n in (count, 1)
    )  # fmt: skip
    utilisation = gpu_note(device, lambda: generate(model, batch, TOKENS))
    generate(model, one, TOKENS)

    def one_by_one() -> None:
        for _ in range(count):
            generate(model, one, TOKENS)

    pair = paired(lambda: generate(model, batch, TOKENS), one_by_one, rounds)
    first = min(seconds(lambda: generate(model, batch, 1)) for _ in range(rounds))
    step = (min(pair.ours) - first) / (TOKENS - 1)
    weights = decoder_bytes(model, size.encoder)
    floor = weights / bandwidth(device, dtype)
    label = f"{size.name}, random weights"
    return [
        at_least(f"{label}, {count} {size.item}s at once : one by one", pair.ratio, "x", None,
                 f"{pair.summary(count, size.item)}; {dtype} both; both wrote {TOKENS} tokens of "
                 f"each; the model of transformers alone, without emer's tool{utilisation}"),
        at_most(f"{label}, a step of writing : reading its weights once", step / floor, "x", None,
                f"{1000 * step:.3g} : {1000 * floor:.3g} ms for a token of each of {count}; "
                f"{weights / 1e9:.3g} GB, as fast as a matrix times a vector is read here"),
    ]  # fmt: skip


def build_model(size: Size, device: str, dtype: str) -> Any:
    """The model with random weights, initialised on the device at this precision."""
    import torch
    import transformers

    config = getattr(transformers, f"{size.kind}Config")(**size.config)
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        with torch.device(device), quiet():
            torch.manual_seed(0)
            return getattr(transformers, f"{size.kind}ForConditionalGeneration")(config).eval()
    finally:
        torch.set_default_dtype(before)


def generate(model: Any, inputs: Mapping[str, Any], tokens: int) -> None:
    """Generate so many tokens from each input, greedily; else `Unequal`."""
    import torch

    exactly = {"max_new_tokens": tokens, "min_new_tokens": tokens}
    with torch.inference_mode(), quiet():
        out = model.generate(**inputs, **exactly, do_sample=False)
    prompt = inputs["input_ids"].shape[1] if "input_ids" in inputs else 0
    if out.shape[1] - prompt != tokens:
        raise Unequal(f"{out.shape[1] - prompt} tokens were written instead of {tokens}")


def decoder_bytes(model: Any, encoder: str) -> int:
    """Bytes that each token reads: no encoder; the embedding if the head shares it."""
    embedding = model.get_input_embeddings().weight
    tied = model.get_output_embeddings().weight is embedding
    return sum(
        weight.numel() * weight.element_size()
        for name, weight in model.named_parameters()
        if not (encoder and encoder in name) and (tied or weight is not embedding)
    )


def bandwidth(device: str, dtype: str) -> float:
    """Bytes per second at which a large matrix times a vector is read."""
    import torch

    kind, width = getattr(torch, dtype), 8192
    height = int(MATRIX_GB * 1e9 / (width * kind.itemsize))
    matrix = torch.rand(height, width, device=device).to(kind)
    vector = torch.rand(width, device=device).to(kind)

    def multiply() -> float:
        return seconds(lambda: torch.mv(matrix, vector).sum().item())  # waits for the device

    multiply()
    size = int(matrix.numel() * matrix.element_size())
    return size / min(in_turn({"read": multiply}, READINGS)["read"])
