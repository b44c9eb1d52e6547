"""Downloads from real servers: whole or not at all, resumed, refused, and verified."""

from __future__ import annotations

import hashlib
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from emer.tools.errors import ConfigError
from emer.tools.runtime.device import Machine, configure
from emer.tools.weights.catalogue import Weights, named
from emer.tools.weights.download import pull, verify
from emer.tools.weights.locate import find, locate, receipt, target
from emer.tools.weights.transfer import (
    DownloadFailed,
    TransferFailed,
    Unreachable,
    download_file,
    matches,
    sha256,
)
from tests.fixtures.packages import needs
from tests.fixtures.servers.files import Shared, serving_files
from tests.fixtures.servers.hub import Repository, serving_hub

pytestmark = needs("huggingface_hub")


CONTENT = np.random.default_rng(2).bytes(3_000_000)
SHA = hashlib.sha256(CONTENT).hexdigest()
BLOB = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
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
        name="w", tool="t", model="w", licence="MIT", facts="test", megabytes=3,
        path="t/w.pt", url=url, sha256=sha,
    )  # fmt: skip


def hub(**more: object) -> Repository:
    later = {**FILES, "model.safetensors": CONTENT + b"!"}
    return Repository("org/name", {REVISION: FILES, LATER: later}, LATER, **more)  # type: ignore[arg-type]


def get(shared: Shared, path: Path, checksum: str | None = SHA) -> list[tuple[int, int | None]]:
    """Download one file from a server; return the progress that was reported."""
    seen: list[tuple[int, int | None]] = []
    with serving_files(shared) as server:
        download_file(f"{server.url}/w.pt", path, checksum, lambda *here: seen.append(here))
    return seen


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def interrupt(stalled: threading.Event, how: signal.Signals, *words: str) -> tuple[int, str]:
    """Run `emer models pull` until a server stalls, send a signal; return code and stderr."""
    line = [sys.executable, "-m", "emer.app", "models", "pull", *words]
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as process:
        assert stalled.wait(60)
        process.send_signal(how)
        _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.mark.parametrize("checksum", [SHA, SHA.upper(), BLOB, None])
def test_a_file_gets_its_name_when_its_checksum_holds(tmp_path, checksum):
    seen = get(Shared({"/w.pt": CONTENT}), tmp_path / "deep" / "w.pt", checksum)
    assert (tmp_path / "deep" / "w.pt").read_bytes() == CONTENT
    assert names(tmp_path / "deep") == ["w.pt"]
    assert seen == sorted(seen) and len(seen) > 2
    assert seen[-1] == (len(CONTENT), len(CONTENT))


@pytest.mark.parametrize("checksum", [SHA, BLOB])
@pytest.mark.parametrize("content", [b"something else", CONTENT[:-1], CONTENT + b"x", b""])
def test_another_file_than_the_pinned_one_is_not_kept(tmp_path, content, checksum):
    (tmp_path / "w.pt").write_bytes(b"good")
    with pytest.raises(DownloadFailed, match="not the file that is pinned"):
        get(Shared({"/w.pt": content}), tmp_path / "w.pt", checksum)
    assert names(tmp_path) == ["w.pt"] and (tmp_path / "w.pt").read_bytes() == b"good"


@pytest.mark.parametrize("checksum", [SHA, None])
def test_a_file_that_breaks_off_leaves_nothing(tmp_path, checksum):
    with pytest.raises(TransferFailed, match=r"w\.pt broke off; ask again \(\w+: ") as error:
        get(Shared({"/w.pt": CONTENT}, breaks=[1000]), tmp_path / "w.pt", checksum)
    assert "\n" not in str(error.value) and names(tmp_path) == []


def test_without_a_checksum_the_host_must_say_the_length(tmp_path):
    with pytest.raises(DownloadFailed, match="does not say how long"):
        get(Shared({"/w.pt": CONTENT}, lengths=False), tmp_path / "w.pt", None)
    assert names(tmp_path) == []
    get(Shared({"/w.pt": CONTENT}, lengths=False), tmp_path / "w.pt")


def test_an_absent_file_and_an_absent_host_are_errors_of_one_line(tmp_path):
    with pytest.raises(DownloadFailed, match="answers 404"):
        get(Shared({}), tmp_path / "w.pt")
    with pytest.raises(Unreachable, match=r"^http://127.0.0.1:9 cannot be reached \(Conn"):
        download_file("http://127.0.0.1:9/w.pt", tmp_path / "w.pt", SHA)
    assert names(tmp_path) == []


@pytest.mark.parametrize("checksum", [SHA, BLOB, None])
def test_two_downloads_of_one_file_both_end_well(tmp_path, checksum):
    """The second begins and ends while the first is under way."""
    path, begun = tmp_path / "w.pt", threading.Event()
    with serving_files(Shared({"/w.pt": CONTENT})) as server:

        def second(here: int, whole: int | None) -> None:
            if not begun.is_set():
                begun.set()
                assert download_file(f"{server.url}/w.pt", path, checksum) == SHA

        assert download_file(f"{server.url}/w.pt", path, checksum, second) == SHA
    assert names(tmp_path) == ["w.pt"] and path.read_bytes() == CONTENT


def test_a_download_that_fails_leaves_another_of_the_file_alone(tmp_path):
    path, failed = tmp_path / "w.pt", threading.Event()
    with serving_files(Shared({"/w.pt": CONTENT})) as server:

        def second(here: int, whole: int | None) -> None:
            if not failed.is_set():
                failed.set()
                with pytest.raises(DownloadFailed, match="answers 404"):
                    download_file(f"{server.url}/nothing", path, SHA)

        assert download_file(f"{server.url}/w.pt", path, SHA, second) == SHA
    assert names(tmp_path) == ["w.pt"] and path.read_bytes() == CONTENT


def test_a_folder_removed_under_a_download_is_not_called_a_download_of_another(tmp_path):
    path = tmp_path / "w.pt"

    def remove(*_: int | None) -> None:
        shutil.rmtree(tmp_path / "w.pt.part", ignore_errors=True)

    with (
        serving_files(Shared({"/w.pt": CONTENT})) as server,
        pytest.raises(DownloadFailed, match=r"w\.pt\.part was removed before .* was whole"),
    ):
        download_file(f"{server.url}/w.pt", path, SHA, remove)
    assert names(tmp_path) == []


def test_the_part_of_an_earlier_version_is_cleared_away(tmp_path):
    (tmp_path / "w.pt.part").write_bytes(CONTENT[:1000])
    get(Shared({"/w.pt": CONTENT}), tmp_path / "w.pt")
    assert names(tmp_path) == ["w.pt"] and (tmp_path / "w.pt").read_bytes() == CONTENT


def test_a_checksum_is_a_sha256_or_a_git_blob_id(tmp_path):
    file = tmp_path / "hello"
    file.write_bytes(b"hello\n")
    assert matches(file, "ce013625030ba8dba906f756967f9e9ca394464a")  # git hash-object
    assert matches(file, sha256(file).upper())
    assert not matches(file, "0" * 40) and not matches(file, "0" * 64)


def test_a_file_is_pulled_through_a_mirror_with_a_receipt(folder):
    with serving_files(Shared({"/m/w.pt": CONTENT})) as server:
        path, checked = pull(one_file(), mirror=server.url)
    assert path == folder / "t" / "w.pt" and path.read_bytes() == CONTENT
    received = receipt(path)
    assert received is not None and received.files["w.pt"].sha256 == SHA and SHA[:12] in checked
    assert verify(one_file()).outcome == "whole"


def test_what_is_whole_is_not_downloaded_again_and_one_flipped_byte_is_found(folder):
    shared = Shared({"/m/w.pt": CONTENT})
    with serving_files(shared) as server:
        path, _ = pull(one_file(), mirror=server.url)
        assert pull(one_file(), mirror=server.url)[1].startswith("already here")
        assert len(shared.asked) == 1
        path.write_bytes(flipped(CONTENT))
        assert verify(one_file()).outcome == "damaged"
        pull(one_file(), mirror=server.url)
    assert path.read_bytes() == CONTENT and len(shared.asked) == 2


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def test_without_a_published_checksum_damage_is_found_all_the_same(folder):
    with serving_files(Shared({"/m/w.pt": CONTENT})) as server:
        path, checked = pull(one_file(sha=None), mirror=server.url)
    assert checked.startswith("nothing: no checksum is published")
    assert verify(one_file(sha=None)).outcome == "whole"
    path.write_bytes(flipped(CONTENT))
    assert verify(one_file(sha=None)).outcome == "damaged"


def test_weights_without_any_checksum_are_unknown(folder):
    path = target(one_file(sha=None))
    path.parent.mkdir(parents=True)
    path.write_bytes(b"?")
    assert verify(one_file(sha=None)).outcome == "unknown"


def test_offline_nothing_is_asked_for(folder, monkeypatch):
    configure(Machine(weights=folder, offline=True))
    with serving_files(Shared({"/m/w.pt": CONTENT})) as server:
        with pytest.raises(ConfigError, match="downloads are forbidden"):
            pull(one_file(), mirror=server.url)
        assert server.shared.asked == []
    configure(None)
    monkeypatch.setenv("EMER_OFFLINE", "1")
    with pytest.raises(ConfigError, match="downloads are forbidden"):
        pull(one_file())
    monkeypatch.delenv("EMER_OFFLINE")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConfigError, match="downloads are forbidden"):
        pull(named("org/name"))


def test_a_full_disk_is_an_error_before_anything_is_downloaded(folder):
    huge = one_file().model_copy(update={"megabytes": 10**9})
    with pytest.raises(ConfigError, match="MB free; set EMER_WEIGHTS"):
        pull(huge)


def test_a_repository_is_pulled_at_its_revision_without_code_and_pickles(folder):
    seen: list[tuple[int, int | None]] = []
    with serving_hub(hub()) as server:
        weights = named(f"org/name@{REVISION}")
        path, checked = pull(weights, lambda *here: seen.append(here), server.url)
        agents = {*server.repository.agents}
    assert {p.name for p in path.rglob("*")} == {
        "config.json",
        "model.safetensors",
        "received.json",
    }
    received = receipt(path)
    assert received is not None and received.revision == REVISION and "listing" in checked
    need = find("asr", "org/name")
    assert need.path == path == find("asr", f"org/name@{REVISION}").path
    assert verify(weights).outcome == "whole"
    whole = len(CONTENT) + len(FILES["config.json"])
    assert seen == sorted(seen) and seen[-1] == (whole, whole) and len(seen) > 1
    assert not any("torch" in str(agent) for agent in agents)  # what the hub counts with


@pytest.mark.parametrize("name", ["whisper-tiny", "captioner-blip-base"])
def test_an_unreachable_host_is_an_error_with_the_ways_out(name, folder):
    with pytest.raises(Unreachable) as error:
        pull(named(name), mirror="http://127.0.0.1:9")
    message = str(error.value)
    assert message.startswith("http://127.0.0.1:9 cannot be reached (ConnectionRefusedError")
    assert message.endswith(f"--mirror URL, or put the weights at {target(named(name))}")


def test_a_mirror_is_sent_no_token(folder, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with serving_hub(hub()) as server:
        pull(named(f"org/name@{REVISION}"), mirror=server.url)
        assert server.repository.tokens and set(server.repository.tokens) == {None}


def test_a_gated_repository_is_an_error_that_names_its_page(folder):
    with (
        serving_hub(hub(gated=True)) as server,
        pytest.raises(
            DownloadFailed, match=r"accept its licence at https://huggingface.co/org/name"
        ),
    ):
        pull(named("org/name"), mirror=server.url)
    assert not target(named("org/name")).exists()


def test_without_a_pin_the_latest_revision_is_taken_and_recorded(folder):
    with serving_hub(hub()) as server:
        path, _ = pull(named("org/name"), mirror=server.url)
    received = receipt(path)
    assert received is not None and received.revision == LATER
    assert locate(named(f"org/name@{REVISION}")).state == "absent"


def test_a_connection_to_the_hub_that_breaks_is_made_again_where_it_broke(folder):
    with serving_hub(hub(breaks=[500_000])) as server:
        path, _ = pull(named(f"org/name@{REVISION}"), mirror=server.url)
    assert (path / "model.safetensors").read_bytes() == CONTENT


def test_a_repository_that_broke_off_goes_on_with_the_missing_files(folder):
    with (
        serving_hub(hub(replaced={"model.safetensors": None})) as server,
        pytest.raises(DownloadFailed, match="ask again to go on from there"),
    ):
        pull(named("org/name"), mirror=server.url)
    assert locate(named("org/name")).state == "unfinished"
    assert not target(named("org/name")).exists()
    with serving_hub(hub()) as server:
        pull(named("org/name"), mirror=server.url)
        assert server.repository.sent == ["model.safetensors"]
    assert locate(named("org/name")).state == "here"
    assert not target(named("org/name")).with_name("org--name.part").exists()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_pull_of_a_repository_is_finished_by_the_next(folder, how):
    stalled = threading.Event()
    with serving_hub(hub(stall=stalled)) as server:
        code, errors = interrupt(stalled, how, "org/name", "--mirror", server.url)
    if how is signal.SIGINT:
        assert (code, errors) == (130, "emer: interrupted\n")
    assert locate(named("org/name")).state == "unfinished"
    with serving_hub(hub()) as server:
        path, _ = pull(named("org/name"), mirror=server.url)
    assert (path / "model.safetensors").read_bytes() == CONTENT + b"!"
    assert {p.name for p in path.parent.rglob("*") if p.is_file()} == {
        "config.json",
        "model.safetensors",
        "received.json",
    }


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_pull_of_a_file_leaves_no_file(folder, how):
    weights, stalled = named("face-landmarker"), threading.Event()
    place = "/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task"
    with serving_files(Shared({place: CONTENT}, stall=stalled)) as server:
        code, errors = interrupt(stalled, how, weights.name, "--mirror", server.url)
    path = target(weights)
    if how is signal.SIGINT:
        assert (code, errors) == (130, "emer: interrupted\n")
        assert names(path.parent) == []
    assert not path.exists()
    with serving_files(Shared({"/w.pt": CONTENT})) as server:
        download_file(f"{server.url}/w.pt", path, SHA)
    assert names(path.parent) == [path.name]


def test_a_file_that_is_not_what_the_hub_lists_is_refused(folder):
    other = {"model.safetensors": bytes(len(CONTENT) + 1)}
    with (
        serving_hub(hub(replaced=other)) as server,
        pytest.raises(DownloadFailed, match=r"model.safetensors is not the file that the hub"),
    ):
        pull(named("org/name"), mirror=server.url)
    assert not target(named("org/name")).exists()


def test_a_pinned_checksum_overrides_the_hub_s_listing(folder):
    pinned = named(f"org/name@{REVISION}").model_copy(
        update={"sha256s": {"model.safetensors": "0" * 64}}
    )
    with serving_hub(hub()) as server, pytest.raises(DownloadFailed, match="that is pinned"):
        pull(pinned, mirror=server.url)
    assert not target(pinned).exists()


def test_what_the_hub_does_not_have_is_an_error_of_one_line(folder):
    with serving_hub(hub()) as server:
        for name in ("org/nothing", f"org/name@{'c' * 40}"):
            with pytest.raises(DownloadFailed, match="cannot be listed") as error:
                pull(named(name), mirror=server.url)
            assert "\n" not in str(error.value)
        lacking = named("org/name").model_copy(update={"files": ("vocabulary.txt",)})
        with pytest.raises(DownloadFailed, match=r"has no vocabulary\.txt"):
            pull(lacking, mirror=server.url)
    empty = Repository("org/name", {REVISION: {"config.json": b"{}"}}, REVISION)
    with serving_hub(empty) as server, pytest.raises(DownloadFailed, match="has no weights"):
        pull(named("org/name"), mirror=server.url)


def test_damaged_and_missing_files_of_a_repository_are_found(folder):
    with serving_hub(hub()) as server:
        path, _ = pull(named("org/name"), mirror=server.url)
    (path / "model.safetensors").write_bytes(flipped(CONTENT + b"!"))
    verdict = verify(named("org/name"))
    assert verdict.outcome == "damaged" and "model.safetensors" in verdict.detail
    shutil.rmtree(path)
    assert verify(named("org/name")).outcome == "absent"
