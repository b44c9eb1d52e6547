"""Probing ends within its limits, and uses the part of a file that can be decoded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from scipy.io import wavfile

from emer.tools.errors import ClipError, ConfigError
from emer.tools.media.clip import Clip
from emer.tools.media.container import open_container
from emer.tools.media.probe import WORKER, ClipLimits
from tests.fixtures.clips import Written, tone, write_clip

pytestmark = pytest.mark.slow
WHAT = Written([k / 25 for k in range(25)], [120] * 25, sound=tone(440, 1.0))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mkv", WHAT)


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ({"pixels": 1000}, "64x48"),
        ({"frames": 20}, "more than 20 packets"),
        ({"hours": 0.0001}, "lasts"),
        ({"probe_seconds": 1e-6}, "within 1e-06 s"),
    ],
)
def test_a_limit_that_is_passed_is_named(path: Path, limit: dict[str, Any], says: str) -> None:
    silent = write_clip(path.with_name("silent.mkv"), Written(WHAT.times, WHAT.greys))
    with pytest.raises(ClipError, match=says) as error:
        Clip.open(silent, limits=ClipLimits(**limit))
    assert "\n" not in str(error.value)


def test_stored_pixels_that_are_shown_very_wide_are_limited(tmp_path: Path) -> None:
    path = tmp_path / "wide.y4m"
    head = b"YUV4MPEG2 W64 H48 F10:1 Ip A1000000:1 C420jpeg\n"
    path.write_bytes(head + 3 * (b"FRAME\n" + bytes(64 * 48 * 3 // 2)))
    with pytest.raises(ClipError, match="64000000x48, more than 40000000 pixels"):
        Clip.open(path)


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux")
def test_memory_is_limited(path: Path) -> None:
    with pytest.raises(ClipError) as error:
        Clip.open(path, limits=ClipLimits(probe_memory=0.03))
    assert "\n" not in str(error.value)


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux")
def test_memory_is_limited_where_time_cannot_be() -> None:
    code = """
import os, resource
from emer.tools.runtime.worker_process import confine
real = resource.setrlimit
def refuses(kind, bound):
    if kind == resource.RLIMIT_CPU:
        raise ValueError("not allowed to raise maximum limit")
    real(kind, bound)
resource.setrlimit = refuses
confine(os.getppid(), 5.0, 2**30)
print(resource.getrlimit(resource.RLIMIT_AS))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"({2**30}, {2**30})"


def test_the_sound_is_used_where_the_picture_has_an_unknown_codec(tmp_path: Path) -> None:
    made = write_clip(tmp_path / "clip.avi", WHAT).read_bytes()
    (tmp_path / "clip.avi").write_bytes(made.replace(b"FMP4", b"zzzz"))
    clip = Clip.open(tmp_path / "clip.avi")
    assert clip.video is None
    assert clip.samples().any()
    assert any("its codec is unknown" in note for note in clip.notes)


def test_a_title_that_is_not_utf_8(path: Path) -> None:
    with av.open(str(path)) as source, av.open(str(path.with_name("t.mkv")), "w") as target:
        target.metadata["title"] = "caf@@"
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                target.mux(packet)
    titled = path.with_name("t.mkv")
    titled.write_bytes(titled.read_bytes().replace(b"caf@@", b"caf\xe9\xff"))
    assert Clip.open(titled).duration == pytest.approx(1.0, abs=0.1)


def test_a_file_with_only_subtitles(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "words.mkv"), "w") as container:
        stream = container.add_mux_stream("subrip")
        packet = av.Packet(b"I am here")
        packet.stream, packet.pts, packet.dts, packet.duration = stream, 0, 0, 1000
        container.mux(packet)
    with pytest.raises(ClipError, match="holds no picture or sound"):
        Clip.open(tmp_path / "words.mkv")


def test_samples_that_are_no_numbers_are_silent(tmp_path: Path) -> None:
    sound = tone(440, 1.0)
    sound[8_000:8_010] = [np.nan, np.inf, -np.inf, 1e30, -1e30] * 2
    wavfile.write(tmp_path / "damaged.wav", 16_000, sound)
    clip = Clip.open(tmp_path / "damaged.wav")
    samples = clip.samples()
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() < 1
    assert any("no numbers" in note for note in clip.notes)


@pytest.mark.parametrize("text", ["#EXTM3U\n#EXTINF:1,\nx.mp4\n", "ffconcat version 1.0\nfile x\n"])
def test_no_format_that_opens_other_files_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.txt").write_text(text)
    with (tmp_path / "list.txt").open("rb") as file, pytest.raises(av.error.FFmpegError):
        open_container(file.fileno(), 1_000_000)


def test_the_process_ends_when_its_parent_is_another(path: Path) -> None:
    limits = {"parent": 1, "seconds": 5, "memory": 2**31, "pixels": 10**6, "frames": 9, "hours": 1}
    with path.open("rb") as file:
        done = subprocess.run(
            [*WORKER, json.dumps(limits)], stdin=file, capture_output=True, check=False
        )
    assert (done.returncode, done.stdout) == (1, b"")


def test_a_python_that_does_not_find_emer_is_not_the_fault_of_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    isolated = (sys.executable, "-I", "-S", *WORKER[1:])  # neither PYTHONPATH nor site-packages
    monkeypatch.setattr("emer.tools.media.probe.WORKER", isolated)
    with pytest.raises(ConfigError, match="does not find emer") as error:
        Clip.open(path)
    assert not isinstance(error.value, ClipError) and "\n" not in str(error.value)


LATE = """
import resource, sys
from emer.tools.media.clip import Clip

clip = Clip.open(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
sound = clip.samples()
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(len(sound), sound[: 5 * 3600 * 16_000].any(), sound[-16_000:].std(), grown)
"""


def test_sound_that_starts_after_hours_of_nothing_takes_no_memory_for_them(tmp_path: Path) -> None:
    late = Written([0.0, 0.04], [90, 90], sound=tone(440, 1.0), sound_start=5 * 3600)
    path = write_clip(tmp_path / "late.mkv", late)
    line = [sys.executable, "-c", LATE, str(path)]
    printed = subprocess.run(line, check=True, capture_output=True, text=True).stdout.split()
    assert int(printed[0]) == pytest.approx((5 * 3600 + 1) * 16_000, abs=1600)
    assert printed[1] == "False" and float(printed[2]) == pytest.approx(0.35, abs=0.02)
    assert int(printed[3]) < 300_000, "kB; all of it would be 1.15 GB"


def test_a_day_by_its_time_stamps_is_refused(tmp_path: Path) -> None:
    late = Written([0.0, 0.04], [90, 90], sound=tone(440, 1.0), sound_start=23 * 3600)
    with pytest.raises(ClipError, match="lasts 23 hours by its time stamps"):
        Clip.open(write_clip(tmp_path / "day.mkv", late))
