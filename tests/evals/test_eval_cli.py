"""`emer-eval` as a researcher types it: what is printed, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from emer.evals.cli import app
from emer.evals.data.datasets import read_set
from emer.evals.data.locations import DataFolder
from tests.fixtures.clips import silent_clip
from tests.fixtures.evals import datasets
from tests.fixtures.trusted import write_trusted

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a small data folder."""
    made = tmp_path / "data"
    made.mkdir()
    return datasets.write_folder(made)


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def one_line(result: Result, *parts: str) -> None:
    """Hold the result to exit code 2 and one line that says all of it."""
    assert result.exit_code == 2, result.output
    lines = [x for x in result.stderr.splitlines() if not x.startswith("emer-eval: note:")]
    assert len(lines) == 1, result.stderr
    for words in parts:
        assert words in lines[0]


def test_a_file_is_scored_in_one_line(folder: Path) -> None:
    found = call("score", folder / "predictions" / "good.csv", "--data", folder)
    assert found.exit_code == 0, found.output
    assert "constant: 5 labels" in found.stdout
    assert "good" in found.stdout
    assert "row 9, column openset: empty prediction; 1 of 8 are" in found.stderr


def test_its_json_has_every_score_with_its_interval(folder: Path) -> None:
    found = call("score", folder / "predictions" / "good.csv", "--data", folder, "--json")
    output = json.loads(found.stdout)
    good = output["systems"][-1]
    assert (output["clips"], good["name"], good["counts"]["empty"]) == (8, "good", 1)
    assert {"exact", "m1", "m2", "m_avg", "level1", "level2_wheel5_r", "set"} <= good[
        "scores"
    ].keys()
    level1 = good["scores"]["level1"]
    assert level1["low"] <= level1["value"] <= level1["high"]


def test_labels_of_ones_own_need_only_the_wheels(folder: Path, tmp_path: Path) -> None:
    gold = datasets.write_labels(tmp_path / "mine.csv", [("joy",), ("grim",)], ["x", "y"])
    mine = datasets.write_labels(tmp_path / "p.csv", [("joy",), ("joy",)], ["x", "y"])
    found = call("score", mine, "--gold", gold, "--data", folder, "--lexicon", "2025", "--json")
    scores = json.loads(found.stdout)["systems"][-1]["scores"]
    assert scores["exact"]["value"] == 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,labels_\nclip0,joy\n", "row 1: no column openset or labels"),
        (
            "name,openset\nclip0,joy\nclip0,joy\n",
            "row 3, column name: 'clip0' was already in row 2",
        ),
        ('name,openset\nclip0,"[\'joy"\n', "row 2, column openset: not a list of labels"),
        ("name,openset\nnobody,joy\n", "row 2, column name: 'nobody' is none of the 8"),
        ("name,openset\nclip0,joy\n", "no row for clip 'clip1' (7 of 8 clips have none, 1 match)"),
        ("name,openset\n", "row 2: there are no rows"),
    ],
)
def test_a_file_that_cannot_be_scored_is_one_line_and_exit_code_2(
    folder: Path, tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    one_line(call("score", path, "--data", folder), "mine.csv", message)


def test_partial_scores_what_matches_and_counts_the_rest(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(b"\xef\xbb\xbfname,openset\nclip0,joy\nnobody,joy\n")
    found = call("score", path, "--data", folder, "--partial", "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["systems"][-1]["counts"] == {"empty": 7, "failed": 7}
    for message in ("byte-order mark", "'nobody' is none of the 8", "7 of 8 clips have none"):
        assert message in found.stderr


def test_without_the_wheels_the_rest_is_scored_and_one_line_says_what_is_not(folder: Path) -> None:
    (folder / "wheels" / "wheel3.xlsx").unlink()
    for words in (["score", folder / "predictions" / "good.csv"], ["report", "--workers", 1]):
        found = call(*words, "--data", folder, "--json")
        assert found.exit_code == 0, found.output
        output = json.loads(found.stdout)
        good = next(system for system in output["systems"] if system["name"] == "good")
        assert (output["lexicon"], output["main_score"]) == ("none", "exact")
        assert {"exact", "set", "labels"} <= good["scores"].keys()
        assert "level1" not in good["scores"]
        lines = [x for x in found.stderr.splitlines() if "no emotion-wheel scores" in x]
        assert len(lines) == 1
        assert "wheel3.xlsx" in lines[0]
        assert "emer-eval data pull" in lines[0]


def test_a_folder_without_any_set_is_one_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    found = call("score", folder / "predictions" / "good.csv", "--data", tmp_path / "empty")
    one_line(found, "holds no set", "--gold FILE.csv")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["report", "--lexicon", "1999"], "there are 2025, 2026"),
        (["report", "--set", "mer2099"], "there are emer-v2"),
        (["report", "--reasoner", "nobody"], "no reasoner is called 'nobody'"),
        (["score", "no.csv"], "there is no file no.csv"),
        (["run", "nobody", "--out", "o"], "no system is called 'nobody'"),
        (["run", "random", "random", "--out", "o"], "named twice"),
        (["swap", "face", "mesh", "mesh"], "named twice"),
        (["swap", "face", "mesh", "none"], "no labelled clip has a media file"),
        (["fit", "--out", "o"], "30 are needed"),
        (["run", "agent", "--out", "o"], "no clip has a media file; name --clips DIR"),
        (["run", "hf:/none", "--out", "o"], "no clip has a media file; name --clips DIR"),
        (["report", "--against", "nosuch"], "--against nosuch: there are"),
        (["report", "--against", "nosuch"], "'good'"),
        (["score", "x.csv", "--gold", "g.csv", "--set", "x"], "name two sets"),
    ],
)
def test_wrong_words_are_one_line_and_nothing_is_written(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    datasets.write_labels(tmp_path / "x.csv", [("joy",)], ["x"])
    one_line(call(*words, "--data", folder), message)
    assert not (tmp_path / "o").exists()


@pytest.fixture
def run_options(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[object, ...]:
    """Return the options that name one clip with its label."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    silent_clip(tmp_path / "clips" / "clip0.mkv")
    gold = datasets.write_labels(tmp_path / "g.csv", [("joy",)], ["clip0"])
    return ("--gold", gold, "--clips", tmp_path / "clips", "--data", folder)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["swap", "face", "none", "zz"], "zz"),
        (["swap", "fase", "mesh", "none"], "there is no slot 'fase'; there are face, expression"),
        (["swap", "voice", "none", "speech-emotion"], "speech-emotion"),
        (["run", "hf:/none"], "hf:/none is no folder with a checkpoint"),
    ],
)
def test_what_could_not_look_at_a_single_clip_is_one_line(
    run_options: tuple[object, ...], tmp_path: Path, words: list[str], message: str
) -> None:
    one_line(call(*words, "--out", "o", *run_options), message)
    assert not list(tmp_path.glob("o/*.jsonl"))


@pytest.mark.parametrize("out", ["g.csv", "g.csv/below", "/proc/x"])
@pytest.mark.parametrize("words", [["run", "constant:joy"], ["swap", "face", "mesh", "none"]])
def test_a_folder_that_cannot_be_written_is_one_line(
    run_options: tuple[object, ...], words: list[str], out: str
) -> None:
    one_line(call(*words, "--out", out, *run_options), "cannot be written", "choose another --out")


def test_a_system_that_fails_on_every_clip_ends_in_exit_code_1(
    run_options: tuple[object, ...],
) -> None:
    found = call("run", "oracle:masked", "--out", "o", *run_options, "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)[0]["first_failure"].endswith("human description")
    assert "rules/masked: there is no answer on any of the clips" in found.stderr


def test_a_name_gives_no_orders_to_the_terminal(folder: Path, tmp_path: Path) -> None:
    name = "clip\x1b]0;owned\x07\x1b[2J\u202e"
    path = datasets.write_csv(tmp_path / f"a{name}.csv", [("name", "openset"), (name, "joy")])
    one_line(call("score", path, "--data", folder), "is none of the 8 labelled clips")
    constant = call("run", f"constant:{name}", str(path), "--out", tmp_path / "o", "--data", folder)
    shown = call("score", folder / "predictions" / "good.csv", "--data", folder)
    as_json = call("run", str(path), "--out", tmp_path / "p", "--data", folder, "--json")
    for text in (constant.output, shown.output, as_json.output):
        assert not {"\x1b", "\x07", "\u202e"} & set(text)


def test_there_are_no_more_folds_than_clips(tmp_path: Path, folder: Path) -> None:
    names = [f"c{n}" for n in range(30)]
    clips = [(n, "", EXPLAINED) for n in names]
    datasets.write_csv(folder / "emer_v2.csv", [("name", "chinese", "english"), *clips])
    datasets.write_labels(folder / "emer_v2_labels.csv", [("joy",)] * 30, names)
    one_line(call("fit", "--data", folder, "--folds", "31", "--clues", "full", "--out",
                  tmp_path / "o"), "--folds 31: there are 30 clips")  # fmt: skip


EXPLAINED = 'In the video, he smiles. In the audio, he is loud. In the text, it says, "Yes." So.'


def test_a_run_is_not_taken_for_a_table(folder: Path, tmp_path: Path) -> None:
    call("run", "constant:joy", "--out", tmp_path, "--data", folder)
    file = tmp_path / "constant_joy.jsonl"
    one_line(call("score", file, "--data", folder), f"emer-eval report --run {file}")


def test_an_unknown_option_is_one_line() -> None:
    one_line(call("report", "--nothing"), "--nothing")


def test_data_says_what_is_there_and_how_to_get_the_rest(folder: Path) -> None:
    output = json.loads(call("data", "--data", folder, "--json").stdout)
    files = {line["what"].partition(":")[0]: line for line in output["files"]}
    assert files["wheel1"]["found"]
    assert not files["emer_v1_en"]["found"]
    assert "emer-eval data pull --only emer_v1_en" in files["emer_v1_en"]["detail"]
    assert "no sha256 pinned" in files["emer_v1_en"]["detail"]
    assert [line["what"] for line in output["sets"]] == ["emer-v2"]
    assert "8 clips, 8 labelled, 0 with media" in output["sets"][0]["detail"]
    assert "gated form" in output["clips"][-1]["detail"]
    assert "emer_v2_labels" in call("data", "--data", folder).stdout


def test_a_run_is_reported_beside_the_others(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs"
    found = call(
        "run", "oracle:full/visual", "constant:joy", "--out", out, "--data", folder, "--json"
    )
    assert found.exit_code == 0, found.output
    first, second = json.loads(found.stdout)
    assert (first["clips"], second["answered"]) == (8, 8)
    report = call("report", "--data", folder, "--run", second["file"], "--workers", "1",
                  "--out", tmp_path / "r", "--json")  # fmt: skip
    assert report.exit_code == 0, report.output
    names = [system["name"] for system in json.loads(report.stdout)["systems"]]
    assert {"constant: joy", "rules/masked", "good"} <= set(names)
    files = {path.name for path in (tmp_path / "r").iterdir()}
    assert files == {"report.html", "report.md", "report.json", "leaderboard.md"}


def test_a_run_on_other_clips_is_refused_and_one_on_fewer_says_so(
    folder: Path, tmp_path: Path
) -> None:
    done = call("run", "constant:joy", "--out", tmp_path / "runs", "--data", folder, "--json")
    lines = Path(json.loads(done.stdout)[0]["file"]).read_text().splitlines()
    fewer, other = tmp_path / "fewer.jsonl", tmp_path / "other.jsonl"
    fewer.write_text("\n".join(lines[:-1]) + "\n")
    renamed = [json.loads(line) for line in lines[1:]]
    for line in renamed:
        line["name"] = f"elsewhere_{line['name']}"
    other.write_text("\n".join([lines[0], *map(json.dumps, renamed)]) + "\n")
    refused = call("report", "--data", folder, "--run", other, "--workers", "1")
    one_line(refused, "none of its 8 clips is labelled in emer-v2")
    report = call("report", "--data", folder, "--run", fewer, "--workers", "1", "--json")
    assert "fewer.jsonl lacks 1 of the clips; they count as no answer" in report.stdout


def test_a_run_becomes_a_dataset(folder: Path, tmp_path: Path) -> None:
    out, to = tmp_path / "runs", tmp_path / "new"
    done = call("run", "oracle:full", "--out", out, "--data", folder, "--json")
    (summary,) = json.loads(done.stdout)
    written = call("data", "write", summary["file"], "--to", to, "--json")
    assert written.exit_code == 0, written.output
    dataset = read_set(DataFolder(to))
    assert len(dataset.samples) == 8
    answered = [s for s in dataset.samples if dataset.gold(s).labels]
    assert len(answered) == summary["answered"] > 0
    first = dataset.gold(answered[0])
    assert "In the video" in first.explanations["en"]
    assert answered[0].description("en", masked=False) is not None
    one_line(call("data", "write", summary["file"], "--to", to), "is there already")
    one_line(call("data", "write", summary["file"], summary["file"], "--to", tmp_path / "two"),
             "was already explained")  # fmt: skip


def test_what_ask_printed_becomes_a_dataset_too(tmp_path: Path) -> None:
    answer = {"clip": {"name": "holiday.mp4"}, "explanation": {
        "sentences": [{"block": "video", "text": "She smiles.", "clue_ids": ["f1"]}],
        "labels": [{"name": "happy", "band": "low", "clue_ids": ["f1"]}]}}  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(answer))
    call("data", "write", tmp_path / "a.json", "--to", tmp_path / "new")
    dataset = read_set(DataFolder(tmp_path / "new"))
    assert dataset.golds["holiday"].labels == ("happy",)
    (tmp_path / "b.json").write_text('{"clip": 1}')
    one_line(
        call("data", "write", tmp_path / "b.json", "--to", tmp_path / "x"), "b.json is not what"
    )


def test_two_tools_are_compared_and_only_that_one_runs_again(folder: Path, tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    for name in ("clip0", "clip1"):
        silent_clip(clips / f"{name}.mkv")
    gold = datasets.write_labels(tmp_path / "g.csv", [("joy",), ("anger",)], ["clip0", "clip1"])
    write_trusted(
        tmp_path / "emer.toml",
        '[tools.prosody]\nuse = "tests.evals.test_systems:Laughs"\n'
        '[tools.scene]\nuse = "none"\n[tools.speech]\nuse = "none"\n',
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        tools = ("tests.evals.test_systems:Smiles", "tests.fixtures.user_tool:Frowns")
        run_options = ("--gold", gold, "--clips", clips, "--data", folder)
        found = call("swap", "face", *tools, *run_options, "--json")
    assert found.exit_code == 0, found.output
    output = json.loads(found.stdout)
    first, second = output["tool_runs"].values()
    assert first["face"] == first["prosody"] == 2
    assert second["face"] == 2
    assert "prosody" not in second  # its clues were looked up; closer looks are counted apart
    assert output["differences"][0]["same_input"]
