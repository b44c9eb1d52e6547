"""A clip is one local regular file: its name opens nothing, and changes are noticed."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emer.tools.errors import ClipError
from emer.tools.media.clip import Clip
from tests.fixtures.clips import Written, tone, write_clip

pytestmark = pytest.mark.slow
TIMES = [k / 25 for k in range(10)]
NAMES = [
    "data:x.mp4", "pipe:0", "http:", "concat:a.mkv|b.mkv", "file:clip.mkv", "subfile,,start,0,,:a",
    "img%03d.png", "-", "-i.mkv", "a\nb.mkv", "crypto:a", "n" * 255,
]  # fmt: skip


def picture_and_sound(path: Path, grey: int = 120) -> Path:
    """A clip of 0.4 s; the suffix of the written file does not matter."""
    made = write_clip(path.parent / "made.mkv", Written(TIMES, [grey] * 10, sound=tone(440, 0.4)))
    return made.rename(path)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_never_read_as_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    picture_and_sound(Path(name))
    clip = Clip.open(name)
    assert len(list(clip.frames())) == 10
    assert clip.samples().any()


@pytest.mark.skipif(os.name != "posix", reason="names of other systems are text")
def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mkv"))
    assert Clip.open(picture_and_sound(path)).duration == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("suffix", ["", ".m3u8", ".mp4", ".ts"])
@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{clip}\n#EXT-X-ENDLIST\n",
        "\ufeff#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:{clip}\n",
        "ffconcat version 1.0\nfile '{clip}'\n",
        "<?xml version='1.0'?><MPD type='static'><BaseURL>{clip}</BaseURL></MPD>",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
        "[playlist]\nFile1={clip}\n",
        "[Reference]\nRef1={clip}\n",
    ],
)
def test_a_playlist_is_refused(tmp_path: Path, text: str, suffix: str) -> None:
    clip = picture_and_sound(tmp_path / "clip.mkv")
    playlist = tmp_path / f"list{suffix}"
    playlist.write_text(text.format(clip=clip), encoding="utf-8")
    with pytest.raises(ClipError, match="names other files") as error:
        Clip.open(playlist)
    assert "\n" not in str(error.value)


def fifo(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [fifo, folder, device])
def test_only_a_regular_file_is_opened(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "clip.mp4")
    with pytest.raises(ClipError, match="is not a file"):
        Clip.open(tmp_path / "clip.mp4")


def test_what_is_hashed_is_what_is_decoded(tmp_path: Path) -> None:
    clip = Clip.open(picture_and_sound(tmp_path / "clip.mkv", grey=40))
    picture_and_sound(tmp_path / "other.mkv", grey=200).replace(tmp_path / "clip.mkv")
    assert all(abs(float(np.mean(frame.rgb())) - 40) < 5 for frame in clip.frames())


def written(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def replaced(path: Path) -> None:
    picture_and_sound(path.with_name("other.mkv")).replace(path)


def removed(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("change", [written, replaced, removed])
def test_a_change_is_noticed(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = picture_and_sound(tmp_path / "clip.mkv")
    clip = Clip.open(path)
    clip.check_unchanged()
    change(path)
    with pytest.raises(ClipError, match="was changed while"):
        clip.check_unchanged()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux counts descriptors there")
def test_a_dropped_clip_closes_its_file_at_once(tmp_path: Path) -> None:
    """Without a collection of circles: a server would run out of descriptors before one."""
    path = picture_and_sound(tmp_path / "clip.mkv")
    before = len(os.listdir("/proc/self/fd"))
    gc.disable()
    try:
        for _ in range(5):
            clip = Clip.open(path)
            assert len(list(clip.frames())) > 1
            unfinished = clip.frames()
            next(unfinished)
            clip.samples()
            del clip, unfinished
        assert len(os.listdir("/proc/self/fd")) == before
    finally:
        gc.enable()


def test_frames_outlive_the_name_of_their_clip(tmp_path: Path) -> None:
    path = picture_and_sound(tmp_path / "clip.mkv")
    whole = [frame.time for frame in Clip.open(path).frames()]
    assert whole == sorted(whole) and len(whole) > 1
