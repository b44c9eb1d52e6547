"""Captioners of transformers with random weights, which never end what they write.

The weights of the token that ends are nothing, so that some other is always likelier: both sides
of a comparison write as many tokens as they may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emer.evals.specialists.sizes import CaptionerSize
from emer.tools.weights.pretrained import quiet

END, PAD, UNKNOWN = "<end>", "<pad>", "<unk>"

_SPECIAL: Mapping[str, tuple[str, ...]] = {
    "Idefics3": ("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"),
    "Qwen2_5_VL": ("<|image_pad|>", "<|vision_start|>", "<|vision_end|>", "<|video_pad|>"),
}
"""Tokens that a kind's processor writes for a picture: the first is repeated, the others stand
around it."""

_PICTURE: Mapping[str, str] = {
    "Idefics3": "<image>",
    "Qwen2_5_VL": "<|vision_start|><|image_pad|><|vision_end|>",
}


def write_captioner(folder: Path, size: CaptionerSize, dtype: str = "float32") -> Path:
    """Write a folder as transformers reads it, at this precision."""
    import torch
    import transformers

    special = (PAD, END, UNKNOWN, *_SPECIAL[size.kind])
    config = getattr(transformers, f"{size.kind}Config")(**_config(size, special))
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        model = getattr(transformers, f"{size.kind}ForConditionalGeneration")(config).eval()
    finally:
        torch.set_default_dtype(before)
    model.get_output_embeddings().weight.data[special.index(END)] = 0
    folder.mkdir(parents=True, exist_ok=True)
    with quiet():
        model.save_pretrained(folder)
        _processor(size, special).save_pretrained(folder)
    return folder


def _config(size: CaptionerSize, special: Sequence[str]) -> dict[str, Any]:
    """Return the configuration: the published figures with the tokens of our tokenizer."""
    text = {
        "pad_token_id": special.index(PAD), "bos_token_id": special.index(PAD),
        "eos_token_id": special.index(END), "tie_word_embeddings": size.tied, **size.text,
    }  # fmt: skip
    place = special.index
    if size.kind == "Idefics3":
        return {
            "text_config": {"model_type": "llama", **text}, "vision_config": dict(size.vision),
            "scale_factor": 4, "image_token_id": place("<image>"), "pad_token_id": place(PAD),
            "tie_word_embeddings": size.tied,
        }  # fmt: skip
    head = size.text["hidden_size"] // size.text["num_attention_heads"]
    sections = [head // 8, head * 3 // 16, head * 3 // 16]
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": sections}
    return {
        "text_config": {**text, "rope_parameters": rope}, "vision_config": dict(size.vision),
        "image_token_id": place("<|image_pad|>"), "video_token_id": place("<|video_pad|>"),
        "vision_start_token_id": place("<|vision_start|>"),
        "vision_end_token_id": place("<|vision_end|>"), "tie_word_embeddings": size.tied,
    }  # fmt: skip


def _processor(size: CaptionerSize, special: Sequence[str]) -> Any:
    tokenizer = _tokenizer(int(size.text["vocab_size"]), special)
    template = (
        "{% for m in messages %}{% for l in m['content'] %}{% if l['type'] == 'text' %}"
        "{{l['text']}}{% else %}" + _PICTURE[size.kind] + "{% endif %}{% endfor %}{% endfor %}"
    )
    if size.kind == "Idefics3":
        from transformers import Idefics3Processor
        from transformers.models.idefics3.image_processing_pil_idefics3 import (
            Idefics3ImageProcessorPil,
        )

        edge = {"longest_edge": size.pixels}
        pictures = Idefics3ImageProcessorPil(size=edge, max_image_size=edge)
        return Idefics3Processor(
            pictures, tokenizer, image_seq_len=size.per_picture, chat_template=template
        )
    from transformers.models.qwen2_5_vl.processing_qwen2_5_vl import Qwen2_5_VLProcessor
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    from emer.tools.caption.vlm import without_video

    pictures = Qwen2VLImageProcessorPil(
        patch_size=size.vision["patch_size"], merge_size=size.vision["spatial_merge_size"],
        temporal_patch_size=size.vision["temporal_patch_size"],
    )  # fmt: skip
    return without_video(Qwen2_5_VLProcessor)(pictures, tokenizer, None, chat_template=template)


def _tokenizer(count: int, special: Sequence[str]) -> Any:
    """Return a tokenizer of so many words that nobody says."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = [f"w{number}" for number in range(len(special), count)]
    vocabulary = {word: number for number, word in enumerate([*special, *words])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    named = {"pad_token": PAD, "eos_token": END, "unk_token": UNKNOWN}
    more = [word for word in special if word not in named.values()]
    return PreTrainedTokenizerFast(tokenizer_object=made, additional_special_tokens=more, **named)
