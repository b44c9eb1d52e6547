"""Given words are read from a sentence, an .srt or a .vtt file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from emer.tools.errors import ConfigError
from emer.tools.media.subtitles import find_subtitle

SRT = (
    "1\n00:00:01,000 --> 00:00:02,500\nI can't <i>believe</i>\nit!\n\n"
    "2\n00:00:03,000 --> 00:00:04,000\nNo.\n"
)
VTT = "WEBVTT\n\n00:01.000 --> 00:02.500\nI can't believe it!\n"


def test_words_given_by_hand_have_no_time() -> None:
    ((cue,), _) = find_subtitle(Path("clip.mp4"), " I can't\nbelieve it! ")
    assert cue.text == "I can't believe it!"
    assert cue.span is None


@pytest.mark.parametrize("name", ["clip.srt", "clip.mp4.srt", "clip.vtt"])
def test_a_file_beside_the_clip_is_used(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(VTT if name.endswith("vtt") else SRT, encoding="utf-8-sig")
    cues, notes = find_subtitle(tmp_path / "clip.mp4", None)
    assert notes == ()
    assert cues[0].text == "I can't believe it!"
    assert cues[0].span is not None
    assert (cues[0].span.start, cues[0].span.end) == (1.0, 2.5)


def test_no_subtitle_is_no_cue(tmp_path: Path) -> None:
    assert find_subtitle(tmp_path / "clip.mp4", None) == ((), ())


@pytest.mark.parametrize(
    ("subtitle", "content", "says"),
    [
        ("absent.srt", None, "cannot be read"),
        ("latin.srt", "é".encode("latin-1"), "not UTF-8"),
        ("empty.srt", b"", "is not a|holds no subtitle"),
        ("prose.vtt", b"just some words\n", "is not a|holds no subtitle"),
        ("   ", None, "is empty"),
        (
            "dashes.srt",
            SRT.encode() + b"\n3\n00:00:05,000 --> 00:00:06,000\n" + b"-a\n" * 9_000,
            "a caption has over 2,000 characters",
        ),
        (
            "braces.vtt",
            VTT.encode() + b"\n00:05.000 --> 00:06.000\n" + b"{\\b" * 32_000,
            "a caption has over 2,000 characters",
        ),
        (
            "tags.ass",
            b"[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,,0,0,0,," + b"<a " * 9_000,
            "a caption has over 2,000 characters",
        ),
        ("large.srt", SRT.encode() * 20_000, "larger than"),
        ("many.srt", b"1\n00:00:01,000 --> 00:00:02,000\na\n\n" * 6_000, "6,000 subtitles"),
    ],
)
def test_a_bad_subtitle_is_named(
    tmp_path: Path, subtitle: str, content: bytes | None, says: str
) -> None:
    path = tmp_path / subtitle
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=says) as error:
        find_subtitle(Path("clip.mp4"), subtitle if not subtitle.strip() else str(path))
    assert "\n" not in str(error.value)


def test_blank_lines_cost_no_time_and_part_captions_once(tmp_path: Path) -> None:
    path = tmp_path / "blank.srt"
    path.write_text(SRT.replace("\n\n", "\n" * 40_000), encoding="utf-8")
    cues, _ = find_subtitle(Path("clip.mp4"), str(path))
    assert [cue.text for cue in cues] == ["I can't believe it!", "No."]


def test_many_words_given_by_hand_are_refused() -> None:
    with pytest.raises(ConfigError, match="1,000,000 characters"):
        find_subtitle(Path("clip.mp4"), "word " * 200_000)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"just some words\n"])
def test_a_file_beside_the_clip_that_cannot_be_read_is_left_out_with_a_note(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "clip.srt").write_bytes(content)
    cues, notes = find_subtitle(tmp_path / "clip.mp4", None)
    assert cues == ()
    assert len(notes) == 1
    assert "clip.srt" in notes[0]


def test_the_next_file_is_used_where_the_first_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "clip.srt").write_bytes(b"")
    (tmp_path / "clip.vtt").write_text(VTT)
    cues, notes = find_subtitle(tmp_path / "clip.mp4", None)
    assert cues[0].text == "I can't believe it!"
    assert "clip.srt" in notes[0]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "clip.srt")
    with pytest.raises(ConfigError, match="is not a file"):
        find_subtitle(tmp_path / "clip.mp4", str(tmp_path / "clip.srt"))
    assert find_subtitle(tmp_path / "clip.mp4", None)[1]
