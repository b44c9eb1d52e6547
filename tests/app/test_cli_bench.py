"""`emer tools bench` on the command line."""

from __future__ import annotations

import json

import pytest

from tests.fixtures.faces import write_emotion, write_portrait
from tests.fixtures.trusted import write_trusted


@pytest.mark.slow  # each call measured opens the clip, in a process
def test_it_prints_a_page_or_json(emer, clip):
    done = emer("tools", "bench", "cli_tools:Loud", "--clip", clip, "--at-once", "1,2", "--json")
    found = json.loads(done.stdout)
    assert found["tool"] == "loud" and [p["at_once"] for p in found["curve"]] == [1, 2]
    assert found["per_frame"] is None and found["per_clip_second"] >= 0
    assert found["batches"] == []
    page = emer("tools", "bench", "cli_tools:Loud", "--clip", clip, "--at-once", "2").stdout
    assert "s per clip-second" in page and "memory" in page


def test_bad_input_is_one_line(spawn, clip):
    for words, message in (
        (("--at-once", "1,x"), "write numbers from 1 to 256"),
        (("--at-once", "0"), "write numbers from 1 to 256"),
        (("--batches", "2;4"), "--batches '2;4': write numbers"),
        (("--device", "gpu"), "write auto, cpu, cuda"),
    ):
        done = spawn("tools", "bench", "mesh", "--clip", clip, *words)
        assert (
            done.returncode == 2 and message in done.stderr and len(done.stderr.splitlines()) == 1
        )


@pytest.mark.slow
def test_a_tool_with_a_model_has_a_curve_of_batches(emer, tmp_path):
    """Of the real network: each size is tried with the most looks at once."""
    file = write_emotion(tmp_path / "random.pth", None)
    portrait = write_portrait(tmp_path / "portrait.mp4", 1.0)
    settings = tmp_path / "emer.toml"
    write_trusted(settings, f'[tools.expression]\nuse = "deepface"\nmodel = "{file}"\n')
    words = ("tools", "bench", "deepface", "--clip", str(portrait), "--settings", str(settings),
             "--at-once", "1,2", "--batches", "1,16")  # fmt: skip
    found = json.loads(emer(*words, "--json").stdout)
    assert [(p["batch"], p["at_once"]) for p in found["batches"]] == [(1, 2), (16, 2)]
    assert found["hardware"]["device"] == "cpu" and found["per_frame"] > 0
    page = emer(*words).stdout
    assert "batch, 2 concurrent calls" in page and "ms per frame" in page
