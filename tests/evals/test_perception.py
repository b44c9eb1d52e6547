"""`emer-eval perception`: clues and labels against what a person saw."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from emer.evals.cli import app
from emer.evals.data.perception import read_perception
from emer.evals.metrics.perception import Seen, Sighting, Truth, same_sign, score_clip
from emer.tools.cues import stated
from emer.tools.errors import ConfigError
from emer.tools.types import Clue, Quality, Source, Span
from tests.fixtures.paths import ROOT

HEAD = "clip,start,end,person,what,present,main\n"


def clue(cue: str, start: float | None, end: float = 0.0, tool: str = "mesh") -> Clue:
    span = None if start is None else Span(start=start, end=end)
    return Clue(
        modality="face", span=span, text=f"The person shows {cue}.", cues=stated([cue]),
        quality=Quality(score=0.9), source=Source(tool=tool, version="1"),
    )  # fmt: skip


def seen(*rows: str, path: Path) -> Seen:
    path.write_text(HEAD + "\n".join(f"a.mp4,{row}" for row in rows) + "\n", encoding="utf-8")
    (found,) = read_perception(path).values()
    return found


@pytest.fixture
def smiling(tmp_path: Path) -> Seen:
    """A smile with the eyes at 2-4 s, no frown, perhaps a downward gaze at 5-6 s."""
    return seen(
        "2,4,1,smile,yes,yes", "2,4,1,smile_eyes,yes,", "0,8,1,brow_furrow,no,",
        "5,6,1,gaze_down,unsure,", "0,8,1,label:happy,yes,", ",,,people,2,",
        path=tmp_path / "seen.csv",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "truth"),
    [
        (clue("smile", 2.2, 3.9), "true"),
        (clue("smile", 3.0, 4.5), "true"),  # most of it, within the tolerance
        (clue("laugh_seen", 2.0, 4.0), "true"),  # of the same group
        (clue("smile", None), "true"),
        (clue("smile", 3.0, 8.0), "misleading"),  # a short smile told as a long one
        (clue("smile_social", 2.0, 4.0), "misleading"),  # the eyes took part
        (clue("smile", 5.0, 7.0), "false"),
        (clue("brow_furrow", 2.0, 3.0), "false"),
        (clue("gaze_down", 5.0, 6.0), "unjudged"),
        (clue("gaze_down", 1.0, 2.0), "false"),
        (clue("nod", 1.0, 2.0), "unjudged"),
    ],
)
def test_a_clue_is_as_true_as_the_share_of_its_time_that_was_seen(
    smiling: Seen, given: Clue, truth: Truth
) -> None:
    (judged,) = score_clip(smiling, [given], ["happy"]).clues
    assert judged.truth == truth


def test_the_worst_cue_of_a_clue_counts(smiling: Seen) -> None:
    both = clue("smile", 2.0, 4.0)
    both = both.model_copy(update={"id": "", "cues": stated(["smile", "brow_furrow"])})
    assert score_clip(smiling, [both], []).truths() == {"false": 1}


def test_labels_people_and_the_main_expression(smiling: Seen) -> None:
    right = score_clip(smiling, [clue("smile", 2, 4), clue("nod", 1, 2)], ["pleased", "sad"])
    assert (right.found, right.first, right.any, right.abstained) == (True, True, True, False)
    assert right.people is None and right.counted is False
    wrong = score_clip(smiling, [clue("smile", 5, 7)], ["sad", "happy"])
    assert (wrong.found, wrong.first, wrong.any) == (False, False, True)
    assert score_clip(smiling, [], []).abstained
    counting = clue("people_count", 0, 8).model_copy(update={"id": "", "data": {"people": 2}})
    assert score_clip(smiling, [counting], []).counted is True


def test_a_table_that_asks_for_nothing_has_no_opinion(tmp_path: Path) -> None:
    found = seen("0,1,1,smile,no,", path=tmp_path / "seen.csv")
    score = score_clip(found, [], ["happy"])
    assert (score.found, score.first, score.any, score.counted) == (None, None, None, None)


def test_observers_name_one_brow_for_the_other() -> None:
    assert same_sign("brow_raise", "inner_brow_raise") and same_sign("jaw_drop", "mouth_open")
    assert not same_sign("brow_raise", "brow_furrow") and not same_sign("smile", "corners_down")


def test_what_was_seen_is_ordered_by_time(tmp_path: Path) -> None:
    found = seen("3,4,1,nod,yes,", "1,2,2,smile,yes,yes", path=tmp_path / "seen.csv")
    assert [s.cue for s in found.sightings] == ["smile", "nod"]
    assert found.main == (Sighting("smile", Span(start=1, end=2), "yes", "2", main=True),)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("a.mp4,0,1,1,smile,maybe,", "row 2: present: 'maybe' is neither yes, no nor unsure"),
        ("a.mp4,0,1,1,smirking,yes,", "row 2: what: 'smirking' is no visual cue"),
        ("a.mp4,0,1,1,loud,yes,", "row 2: what: 'loud' is no visual cue"),
        ("a.mp4,0,1,1,label:furry,yes,", "row 2: what: there is no label 'furry'"),
        ("a.mp4,0,x,1,smile,yes,", "row 2: end: 'x' is not a number of seconds"),
        ("a.mp4,2,1,1,smile,yes,", "row 2: start, end: 2 to 1 is no span of a clip"),
        ("a.mp4,nan,1,1,smile,yes,", "row 2: start, end: nan to 1 is no span of a clip"),
        ("a.mp4,,,,people,two,", "row 2: present: 'two' is not a number of people"),
        ("../a.mp4,0,1,1,smile,yes,", "row 2: clip: '../a.mp4' is no path inside"),
        ("/etc/passwd,0,1,1,smile,yes,", "row 2: clip: '/etc/passwd' is no path inside"),
        (",0,1,1,smile,yes,", "row 2: clip: '' is no path inside"),
    ],
)
def test_a_wrong_row_is_one_line_with_its_number(tmp_path: Path, row: str, fault: str) -> None:
    path = tmp_path / "seen.csv"
    path.write_text(HEAD + row + "\n", encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        read_perception(path)
    assert fault in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"clip,start\n", HEAD.encode(), b"\xff\xfe\x00"])
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "seen.csv"
    path.write_bytes(content)
    assert call("perception", path, tmp_path).exit_code == 2


def test_the_table_of_the_shared_clips_reads() -> None:
    found = read_perception(ROOT / "evals" / "data" / "perception" / "shared_clips.csv")
    assert len(found) == 20 and found["hard/no_face.mp4"].people == 0
    assert found["emer/sample_00003364.mp4"].main[0].cue == "smile"


@pytest.mark.slow
def test_the_command_asks_about_each_clip_that_is_there(
    tmp_path: Path, shared_clip: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = shared_clip("emer/sample_00003364.mp4")
    monkeypatch.setenv("EMER_HOME", str(tmp_path / "home"))
    table = tmp_path / "seen.csv"
    name = clip.name
    rows = [f"{name},0,1.6,1,smile,yes,yes", f"{name},0,1.6,1,label:happy,yes,"]
    table.write_text(HEAD + "\n".join([*rows, "absent.mp4,0,1,1,nod,yes,"]) + "\n")
    result = call("perception", table, clip.parent, "--json")
    assert result.exit_code == 0 and "absent.mp4 is not in" in result.stderr
    record = json.loads(result.stdout)
    assert [each["clip"] for each in record["clips"]] == [name]
    assert record["first_label_right"] == {"right": 1, "of": 1}
    assert record["main_expression_found"] == {"right": 1, "of": 1}
    shown = call("perception", table, clip.parent, "--list")
    assert f"{name}: happy" in shown.stdout and "first label right" in shown.stdout


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])
