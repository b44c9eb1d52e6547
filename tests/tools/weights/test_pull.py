"""Weights got from real servers: whole or not at all, and only when somebody asks."""

from __future__ import annotations

import hashlib
import shutil

import numpy as np
import pytest

from emer.tools.errors import ConfigError
from emer.tools.runtime import device
from emer.tools.weights.catalogue import Weights, named
from emer.tools.weights.download import FetchFailed, pull, verify
from emer.tools.weights.locate import find, look, received, target
from tests.file_server import Shared, serving_files
from tests.hub_server import Repository, serving_hub

pytest.importorskip("huggingface_hub.constants", reason="huggingface_hub is not installed")

CONTENT = np.random.default_rng(2).bytes(200_000)
SHA = hashlib.sha256(CONTENT).hexdigest()
REVISION, LATER = "a" * 40, "b" * 40
FILES = {
    "config.json": b'{"model_type": "wav2vec2"}',
    "model.safetensors": CONTENT,
    "pytorch_model.bin": b"a pickle",
    "modeling_evil.py": b"import os",
    "README.md": b"# read me",
    "onnx/model.onnx": b"x",
}


def one_file(sha: str | None = SHA, url: str = "https://host.example/m/w.pt") -> Weights:
    return Weights(
        name="w", tool="t", model="w", licence="MIT", facts="test", megabytes=1,
        path="t/w.pt", url=url, sha256=sha,
    )  # fmt: skip


def hub(**more: object) -> Repository:
    later = {**FILES, "model.safetensors": CONTENT + b"!"}
    return Repository("org/name", {REVISION: FILES, LATER: later}, LATER, **more)  # type: ignore[arg-type]


def test_a_file_is_pulled_through_a_mirror_and_written_down(folder):
    with serving_files(Shared({"/m/w.pt": CONTENT})) as server:
        path, checked = pull(one_file(), mirror=server.url)
    assert path == folder / "t" / "w.pt" and path.read_bytes() == CONTENT
    told = received(path)
    assert told is not None and told.files["w.pt"].sha256 == SHA and SHA[:12] in checked
    assert verify(one_file()).outcome == "whole"


def test_what_is_here_is_not_got_again_and_what_is_damaged_is(folder):
    shared = Shared({"/m/w.pt": CONTENT})
    with serving_files(shared) as server:
        path, _ = pull(one_file(), mirror=server.url)
        assert pull(one_file(), mirror=server.url)[1].startswith("already here")
        assert len(shared.asked) == 1
        path.write_bytes(CONTENT[:-5] + b"dirty")
        assert verify(one_file()).outcome == "damaged"
        pull(one_file(), mirror=server.url)
    assert path.read_bytes() == CONTENT and len(shared.asked) == 2


def test_a_wrong_file_leaves_nothing(folder):
    with (
        serving_files(Shared({"/m/w.pt": CONTENT + b"x"})) as server,
        pytest.raises(FetchFailed, match="not the file that is pinned"),
    ):
        pull(one_file(), mirror=server.url)
    assert look(one_file()).state == "absent"
    assert [p.name for p in folder.rglob("*") if p.is_file()] == []


def test_without_a_published_checksum_damage_is_found_all_the_same(folder):
    with serving_files(Shared({"/m/w.pt": CONTENT})) as server:
        path, checked = pull(one_file(sha=None), mirror=server.url)
    assert checked.startswith("nothing: no checksum is published")
    assert verify(one_file(sha=None)).outcome == "whole"
    path.write_bytes(b"dirty")
    assert verify(one_file(sha=None)).outcome == "damaged"


def test_weights_that_nobody_vouches_for_are_unknown(folder):
    path = target(one_file(sha=None))
    path.parent.mkdir(parents=True)
    path.write_bytes(b"?")
    assert verify(one_file(sha=None)).outcome == "unknown"


def test_offline_nothing_is_reached_for(folder, monkeypatch):
    device.use(device.Machine(weights=folder, offline=True))
    with serving_files(Shared({"/m/w.pt": CONTENT})) as server:
        with pytest.raises(ConfigError, match="downloads are forbidden"):
            pull(one_file(), mirror=server.url)
        assert server.shared.asked == []
    device.forget()
    monkeypatch.setenv("EMER_OFFLINE", "1")
    with pytest.raises(ConfigError, match="downloads are forbidden"):
        pull(one_file())
    monkeypatch.delenv("EMER_OFFLINE")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConfigError, match="downloads are forbidden"):
        pull(named("org/name"))


def test_a_full_disk_is_told_before_anything_is_got(folder):
    huge = one_file().model_copy(update={"megabytes": 10**9})
    with pytest.raises(ConfigError, match="MB free; set EMER_WEIGHTS"):
        pull(huge)


def test_a_repository_is_pulled_at_its_revision_without_code_and_pickles(folder):
    with serving_hub(hub()) as server:
        path, checked = pull(named(f"org/name@{REVISION}"), mirror=server.url)
    assert {p.name for p in path.rglob("*")} == {
        "config.json",
        "model.safetensors",
        "received.json",
    }
    told = received(path)
    assert told is not None and told.revision == REVISION and "listing" in checked
    need = find("asr", "org/name")
    assert need.path == path == find("asr", f"org/name@{REVISION}").path
    assert verify(named(f"org/name@{REVISION}")).outcome == "whole"


@pytest.mark.parametrize("name", ["whisper-tiny", "captioner-blip-base"])
def test_a_host_that_is_not_there_is_said_with_the_ways_out(name, folder):
    with pytest.raises(FetchFailed) as error:
        pull(named(name), mirror="http://127.0.0.1:9")
    said = str(error.value)
    assert said.startswith("http://127.0.0.1:9 cannot be reached (ConnectError")
    assert said.endswith(f"--mirror URL, or put the weights at {target(named(name))}")


def test_a_mirror_is_told_no_token(folder, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with serving_hub(hub()) as server:
        pull(named(f"org/name@{REVISION}"), mirror=server.url)
        assert server.repository.tokens and set(server.repository.tokens) == {None}


def test_without_a_pin_the_revision_of_today_is_taken_and_written_down(folder):
    with serving_hub(hub()) as server:
        path, _ = pull(named("org/name"), mirror=server.url)
    told = received(path)
    assert told is not None and told.revision == LATER
    assert look(named(f"org/name@{REVISION}")).state == "absent"


def test_a_repository_that_breaks_off_is_gone_on_with(folder):
    with (
        serving_hub(hub(breaks=[30, 1000, *[0] * 20])) as server,
        pytest.raises(FetchFailed, match="ask again to go on from there"),
    ):
        pull(named("org/name"), mirror=server.url)
    assert look(named("org/name")).state == "unfinished"
    assert not target(named("org/name")).exists()
    with serving_hub(hub()) as server:
        pull(named("org/name"), mirror=server.url)
    assert look(named("org/name")).state == "here"
    assert not target(named("org/name")).with_name("org--name.part").exists()


def test_a_file_that_is_not_what_the_hub_lists_is_refused(folder):
    lie = {"model.safetensors": bytes(len(CONTENT) + 1)}
    with (
        serving_hub(hub(lies=lie)) as server,
        pytest.raises(FetchFailed, match=r"model.safetensors is not the file that the hub"),
    ):
        pull(named("org/name"), mirror=server.url)
    assert not target(named("org/name")).exists()


def test_a_pinned_checksum_stands_above_the_hub_s_listing(folder):
    pinned = named(f"org/name@{REVISION}").model_copy(
        update={"sha256s": {"model.safetensors": "0" * 64}}
    )
    with serving_hub(hub()) as server, pytest.raises(FetchFailed, match="that is pinned"):
        pull(pinned, mirror=server.url)
    assert not target(pinned).exists()


def test_what_the_hub_does_not_have_is_said_on_one_line(folder):
    with serving_hub(hub()) as server:
        for name, said in (
            ("org/nothing", "cannot be listed"),
            (f"org/name@{'c' * 40}", "cannot be listed"),
        ):
            with pytest.raises(FetchFailed, match=said) as error:
                pull(named(name), mirror=server.url)
            assert "\n" not in str(error.value)
        lacking = named("org/name").model_copy(update={"files": ("vocabulary.txt",)})
        with pytest.raises(FetchFailed, match=r"has no vocabulary\.txt"):
            pull(lacking, mirror=server.url)
    empty = Repository("org/name", {REVISION: {"config.json": b"{}"}}, REVISION)
    with serving_hub(empty) as server, pytest.raises(FetchFailed, match="holds no weights"):
        pull(named("org/name"), mirror=server.url)


def test_a_missing_file_of_a_repository_is_damage(folder):
    with serving_hub(hub()) as server:
        path, _ = pull(named("org/name"), mirror=server.url)
    (path / "model.safetensors").write_bytes(b"short")
    assert verify(named("org/name")).outcome == "damaged"
    shutil.rmtree(path)
    assert verify(named("org/name")).outcome == "absent"
