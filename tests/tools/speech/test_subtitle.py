"""Given words become clues with the times they came with."""

from __future__ import annotations

from pathlib import Path

import pytest

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.speech.subtitle import Subtitle
from emer.tools.testing.conformance import check_tool
from emer.tools.types import Span
from tests.fixtures.sounds import join, quiet, voice, write

CUES = """1
00:00:00,500 --> 00:00:01,500
I said "no".

2
00:00:03,000 --> 00:00:04,000
Leave me alone!
"""


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return write(tmp_path / "a.wav", join(quiet(1), voice(200, 3), quiet(1)))


@pytest.fixture
def timed(sound: Path) -> Clip:
    sound.with_suffix(".srt").write_text(CUES)
    return Clip.open(sound)


def test_each_cue_is_quoted_at_its_time(timed: Clip) -> None:
    first, second = Subtitle().observe(timed)
    assert first.text == "The subtitle reads: \"I said 'no'.\"."
    assert first.data["transcript"] == 'I said "no".'
    assert first.span == Span(start=0.5, end=1.5)
    assert second.text == 'The subtitle reads: "Leave me alone!".'


def test_a_closer_look_tells_whole_cues_with_their_span(timed: Clip) -> None:
    (clue,) = Subtitle().observe(timed, Span(start=3.5, end=5))
    assert clue.text == 'The subtitle reads: "Leave me alone!".'
    assert clue.span == Span(start=3, end=4)
    with pytest.raises(Unobservable, match="no words there"):
        Subtitle().observe(timed, Span(start=1.6, end=2.9))


def test_words_without_times_hold_everywhere(sound: Path) -> None:
    (clue,) = Subtitle().observe(Clip.open(sound, subtitle="你好"), Span(start=0, end=1))
    assert (clue.text, clue.span) == ('The subtitle reads: "你好".', None)


def test_without_a_subtitle_there_is_nothing_to_read(sound: Path) -> None:
    with pytest.raises(Unobservable, match="no subtitle"):
        Subtitle().observe(Clip.open(sound))


def test_the_contract_is_kept(timed: Clip) -> None:
    assert [finding for finding in check_tool(Subtitle(), timed) if not finding.ok] == []
