"""A tiny wav2vec2 with a CTC head whose set weights spell a melody: each letter is a tone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

LETTERS = ("<pad>", "|", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ'", "<unk>")
RATE, HOP, SPAN = 16_000, 20, 160
"""Samples per second, per step and per filter of the first layer."""
SMOOTH = 16
"""Steps of the first layer per frame of the output: 20 ms."""


def hertz(letter: str) -> float:
    """Return the tone of a letter."""
    return 400.0 + 200.0 * LETTERS.index(letter)


def melody(text: str | Sequence[str], seconds: float = 0.1) -> np.ndarray:
    """Return the sound that spells a text, or tokens: each a tone, with the blank's between."""
    heard = []
    for letter in text.upper().replace(" ", "|") if isinstance(text, str) else text:
        for tone in (letter, "<pad>"):
            time = np.arange(round(seconds / 2 * RATE)) / RATE
            heard.append(0.3 * np.sin(2 * np.pi * hertz(tone) * time))
    return np.concatenate(heard).astype(np.float32)


def write_ctc(folder: Path, *, mask: bool = True) -> Path:
    """Write the model with its tokenizer and feature extractor, as transformers reads it."""
    import torch
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    folder.mkdir(parents=True, exist_ok=True)
    count = len(LETTERS)
    config = Wav2Vec2Config(
        vocab_size=count, hidden_size=count + 2, num_hidden_layers=1, num_attention_heads=1,
        intermediate_size=8, conv_dim=(4 * count, count + 2), conv_kernel=(SPAN, SMOOTH),
        conv_stride=(HOP, SMOOTH), conv_bias=True, feat_extract_norm="layer",
        num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=1, pad_token_id=0,
    )  # fmt: skip
    model = Wav2Vec2ForCTC(config)
    for name, weight in model.named_parameters():
        weight.data.fill_(1.0 if "norm.weight" in name else 0.0)
        if name.endswith("weight.original0"):
            weight.data.fill_(1e-9)
        if name.endswith("weight.original1"):
            weight.data.fill_(1.0)
    _listen(model, torch)
    model.save_pretrained(folder)
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps({letter: n for n, letter in enumerate(LETTERS)}))
    tokenizer = Wav2Vec2CTCTokenizer(str(vocabulary), bos_token=None, eos_token=None)
    extractor = Wav2Vec2FeatureExtractor(return_attention_mask=mask)
    Wav2Vec2Processor(extractor, tokenizer).save_pretrained(folder)
    return folder


def _listen(model: Any, torch: Any) -> None:
    """Give the first layer a filter per tone and phase, the second the energy of each tone."""
    first, second = (layer.conv for layer in model.wav2vec2.feature_extractor.conv_layers)
    time = np.arange(SPAN) / RATE
    for place, letter in enumerate(LETTERS):
        turn = 2 * np.pi * hertz(letter) * time
        for phase, wave in enumerate((np.cos(turn), np.sin(turn), -np.cos(turn), -np.sin(turn))):
            shaped = torch.tensor(wave * np.hanning(SPAN), dtype=torch.float32)
            first.weight.data[4 * place + phase, 0] = shaped
            second.weight.data[place, 4 * place + phase] = 1.0 / SMOOTH
    wide = model.config.hidden_size
    model.wav2vec2.feature_projection.projection.weight.data.copy_(torch.eye(wide))
    model.lm_head.weight.data.copy_(8.0 * torch.eye(wide)[: len(LETTERS)])
