"""What subtitle files say: words once, speakers and sounds apart, bad times by line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from emer.tools.errors import ConfigError
from emer.tools.media.clip import Clip
from emer.tools.media.subtitles import SubtitleCue, find_subtitle
from emer.tools.speech.subtitle import Subtitle
from emer.tools.types import Span
from tests.fixtures.clips import silent_clip
from tests.fixtures.sounds import join, quiet, voice, write

ASS = (
    "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
    "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,{\\i1}Hi\\Nyou{\\i0}\n"
    "Dialogue: 1,0:00:01.00,0:00:02.00,Shadow,,0,0,0,,{\\an8}Hi\\Nyou\n"
    "Comment: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,not shown\n"
    "Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 1 1{\\p0}\n"
)
ROLLING = (
    "WEBVTT\nKind: captions\n\n"
    "00:00.000 --> 00:02.000 align:start\nI told<00:00:00.500><c> you</c>\n\n"
    "00:02.000 --> 00:02.010\nI told you\n\n"
    "00:02.010 --> 00:04.000\nI told you\nnot<00:00:02.500><c> to come</c>\n\n"
    "00:04.000 --> 00:05.000\nnot to come\nhere\n"
)


def cues_of(tmp_path: Path, content: str, suffix: str = ".srt") -> list[SubtitleCue]:
    path = tmp_path / f"words{suffix}"
    path.write_text(content, encoding="utf-8")
    return list(find_subtitle(Path("clip.mp4"), str(path))[0])


def srt(*texts: str, seconds: float = 2.0) -> str:
    """Return a file with these texts, one after the other, half a second apart."""
    pieces = []
    for number, text in enumerate(texts):
        start = number * (seconds + 0.5)
        times = (f"00:00:{at:06.3f}".replace(".", ",") for at in (start, start + seconds))
        pieces.append(f"{number + 1}\n{' --> '.join(times)}\n{text}\n")
    return "\n".join(pieces)


def told(cues: list[SubtitleCue]) -> list[tuple[str, str | None, bool]]:
    return [(cue.text, cue.speaker, cue.is_sound) for cue in cues]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("<i>So</i> <font color=red>what</font>?", "So what?"),
        ("{\\an8}Tom &amp; Ann &lt;3&nbsp;you", "Tom & Ann <3 you"),
        ("2 < 3 and 5 > 4", "2 < 3 and 5 > 4"),
    ],
)
def test_tags_and_entities_go(tmp_path: Path, written: str, words: str) -> None:
    assert [cue.text for cue in cues_of(tmp_path, srt(written))] == [words]


def test_ass_is_read_without_comments_drawings_and_layers(tmp_path: Path) -> None:
    (cue,) = cues_of(tmp_path, ASS, ".ass")
    assert (cue.text, cue.span and cue.span.start) == ("Hi you", 1.0)


def test_rolling_captions_are_told_once(tmp_path: Path) -> None:
    cues = cues_of(tmp_path, ROLLING, ".vtt")
    assert [cue.text for cue in cues] == ["I told you", "not to come", "here"]
    assert [cue.span and (cue.span.start, cue.span.end) for cue in cues] == [
        (0.0, 2.01),
        (2.01, 4.0),
        (4.0, 5.0),
    ]


def test_a_line_that_grows_is_told_whole_and_a_repetition_after_a_pause_twice(
    tmp_path: Path,
) -> None:
    growing = (
        "1\n00:00:00,000 --> 00:00:01,000\nI am\n\n2\n00:00:01,000 --> 00:00:02,000\nI am so\n\n"
        "3\n00:00:03,000 --> 00:00:04,000\nNo.\n\n4\n00:00:05,000 --> 00:00:06,000\nNo.\n"
    )
    assert [cue.text for cue in cues_of(tmp_path, growing)] == ["I am so", "No.", "No."]


@pytest.mark.parametrize("written", ["[sobs]", "(sobs)", "【sobs】", "\uff08sobs\uff09"])
def test_a_sound_is_a_piece_of_its_own(tmp_path: Path, written: str) -> None:
    assert told(cues_of(tmp_path, srt(written))) == [("sobs", None, True)]
    mixed = told(cues_of(tmp_path, srt(f"{written} Go away.")))
    assert sorted(mixed) == [("Go away.", None, False), ("sobs", None, True)]


def test_notes_alone_are_music(tmp_path: Path) -> None:
    assert told(cues_of(tmp_path, srt("♪ ♪"))) == [("music", None, True)]


def test_names_become_numbered_speakers(tmp_path: Path) -> None:
    cues = cues_of(tmp_path, srt("ANNA: Where is he?", "TOM: Gone.", "ANNA: Gone where?"))
    assert told(cues) == [
        ("Where is he?", "speaker 1", False),
        ("Gone.", "speaker 2", False),
        ("Gone where?", "speaker 1", False),
    ]


def test_a_word_with_a_colon_is_a_name_only_where_it_comes_again(tmp_path: Path) -> None:
    assert told(cues_of(tmp_path, srt("Remember: never again."))) == [
        ("Remember: never again.", None, False)
    ]
    cues = cues_of(tmp_path, srt("张三:你好吗", "李四:很好", "张三:走吧", "李四:好"))
    assert [cue.speaker for cue in cues] == ["speaker 1", "speaker 2", "speaker 1", "speaker 2"]


def test_a_voice_of_a_vtt_file_is_a_speaker(tmp_path: Path) -> None:
    vtt = "WEBVTT\n\n00:00.000 --> 00:01.000\n<v Anna Smith>Come in.\n"
    assert told(cues_of(tmp_path, vtt, ".vtt")) == [("Come in.", "speaker 1", False)]


@pytest.mark.parametrize("written", ["- Really?\n- Yes, really.", "- Really? - Yes, really."])
def test_dashes_are_two_speakers(tmp_path: Path, written: str) -> None:
    assert told(cues_of(tmp_path, srt(written))) == [
        ("Really?", "one speaker", False),
        ("Yes, really.", "another speaker", False),
    ]


def test_a_lone_dash_is_no_second_speaker(tmp_path: Path) -> None:
    assert told(cues_of(tmp_path, srt("- Really?"))) == [("Really?", None, False)]
    assert told(cues_of(tmp_path, srt("A well-known man - or not."))) == [
        ("A well-known man - or not.", None, False)
    ]


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ("-00:00:01,000 --> 00:00:02,000", "line 2: -00:00:01,000 is before the clip"),
        ("00:00:05,000 --> 00:00:04,000", "line 2: the subtitle ends .* before it starts"),
        ("00:00:0x,000 --> 00:00:04,000", "line 2: 00:00:0x,000 is no time"),
    ],
)
def test_a_time_that_cannot_be_is_refused_by_its_line(
    tmp_path: Path, times: str, says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        cues_of(tmp_path, f"1\n{times}\nwords\n")
    reversed_ass = ASS.replace("0:00:02.00,Default", "0:00:00.50,Default", 1)
    with pytest.raises(ConfigError, match="line 6: the subtitle ends"):
        cues_of(tmp_path, reversed_ass, ".ass")


def test_a_file_that_goes_on_after_the_clip_is_told(tmp_path: Path) -> None:
    clip = silent_clip(tmp_path / "clip.mp4", seconds=4.0)
    clip.with_suffix(".srt").write_text(srt("one", "two", "three", "four"))
    opened = Clip.open(clip)
    (note,) = [note for note in opened.notes if "after the clip's end" in note]
    assert note.startswith("2 of 4 subtitles lie after")
    assert [clue.data["transcript"] for clue in Subtitle().observe(opened)] == ["one", "two"]


def test_speakers_and_sounds_have_sentences_of_their_own(tmp_path: Path) -> None:
    sound = write(tmp_path / "a.wav", join(quiet(1), voice(200, 3), quiet(1)))
    sound.with_suffix(".srt").write_text(srt("ANNA: No! [sobs]"))
    by_text = {clue.text: clue for clue in Subtitle().observe(Clip.open(sound))}
    assert set(by_text) == {
        'The subtitle reads (speaker 1): "No!".',
        'The subtitle tells of a sound: "sobs".',
    }
    assert {clue.person for clue in by_text.values()} == {None}
    assert by_text['The subtitle tells of a sound: "sobs".'].data == {"sound": "sobs"}


def write_track(path: Path, *pieces: tuple[float, float, str]) -> Path:
    """Write two seconds of a picture with a track of text."""
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        titles: Any = container.add_mux_stream("subrip", time_base=Fraction(1, 1000))
        titles.metadata["language"] = "eng"
        grey = np.full((48, 64, 3), 90, np.uint8)
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24").reformat(format="yuv420p")
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for start, end, text in pieces:
            packet = av.Packet(text.encode())
            packet.stream, packet.time_base = titles, Fraction(1, 1000)
            packet.pts = packet.dts = round(1000 * start)
            packet.duration = round(1000 * (end - start))
            container.mux(packet)
    return path


def test_a_track_in_the_file_is_read_and_named(tmp_path: Path) -> None:
    pieces = (0.5, 1.0, "I am <i>so</i> angry!"), (1.0, 1.5, "[sobs]")
    clip = Clip.open(write_track(tmp_path / "soft.mkv", *pieces))
    assert [(clue.text, clue.span) for clue in Subtitle().observe(clip)] == [
        ('The subtitle reads: "I am so angry!".', Span(start=0.5, end=1.0)),
        ('The subtitle tells of a sound: "sobs".', Span(start=1.0, end=1.5)),
    ]
    assert "subtitle track 1 (eng) in the file has the words" in clip.notes


def test_given_words_and_a_file_beside_the_clip_come_before_a_track(tmp_path: Path) -> None:
    path = write_track(tmp_path / "soft.mkv", (0.5, 1.0, "of the track"))
    path.with_suffix(".srt").write_text(srt("of the file", seconds=1.0))
    assert [cue.text for cue in Clip.open(path).subtitle] == ["of the file"]
    assert [cue.text for cue in Clip.open(path, subtitle="given").subtitle] == ["given"]
