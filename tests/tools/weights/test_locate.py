"""What a tool is told of its weights: where they are, or the command that gets them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.weights.catalogue import named
from emer.tools.weights.locate import Location, find, fingerprint, locate, target


def put(name: str, content: bytes = b"weights") -> Path:
    """Lay a file where these weights belong."""
    path = target(named(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def put_repository(name: str, *files: str) -> Path:
    folder = target(named(name))
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).write_bytes(file.encode())
    return folder


def test_what_is_missing_names_size_and_command(folder):
    with pytest.raises(ToolMissing) as error:
        find("whisper", "tiny")
    assert str(error.value) == (
        "whisper needs the weights whisper-tiny (76 MB): emer models pull whisper-tiny"
    )
    with pytest.raises(ToolMissing, match="emer models pull whisper-large-v3-turbo"):
        find("whisper")


def test_auto_is_the_strongest_that_is_here(folder):
    put("whisper-tiny")
    assert find("whisper").model == "tiny"
    small = put("whisper-small")
    need = find("whisper")
    assert (need.model, need.path, need.name) == ("small", small, "whisper-small")
    assert find("whisper", "tiny").model == find("whisper", "whisper-tiny").model == "tiny"


def test_an_alias_means_the_same(folder):
    put("whisper-large-v3-turbo")
    assert find("whisper", "turbo") == find("whisper", "large-v3-turbo")


def test_a_half_is_not_taken_for_the_whole(folder):
    path = put("whisper-tiny")
    path.rename(path.with_name("tiny.pt.part"))
    with pytest.raises(ToolMissing, match=r"76 MB, of which a part is here"):
        find("whisper", "tiny")
    put_repository("faster-whisper-tiny", "config.json", "tokenizer.json", "vocabulary.txt")
    with pytest.raises(ToolMissing):
        find("faster-whisper", "tiny")


def test_a_repository_is_here_when_all_its_files_are(folder):
    files = ("config.json", "model.bin", "tokenizer.json", "vocabulary.txt")
    folder = put_repository("faster-whisper-tiny", *files)
    assert find("faster-whisper", "tiny").path == folder


@pytest.mark.parametrize(
    ("files", "here"),
    [
        (("config.json",), False),
        (("config.json", "training_args.bin"), False),
        (("config.json", "model.safetensors"), True),
        (("config.json", "model.safetensors.index.json", "model-1.safetensors"), False),
        (
            (
                "config.json",
                "model.safetensors.index.json",
                "model-1.safetensors",
                "model-2.safetensors",
            ),
            True,
        ),
        (("config.json", "pytorch_model.bin"), True),
    ],
)
def test_a_repository_without_all_its_weights_is_not_here(files, here, folder):
    folder = put_repository("captioner-qwen3-vl-2b", *files)
    index = folder / "model.safetensors.index.json"
    if index.exists():
        parts = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
        index.write_text(json.dumps({"weight_map": parts}))
    assert (locate(named("captioner-qwen3-vl-2b")).state == "here") is here


@pytest.mark.parametrize(
    ("tool", "files", "message"),
    [
        ("whisper", ("config.json", "model.safetensors"), "is a folder; whisper takes a file"),
        ("faster-whisper", None, "is a file; faster-whisper takes a folder"),
        ("faster-whisper", ("config.json", "model.safetensors"), "it has no model.bin"),
        ("asr", ("model.safetensors",), "it has no config.json"),
        ("captioner", ("config.json",), "it has no whole weights"),
        ("asr", ("config.json", "model.bin", "tokenizer.json"), "it has no whole weights"),
    ],
)
def test_what_the_tool_cannot_load_is_refused_by_its_form(tool, files, message, folder, tmp_path):
    mine = tmp_path / "mine"
    if files is None:
        mine.write_bytes(b"weights")
    else:
        mine.mkdir()
        for name in files:
            (mine / name).write_text("{}")
    with pytest.raises(ConfigError, match=rf"{tool}\.model: .*{message}"):
        find(tool, str(mine))


def test_a_folder_that_transformers_loads_may_name_its_small_files_otherwise(folder, tmp_path):
    for name in ("config.json", "processor_config.json", "model.safetensors"):
        (tmp_path / name).write_text("{}")
    assert find("speech-emotion", str(tmp_path)).path == tmp_path


def test_the_library_s_own_cache_counts(folder, tmp_path, monkeypatch):
    cached = tmp_path / "user" / ".cache" / "whisper" / "base.pt"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"weights")
    assert locate(named("whisper-base")).state == "elsewhere"
    assert find("whisper").path == cached
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache" / "whisper").mkdir(parents=True)
    (tmp_path / "cache" / "whisper" / "base.pt").write_bytes(b"other")
    assert find("whisper").path == tmp_path / "cache" / "whisper" / "base.pt"


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("HF_HUB_CACHE", ""),
        ("HUGGINGFACE_HUB_CACHE", ""),
        ("HF_HOME", "hub"),
        ("XDG_CACHE_HOME", "huggingface/hub"),
        ("HOME", ".cache/huggingface/hub"),
    ],
)
def test_the_cache_of_the_hub_s_own_client_counts(name, place, folder, tmp_path, monkeypatch):
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    monkeypatch.setenv(name, str(tmp_path / "cached"))
    weights = named("faster-whisper-tiny")
    repository = tmp_path / "cached" / place / "models--Systran--faster-whisper-tiny"
    snapshot = repository / "snapshots" / str(weights.revision)
    assert locate(weights).state == "absent"
    snapshot.mkdir(parents=True)
    for file in weights.files:
        (snapshot / file).write_bytes(b"{}")
    assert locate(weights) == Location(state="elsewhere", path=snapshot)


@pytest.mark.slow
def test_without_a_cache_of_the_hub_its_client_is_not_imported(folder):
    code = (
        "import sys\n"
        "from emer.graphs.components import choose\n"
        "from emer.graphs.settings import load_settings\n"
        "choose(load_settings())\n"
        "print({'huggingface_hub', 'torch', 'ctranslate2', 'mediapipe'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_file_of_the_user_s_is_taken_by_its_path(folder, tmp_path):
    mine = tmp_path / "mine.pt"
    mine.write_bytes(b"x" * 1000)
    need = find("whisper", str(mine))
    assert (need.model, need.name, need.gigabytes) == ("mine.pt", None, 1e-6)
    with pytest.raises(ConfigError, match="whisper has no model 'huge'; known: large-v3, "):
        find("whisper", "huge")
    with pytest.raises(ToolMissing, match="emer models pull org/other"):
        find("asr", "org/other")


def test_the_fingerprint_tells_other_weights(tmp_path):
    file, big = tmp_path / "a.pt", tmp_path / "big.pt"
    file.write_bytes(b"one")
    before = fingerprint(file)
    os.utime(file, (1, 1))
    assert fingerprint(file) == before and len(before) == 16
    file.write_bytes(b"two")
    assert fingerprint(file) != before
    big.write_bytes(bytes(8_000_000))
    zeros = fingerprint(big)
    with big.open("r+b") as opened:
        opened.seek(-1, os.SEEK_END)
        opened.write(b"x")
    assert fingerprint(big) != zeros


def test_what_is_written_down_beside_a_folder_is_no_part_of_it(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    before = fingerprint(tmp_path)
    (tmp_path / "received.json").write_text("{}")
    assert fingerprint(tmp_path) == before
