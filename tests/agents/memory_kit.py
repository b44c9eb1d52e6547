"""What the memory's tests say often: items of one label, a tiny sentence model, pairs of words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emer.agents.memory.embedder import Embedder
from emer.agents.memory.memory import Item, Memory
from emer.agents.memory.passages import Passage, of_text

ANTONYMS = """
joyful sorrowful, happy unhappy, happy sad, calm anxious, angry calm, relieved irritated,
proud ashamed, excited bored, hopeful hopeless, friendly hostile, gentle harsh,
confident insecure, loving hateful, pleased displeased, satisfied dissatisfied,
pleasant unpleasant, interested bored, interested uninterested, grateful ungrateful,
affectionate cold, caring uncaring, trusting suspicious, admiring contemptuous,
respectful disdainful, cheerful gloomy, delighted devastated, elated depressed,
content discontented, optimistic pessimistic, brave afraid, fearless fearful, relaxed tense,
peaceful furious, serene agitated, enthusiastic apathetic, sympathetic cruel, kind unkind,
comfortable uncomfortable, secure insecure, tender brutal, jubilant miserable,
triumphant defeated, thankful resentful, merry mournful, relieved worried, joy sorrow,
love hate, hope despair, 高兴 难过, 开心 伤心, 高兴 不高兴, 平静 焦虑, 放松 紧张, 自豪 羞愧,
喜悦 悲伤, 满意 不满, 期待 绝望, 感激 怨恨, 乐观 悲观, 自信 自卑
"""
STIRRED_OR_STILL = (("calm", "excited"), ("relaxed", "excited"))
SYNONYMS = """
happy joyful, sad sorrowful, angry furious, worried anxious, surprised astonished, calm peaceful,
confused puzzled, disgusted revolted, embarrassed awkward, tired exhausted, grateful thankful,
afraid scared, irritated annoyed, kind gentle, miserable wretched, 高兴 开心, 生气 愤怒
"""


def pairs(text: str) -> list[tuple[str, str]]:
    """Return the pairs of words that a text lists."""
    listed = (pair.split() for pair in text.replace("\n", " ").split(",") if pair.strip())
    return [(one, two) for one, two in listed]


def labelled(*labels: str, text: str = "") -> Item:
    """Return an exemplar that was given these labels, found by them or by a text."""
    passage = of_text(text or " ".join(labels))
    told = ", ".join(labels)
    return Item(
        key=f"x-{told}", kind="exemplar", source="run 1", passage=passage, labels=labels,
        en=told, zh=told,
    )  # fmt: skip


def finds(query: str, items: Sequence[Item], embedder: Embedder) -> list[str]:
    """Return the keys of the items that a query finds, the nearest first."""
    memory = Memory(items, embedder)
    return [match.item.key for match in memory.nearest(of_text(query), len(items))]


def likeness(embedder: Embedder, one: str, two: str) -> float:
    """Return the bare inner product of two texts, no gate before it."""
    rows = embedder.embed([of_text(one), of_text(two)])
    return float(rows[0] @ rows[1])


class Blind:
    """Holds everything for alike, as a bad sentence model does: only the gate tells apart."""

    name = "blind"
    least = 0.3

    def embed(self, passages: Sequence[Passage]):  # type: ignore[no-untyped-def]
        import numpy as np

        return np.tile(np.array([[1.0, 0.0]], dtype=np.float32), (len(passages), 1))


def write_sentence_model(folder: Path) -> Path:
    """Write a random two-layer BERT with a tokenizer of single characters."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    letters = [chr(code) for code in range(33, 127)]
    known = ["[PAD]", "[UNK]", *letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {piece: number for number, piece in enumerate(known)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", model_max_length=64
    ).save_pretrained(folder)
    torch.manual_seed(11)
    config = BertConfig(
        vocab_size=len(known),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=64,
        initializer_range=1.0,  # random weights this large tell texts apart
    )
    BertModel(config).save_pretrained(folder)
    return folder
