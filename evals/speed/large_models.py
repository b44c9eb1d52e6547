"""Large models with random weights, built from published configurations: no hub is needed.

Of each, so many items at once are compared with one by one, as the libraries' examples go, and a
step of writing with its floor: each token takes every weight of the writing part from memory, so
no step can be shorter than reading them once, as a large matrix times a vector reads on the same
device. Each side writes exactly `TOKENS` tokens; a token's value costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
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
from emer.tools.weights.pretrained import quiet, require

TOKENS: Final = 40
"""Written of each item: a caption, or the words of about ten seconds."""
MATRIX_GB: Final = 0.5
"""Size of the matrix that is multiplied: many times what a processor's cache holds."""
READINGS: Final = 9


class Size(NamedTuple):
    """A published size of a model, and an input of the size that it is given."""

    name: str
    kind: str
    """Of transformers' classes: `Whisper`, `Qwen2_5_VL`."""
    config: Mapping[str, Any]
    """The published configuration, as transformers' configuration class takes it."""
    inputs: Callable[[int, Mapping[str, Any]], dict[str, Any]]
    """From a count and the configuration to the inputs of `generate` for so many items."""
    item: str
    encoder: tuple[str, ...]
    """Parts of the names of weights that do not write."""
    batches: Mapping[str, int] = MappingProxyType({"cpu": 2, "mps": 4, "cuda": 16})
    """Items at once by kind of device."""


def measure_size(size: Size, device: str, rounds: int) -> list[Measure]:
    """Return the speed of a batch against one by one, and a step of writing over its floor.

    Args:
        size: of the model; it is built in memory, at the usual precision of the device.
        device: "cpu", "mps" or "cuda:N".
        rounds: times that each side is measured, in turns; the least counts.

    Raises:
        ToolMissing: torch or transformers is not installed.
        Unequal: a side did not write `TOKENS` tokens.

    """
    require(size.name)
    dtype = choose_precision(device)
    model = build_model(size, device, dtype)
    count = size.batches[device.partition(":")[0]]
    batch, one = (_placed(size.inputs(n, size.config), model) for n in (count, 1))
    used = gpu_note(device, lambda: write(model, batch, TOKENS))
    write(model, one, TOKENS)

    def one_by_one() -> None:
        for _ in range(count):
            write(model, one, TOKENS)

    pair = paired(lambda: write(model, batch, TOKENS), one_by_one, rounds)
    label = f"{size.name}, random weights"
    speed = at_least(
        f"{label}, {count} {size.item}s at once : one by one", pair.ratio, "x", None,
        f"{pair.summary(count, size.item)}; {dtype} both; both wrote {TOKENS} tokens of each; "
        f"the model of transformers alone, without emer's tool{used}",
    )  # fmt: skip
    first = min(seconds(lambda: write(model, batch, 1)) for _ in range(rounds))
    step = (min(pair.ours) - first) / (TOKENS - 1)
    floor = writing_bytes(model, size.encoder) / bandwidth(device, dtype)
    return [speed, at_most(
        f"{label}, a step of writing : reading its weights once", step / floor, "x", None,
        f"{1000 * step:.3g} : {1000 * floor:.3g} ms for a token of each of {count}; "
        f"{writing_bytes(model, size.encoder) / 1e9:.3g} GB, as fast as a matrix times a vector "
        f"is read here",
    )]  # fmt: skip


def build_model(size: Size, device: str, dtype: str) -> Any:
    """Return the model with random weights, initialised on the device at this precision."""
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


def write(model: Any, inputs: Mapping[str, Any], tokens: int) -> None:
    """Have the model write so many tokens of each input, greedily; `Unequal` if it does not."""
    import torch

    with torch.inference_mode(), quiet():
        out = model.generate(
            **inputs, max_new_tokens=tokens, min_new_tokens=tokens, do_sample=False
        )
    prompt = inputs["input_ids"].shape[1] if "input_ids" in inputs else 0
    if out.shape[1] - prompt != tokens:
        raise Unequal(f"{out.shape[1] - prompt} tokens were written instead of {tokens}")


def _placed(inputs: Mapping[str, Any], model: Any) -> dict[str, Any]:
    """Return the inputs on the model's device; real numbers at its precision."""
    return {
        name: value.to(model.device, model.dtype if value.is_floating_point() else None)
        for name, value in inputs.items()
    }


def writing_bytes(model: Any, encoder: tuple[str, ...]) -> int:
    """Return the bytes of the weights that each token reads.

    Those are all but the encoder's and the embedding's; a head that shares the embedding reads it.
    """
    embedding = model.get_input_embeddings().weight
    tied = model.get_output_embeddings().weight is embedding
    return sum(
        weight.numel() * weight.element_size()
        for name, weight in model.named_parameters()
        if not any(part in name for part in encoder) and (tied or weight is not embedding)
    )


def bandwidth(device: str, dtype: str) -> float:
    """Return the bytes per second at which a large matrix times a vector is read."""
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


def _sound(count: int, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return log-mel windows of 30 s: (count, mels, 3000)."""
    import torch

    return {"input_features": torch.randn(count, config["num_mel_bins"], 3000)}


GRID: Final = (1, 30, 54)
"""Frames, rows and columns of patches of a picture of 756 x 420 pixels."""
PROMPT: Final = 60
"""Tokens of the words that ask for a caption."""


def _picture(count: int, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return chat turns of a picture and a prompt, as Qwen's processor prepares them."""
    import torch

    vision = config["vision_config"]
    merged = GRID[1] * GRID[2] // vision["spatial_merge_size"] ** 2
    turn = [config["vision_start_token_id"], *[config["image_token_id"]] * merged,
            config["vision_end_token_id"], *range(PROMPT)]  # fmt: skip
    ids = torch.tensor([turn] * count)
    values = 3 * vision["temporal_patch_size"] * vision["patch_size"] ** 2
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": (ids == config["image_token_id"]).int(),
        "pixel_values": torch.randn(count * GRID[1] * GRID[2], values),
        "image_grid_thw": torch.tensor([GRID] * count),
    }


LARGE_V3_TURBO: Final = Size(
    name="large-v3-turbo",
    kind="Whisper",
    config={  # openai/whisper-large-v3-turbo, config.json
        "vocab_size": 51866, "num_mel_bins": 128, "d_model": 1280, "encoder_layers": 32,
        "decoder_layers": 4, "encoder_attention_heads": 20, "decoder_attention_heads": 20,
        "encoder_ffn_dim": 5120, "decoder_ffn_dim": 5120,
    },
    inputs=_sound,
    item="window",
    encoder=("encoder.",),
)  # fmt: skip

QWEN2_5_VL_3B: Final = Size(
    name="qwen2.5-vl-3b",
    kind="Qwen2_5_VL",
    config={  # Qwen/Qwen2.5-VL-3B-Instruct, config.json
        "text_config": {
            "vocab_size": 151936, "hidden_size": 2048, "intermediate_size": 11008,
            "num_hidden_layers": 36, "num_attention_heads": 16, "num_key_value_heads": 2,
            "max_position_embeddings": 128000, "tie_word_embeddings": True,
            "rope_parameters": {
                "rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24],
            },
            "bos_token_id": 151643, "eos_token_id": 151645,
        },
        "vision_config": {
            "depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16,
            "out_hidden_size": 2048, "patch_size": 14, "spatial_merge_size": 2,
            "temporal_patch_size": 2, "window_size": 112,
            "fullatt_block_indexes": [7, 15, 23, 31],
        },
        "image_token_id": 151655, "video_token_id": 151656,
        "vision_start_token_id": 151652, "vision_end_token_id": 151653,
        "tie_word_embeddings": True,
    },
    inputs=_picture,
    item="picture",
    encoder=("visual.",),
    batches=MappingProxyType({"cpu": 2, "mps": 4, "cuda": 8}),
)  # fmt: skip

SIZES: Final[Mapping[str, Size]] = MappingProxyType(
    {size.name: size for size in (LARGE_V3_TURBO, QWEN2_5_VL_3B)}
)
