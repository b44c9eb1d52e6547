"""Reading the output of a CTC model: the best path, its words, their times and probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emer.tools.speech.heard import Spoken, Text

Logits = NDArray[np.float32]
Path = NDArray[np.intp]
"""The likeliest token of each frame."""

BETWEEN = "|"
"""What stands between words in vocabularies of letters; not every tokenizer makes it a space."""


def words_of(logits: Logits, tokenizer: Any, frame: float) -> tuple[Text, tuple[Spoken, ...]]:
    """Return the text of the best path through logits (frames, tokens), and its words.

    `frame` is the seconds of one frame. The log-probability is the mean over the frames that
    write something; a word's probability the mean over its own. Special tokens (<unk>, <s>) write
    nothing: their frames are blank, so that no time is lost. A tokenizer that gives no offsets
    gives no words.
    """
    log = logits - logits.max(axis=1, keepdims=True)
    log = log - np.log(np.exp(log).sum(axis=1, keepdims=True))
    path, best = _without_specials(log.argmax(axis=1), tokenizer), log.max(axis=1)
    writes = path != tokenizer.pad_token_id
    mean = float(best[writes].mean()) if writes.any() else -100.0
    try:
        found = tokenizer.decode(path.tolist(), output_word_offsets=True)
        text, offsets = found.text, found.word_offsets
    except (TypeError, ValueError, AttributeError, NotImplementedError):
        return Text(_plain(tokenizer.decode(path.tolist(), skip_special_tokens=True)), mean), ()
    words = [
        Spoken(
            text=f" {_plain(word['word'])}",
            start=word["start_offset"] * frame,
            end=word["end_offset"] * frame,
            probability=_mean(best, writes, word["start_offset"], word["end_offset"]),
        )
        for word in offsets
        if _plain(word["word"])
    ]
    return Text(_plain(text), mean), tuple(words)


def _mean(best: Logits, writes: NDArray[np.bool_], start: int, end: int) -> float:
    own = best[start:end][writes[start:end]]
    return float(np.exp(own).mean()) if own.size else 0.0


def _without_specials(path: Path, tokenizer: Any) -> Path:
    """Return the path with blanks in place of tokens that nobody says."""
    between = getattr(tokenizer, "word_delimiter_token_id", None)
    silent = {*tokenizer.all_special_ids} - {between}
    return np.where(np.isin(path, list(silent)), tokenizer.pad_token_id, path)


def _plain(text: str) -> str:
    """Return the text with spaces between words; a model of capitals alone does not shout."""
    words = " ".join(text.replace(BETWEEN, " ").split())
    return words.lower() if words.isupper() else words
