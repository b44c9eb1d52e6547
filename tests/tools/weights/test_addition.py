"""Weights that the user has already: taken whole and checked, or refused in one line."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.weights.addition import add
from emer.tools.weights.catalogue import Weights, named
from emer.tools.weights.download import verify
from emer.tools.weights.locate import find, locate, receipt, target

CONTENT = np.random.default_rng(6).bytes(100_000)
HEADER = json.dumps({"w": {"dtype": "F32", "shape": [25_000], "data_offsets": [0, 100_000]}})
TENSORS = len(HEADER).to_bytes(8, "little") + HEADER.encode() + CONTENT
CONFIG = '{"model_type": "whisper"}'


def with_header(header: bytes) -> bytes:
    """Return a safetensors file of a header alone."""
    return len(header).to_bytes(8, "little") + header


def row(**more: object) -> Weights:
    facts: dict[str, object] = {
        "name": "w", "tool": "faster-whisper", "model": "w", "licence": "MIT", "facts": "test",
        "megabytes": 1, "repository": "org/w", "revision": "a" * 40,
        "files": ("config.json", "model.bin"),
        "sha256s": {"model.bin": hashlib.sha256(CONTENT).hexdigest()},
    }  # fmt: skip
    return Weights.model_validate({**facts, **more})


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Return a folder as a user may have it, with more in it than the tool needs."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text(CONFIG)
    (folder / "model.bin").write_bytes(CONTENT)
    (folder / "evil.py").write_text("import os")
    return folder


@pytest.mark.parametrize("link", [False, True])
def test_a_folder_is_taken_without_code_and_with_a_receipt(link, folder, mine):
    path, checked = add(row(), mine, link=link)
    assert path == target(row()) and checked.startswith("pinned sha256 of model.bin; ")
    assert {p.name for p in path.iterdir()} == {"config.json", "model.bin", "received.json"}
    assert (path / "model.bin").read_bytes() == CONTENT
    assert (path / "model.bin").is_symlink() is link
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert locate(row()).state == "here" and verify(row()).outcome == "whole"
    assert {p.name for p in mine.iterdir()} == {"config.json", "model.bin", "evil.py"}


def test_a_file_gets_the_name_that_its_tool_looks_for(folder, tmp_path):
    download = tmp_path / "download (1).pt"
    download.write_bytes(CONTENT)
    small = row(
        repository=None, revision=None, files=(), sha256s={}, path="t/w.pt",
        url="https://host.example/w.pt", sha256=hashlib.sha256(CONTENT).hexdigest(),
    )  # fmt: skip
    path, _ = add(small, download)
    assert path == folder / "t" / "w.pt" and path.read_bytes() == CONTENT
    assert verify(small).outcome == "whole" and receipt(path) is not None


def test_a_model_of_one_s_own_is_found_by_its_name(folder, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "config.json").write_text("{}")
    (own / "model.safetensors").write_bytes(TENSORS)
    with pytest.raises(ToolMissing):
        find("asr", "me/own")
    path, checked = add(named("me/own"), own)
    assert find("asr", "me/own").path == path and checked.startswith("their form alone")


def test_other_and_shortened_weights_are_refused(folder, mine):
    for content in (CONTENT[:-1], CONTENT[:-1] + b"?"):
        (mine / "model.bin").write_bytes(content)
        with pytest.raises(ConfigError, match=r"model\.bin is another file, or cut short: its"):
            add(row(), mine)
    assert locate(row()).state == "absent" and not list(folder.rglob("*.bin"))


def test_what_is_here_stays_where_other_weights_are_refused(folder, mine):
    path, _ = add(row(), mine)
    (mine / "model.bin").write_bytes(b"other")
    with pytest.raises(ConfigError):
        add(row(), mine)
    assert (path / "model.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.safetensors", b"", "is empty"),
        ("model.safetensors", TENSORS[:-1], "is cut short"),
        ("model.safetensors", TENSORS[:40], "is no safetensors file"),
        ("model.safetensors", CONTENT, "is no safetensors file"),
        ("model.safetensors", b"<!doctype html>", "is a web page"),
        ("model.safetensors", b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        ("pytorch_model.bin", b"PK\x03\x04" + CONTENT, "is no whole zip file"),
        ("config.json", b"{", "is no JSON"),
        ("config.json", b"<html>", "is no JSON"),
        ("config.json", b"[" * 200_000, "is no JSON"),
        ("model.safetensors", with_header(b"[" * 200_000), "is no safetensors file"),
        ("model.safetensors", with_header(b'{"a": {"data_offsets": [0, "x"]}}'), "is no safetens"),
        ("model.safetensors", with_header(b'{"a": {"data_offsets": 1}}'), "is no safetensors file"),
    ],
)
def test_what_is_not_of_its_form_is_refused_in_one_line(name, content, message, folder, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "config.json").write_text("{}")
    if name != "pytorch_model.bin":
        (own / "model.safetensors").write_bytes(TENSORS)
    (own / name).write_bytes(content)
    with pytest.raises(ConfigError, match=message) as error:
        add(named("me/own"), own)
    assert "\n" not in str(error.value) and locate(named("me/own")).state == "absent"


def test_a_path_of_another_kind_is_refused(folder, mine, tmp_path):
    for weights, source, message in (
        (row(), mine / "model.bin", "is a file; w is a folder"),
        (row(), tmp_path / "nowhere", "there is no"),
        (row(files=("config.json", "vocabulary.txt")), mine, r"no folder of w: it has no vocab"),
        (named("whisper-tiny"), mine, "is a folder; whisper-tiny is a file"),
    ):
        with pytest.raises(ConfigError, match=message):
            add(weights, source)
    path, _ = add(row(), mine)
    with pytest.raises(ConfigError, match="is in its place already"):
        add(row(), path)


def test_weights_that_lost_a_piece_are_not_taken_for_whole(folder, mine):
    path, _ = add(row(), mine)
    (path / "model.bin").write_bytes(CONTENT[:1000])
    assert not locate(row()).usable
