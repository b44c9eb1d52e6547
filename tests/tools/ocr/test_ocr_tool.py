"""Drawn subtitles are read with their times; logos, running text and signs are not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from emer.tools.errors import ToolMissing, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.ocr.tool import Ocr
from emer.tools.registry import load_tool
from emer.tools.testing.conformance import check_tool
from emer.tools.types import Clue, Span
from tests.fixtures.clips import silent_clip
from tests.fixtures.drawn_subtitles import (
    Extra,
    Style,
    Written,
    draw_clip,
    logo,
    sign,
    sponsor,
    ticker,
)

pytestmark = pytest.mark.slow

WORDS = (
    Written(0.5, 2.4, "I never said that to anyone."),
    Written(2.4, 4.0, "Are you sure about it?"),
    Written(5.0, 6.5, "Then get out of my house!"),
)
NEWS = "Breaking news: markets fall for a third day in a row"


@pytest.fixture(scope="module")
def tool() -> Ocr:
    """Return the tool, or skip with the command that installs it."""
    try:
        made: Any = load_tool("ocr")
        made.load()
    except ToolMissing as error:
        pytest.skip(str(error))
    assert isinstance(made, Ocr)
    return made


def read(clues: Sequence[Clue]) -> list[str]:
    return [str(clue.data["transcript"]) for clue in clues]


@pytest.mark.parametrize(
    "style",
    [
        Style(),
        Style(font="DejaVuSerif", colour="yellow", middle=0.94),
        Style(middle=0.75, height=0.045, size=(854, 480)),
        Style(outline=None, ground=True, font="STIXGeneral"),
        Style(light=215, font="DejaVuSansMono-Bold", size=(960, 540), height=0.04),
    ],
    ids=["plain", "serif", "high", "box", "bright"],
)
def test_subtitles_of_many_looks_are_read_at_their_times(
    style: Style, tool: Ocr, tmp_path: Path
) -> None:
    clues = tool.observe(Clip.open(draw_clip(tmp_path / "a.mp4", 7.0, WORDS, style)))
    for words, each in zip(read(clues), WORDS, strict=True):
        assert distance(words.replace(" ", ""), each.text.replace(" ", "")) <= 1
    for clue, each in zip(clues, WORDS, strict=True):
        assert clue.span is not None
        assert clue.span.start == pytest.approx(each.start, abs=0.2)
        assert clue.span.end == pytest.approx(each.end, abs=0.2)
        assert clue.certainty == "stated"


@pytest.mark.parametrize(
    ("extras", "seconds"),
    [
        ((logo(), ticker(NEWS)), 7.0),
        ((logo(at=(0.12, 0.1)), ticker(NEWS, pixels_per_s=15)), 7.0),
        ((logo(), sign()), 7.0),
        ((sponsor(),), 13.5),
    ],
    ids=["running text", "slow running text", "sign", "sponsor"],
)
def test_other_texts_are_not_read(
    extras: tuple[Extra, ...], seconds: float, tool: Ocr, tmp_path: Path
) -> None:
    style = Style(middle=0.85, size=(480, 270), height=0.07)
    clip = draw_clip(tmp_path / "a.mp4", seconds, WORDS, style, extras, seed=3)
    assert read(tool.observe(Clip.open(clip))) == [each.text for each in WORDS]
    clip = draw_clip(tmp_path / "b.mp4", seconds, (), style, extras, seed=3)
    assert not tool.observe(Clip.open(clip))


def test_two_rows_are_one_subtitle(tool: Ocr, tmp_path: Path) -> None:
    words = (Written(0.5, 2.5, "I never said that\nto anyone here."), Written(3, 4.5, "Go away."))
    clues = tool.observe(Clip.open(draw_clip(tmp_path / "a.mp4", 5.0, words)))
    assert read(clues) == ["I never said that to anyone here.", "Go away."]


def test_a_closer_look_tells_the_subtitles_of_its_span(tool: Ocr, tmp_path: Path) -> None:
    clip = Clip.open(draw_clip(tmp_path / "a.mp4", 7.0, WORDS))
    assert read(tool.observe(clip, Span(start=2.8, end=3.5))) == [WORDS[1].text]
    with pytest.raises(Unobservable, match="stands there"):
        tool.observe(clip, Span(start=6.8, end=7.0))


def test_a_clip_without_writing_lacks_no_evidence(tool: Ocr, tmp_path: Path) -> None:
    assert tool.observe(Clip.open(silent_clip(tmp_path / "a.mp4", 1.0))) == []


def test_the_contract_is_kept(tool: Ocr, tmp_path: Path) -> None:
    clip = Clip.open(draw_clip(tmp_path / "a.mp4", 3.0, WORDS[:1]))
    findings = check_tool(tool, clip, again=Ocr)
    assert [f"{f.check}: {f.why}" for f in findings if not f.ok] == []


FILMS = {
    "00000669": "你你们这么看着我干吗呀就是一女的就得和我有点什么呀",
    "00000694": "我算是听出来了一个让我赶紧走一个不让我去你们你们一个个都不是好东西"
    "我这么大年纪了被你们踢来踢去踢来踢去",
    "00003364": "我想想都很幸福你不觉得吗",
    "00004136": "你刚才一口气说了我七点我有七宗罪",
    "00004735": "可是多美多烂的记忆都不会改变的",
}
"""What stands in the pictures; the first line of 669 begins with the word twice."""


@pytest.mark.parametrize("name", FILMS)
def test_chinese_films_are_read(name: str, tool: Ocr, shared_clip: Any) -> None:
    clues = tool.observe(Clip.open(shared_clip(f"emer/sample_{name}.mp4")))
    words = "".join(filter(str.isalnum, "".join(read(clues))))
    allowed = 0.3 if name == "00000669" else 0.0  # light letters on a white coat
    assert distance(words, FILMS[name]) <= allowed * len(FILMS[name])


def distance(one: str, other: str) -> int:
    """Number of characters to change, add or take away."""
    row = list(range(len(other) + 1))
    for number, left in enumerate(one, 1):
        before, row[0] = row[0], number
        for place, right in enumerate(other, 1):
            cost = before + (left != right)
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, cost)
    return row[-1]
