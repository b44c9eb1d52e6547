"""`emer models`: what there is, getting it from a real server, and what is damaged."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from emer.tools.weights import catalogue
from emer.tools.weights.catalogue import Weights
from tests.fixtures.command_line import environment
from tests.fixtures.servers.files import Shared, serving_files

CONTENT = np.random.default_rng(3).bytes(100_000)
SHA = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def one(monkeypatch, tmp_path):
    """Have the catalogue list one small file, wherever it is read."""
    row = Weights(
        name="tool-small", tool="tool", model="small", licence="MIT", facts="test", megabytes=1,
        path="tool/small.pt", url="https://host.example/small.pt", sha256=SHA, suggested=True,
        recommended=True,
    )  # fmt: skip
    for module in ("emer.app.commands.models", "emer.tools.weights.catalogue"):
        monkeypatch.setattr(f"{module}.catalogue", lambda: (row,))
    monkeypatch.setenv("EMER_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights" / "tool" / "small.pt"


@pytest.fixture
def server():
    with serving_files(Shared({"/small.pt": CONTENT})) as running:
        yield running


def test_the_list_says_what_is_here_and_how_to_get_the_rest(emer, one, server):
    (row,) = json.loads(emer("models", "list", "--json").stdout)
    assert (row["name"], row["state"], row["size"], row["licence"]) == (
        "tool-small", "absent", "1 MB", "MIT",
    )  # fmt: skip
    assert (
        row["megabytes"] == 1
        and row["checksum"] == SHA
        and row["pull"] == "emer models pull tool-small"
    )
    shown = emer("models", "list").stdout
    assert "absent" in shown and "emer models pull NAME" in shown
    emer("models", "pull", "tool-small", "--mirror", server.url)
    assert json.loads(emer("models", "list", "--json").stdout)[0]["state"] == "here"


def test_the_table_names_the_host_and_json_the_address(emer, one):
    shown, (row,) = (
        emer("models", "list").stdout,
        json.loads(emer("models", "list", "--json").stdout),
    )
    assert "host.example\n" in shown and row["address"] == "https://host.example/small.pt"


def test_pull_takes_a_name_or_the_tool_s_name(emer, one, server):
    done = emer("models", "pull", "tool", "--mirror", server.url, "--json")
    assert done.exit_code == 0, done.output
    (pulled,) = json.loads(done.stdout)
    assert pulled["ok"] and pulled["path"] == str(one) and one.read_bytes() == CONTENT
    again = emer("models", "pull", "tool-small", "--mirror", server.url)
    assert "already here" in again.stdout and again.exit_code == 0
    assert server.shared.asked == ["/small.pt"]


def test_recommended_is_a_group(emer, one, server):
    done = emer("models", "pull", "recommended", "tool", "--mirror", server.url, "--json")
    assert [pulled["name"] for pulled in json.loads(done.stdout)] == ["tool-small"]
    assert done.exit_code == 0 and one.read_bytes() == CONTENT
    assert emer("models", "verify", "recommended").exit_code == 0


def test_weights_whose_package_is_absent_are_pulled_and_that_is_said(
    emer, one, server, monkeypatch
):
    monkeypatch.setattr("emer.tools.weights.advice.PACKAGES", {"tool": "no_such_module"})
    done = emer("models", "pull", "tool-small", "--mirror", server.url, "--json")
    (pulled,) = json.loads(done.stdout)
    assert done.exit_code == 0
    assert pulled["detail"].endswith("; to use it: pip install 'emer[recommended]'")


def test_a_pull_that_fails_says_why_and_ends_with_2(emer, one, server):
    server.shared.files["/small.pt"] = b"another file"
    done = emer("models", "pull", "tool-small", "--mirror", server.url)
    assert done.exit_code == 2 and "not the file that is pinned" in done.stdout
    assert not one.exists()
    offline = emer("models", "pull", "tool-small", "--mirror", "http://127.0.0.1:9", "--json")
    assert offline.exit_code == 2 and "cannot be reached" in json.loads(offline.stdout)[0]["detail"]


def test_unknown_names_and_forbidden_downloads_are_bad_input(spawn, one):
    done = spawn("models", "pull", "nothing-like-it")
    assert done.returncode == 2 and "there are no weights 'nothing-like-it'" in done.stderr
    forbidden = spawn("models", "pull", "whisper-tiny", env=environment(EMER_OFFLINE="1"))
    assert forbidden.returncode == 2 and "downloads are forbidden" in forbidden.stderr
    assert len(forbidden.stderr.splitlines()) == 1


def test_verify_reads_every_byte(emer, one, server):
    assert emer("models", "verify").exit_code == 0
    assert emer("models", "verify", "tool-small").exit_code == 1
    emer("models", "pull", "tool-small", "--mirror", server.url)
    whole = emer("models", "verify")
    assert whole.exit_code == 0 and "whole" in whole.stdout
    one.write_bytes(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
    (verdict,) = json.loads(emer("models", "verify", "--json").stdout)
    assert verdict["outcome"] == "damaged" and verdict["fix"] == "emer models pull tool-small"
    assert emer("models", "verify").exit_code == 1


def test_add_takes_a_file_that_is_the_pinned_one(emer, one, spawn, tmp_path):
    mine = tmp_path / "mine.pt"
    mine.write_bytes(CONTENT)
    done = emer("models", "add", "tool-small", mine, "--json")
    assert done.exit_code == 0 and json.loads(done.stdout)["path"] == str(one)
    assert one.read_bytes() == CONTENT and emer("models", "verify").exit_code == 0
    mine.write_bytes(CONTENT[:-1])
    refused = spawn("models", "add", "face-landmarker", mine)
    assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1
    assert "mine.pt is no whole zip file; it is no face_landmarker.task" in refused.stderr


def test_the_real_catalogue_is_listed(emer, monkeypatch):
    monkeypatch.setattr("emer.app.commands.models.catalogue", lambda: REAL)
    rows = json.loads(emer("models", "list", "--json").stdout)
    assert {"whisper-large-v3-turbo", "faster-whisper-tiny"} <= {row["name"] for row in rows}


REAL = catalogue.catalogue()
