"""Tiny captioners in transformers' own formats, and clips with pictures of our making.

With `caption`, a folder writes these words whatever it is shown: its layers add nothing, and each
token's place in the output layer is that of the token before it. Without, it is left to chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]

_WORDS = """
a woman man smiles and waves at the camera she is sad crying looks down her hands are empty it
cannot be seen in red dress holds letter User Assistant user assistant : . , ? ; Describe picture
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen
"""
FRAME = '{"people":"a woman","gaze":"looks down","hands":"empty"}'
"""A description in JSON, whose pieces are words of the tokenizer."""
WORDS = (*_WORDS.split(), *FRAME.split())
CAPTION = "a woman smiles and waves at the camera"
SCALE = 9.0
"""Logit of the next word: near certain among a hundred words."""


def write_blip(folder: Path, caption: str | None = CAPTION, scale: float = SCALE) -> Path:
    """Write a tiny BLIP, which only describes."""
    import torch
    from transformers import BertTokenizerFast, BlipConfig, BlipForConditionalGeneration
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
    from transformers.models.blip.processing_blip import BlipProcessor

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]"]
    vocab = special + [word.lower() for word in dict.fromkeys(w.lower() for w in WORDS)]
    size = 128
    torch.manual_seed(0)
    text = {
        "vocab_size": len(vocab), "hidden_size": size, "encoder_hidden_size": 16,
        "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 32,
        "max_position_embeddings": 64,
        "bos_token_id": 5, "sep_token_id": 3, "eos_token_id": 3, "pad_token_id": 0,
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "projection_dim": 16,
        "tie_word_embeddings": False,
    }  # fmt: skip
    seen = {
        "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 32,
        "patch_size": 8, "intermediate_size": 32, "projection_dim": 16, "initializer_range": 0.5,
    }  # fmt: skip
    model = BlipForConditionalGeneration(
        BlipConfig(text_config=text, vision_config=seen, tie_word_embeddings=False)
    ).eval()
    if caption is not None:
        chain = [5, *(vocab.index(word) for word in caption.split()), 3]
        _say_with_bert(model.text_decoder, chain, len(vocab), size, scale)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(vocab))
    tokenizer = BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    pictures = BlipImageProcessorPil(size={"height": 32, "width": 32})
    return _save(folder, model, BlipProcessor(pictures, tokenizer))


def write_smolvlm(
    folder: Path, caption: str | None = CAPTION, scale: float = SCALE, kind: str = "Idefics3"
) -> Path:
    """Write a tiny Idefics3 (SmolVLM 256M, 500M) or, as `kind` says, SmolVLM (SmolVLM2)."""
    import torch
    import transformers

    special = ["<pad>", "<bos>", "<end_of_utterance>", "<fake_token_around_image>", "<image>",
               "<global-img>", "<unk>"]  # fmt: skip
    vocab, tokenizer = _tokenizer(special, "<pad>", "<end_of_utterance>")
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(
        text_config=_text(vocab, model_type="llama", bos_token_id=1),
        vision_config={
            "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1,
            "num_attention_heads": 2, "image_size": 32, "patch_size": 8,
        },
        scale_factor=2, image_token_id=vocab["<image>"], pad_token_id=0,
    )  # fmt: skip
    model = getattr(transformers, f"{kind}ForConditionalGeneration")(config).eval()
    template = (
        "{% for m in messages %}{{m['role']|capitalize}} : {% for l in m['content'] %}"
        "{% if l['type'] == 'text' %}{{l['text']}}{% else %}<image>{% endif %}{% endfor %}"
        "<end_of_utterance>{% endfor %}{% if add_generation_prompt %}Assistant :{% endif %}"
    )
    if caption is not None:
        _say_with_llama(model, _chain(vocab, ":", caption, "<end_of_utterance>"), scale)
    module = f"transformers.models.{kind.lower()}.image_processing_pil_{kind.lower()}"
    pictures = getattr(__import__(module, fromlist=["x"]), f"{kind}ImageProcessorPil")(
        size={"longest_edge": 64}, max_image_size={"longest_edge": 32}
    )
    from transformers import Idefics3Processor

    processor = Idefics3Processor(pictures, tokenizer, image_seq_len=4, chat_template=template)
    return _save(folder, model, processor)


def write_qwen(folder: Path, caption: str | None = CAPTION, scale: float = SCALE) -> Path:
    """Write a tiny Qwen2.5-VL."""
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
    from transformers.models.qwen2_5_vl.processing_qwen2_5_vl import Qwen2_5_VLProcessor
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    from emer.tools.caption.vlm import without_video

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>",
               "<|image_pad|>", "<|video_pad|>", "<unk>"]  # fmt: skip
    vocab, tokenizer = _tokenizer(special, "<|endoftext|>", "<|im_end|>")
    torch.manual_seed(0)
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 6, 6]}
    config = Qwen2_5_VLConfig(
        text_config=_text(vocab, rope_parameters=rope, bos_token_id=None),
        vision_config={
            "depth": 1, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2, "patch_size": 4,
            "spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 16,
            "fullatt_block_indexes": [0], "out_hidden_size": 128,
        },
        image_token_id=5, video_token_id=6, vision_start_token_id=3, vision_end_token_id=4,
    )  # fmt: skip
    model = Qwen2_5_VLForConditionalGeneration(config).eval()
    template = (
        "{% for m in messages %}<|im_start|>{{m['role']}} {% for l in m['content'] %}"
        "{% if l['type'] == 'text' %}{{l['text']}}{% else %}<|vision_start|><|image_pad|>"
        "<|vision_end|>{% endif %}{% endfor %}<|im_end|>{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant{% endif %}"
    )
    if caption is not None:
        _say_with_llama(model, _chain(vocab, "assistant", caption, "<|im_end|>"), scale)
    pictures = Qwen2VLImageProcessorPil(
        size={"shortest_edge": 256, "longest_edge": 4096}, patch_size=4, merge_size=2,
        temporal_patch_size=2,
    )  # fmt: skip
    made = without_video(Qwen2_5_VLProcessor)
    processor = made(pictures, tokenizer, None, chat_template=template)
    _save(folder, model, processor)
    # As the official folders have it: a processor with a part for videos.
    file = folder / "processor_config.json"
    file.write_text(file.read_text().replace('"Still"', '"Qwen2_5_VLProcessor"'))
    return folder


def write_pictures(path: Path, pictures: Sequence[Rgb], fps: int = 10) -> Path:
    """Write a clip of these pictures, almost without loss."""
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("mpeg4", rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = 40_000_000
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def room(seed: int, size: tuple[int, int] = (240, 320)) -> Rgb:
    """Return a picture with soft shapes, of another colour and place for each seed."""
    made = np.random.default_rng(seed)
    coarse = made.integers(30, 190, (6, 8, 3)).astype(np.uint8)
    import cv2

    large = cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large + made.integers(0, 12, large.shape), np.uint8)


def with_words(picture: Rgb, words: str, low: float = 0.9, ink: int = 245) -> Rgb:
    """Return the picture with words burnt in as subtitles are: light, outlined, centred."""
    import cv2

    made = np.ascontiguousarray(picture.copy())
    height, width = made.shape[:2]
    scale, font = min(height, width) / 400, cv2.FONT_HERSHEY_DUPLEX
    (wide, _), _ = cv2.getTextSize(words, font, scale, 1)
    place = ((width - wide) // 2, round(height * low))
    cv2.putText(made, words, place, font, scale, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(made, words, place, font, scale, (ink, ink, ink), 1, cv2.LINE_AA)
    return made


WRITERS: dict[str, Callable[..., Path]] = {
    "blip": write_blip,
    "smolvlm": write_smolvlm,
    "qwen": write_qwen,
}


def _tokenizer(special: Sequence[str], pad: str, end: str) -> tuple[dict[str, int], Any]:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocab = {word: number for number, word in enumerate([*special, *WORDS])}
    made = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    named = {"pad_token": pad, "eos_token": end, "unk_token": "<unk>"}
    more = [word for word in special if word not in named.values()]
    return vocab, PreTrainedTokenizerFast(
        tokenizer_object=made, additional_special_tokens=more, **named
    )


def _text(vocab: dict[str, int], **more: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(vocab), "hidden_size": 128, "intermediate_size": 32,
        "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 4,
        "max_position_embeddings": 2048, "pad_token_id": 0, "eos_token_id": 2,
        "tie_word_embeddings": False, **more,
    }  # fmt: skip


def _chain(vocab: dict[str, int], first: str, caption: str, end: str) -> list[int]:
    words = [vocab[word] for word in caption.split()]
    assert len({*words}) == len(words), "a word may stand once in a known caption"
    return [vocab[first], *words, vocab[end]]


def _say_with_llama(model: Any, chain: Sequence[int], scale: float) -> None:
    import torch

    state = model.state_dict()
    for name, weight in state.items():
        if name.endswith(("o_proj.weight", "down_proj.weight")) and "vision" not in name:
            weight.zero_()
    embedding = model.get_input_embeddings().weight.data
    embedding.copy_(torch.eye(*embedding.shape))
    head = model.get_output_embeddings().weight.data.zero_()
    root = embedding.shape[1] ** 0.5  # what the last norm makes of a unit vector
    for before, after in pairwise(chain):
        head[after, before] = scale / root


def _say_with_bert(decoder: Any, chain: Sequence[int], count: int, size: int, scale: float) -> None:
    import torch

    for name, weight in decoder.state_dict().items():
        if name.endswith(("output.dense.weight", "position_embeddings.weight")) or name.endswith(
            "output.dense.bias"
        ):
            weight.zero_()
    unit = torch.eye(count, size)
    decoder.bert.embeddings.word_embeddings.weight.data.copy_(unit)
    head = decoder.cls.predictions
    head.transform.dense.weight.data.copy_(torch.eye(size))
    head.transform.dense.bias.data.zero_()
    head.decoder.weight.data.zero_()
    head.decoder.bias.data.zero_()
    for before, after in pairwise(chain):
        head.decoder.weight.data[after, before] = scale / size**0.5


def _save(folder: Path, model: Any, processor: Any) -> Path:
    from emer.tools.weights.pretrained import quiet

    folder.mkdir(parents=True, exist_ok=True)
    with quiet():
        model.save_pretrained(folder)
        processor.save_pretrained(folder)
    return folder
