"""From a name to an embedder: built in, a folder of a sentence model, LangChain's, a stranger's."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from langchain_core.embeddings import Embeddings

from emer.agents.memory.cards import cards
from emer.agents.memory.embedder import CueEmbedder, Embedder, load_embedder
from emer.agents.memory.memory import Memory
from emer.agents.memory.passages import Line, Passage, of_text
from emer.tools.errors import ConfigError, ToolFailed
from tests.fixtures.memory_items import write_sentence_model

pytestmark = pytest.mark.slow

HERE = "test_memory_embedders"
TEXTS = ("The person smiles.", "Sobbing is heard.", "zzz")


class Letters(Embeddings):
    """LangChain's contract: counts of the letters of a text."""

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[self.scale * t.count(chr(97 + n)) for n in range(26)] for t in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


class Broken(Letters):
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise ConnectionError("the provider\nis away")


class Nothing:
    pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers", reason="a sentence model needs emer[local-llm]")
    return write_sentence_model(tmp_path_factory.mktemp("model"))


def check_contract(embedder: Embedder) -> None:
    """Rows of length 1 or 0, float32, the same each time, each on its own."""
    passages = [*map(of_text, TEXTS)]
    rows = embedder.embed(passages)
    assert rows.shape[0] == 3 and rows.dtype == np.float32
    lengths = np.linalg.norm(rows, axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-5) | (lengths == 0))
    assert np.array_equal(rows, embedder.embed(passages))
    alone = np.concatenate([embedder.embed([passage]) for passage in passages])
    assert np.allclose(alone, rows, atol=1e-5)


def test_the_built_in_keeps_the_contract() -> None:
    embedder = load_embedder("cues")
    assert isinstance(embedder, CueEmbedder)
    check_contract(embedder)


def test_a_sentence_model_is_run_from_its_folder(folder: Path) -> None:
    embedder = load_embedder(f"hf:{folder}")
    check_contract(embedder)
    found = Memory(cards(), embedder).nearest(cards()[3].passage)
    assert found[0].item.key == cards()[3].key and found[0].score > 0.999


def test_weights_that_are_not_safetensors_are_not_loaded(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "pickled"
    shutil.copytree(folder, other)
    (other / "model.safetensors").rename(other / "pytorch_model.bin")
    with pytest.raises(ConfigError, match="no weights in safetensors"):
        load_embedder(f"hf:{other}")


def test_a_torn_model_is_one_line(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "torn"
    shutil.copytree(folder, other)
    (other / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(ConfigError, match="cannot be loaded") as error:
        load_embedder(f"hf:{other}").embed([*map(of_text, TEXTS)])
    assert "\n" not in str(error.value)


def test_langchains_embeddings_serve_as_they_are() -> None:
    embedder = load_embedder(f"{HERE}:Letters", {"scale": 2.0})
    check_contract(embedder)
    assert embedder.name == f"{HERE}:Letters"
    letters = Passage(lines=(Line(modality="face", text="aab"),))
    assert embedder.embed([letters])[0, :2] == pytest.approx([2 / 5**0.5, 1 / 5**0.5])


def test_a_provider_that_is_away_is_a_failure_of_the_tool() -> None:
    with pytest.raises(ToolFailed, match="ConnectionError: the provider is away"):
        load_embedder(f"{HERE}:Broken").embed([*map(of_text, TEXTS)])


@pytest.mark.parametrize(
    ("use", "message"),
    [
        ("moonlight", "no embedder is called 'moonlight'; known: cues"),
        ("hf:/nowhere", "no config.json"),
        ("hf:", "no config.json"),
        ("no.such:Thing", "no module no"),
        (f"{HERE}:Nobody", "has no Nobody"),
        (f"{HERE}:Nothing", "neither embed"),
    ],
)
def test_a_name_that_means_nothing_is_one_line(use: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        load_embedder(use)
    assert str(error.value).startswith("memory: ") and "\n" not in str(error.value)


def test_wrong_arguments_are_said() -> None:
    with pytest.raises(ConfigError, match="memory: cues refuses its arguments"):
        load_embedder("cues", {"size": 3})
