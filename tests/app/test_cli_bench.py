"""`emer tools bench` on the command line."""

from __future__ import annotations

import json


def test_it_prints_a_page_or_json(emer, clip):
    done = emer("tools", "bench", "app_fakes:Loud", "--clip", clip, "--at-once", "1,2", "--json")
    found = json.loads(done.stdout)
    assert found["tool"] == "loud" and [p["at_once"] for p in found["curve"]] == [1, 2]
    assert found["per_frame"] is None and found["per_clip_second"] >= 0
    page = emer("tools", "bench", "app_fakes:Loud", "--clip", clip, "--at-once", "2").stdout
    assert "s per clip-second" in page and "memory" in page


def test_bad_input_is_one_line(spawn, clip):
    for words, said in (
        (("--at-once", "1,x"), "write numbers from 1 to 256"),
        (("--at-once", "0"), "write numbers from 1 to 256"),
        (("--device", "gpu"), "write auto, cpu, cuda"),
    ):
        done = spawn("tools", "bench", "mesh", "--clip", clip, *words)
        assert done.returncode == 2 and said in done.stderr and len(done.stderr.splitlines()) == 1
