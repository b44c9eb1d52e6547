"""Arbitrary bytes as a clip, a subtitle, a trace or settings: a value, or one clear line.

Bounded: the number of examples is fixed, the seed too (`derandomize`), so that CI takes about
a minute. `tests/stress.py` does the same to whole runs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emer.graphs.settings import load_settings
from emer.graphs.trace.jsonl import read_trace
from emer.tools.errors import ConfigError
from emer.tools.media.clip import Clip
from emer.tools.media.probe import ClipLimits
from emer.tools.media.subtitles import find_subtitle
from tests.fixtures.clips import Written, tone, write_clip

pytestmark = pytest.mark.slow

MOST_BYTES = 2_000
SRT = "1\n00:00:01,000 --> 00:00:02,500\nI can't <i>believe</i> it!\n\n"
TOML = 'profile = "embedded"\n[tools.face]\nuse = "mesh"\n[budget]\nseconds = 10\n'
HEADER = '{"event":"header","at":0,"run_id":"20261130-101010-000000-abcd","settings":{}}\n'
SUFFIXES = (".mkv", ".mp4", ".avi", ".wav", ".nut", ".mov", ".ts")


def examples(count: int) -> Any:
    return settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """`whole` with some bytes set, a part left out, doubled or put elsewhere, or cut short."""
    data = bytearray(whole)
    place = st.integers(0, len(data) - 1)
    for at, value in draw(st.lists(st.tuples(place, st.integers(0, 255)), max_size=12)):
        data[at] = value
    begin, end = sorted((draw(place), draw(place)))
    kind = draw(st.sampled_from(("keep", "keep", "cut", "leave out", "double")))
    if kind == "cut":
        del data[end:]
    elif kind == "leave out":
        del data[begin:end]
    elif kind == "double":
        data[begin:begin] = data[begin:end]
    return bytes(data)


@contextmanager
def file_of(content: bytes, name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        yield path


def one_line(work: Callable[[], object]) -> None:
    """Call `work`; only a `ConfigError` of one printable line may be raised."""
    try:
        work()
    except ConfigError as error:
        assert str(error).isprintable(), repr(str(error))


@pytest.fixture(scope="module")
def whole_clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    shown = Written([k / 25 for k in range(10)], [90] * 10, sound=tone(440, 0.4))
    heard = Written(sound=tone(440, 0.4))
    return {
        suffix: write_clip(
            folder / f"clip{suffix}", heard if suffix == ".wav" else shown
        ).read_bytes()
        for suffix in SUFFIXES
    }


@examples(60)
@given(data=st.data())
def test_a_damaged_clip_is_read_or_refused(whole_clips: dict[str, bytes], data: Any) -> None:
    suffix = data.draw(st.sampled_from(SUFFIXES))
    content = data.draw(damaged(whole_clips[suffix]) | st.binary(max_size=MOST_BYTES))

    def read(path: Path) -> None:
        clip = Clip.open(path, limits=ClipLimits(probe_seconds=30))
        if clip.video is not None:
            assert all(frame.rgb().size for frame in clip.frames())

    with file_of(content, f"clip{suffix}") as path:
        one_line(lambda: read(path))


@examples(150)
@given(content=damaged(SRT.encode() * 3) | st.binary(max_size=MOST_BYTES))
@pytest.mark.parametrize("suffix", [".srt", ".vtt"])
def test_a_damaged_subtitle_is_read_or_refused(suffix: str, content: bytes) -> None:
    with file_of(content, f"words{suffix}") as path:
        one_line(lambda: find_subtitle(Path("clip.mp4"), str(path)))
        cues, notes = find_subtitle(path.with_suffix(".mp4"), None)
        assert cues or notes


@examples(150)
@given(content=damaged(HEADER.encode() * 2) | st.binary(max_size=MOST_BYTES))
def test_a_damaged_trace_is_read_or_refused(content: bytes) -> None:
    with file_of(content, "run.jsonl") as path:
        one_line(lambda: read_trace(path))


@examples(150)
@given(content=damaged(TOML.encode()) | st.binary(max_size=MOST_BYTES))
def test_damaged_settings_are_read_or_refused(content: bytes) -> None:
    with file_of(content, "emer.toml") as path:
        one_line(lambda: load_settings(path))
