"""The index on disk: used while it fits, made anew when anything changed, damaged or is gone."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import clue_kit as kit
import numpy as np
import pytest
from memory_kit import Blind, labelled

from emer.agents.memory.cards import cards
from emer.agents.memory.embedder import CueEmbedder, Embedder
from emer.agents.memory.memory import Index, Memory, load_faiss
from emer.tools.errors import ToolFailed, ToolMissing


class Counting(CueEmbedder):
    """Counts how many passages it is asked for."""

    def __init__(self, version: str = "1") -> None:
        self.version, self.asked = version, 0

    def fingerprint(self) -> str:
        return self.version

    def embed(self, passages):  # type: ignore[no-untyped-def]
        self.asked += len(passages)
        return super().embed(passages)


def recall(path: Path | None, embedder: Embedder | None = None, items=None):  # type: ignore[no-untyped-def]
    """Return a fresh memory at `path` after it has answered, and the keys it found."""
    memory = Memory(items or cards(), embedder or CueEmbedder(), path)
    return memory, [match.item.key for match in memory.recall(kit.ANGRY)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where an index has been written."""
    recall(tmp_path / "memory" / "index")
    return tmp_path / "memory" / "index"


def test_a_written_index_is_used_again(tmp_path: Path) -> None:
    path = tmp_path / "index"
    first, second = Counting(), Counting()
    _, found = recall(path, first)
    assert first.asked == len(cards()) + 1
    memory, again = recall(path, second)
    assert second.asked == 1 and again == found and memory.index.state == "fresh"
    assert memory.notes == ()


@pytest.mark.parametrize(
    ("embedder", "items"),
    [
        (Counting("2"), cards()),
        (Counting(), cards()[:-1]),
        (Counting(), (*cards(), labelled("happy"))),
        (Counting(), (cards()[0].model_copy(update={"en": "Changed."}), *cards()[1:])),
    ],
    ids=["another embedder", "a card less", "an exemplar more", "a card changed"],
)
def test_it_is_made_anew_when_what_it_was_made_from_changed(tmp_path, embedder, items):  # type: ignore[no-untyped-def]
    path = tmp_path / "index"
    recall(path, Counting())
    assert Index(items, embedder, path).state == "stale"
    memory, found = recall(path, embedder, items)
    assert embedder.asked >= len(items) and found
    assert memory.index.state == "fresh" and memory.notes == ()


def cut(content: bytes) -> bytes:
    return content[:-7]


def flipped(content: bytes) -> bytes:
    return content[:-40] + bytes([content[-40] ^ 1]) + content[-39:]


def headless(content: bytes) -> bytes:
    return b'{"emer": []}\n' + content.partition(b"\n")[2]


class Trap:
    """Would leave a mark if anyone unpickled it."""

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return os.putenv, ("EMER_TRAPPED", "1")


@pytest.mark.parametrize(
    "damage",
    [cut, flipped, headless, lambda _: b"", lambda _: b"\xff" * 99, lambda _: pickle.dumps(Trap())],
)
def test_a_damaged_index_is_made_anew_and_said(path, damage):  # type: ignore[no-untyped-def]
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert Index(cards(), CueEmbedder(), path).state == "damaged"
    memory, found = recall(path)
    assert found == recall(None)[1]
    assert "damaged" in memory.notes[0]
    assert path.read_bytes() == whole
    assert "EMER_TRAPPED" not in os.environ


def test_a_checksum_that_fits_does_not_make_an_index_of_something_else(path: Path) -> None:
    import hashlib

    faiss = load_faiss()
    other = faiss.IndexFlatL2(3)
    other.add(np.eye(3, dtype=np.float32))
    body = faiss.serialize_index(other).tobytes()
    header = json.loads(path.read_bytes().partition(b"\n")[0])
    header["sha256"] = hashlib.sha256(body).hexdigest()
    path.write_bytes(json.dumps(header).encode() + b"\n" + body)
    assert recall(path)[1] == recall(None)[1]


def test_an_absent_index_is_made(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "index"
    assert Index(cards(), CueEmbedder(), path).state == "absent"
    memory, _ = recall(path)
    assert memory.index.state == "fresh" and list(path.parent.iterdir()) == [path]


def test_where_it_cannot_be_written_it_is_kept_in_memory_and_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    memory, found = recall(tmp_path / "file" / "index")
    assert found and "not kept" in memory.notes[0]


def test_an_embedder_that_gives_nonsense_is_a_failure_of_the_tool() -> None:
    class Nonsense(Blind):
        def embed(self, passages):  # type: ignore[no-untyped-def]
            return np.full((len(passages), 2), np.nan, dtype=np.float32)

    class Short(Blind):
        def embed(self, passages):  # type: ignore[no-untyped-def]
            return np.ones((1, 2), dtype=np.float32)

    for embedder in (Nonsense(), Short()):
        with pytest.raises(ToolFailed, match="no finite row"):
            recall(None, embedder)


def test_without_faiss_the_line_that_installs_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "faiss", None)
    with pytest.raises(ToolMissing, match=r"pip install 'emer\[llm\]'"):
        recall(None)
