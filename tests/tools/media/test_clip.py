"""The clip serves the right frames and samples of files with known content."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emer.tools.errors import ClipError, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.media.decoder import BATCH, Frame, Rgb, SharedDecode, VideoShape
from emer.tools.media.sound import RATE
from emer.tools.runtime.cancellation import Call, Cancelled, in_call, raise_if_cancelled
from emer.tools.types import Span
from tests.fixtures.clips import Written, picture_of, tone, write_clip

Shared = Callable[[str], Path]
TIMES = [k / 25 for k in range(50)]
GREYS = [20 + 4 * k for k in range(50)]


def grey(frame: Frame) -> float:
    return float(frame.rgb().mean())


@pytest.fixture
def ramp(tmp_path: Path) -> Clip:
    """Two seconds that brighten frame by frame, with a tone."""
    sound = tone(440, 2.0)
    return Clip.open(write_clip(tmp_path / "ramp.mkv", Written(TIMES, GREYS, sound=sound)))


def test_frames_come_in_order_with_their_times_and_content(ramp: Clip) -> None:
    frames = list(ramp.frames())
    assert [frame.index for frame in frames] == list(range(50))
    assert np.allclose([frame.time for frame in frames], TIMES, atol=2e-3)
    assert np.allclose([grey(frame) for frame in frames], GREYS, atol=4)


def test_frames_at_a_rate_are_evenly_spread(ramp: Clip) -> None:
    assert [frame.index for frame in ramp.frames(fps=5)] == list(range(0, 50, 5))


def test_frames_of_a_span_are_the_frames_shown_in_it(ramp: Clip) -> None:
    frames = list(ramp.frames(span=Span(start=1.0, end=1.2)))
    assert [frame.index for frame in frames] == [25, 26, 27, 28, 29, 30]
    assert np.allclose([grey(frame) for frame in frames], GREYS[25:31], atol=4)


def test_variable_frame_rate_keeps_each_frames_own_time(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.08, 0.5, 0.54, 1.4]
    clip = Clip.open(write_clip(tmp_path / "vfr.mkv", Written(times, [10, 50, 90, 130, 170, 210])))
    assert clip.video is not None
    assert clip.video.variable_rate
    assert np.allclose([frame.time for frame in clip.frames()], times, atol=2e-3)


def test_time_starts_at_the_first_moment_of_a_file_that_starts_late(tmp_path: Path) -> None:
    what = Written([t + 3 for t in TIMES], GREYS, sound=tone(440, 1.0), sound_start=3.5)
    clip = Clip.open(write_clip(tmp_path / "late.mkv", what))
    assert clip.duration == pytest.approx(2.0, abs=0.05)
    assert next(iter(clip.frames())).time == 0
    samples = clip.samples()
    assert not samples[: round(0.49 * RATE)].any()
    assert np.abs(samples[round(0.51 * RATE) : RATE]).max() == pytest.approx(0.5, abs=0.02)


def test_sound_of_any_rate_is_heard_at_16_khz(tmp_path: Path) -> None:
    what = Written(sound=tone(1000, 1.0, rate=44_100), rate=44_100)
    clip = Clip.open(write_clip(tmp_path / "tone.wav", what))
    samples = clip.samples()
    assert samples.dtype == np.float32
    assert len(samples) == pytest.approx(RATE, abs=32)
    spectrum = np.abs(np.fft.rfft(samples[: RATE // 2]))
    assert np.argmax(spectrum) * 2 == 1000


@pytest.mark.parametrize("fps", [None, 1])
def test_a_cancelled_call_stops_reading(ramp: Clip, fps: float | None) -> None:
    call = Call()
    with in_call(call):
        frames = ramp.frames(fps=fps)
        next(frames)
        call.cancel()
        with pytest.raises(Cancelled):
            next(frames)
        with pytest.raises(Cancelled):
            ramp.samples()


def test_what_is_absent_is_unobservable(tmp_path: Path) -> None:
    silent = Clip.open(write_clip(tmp_path / "silent.mkv", Written(TIMES, GREYS)))
    with pytest.raises(Unobservable, match="no audio track"):
        silent.samples()
    blind = Clip.open(write_clip(tmp_path / "blind.wav", Written(sound=tone(440, 1.0))))
    with pytest.raises(Unobservable, match="no picture"):
        blind.frames()


def test_the_default_stream_is_shown_where_there_are_several(tmp_path: Path) -> None:
    what = Written(TIMES, GREYS, second_video=True)
    clip = Clip.open(write_clip(tmp_path / "two.mkv", what))
    assert clip.video is not None
    assert clip.video.index == 1
    assert np.allclose([grey(frame) for frame in clip.frames()], GREYS, atol=4)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_frames_are_turned_upright(turn: int) -> None:
    import av

    stored = np.zeros((48, 64, 3), dtype=np.uint8)
    stored[:24, :32] = 255
    picture = picture_of(av.VideoFrame.from_ndarray(stored, format="rgb24"))
    width, height = (48, 64) if turn % 180 else (64, 48)
    shown = Frame(0, 0.0, picture, VideoShape(width, height, turn)).rgb()
    assert np.array_equal(shown, np.rot90(stored, k=turn // 90))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.mp4", b"", "is empty"),
        ("noise.mp4", bytes(range(256)) * 40, "cannot be read"),
        ("note.txt", b"these are words\n", "can"),
    ],
)
def test_a_file_that_is_no_clip_is_named(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ClipError, match=says) as error:
        Clip.open(path)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_no_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="no such file"):
        Clip.open(tmp_path / "absent.mp4")
    with pytest.raises(ClipError, match="not a file"):
        Clip.open(tmp_path)


def counting(count: int = 60, patience: float = 60.0) -> tuple[SharedDecode, list[int]]:
    """A shared decode of frames that weigh 1/20 of its window, and where decodes began."""
    import av

    starts: list[int] = []
    shape = VideoShape(64, 48, 0)
    picture = picture_of(av.VideoFrame(64, 48, "yuv420p"))

    def decode(first: int):  # type: ignore[no-untyped-def]
        starts.append(first)
        for index in range(first, count):
            yield Frame(index, index / 25, picture, shape)

    weight = next(decode(0)).nbytes
    starts.clear()
    return SharedDecode(decode, window_bytes=20 * weight, patience=patience), starts


def test_readers_that_keep_up_share_one_decode() -> None:
    shared, starts = counting()
    ready = threading.Barrier(3)
    seen: list[list[int]] = []

    def read() -> None:
        frames = shared.read()
        first = next(frames)
        ready.wait()
        seen.append([first.index, *(frame.index for frame in frames)])

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [list(range(60))] * 3
    assert starts == [0]


def test_frames_that_all_readers_have_passed_are_released() -> None:
    """The window fills once, for readers to come; then only what is still needed is held."""
    shared, _ = counting(200)
    images: list[weakref.ref[Rgb]] = []
    for frame in shared.read():
        images.append(weakref.ref(frame.rgb()))
        held = sum(image() is not None for image in images)
        assert frame.index < 60 or held <= 2 * BATCH


def test_a_reader_that_stands_still_is_let_go_and_decodes_for_itself() -> None:
    shared, starts = counting(patience=0.05)
    slow = shared.read()
    assert [next(slow).index for _ in range(3)] == [0, 1, 2]
    assert [frame.index for frame in shared.read()] == list(range(60))
    assert [frame.index for frame in slow] == list(range(3, 60))
    assert len(starts) == 2


def test_a_reader_that_is_cancelled_leaves_the_others_their_frames() -> None:
    import av

    starts: list[int] = []
    call = Call()
    picture, shape = picture_of(av.VideoFrame(64, 48, "yuv420p")), VideoShape(64, 48, 0)

    def decode(first: int):  # type: ignore[no-untyped-def]
        starts.append(first)
        for index in range(first + first % 2, 30, 2):  # every second one is damaged
            raise_if_cancelled()
            yield Frame(index, index / 25, picture, shape)
            if index == 6:
                call.cancel()

    shared = SharedDecode(decode)
    other = shared.read()
    assert next(other).index == 0
    with in_call(call), pytest.raises(Cancelled):
        list(shared.read())
    assert [frame.index for frame in other] == list(range(2, 30, 2))
    assert len(starts) == 2 and 0 < starts[1] <= 7


def test_a_reader_that_comes_late_decodes_for_itself() -> None:
    shared, starts = counting()
    assert len(list(shared.read())) == 60
    assert shared.spent
    assert [frame.index for frame in shared.read()] == list(range(60))
    assert starts == [0, 0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size", "frames"),
    [
        ("hard/rotate_pixels_and_meta.mp4", (288, 512), 200),
        ("hard/nasa_13013_rotated.mp4", (270, 480), 17),
        ("hard/no_duration.webm", (1280, 720), 74),
        ("hard/vfr.mp4", (512, 512), 93),
        ("hard/bitmap.mp4", (1, 1), 5),
    ],
)
def test_hard_files_are_served_whole(
    shared_clip: Shared, name: str, size: tuple[int, int], frames: int
) -> None:
    clip = Clip.open(shared_clip(name))
    served = list(clip.frames())
    assert len(served) == frames
    assert {(frame.rgb().shape[1], frame.rgb().shape[0]) for frame in served} == {size}
    times = [frame.time for frame in served]
    assert times == sorted(set(times))
    assert times[-1] < clip.duration


@pytest.mark.slow
def test_a_file_cut_short_says_so(shared_clip: Shared) -> None:
    clip = Clip.open(shared_clip("hard/truncated_faststart.mp4"))
    assert 3 < clip.duration < 4
    assert "cut short" in clip.notes[0]
    assert len(list(clip.frames())) > 80
