"""Whisper's tokenizer for transformers and faster-whisper, made from openai-whisper's own file."""

from __future__ import annotations

import base64
import warnings
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any


def tokens_of(language: str = "en", languages: int = 99) -> Any:
    """Return openai-whisper's tokenizer of a language."""
    from whisper.tokenizer import get_tokenizer

    with warnings.catch_warnings():  # it leaves its vocabulary file open, the first time
        warnings.simplefilter("ignore", ResourceWarning)
        return get_tokenizer(True, num_languages=languages, language=language, task="transcribe")


@cache
def as_transformers(languages: int = 99) -> Any:
    """Return the same tokenizer as transformers knows it; made once, which takes a second."""
    from transformers import WhisperTokenizer
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    letters = bytes_to_unicode()
    lines = (files("whisper") / "assets" / "multilingual.tiktoken").read_text().splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines)}

    def spell(token: bytes) -> str:
        return "".join(letters[byte] for byte in token)

    merges = [tuple(map(spell, _halves(token, ranks))) for token in ranks if len(token) > 1]
    made = WhisperTokenizer(vocab={spell(t): r for t, r in ranks.items()}, merges=merges)
    tokens = tokens_of(languages=languages)
    special = sorted(tokens.encoding._special_tokens.items(), key=lambda pair: pair[1])
    made.add_special_tokens({"additional_special_tokens": [name for name, _ in special]})
    return made


def _halves(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """Return the two known tokens that byte pair encoding joins to this one."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        pairs = [(ranks.get(a + b, 10**9), place) for place, (a, b) in enumerate(pairwise(parts))]
        _, place = min(pair for pair in pairs if pair[0] < ranks[token])
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts[0], parts[1]


def save_tokens(folder: Path, languages: int, mels: int) -> None:
    """Write tokenizer and feature extractor as a folder of transformers has them."""
    from transformers import WhisperFeatureExtractor, WhisperProcessor

    extractor = WhisperFeatureExtractor(feature_size=mels)
    WhisperProcessor(extractor, as_transformers(languages)).save_pretrained(folder)
    extractor.save_pretrained(folder)  # faster-whisper reads it in a file of its own
