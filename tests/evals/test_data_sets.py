"""EMER, the MER challenges and a folder of one's own are read as their authors wrote them."""

from __future__ import annotations

from pathlib import Path

import pytest

from emer.evals.data.clips import read_clips
from emer.evals.data.datasets import mer_sets, read_mer
from emer.evals.data.emer import clean, read_version1, read_version2, split_chinese, split_english
from emer.evals.data.locations import DataFolder
from emer.evals.data.tables import BadTable
from tests.fixtures.clips import silent_clip
from tests.fixtures.evals import emotion_wheels

ENGLISH = (
    "Input: In the video, a man smiles gladly.In the audio, his tone is grim. "
    "In the text, the subtitle says, \"It's 'fine'.\" We can infer that he is upset."
)
CHINESE = "在视频中，他微笑。；在音频中，语气高兴；略急。；在文本中，字幕内容：“没事。” 他不满。；"  # noqa: RUF001


def version2(root: Path) -> DataFolder:
    """Write EMER-v2 as published, two clips of it."""
    emotion_wheels.write_files(root)
    (root / "final-EMER-reason.csv").write_text(
        "name,chinese,english\n" + "".join(f'{n},{CHINESE},"{_quoted()}"\n' for n in ("a", "b"))
    )
    (root / "check-openset.csv").write_text("name,openset\na,\"['joy', 'Rage']\"\nb,[]\n")
    return DataFolder(root)


def _quoted() -> str:
    return ENGLISH.replace('"', '""')


def test_the_english_text_is_cleaned_and_cut_at_its_markers() -> None:
    cut = split_english(clean(ENGLISH))
    assert cut.visual == "In the video, a man smiles gladly."
    assert cut.acoustic == "In the audio, his tone is grim."
    assert cut.subtitle == "It's 'fine'."


def test_of_two_versions_the_output_counts_and_an_empty_one_does_not() -> None:
    assert clean("Input: In the video, a. Output: In the video, b.") == "In the video, b."
    assert clean("Input: In the video, a. Output:") == "In the video, a."


@pytest.mark.parametrize(
    "text",
    [
        'In the video, v. In the audio, a. The subtitle in the text says, "s." Then.',
        'In the video, v; in the audio, a; in the text, the subtitle says, "s." Then.',
    ],
)
def test_other_ways_of_marking_the_parts(text: str) -> None:
    cut = split_english(clean(text))
    assert (cut.visual, cut.acoustic) == ("In the video, v.", "In the audio, a.")
    assert cut.subtitle == "s."


def test_an_absent_clause_is_empty() -> None:
    assert split_english('In the video, v. In the text, "s."').acoustic == ""
    assert split_english("In the video, v.").subtitle == ""


def test_the_chinese_text_is_cut_at_its_separators_only() -> None:
    cut = split_chinese(CHINESE)
    assert cut.visual == "在视频中，他微笑。"  # noqa: RUF001
    assert cut.acoustic == "在音频中，语气高兴；略急。"  # noqa: RUF001
    assert cut.subtitle == "没事。"


def test_version_2_has_labels_texts_and_clues_and_masks_them(tmp_path: Path) -> None:
    found = read_version2(version2(tmp_path))
    first, second = found.samples
    assert found.gold(first).labels == ("joy", "Rage")
    assert found.labelled == (first,)
    assert not found.gold(second).labels
    masked = first.description("en", masked=True)
    assert masked is not None
    assert masked.visual == "In the video, a man smiles ."
    assert masked.acoustic == "In the audio, his tone is ."
    chinese = first.description("zh", masked=True)
    assert chinese is not None
    assert chinese.acoustic == "在音频中，语气；略急。"  # noqa: RUF001
    assert "infer" not in repr(first)


def test_given_clues_win_over_cut_ones(tmp_path: Path) -> None:
    folder = version2(tmp_path)
    columns = "name,visual,acoustic,subtitle,visual_masked,acoustic_masked"
    (tmp_path / "oracle_clues.csv").write_text(f"{columns}\na,v,w,s,vm,wm\n")
    first = read_version2(DataFolder(folder.root)).samples[0]
    assert [d.visual for d in first.described] == ["v", "vm"]


def test_the_clues_cut_here_are_those_of_the_given_table(shared: Path, tmp_path: Path) -> None:
    original = shared / "data" / "emer"
    for name in ("wheels", "emer_v2.csv", "emer_v2_labels.csv"):
        (tmp_path / name).symlink_to(original / name)
    ours, theirs = (read_version2(DataFolder(root)) for root in (tmp_path, original))
    compared = 0
    for cut, table in zip(ours.samples, theirs.samples, strict=True):
        assert _stripped(cut.described) == _stripped(table.described)
        compared += len(cut.described)
    assert compared == 4 * len(ours.samples) > 600


def _stripped(described: tuple[object, ...]) -> list[list[str]]:
    return [[str(value).strip() for _, value in d] for d in described]  # type: ignore[attr-defined]


def test_version_1_has_both_languages(tmp_path: Path) -> None:
    head = "names,emotions,subtitles,reasons\n"
    (tmp_path / "gt-eng.csv").write_text(head + "a,happy,Hi.,He smiles.\n")
    (tmp_path / "gt-chi.csv").write_text(head + "a,高兴,嗨,他笑。\n")
    found = read_version1(DataFolder(tmp_path))
    gold = found.golds["a"]
    assert (gold.labels, gold.basic) == (("happy",), "happy")
    assert gold.explanations == {"en": "He smiles.", "zh": "他笑。"}
    assert found.samples[0].subtitle == "Hi."


def test_a_folder_of_ones_own(tmp_path: Path) -> None:
    clip = silent_clip(tmp_path / "one.mkv")
    table = tmp_path / "mine.csv"
    table.write_text("file,emotion,valence,transcript\none.mkv,Happy,0.5,Hi.\ntwo,sad,-1,\n")
    found = read_clips(table)
    first, second = found.samples
    assert (first.clip, first.subtitle, second.clip) == (clip, "Hi.", None)
    assert found.golds["one.mkv"].basic == "happy"
    assert found.golds["two"].valence == -1
    assert found.notes == (f"{table}: 1 of 2 clips have no media file, 'two' first",)


def test_a_valence_that_is_no_number_is_named(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("name,sentiment\na,positive\n")
    with pytest.raises(BadTable, match="row 2, column sentiment: 'positive' is not a number"):
        read_clips(table)


WORDS = "name,chinese,english\nc1,嗨,Hi.\nc2,x,y\n"
DISCRETE = "name,discrete,valence\nc1,happy,1.5\n"
OPENSET = "name,openset\nc1,\"['happy']\"\n"


@pytest.mark.parametrize(
    ("year", "folder", "table", "text", "words"),
    [
        ("mer2023", "train", "train-label.csv", DISCRETE, "transcription-engchi-polish.csv"),
        ("mer2024", "video-labeled", "label-disdim.csv", DISCRETE, "transcription-merge.csv"),
        ("mer2025", "video", "track2_train_ovmerd.csv", OPENSET, "subtitle_chieng.csv"),
        ("mer2026", "video", "track2_train_human.csv", OPENSET, "subtitle_chieng.csv"),
    ],
)
def test_the_challenges_folders(
    tmp_path: Path, year: str, folder: str, table: str, text: str, words: str
) -> None:
    (tmp_path / folder).mkdir()
    clip = silent_clip(tmp_path / folder / "c1.mkv")
    (tmp_path / table).write_text(text)
    (tmp_path / words).write_text(WORDS)
    ((name, layout),) = mer_sets(tmp_path).items()
    assert name.startswith(year)
    found = read_mer(tmp_path, layout)
    assert found.samples[0].clip == clip
    assert found.samples[0].subtitle == "Hi."
    assert found.golds["c1"].labels == ("happy",)
    assert "the words of 1 other clips are not used" in found.notes[0]


def test_a_file_that_two_years_share_goes_to_the_year_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "track2_train_mercaptionplus.csv").write_text("name,openset\nc1,[happy]\n")
    (tmp_path / "track1_train.csv").write_text("name,discrete\nc1,happy\n")
    assert set(mer_sets(tmp_path)) == {
        "mer2026/track2_train_mercaptionplus",
        "mer2026/track1_train",
    }


def test_stored_answers_are_found_as_deep_as_the_other_files(tmp_path: Path) -> None:
    for place in ("b.csv", "a.csv", "notes.txt"):
        file = tmp_path / "data" / "emer" / "predictions" / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("name,openset\n")
    for root in (tmp_path, tmp_path / "data" / "emer"):
        found = DataFolder(root).tables("predictions")
        assert [path.name for path in found] == ["a.csv", "b.csv"]
        assert all(path.is_file() for path in found)
