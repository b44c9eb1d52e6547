"""The built-in embedder: what the cue lexicon reads from a passage, as signed axes.

Three blocks, each scaled to length 1 and weighed: the cues that are stated, the families
with valence and arousal that they point to, and the words themselves. Opposite cues
(a louder voice, a softer one) and opposite families lie on opposite sides, so that
antonyms repel each other instead of being near because they are said of the same things.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emer.agents.combos import combined
from emer.agents.cues import Reading
from emer.agents.fusion import CAP, DENIAL, weigh
from emer.agents.memory.affect import TABLE, affects
from emer.agents.memory.embedding import Vectors, unit
from emer.agents.memory.hashing import hashed
from emer.agents.memory.passages import Passage
from emer.agents.vocabulary import FOLDER, lexicon

Row = NDArray[np.float64]

CUES, AFFECT, WORDS = 0.6, 0.3, 0.1
"""Shares of the three blocks in the likeness of two passages (chosen by us)."""
OPPOSITE = 0.5
"""How far a cue points away from each of its opposites (chosen by us)."""
VALENCE, AROUSAL = 1.5, 1.8
"""Length of the two axes beside those of the families (chosen by us): valence decides."""


class CueEmbedder:
    """An embedder without weights; see `emer.agents.memory.embedding.Embedder`."""

    name = "cues"
    least = 0.3

    def fingerprint(self) -> str:
        """Return a hash of the tables and of the code that the vectors come from."""
        return _fingerprint()

    def embed(self, passages: Sequence[Passage]) -> Vectors:
        """Return one row per passage, shape (n, d)."""
        return unit(np.stack([_row(passage) for passage in passages]))


def _row(passage: Passage) -> Row:
    readings = passage.readings
    blocks = (
        (CUES, _cue_block(readings)),
        (AFFECT, _affect_block(passage, readings)),
        (WORDS, hashed(passage.text)),
    )
    return np.concatenate([math.sqrt(share) * _scaled(block) for share, block in blocks])


def _scaled(block: Row) -> Row:
    length = float(np.linalg.norm(block))
    return block / length if length else block


def _cue_block(readings: Sequence[Reading]) -> Row:
    """Return the stated cues, each with its group, away from its opposites."""
    axes = _axes()
    row = np.zeros(len(axes.places))
    for key, amount in _amounts(readings).items():
        for axis, share in axes.of(key).items():
            row[axes.places[axis]] += amount * share
    return row


def _amounts(readings: Sequence[Reading]) -> Mapping[str, float]:
    """Return how strongly each cue and combination is stated, or denied (below zero)."""
    found: dict[str, float] = {}
    for reading in readings:
        for m in reading.mentions:
            if m.cue in _axes().cues:
                stated = reading.reliability * m.strength * (-DENIAL if m.negated else 1.0)
                found[m.cue] = max(found.get(m.cue, stated), stated, key=abs)
    for combo, _, _, weight in combined(readings):
        found[combo] = max(found.get(combo, 0.0), weight)
    return found


def _affect_block(passage: Passage, readings: Sequence[Reading]) -> Row:
    """Return what speaks for and against each family, then valence and arousal."""
    families = lexicon().families
    moved = {s.family: math.fsum(s.by_modality.values()) / CAP for s in weigh(readings)}
    row = np.array([moved[family] for family in families])
    length, total = float(np.linalg.norm(row)), float(np.abs(row).sum())
    valence = sum(moved[f] * families[f].valence for f in families) / total if total else 0.0
    words = [a for line in passage.lines for a in affects(line.text) if line.modality != "text"]
    if not total and words:
        length, valence = 1.0, _mean(word.valence for word in words)
    stirred = [*_stirred(readings), *(a.arousal for a in words)]
    tail = (VALENCE * length * valence, AROUSAL * length * _mean(stirred))
    return np.concatenate([row, tail])


def _stirred(readings: Iterable[Reading]) -> list[float]:
    table = lexicon().arousal
    return [table[m.cue] for r in readings for m in r.mentions if not m.negated and m.cue in table]


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return math.fsum(found) / len(found) if found else 0.0


class _Axes:
    """The places of cues, groups and combinations, and how much of each a cue is."""

    @cached_property
    def cues(self) -> frozenset[str]:
        """Cues but those that are a word for an emotion: these are the second block's."""
        named = ("named_", "heard_", "said_")
        return frozenset(key for key in lexicon().cues if not key.startswith(named))

    @cached_property
    def places(self) -> Mapping[str, int]:
        groups = {f"group {lexicon().cues[key].group}" for key in self.cues}
        combos = {combo.key for combo in lexicon().combos}
        return {name: place for place, name in enumerate(sorted({*self.cues, *groups, *combos}))}

    def of(self, key: str) -> Mapping[str, float]:
        cue = lexicon().cues.get(key)
        if cue is None:
            return {key: 1.0}
        found = {key: 1.0, f"group {cue.group}": 1.0}
        for other in cue.opposites:
            found[other] = -OPPOSITE
            found[f"group {lexicon().cues[other].group}"] = -OPPOSITE
        return found


@lru_cache(maxsize=1)
def _axes() -> _Axes:
    return _Axes()


@lru_cache(maxsize=1)
def _fingerprint() -> str:
    here = Path(__file__).parent
    files = [*FOLDER.glob("*.csv"), TABLE, *here.glob("*.py"), here.parent / "cues.py"]
    told = (path.read_bytes() for path in sorted(files))
    return hashlib.sha256(b"\0".join(told)).hexdigest()[:16]
