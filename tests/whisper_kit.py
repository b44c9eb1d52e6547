"""Tiny Whisper checkpoints in the models' own formats, whose weights spell out what they say.

The weights are set, not trained, so that the real decoder writes a known text: the embedding of
each position points at the token to come, attention over the text finds the task (transcribe or
translate), and attention over the sound looks where a word is to be heard. `random_checkpoint`
has random weights instead, whose nonsense depends on the sound.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.fixtures import whisper_weights
from tests.fixtures.whisper_weights import WhisperSize, tokens_of

WIDTH, CODE = 96, 72
TASK, SIDE, CLOCK, FOG = 72, 73, 74, 86
"""Dimensions that mark the translate token, one text from the other, time, and nothing."""

FRAMES, CONTEXT, LAYERS = 1500, 448, 2
RATES = (1.0, 8.0, 64.0)
PULL = 8.0
"""How much stronger the token to come is than the one that was."""

SIZE = WhisperSize(name="set", width=WIDTH, heads=1, encoder_layers=LAYERS, decoder_layers=LAYERS)
DIMS = SIZE.dims
ENGLISH_ONLY = SIZE.model_copy(update={"languages": SIZE.languages - 1})
"""By its vocabulary, a token smaller, the libraries know a model of English alone."""


@dataclass(frozen=True)
class Script:
    """What a checkpoint says, and how."""

    text: str = " I can't believe it. This is wonderful news."
    english: str = ""
    """What it writes when asked to translate."""
    language: str = "en"
    begins: float = 0.3
    """When the first token is heard (s), and how long each takes."""
    step: float = 0.25
    no_speech: float = 0.0
    """How strongly it says that nobody speaks, against the language (1 is as strong)."""
    fog: float = 0.0
    """What lies over its tokens: at 180 each has a probability of about a fifth."""
    hears: int = LAYERS
    """Layers of the encoder: more than write, where a model was thinned as turbo was."""

    @property
    def size(self) -> WhisperSize:
        return SIZE.model_copy(update={"encoder_layers": self.hears})


def clock(seconds: np.ndarray) -> np.ndarray:
    """Return what stands for a moment of 30 s, shape (n, 12): mean 0, the same length for all."""
    angles = np.asarray(seconds)[:, None] * np.pi / 30 * np.array(RATES)
    waves = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    return np.concatenate([waves, -waves], axis=1)


def spelled(script: Script, *, timed: bool = False) -> dict[str, Any]:
    """Return the state dict, in openai-whisper's names, of a model that says the script.

    `timed` has the text begin and end with a timestamp, which openai-whisper's `transcribe` needs:
    without one at the end it decodes what follows the last word once more.
    """
    import torch
    from whisper.model import ModelDimensions, Whisper

    tokens = tokens_of(script.language)
    said, english = tokens.encode(script.text), tokens.encode(script.english)
    assert not script.english or not set(said) & set(english), "the two texts share a token"
    state = {
        name: torch.zeros_like(w)
        for name, w in Whisper(ModelDimensions(**script.size.dims)).state_dict().items()
    }
    for name, weight in state.items():
        if name.endswith(("ln.weight", "ln_post.weight")):
            weight.fill_(1.0)
    codes = np.random.default_rng(0).choice([-1.0, 1.0], size=(DIMS["n_vocab"], WIDTH))
    codes[:, CODE:] = 0.0
    codes[said, SIDE], codes[english, SIDE] = 2.0, -2.0
    if timed and len(said) != len(english):  # else both end with the same timestamp
        codes[_end(script, tokens, len(said)), SIDE] = 2.0
        codes[_end(script, tokens, len(english)), SIDE] = -2.0
    codes[tokens.translate, TASK] = 12.0
    state["decoder.token_embedding.weight"] = torch.tensor(codes, dtype=torch.float32)
    state["decoder.positional_embedding"] = torch.tensor(
        _positions(script, tokens, codes, timed), dtype=torch.float32
    )
    heard = np.zeros((FRAMES, WIDTH))
    heard[:, CLOCK : CLOCK + 12] = clock(np.arange(FRAMES) * 0.02)
    state["encoder.positional_embedding"] = torch.tensor(heard, dtype=torch.float32)
    _find_the_task(state)
    _look_at_the_clock(state)
    return state


def _positions(script: Script, tokens: Any, codes: np.ndarray, timed: bool) -> np.ndarray:
    """Return what each position adds: the tokens to come, which text, and the time."""
    plain = codes.copy()
    plain[:, CODE:] = 0.0
    said, english = tokens.encode(script.text), tokens.encode(script.english)
    positions = np.zeros((CONTEXT, WIDTH))
    positions[0] = PULL * (
        plain[tokens.language_token] + script.no_speech * plain[tokens.no_speech]
    )
    texts = [text for text in (said, english) if text]
    if timed:
        texts = [[*text, _end(script, tokens, len(text))] for text in texts]
        positions[2] = PULL * plain[tokens.timestamp_begin]
    for place in range(CONTEXT - 3):
        nexts = [text[place] if place < len(text) else tokens.eot for text in texts]
        positions[3 + place] = PULL * sum(plain[token] for token in dict.fromkeys(nexts))
        positions[3 + place, FOG:] = script.fog * np.resize([1.0, -1.0], WIDTH - FOG)
        positions[3 + place, SIDE] = 12.0
    moments = np.clip(script.begins + script.step * (np.arange(CONTEXT) - 3 + 0.5), 0, 30)
    positions[:, CLOCK : CLOCK + 12] += 2 * clock(moments)
    return positions


def _end(script: Script, tokens: Any, count: int) -> int:
    """Return the timestamp after so many tokens, in steps of 20 ms."""
    return tokens.timestamp_begin + round(min(script.begins + script.step * count, 30.0) / 0.02)


def _find_the_task(state: dict[str, Any]) -> None:
    """Have the first layer turn to the other text where the translate token is in sight."""
    block = "decoder.blocks.0.attn"
    state[f"{block}.query.bias"][TASK] = 60.0
    state[f"{block}.key.weight"][TASK, TASK] = 20.0
    state[f"{block}.value.weight"][SIDE, TASK] = -12.0
    state[f"{block}.out.weight"][SIDE, SIDE] = 1.0


def _look_at_the_clock(state: dict[str, Any]) -> None:
    """Have the last layer look at the sound at its position's time, and take nothing from it."""
    block = "decoder.blocks.1.cross_attn"
    for place in range(CLOCK, CLOCK + 12):
        state[f"{block}.query.weight"][place, place] = 12.0
        state[f"{block}.key.weight"][place, place] = 12.0


def write_openai(path: Path, state: dict[str, Any], size: WhisperSize = SIZE) -> Path:
    """Write a checkpoint as openai-whisper reads it."""
    return whisper_weights.write_openai(path, size, state)


def random_checkpoint(path: Path, seed: int = 0) -> Path:
    """Write a checkpoint of random weights; what it writes depends on the sound."""
    import torch
    from whisper.model import ModelDimensions, Whisper

    torch.manual_seed(seed)
    model = Whisper(ModelDimensions(**DIMS))
    torch.nn.init.normal_(model.decoder.positional_embedding, std=0.1)  # left empty by whisper
    for name, weight in model.named_parameters():
        if "cross_attn" in name and weight.ndim == 2:
            weight.data.mul_(6.0)
    return write_openai(path, model.state_dict())


def write_transformers(folder: Path, state: dict[str, Any], size: WhisperSize = SIZE) -> Path:
    """Write the same model as transformers reads it, with tokenizer and feature extractor."""
    whisper_weights.write_transformers(folder, size, state)
    if size is ENGLISH_ONLY:
        _of_one_language(folder / "generation_config.json")
    return folder


def _of_one_language(file: Path) -> None:
    """Have the folder say what those of English-only models say of languages: nothing."""
    said = json.loads(file.read_text())
    del said["lang_to_id"], said["task_to_id"]
    file.write_text(json.dumps({**said, "is_multilingual": False}))


def write_ctranslate(folder: Path, state: dict[str, Any], size: WhisperSize = SIZE) -> Path:
    """Write the same model as CTranslate2 reads it, converted from the one of transformers."""
    source = write_transformers(folder.with_name(f"{folder.name}-source"), state, size)
    whisper_weights.write_ctranslate(folder, source)
    if size is ENGLISH_ONLY:  # CTranslate2 tells by a token that only the multilingual ones have
        vocabulary = folder / "vocabulary.json"
        vocabulary.write_text(vocabulary.read_text().replace('""', '"<|none|>"'))
    return folder


WRITERS = {
    "openai": write_openai, "transformers": write_transformers, "ctranslate": write_ctranslate,
}  # fmt: skip


def english_only(kind: str, path: Path) -> Path:
    """Write a model of random weights that knows English alone."""
    state = whisper_weights.random_state(ENGLISH_ONLY)
    return WRITERS[kind](path, state, ENGLISH_ONLY)
