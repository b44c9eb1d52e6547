"""Decoding in a process: the same pictures and sound as in one, and an end in every case."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest

from emer.tools.errors import ClipError
from emer.tools.media.clip import Clip
from emer.tools.media.decode_process import WORKER
from emer.tools.media.decoder import Rgb
from emer.tools.media.probe import ClipLimits
from emer.tools.media.sound import RATE
from emer.tools.runtime.cancellation import Call, Cancelled, in_call
from emer.tools.types import Span
from tests.fixtures.clips import Written, tone, write_clip

pytestmark = pytest.mark.slow
SIZE = (640, 480)
"""Of pictures that do not all fit into a pipe."""
TIMES = [k / 25 for k in range(50)]
GREYS = [20 + 4 * k for k in range(50)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two seconds that brighten, with a tone."""
    return write_clip(tmp_path / "clip.mkv", Written(TIMES, GREYS, size=SIZE, sound=tone(440, 2.0)))


def workers() -> list[psutil.Process]:
    """Processes that decode for this one, ended and not yet waited for included."""
    found = []
    for child in psutil.Process().children():
        zombie = child.status() == psutil.STATUS_ZOMBIE
        if zombie or WORKER[-1] in child.cmdline():
            found.append(child)
    return found


def decoded_here(path: Path) -> Iterator[Rgb]:
    """The pictures of a file, decoded and converted in this process."""
    import cv2

    with av.open(str(path)) as container:
        for picture in container.decode(video=0):
            plain = picture.format.name == "yuv420p" and picture.color_range != 2
            if plain and not picture.width % 2 and not picture.height % 2:
                yield cv2.cvtColor(picture.to_ndarray(), cv2.COLOR_YUV2RGB_I420)
            else:
                yield picture.reformat(format="rgb24", threads=1).to_ndarray()


def heard_here(path: Path) -> Any:
    """The sound of a file, decoded and resampled in this process."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    with av.open(str(path)) as container:
        frames = [*container.decode(audio=0), None]
        pieces = [made.to_ndarray()[0] for each in frames for made in resampler.resample(each)]
    return np.concatenate(pieces)


def colourful(path: Path, pixel_format: str, size: tuple[int, int], full: bool = False) -> Path:
    """A lossless clip of noise that becomes brighter, at uneven times."""
    random = np.random.default_rng(7)
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        stream.codec_context.color_range = 2 if full else 1
        for number in (0, 1, 2, 5, 6, 11):
            noise = random.integers(10 * number, 256, (size[1], size[0], 3), dtype=np.uint8)
            picture = av.VideoFrame.from_ndarray(noise, format="rgb24")
            picture = picture.reformat(
                format=pixel_format, dst_color_range="JPEG" if full else "MPEG"
            )
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("pixel_format", "size", "full"),
    [
        ("yuv420p", (128, 96), False),
        ("yuv420p", (70, 46), False),  # rows with padding
        ("yuv420p", (65, 47), False),
        ("yuv420p", (64, 48), True),
        ("yuv420p10le", (64, 48), False),
        ("yuv444p", (66, 48), False),
    ],
)
def test_pictures_are_those_of_a_decode_in_this_process(
    tmp_path: Path, pixel_format: str, size: tuple[int, int], full: bool
) -> None:
    path = colourful(tmp_path / "clip.mkv", pixel_format, size, full)
    served = list(Clip.open(path).frames())
    assert [round(25 * frame.time) for frame in served] == [0, 1, 2, 5, 6, 11]
    expected = list(decoded_here(path))
    assert len(expected) == len(served)
    assert all(np.array_equal(a.rgb(), b) for a, b in zip(served, expected, strict=True))


@pytest.mark.parametrize(
    ("name", "turns"), [("hard/rotate_pixels_and_meta.mp4", 1), ("hard/vfr.mp4", 0)]
)
def test_real_pictures_are_those_of_a_decode_in_this_process(
    shared_clip: Callable[[str], Path], name: str, turns: int
) -> None:
    path = shared_clip(name)
    clip = Clip.open(path)
    assert clip.video is not None and clip.video.rotation == 90 * turns
    for frame, expected in zip(clip.frames(), decoded_here(path), strict=True):
        assert np.array_equal(frame.rgb(), np.rot90(expected, k=turns))


def test_sound_is_that_of_a_decode_in_this_process(tmp_path: Path) -> None:
    what = Written(sound=tone(1000, 7.0, rate=44_100), rate=44_100)
    path = write_clip(tmp_path / "tone.wav", what)
    expected = heard_here(path)
    assert len(expected) > 6.9 * RATE
    assert np.array_equal(Clip.open(path).samples(), expected)


def test_a_part_begins_with_its_first_picture(path: Path) -> None:
    clip = Clip.open(path)
    part = list(clip.frames(span=Span(start=1.2, end=1.4)))
    assert [frame.index for frame in part] == [30, 31, 32, 33, 34, 35]
    whole = [image for k, image in enumerate(decoded_here(path)) if 30 <= k <= 35]
    assert all(np.array_equal(a.rgb(), b) for a, b in zip(part, whole, strict=True))


def test_decoding_loads_no_pyav_here(path: Path) -> None:
    code = (
        "import sys; from emer.tools.media.clip import Clip\n"
        "clip = Clip.open(sys.argv[1]); clip.samples(); [f.rgb() for f in clip.frames()]\n"
        "print('av' in sys.modules)"
    )
    line = [sys.executable, "-c", code, str(path)]
    assert subprocess.run(line, check=True, capture_output=True, text=True).stdout == "False\n"


@pytest.mark.parametrize("span", [None, Span(start=0.4, end=1.9)])
def test_a_reader_that_leaves_early_leaves_no_process(path: Path, span: Span | None) -> None:
    frames = Clip.open(path).frames(span=span)
    next(frames)
    assert len(workers()) == 1
    frames.close()  # type: ignore[attr-defined]
    assert workers() == []


def test_no_process_is_left_at_the_end(path: Path) -> None:
    clip = Clip.open(path)
    assert len(list(clip.frames())) == 50
    assert len(clip.samples()) == 2 * RATE
    assert workers() == []


def test_python_ends_quietly_in_the_middle_of_a_decode(path: Path) -> None:
    code = (
        "import sys, psutil; from emer.tools.media.clip import Clip\n"
        "frames = Clip.open(sys.argv[1]).frames(); next(frames)\n"
        "print(psutil.Process().children()[0].pid)"
    )
    line = [sys.executable, "-Werror", "-Xdev", "-c", code, str(path)]
    done = subprocess.run(line, check=True, capture_output=True, text=True)
    assert done.stderr == ""
    assert not psutil.pid_exists(int(done.stdout))


def test_a_worker_that_stands_still_is_ended(path: Path) -> None:
    clip = Clip.open(path, limits=ClipLimits(decode_seconds=2))
    frames = clip.frames()
    next(frames)
    (worker,) = workers()
    worker.send_signal(signal.SIGSTOP)
    count = 1 + sum(1 for _ in frames)
    assert 1 <= count < 50
    assert workers() == []
    (note,) = clip.notes
    assert "decode_seconds in [clip]" in note and "\n" not in note
    assert note.startswith("the picture could be decoded until ")


def test_what_was_decoded_before_a_crash_is_the_clip_for_all(path: Path) -> None:
    clip = Clip.open(path)
    frames = clip.frames()
    next(frames)
    assert clip.is_complete()
    (worker,) = workers()
    worker.send_signal(signal.SIGKILL)
    count = 1 + sum(1 for _ in frames)
    assert 1 <= count < 50
    assert not clip.is_complete()
    last = TIMES[count - 1]
    why = "its decoder crashed (SIGKILL)"
    assert clip.notes == (f"the picture could be decoded until {last:.1f} s only: {why}",)
    assert sum(1 for _ in clip.frames()) == count
    assert [*clip.frames(span=Span(start=last + 0.01, end=2.0))] == []


WRITES = """
import os, signal, sys
from emer.tools.media.decode_worker import END, I420, RGB, SOUND, Head
def send(head, data):
    sys.stdout.buffer.write(head.pack(len(data)) + data)
    sys.stdout.flush()
"""


def behave(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Have decoders run this code instead of their module."""
    monkeypatch.setattr(
        "emer.tools.media.decode_process.WORKER", (sys.executable, "-c", WRITES + code)
    )


def test_sound_before_a_crash_is_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = Clip.open(path)
    crash = "send(Head(SOUND), bytes(4 * 8000)); os.kill(os.getpid(), signal.SIGSEGV)"
    behave(monkeypatch, crash)
    assert len(clip.samples()) == 8000
    why = "its decoder crashed (SIGSEGV)"
    assert clip.notes == (f"the sound could be decoded until 0.5 s only: {why}",)


@pytest.mark.parametrize("what", ["picture", "sound"])
def test_nothing_decoded_is_an_error_that_is_remembered(
    path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    clip = Clip.open(path)
    behave(monkeypatch, "os.kill(os.getpid(), signal.SIGABRT)")
    read = clip.samples if what == "sound" else lambda: list(clip.frames())
    with pytest.raises(ClipError, match=rf"the {what} cannot be decoded: .*SIGABRT"):
        read()
    behave(monkeypatch, "os.kill(os.getpid(), signal.SIGSEGV)")  # not even started
    with pytest.raises(ClipError, match="SIGABRT"):
        read()
    assert len(clip.notes) == 1


@pytest.mark.parametrize(
    "code",
    [
        "send(Head(RGB, 0.0, 640, 480, (1920,)), bytes(1920 * 479))",
        "send(Head(RGB, 0.0, 640, 480, (100,)), bytes(100 * 480))",
        "send(Head(I420, 0.0, 640, 480, (640, 320)), bytes(640 * 480 * 3 // 2))",
        "send(Head(I420, 0.0, 63, 48, (64, 32, 32)), bytes(4608))",
        "sys.stdout.buffer.write(Head(RGB, 0.0, 10**6, 10**6, (3 * 10**6,)).pack(3 * 10**12))",
        "sys.stdout.buffer.write(Head(END).pack(10**12))",
        "sys.stdout.buffer.write(Head(77).pack(10**12))",
    ],
)
def test_what_is_no_picture_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    clip = Clip.open(path)
    behave(monkeypatch, code)
    with pytest.raises(ClipError, match="sent what is no picture"):
        list(clip.frames())


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux")
@pytest.mark.parametrize("gigabytes", [0.01, 0.1])
def test_memory_is_limited(path: Path, gigabytes: float) -> None:
    clip = Clip.open(path, limits=ClipLimits(decode_memory=gigabytes))
    with pytest.raises(ClipError, match=r"decode_memory in \[clip\]") as error:
        list(clip.frames())
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("what", ["picture", "sound"])
def test_a_cancelled_call_ends_the_process_while_it_waits(path: Path, what: str) -> None:
    clip, call = Clip.open(path, limits=ClipLimits(decode_seconds=100)), Call()

    def stop() -> None:
        while not (found := workers()):
            time.sleep(0.001)
        found[0].suspend()
        call.cancel()

    stopper = threading.Thread(target=stop)
    stopper.start()
    with in_call(call), pytest.raises(Cancelled):
        clip.samples() if what == "sound" else list(clip.frames())
    stopper.join()
    assert workers() == []
    assert clip.notes == ()


def test_the_end_of_the_thread_that_began_a_decode_is_not_its_end(path: Path) -> None:
    clip = Clip.open(path)
    mine, theirs = clip.frames(), clip.frames()
    joined = threading.Event()

    def begin() -> None:
        next(theirs)
        joined.wait()

    starter = threading.Thread(target=begin)
    starter.start()
    while not workers():
        time.sleep(0.001)
    first = next(mine)
    joined.set()
    starter.join()
    assert [first.index, *(frame.index for frame in mine)] == list(range(50))
    assert [frame.index for frame in theirs] == list(range(1, 50))
    assert clip.notes == ()


ASKS = """
import sys, time, psutil
from emer.tools.media.clip import Clip
frames = Clip.open(sys.argv[1]).frames()
next(frames)
print(psutil.Process().children()[0].pid, flush=True)
time.sleep(60)
"""


def test_the_process_ends_when_its_parent_is_killed(path: Path) -> None:
    line = [sys.executable, "-c", ASKS, str(path)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
    ended, _, _ = select.select([worker], [], [], 20)
    os.close(worker)
    assert ended


HANGS = """
import sys, time
from emer.tools.media import decode_worker
decode_worker.ORPHAN_MARGIN = 0.0
output = decode_worker.Output(sys.stdout.buffer, 0.05)
output.beat()
if sys.argv[1] == "sends":
    output.send(decode_worker.Head(decode_worker.BEAT), ())
    time.sleep(0.3)
    sys.exit(7)
time.sleep(60)
"""


@pytest.mark.parametrize(("does", "code"), [("hangs", -signal.SIGALRM), ("sends", 7)])
def test_a_packet_without_end_ends_the_process_also_without_a_parent(does: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-c", HANGS, does], check=False, capture_output=True)
    assert done.returncode == code


def test_the_process_does_not_start_for_another_parent(path: Path) -> None:
    request = {"parent": 1, "seconds": 5, "memory": 2**33, "pixels": 10**6, "kind": "audio"}
    with path.open("rb") as file:
        line = [*WORKER, json.dumps(request)]
        done = subprocess.run(line, stdin=file, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
