"""The sizes of published models that random weights are made in.

Figures are those of the models' own configuration files, which their libraries read.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from emer.tools.types import Record


class WhisperSize(Record):
    """The dimensions of a Whisper model, in openai-whisper's terms."""

    name: str
    width: int
    heads: int
    encoder_layers: int
    decoder_layers: int
    mels: int = 80
    languages: int = 99
    frames: int = 1500
    context: int = 448

    @property
    def vocabulary(self) -> int:
        """Tokens: text, languages, tasks and times."""
        return 51766 + self.languages

    @property
    def dims(self) -> dict[str, int]:
        """As openai-whisper's checkpoints carry them."""
        return {
            "n_mels": self.mels,
            "n_audio_ctx": self.frames,
            "n_audio_state": self.width,
            "n_audio_head": self.heads,
            "n_audio_layer": self.encoder_layers,
            "n_vocab": self.vocabulary,
            "n_text_ctx": self.context,
            "n_text_state": self.width,
            "n_text_head": self.heads,
            "n_text_layer": self.decoder_layers,
        }


class CaptionerSize(Record):
    """A captioner's kind in transformers, and its configuration."""

    name: str
    kind: str
    """Of the classes: "Idefics3", "Qwen2_5_VL"."""
    text: Mapping[str, Any]
    vision: Mapping[str, Any]
    pixels: int
    """Longest side of a picture as the model is shown it."""
    tied: bool = True
    """Whether the words that are read and those that are written share their weights."""
    per_picture: int = 0
    """Tokens that stand for a picture, where that is fixed."""


_WHISPER = (
    WhisperSize(name="tiny", width=384, heads=6, encoder_layers=4, decoder_layers=4),
    WhisperSize(name="base", width=512, heads=8, encoder_layers=6, decoder_layers=6),
    WhisperSize(name="small", width=768, heads=12, encoder_layers=12, decoder_layers=12),
    WhisperSize(
        name="large-v3-turbo", width=1280, heads=20, encoder_layers=32, decoder_layers=4,
        mels=128, languages=100,
    ),
)  # fmt: skip

_CAPTIONERS = (
    CaptionerSize(
        name="smolvlm-256m",
        kind="Idefics3",
        text={
            "vocab_size": 49280, "hidden_size": 576, "intermediate_size": 1536,
            "num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
            "max_position_embeddings": 8192,
        },
        vision={
            "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12,
            "num_attention_heads": 12, "image_size": 512, "patch_size": 16,
        },
        pixels=512,
        tied=False,
        per_picture=64,
    ),
    CaptionerSize(
        name="qwen2.5-vl-3b",
        kind="Qwen2_5_VL",
        text={
            "vocab_size": 151936, "hidden_size": 2048, "intermediate_size": 11008,
            "num_hidden_layers": 36, "num_attention_heads": 16, "num_key_value_heads": 2,
            "max_position_embeddings": 32768,
        },
        vision={
            "depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16,
            "out_hidden_size": 2048, "patch_size": 14, "spatial_merge_size": 2,
            "temporal_patch_size": 2, "window_size": 112,
            "fullatt_block_indexes": [7, 15, 23, 31],
        },
        pixels=768,
    ),
)  # fmt: skip

WHISPER: Final = MappingProxyType({size.name: size for size in _WHISPER})
CAPTIONERS: Final = MappingProxyType({size.name: size for size in _CAPTIONERS})
