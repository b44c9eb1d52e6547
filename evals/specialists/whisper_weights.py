"""Whisper checkpoints in the libraries' own formats, of random weights that write a known text.

All is random but the positions of the decoder: each draws the next token of the text so strongly
that every library, at every precision, writes the same tokens and then ends. So both sides of a
comparison do the same work, and it can be checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emer.evals.specialists.sizes import WhisperSize
from emer.evals.specialists.whisper_tokens import save_tokens, tokens_of
from emer.tools.weights.pretrained import quiet

TEXT = " I never thought it would end like this, and I do not know what to say to her."
"""What the weights write of any sound: 20 tokens, as people say in about five seconds."""

PULL = 12.0
"""How much stronger a position draws its token than the token before it stands in the stream."""


def random_state(size: WhisperSize, text: str = TEXT, seed: int = 0) -> dict[str, Any]:
    """Return the weights, in openai-whisper's names, of a model that writes `text` in English."""
    import torch
    from whisper.model import ModelDimensions, Whisper

    torch.manual_seed(seed)
    state: dict[str, Any] = Whisper(ModelDimensions(**size.dims)).state_dict()
    tokens = tokens_of(languages=size.languages)
    written = tokens.encode(text)
    embedding = torch.randn(size.vocabulary, size.width)
    # The first position hears the language; the fourth, whether after <|notimestamps|> or
    # after the first time, begins the text.
    nexts = [tokens.language_token, tokens.eot, tokens.eot, *written]
    nexts += [tokens.eot] * (size.context - len(nexts))
    state["decoder.token_embedding.weight"] = embedding
    state["decoder.positional_embedding"] = PULL * embedding[nexts]
    return state


def write_openai(path: Path, size: WhisperSize, state: dict[str, Any]) -> Path:
    """Write a checkpoint as openai-whisper reads it."""
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"dims": size.dims, "model_state_dict": state}, path)
    return path


_NAMES = (
    ("blocks", "layers"), (".mlp_ln.", ".final_layer_norm."),
    (".mlp.0.", ".fc1."), (".mlp.2.", ".fc2."),
    (".cross_attn_ln.", ".encoder_attn_layer_norm."), (".attn_ln.", ".self_attn_layer_norm."),
    (".cross_attn.", ".encoder_attn."), (".attn.", ".self_attn."), (".query.", ".q_proj."),
    (".key.", ".k_proj."), (".value.", ".v_proj."), (".out.", ".out_proj."),
    ("decoder.ln.", "decoder.layer_norm."), ("ln_post.", "layer_norm."),
    ("token_embedding", "embed_tokens"), ("positional_embedding", "embed_positions.weight"),
)  # fmt: skip


def write_transformers(folder: Path, size: WhisperSize, state: dict[str, Any]) -> Path:
    """Write the same model as transformers reads it, with tokenizer and feature extractor."""
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    tokens = tokens_of(languages=size.languages)
    config = WhisperConfig(
        vocab_size=size.vocabulary, d_model=size.width, num_mel_bins=size.mels,
        encoder_layers=size.encoder_layers, decoder_layers=size.decoder_layers,
        encoder_attention_heads=size.heads, decoder_attention_heads=size.heads,
        encoder_ffn_dim=4 * size.width, decoder_ffn_dim=4 * size.width,
        max_source_positions=size.frames, max_target_positions=size.context,
        decoder_start_token_id=tokens.sot, bos_token_id=tokens.eot, eos_token_id=tokens.eot,
        pad_token_id=tokens.eot, suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config)
    model.load_state_dict({f"model.{_renamed(name)}": w for name, w in state.items()}, strict=False)
    model.tie_weights()
    _tell(model.generation_config, size, tokens)
    folder.mkdir(parents=True, exist_ok=True)
    with quiet():
        model.save_pretrained(folder)
    save_tokens(folder, size.languages, size.mels)
    return folder


def _tell(generation: Any, size: WhisperSize, tokens: Any) -> None:
    """Have transformers write as Whisper's published folders tell it to."""
    generation.lang_to_id = {
        f"<|{code}|>": tokens.to_language_token(code) for code in tokens.all_language_codes
    }
    generation.task_to_id = {"transcribe": tokens.transcribe, "translate": tokens.translate}
    generation.is_multilingual = True
    generation._from_model_config = False
    generation.no_timestamps_token_id = tokens.no_timestamps
    generation.alignment_heads = [[size.decoder_layers - 1, 0]]
    generation.max_length = size.context
    generation.forced_decoder_ids = None
    generation.suppress_tokens = list(tokens.non_speech_tokens)


def _renamed(name: str) -> str:
    for old, new in _NAMES:
        name = name.replace(old, new)
    return name


def write_ctranslate(folder: Path, source: Path, quantization: str | None = None) -> Path:
    """Convert what `write_transformers` wrote into what CTranslate2 reads."""
    import ctranslate2

    files = ["tokenizer.json", "preprocessor_config.json"]
    present = [name for name in files if (source / name).is_file()]
    converter = ctranslate2.converters.TransformersConverter(str(source), copy_files=present)
    with quiet():
        converter.convert(str(folder), quantization=quantization)
    return folder
