"""`emer ask` for several clips: one question, one table, one file of rows."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.app.conftest import Emer
from tests.fixtures.clips import Written, write_clip
from tests.fixtures.command_line import FAKES, environment, swaps
from tests.fixtures.paths import MODULES

SWAPS = swaps(*FAKES)
QUESTION = "Is she happy?"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of two clips, a damaged one, and two files that are none."""
    made = tmp_path / "clips"
    made.mkdir()
    for number in (10, 2):
        sound = np.full(8_000 * number, 0.01, dtype=np.float32)
        write_clip(made / f"clip{number}.wav", Written(sound=sound))
    (made / "clip3.mkv").write_bytes(b"no video at all" * 50)
    (made / "notes.txt").write_text("x")
    (made / ".clip1.wav").write_bytes(b"")
    return made


def test_a_folder_gives_one_table_in_natural_order(emer: Emer, folder: Path) -> None:
    done = emer("ask", folder, QUESTION, *SWAPS)
    assert done.exit_code == 1  # one of them failed
    names = [line.split()[0] for line in done.stdout.splitlines() if line.startswith(" clip")]
    assert names == ["clip2.wav", "clip3.mkv", "clip10.wav"]
    assert "happy (" in done.stdout and "2 other files were left out" in done.stdout
    assert "cannot be read as audio or video" in " ".join(done.stdout.split())


def test_json_is_a_list_with_the_failure_in_it(emer: Emer, folder: Path) -> None:
    two, three, ten = json.loads(emer("ask", folder, QUESTION, *SWAPS, "--json").stdout)
    assert two["question"] == ten["question"] == QUESTION and two["answer"]
    assert sorted(three) == ["error", "file"] and three["file"].endswith("clip3.mkv")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_rows_are_written_as_asked(emer: Emer, folder: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"rows{suffix}"
    out.write_bytes(b"from before")
    clips = [folder / "clip2.wav", folder / "clip3.mkv"]
    printed = json.loads(emer("ask", *clips, *SWAPS, "--out", out, "--json").stdout)
    first, second = rows_of(out)
    assert first["file"] == str(clips[0]) and first["answer"] == printed[0]["answer"]
    assert first["run_id"] == printed[0]["run_id"] and first["labels"].startswith("happy (")
    assert second["answer"] == "" and "cannot be read" in second["error"]
    assert [path.name for path in tmp_path.glob("*rows*")] == [out.name]  # no draft is left


def test_no_cell_of_a_table_is_a_formula(
    emer: Emer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (folder / "clip2.wav").rename(folder / "=cmd.wav")
    (folder / "+bad.wav").write_bytes(b"no sound" * 50)
    emer("ask", "=cmd.wav", "+bad.wav", "clip3.mkv", *SWAPS, "--out", "rows.csv")
    cells = [cell for row in rows_of(folder / "rows.csv") for cell in row.values()]
    assert "./=cmd.wav" in cells and not [cell for cell in cells if cell[:1] in tuple("=+-@")]


def test_a_row_is_in_the_language_of_the_answer(emer: Emer, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    emer("ask", folder / "clip2.wav", "她高兴吗？", *SWAPS, "--out", out)  # noqa: RUF001
    (row,) = rows_of(out)
    assert "置信度" in row["answer"] and "low" not in row["labels"] and row["labels"]


def rows_of(file: Path) -> list[dict[str, str]]:
    """Return the rows of a file of any kind."""
    if file.suffix == ".csv":
        with file.open(newline="", encoding="utf-8") as lines:
            return list(csv.DictReader(lines))
    if file.suffix == ".jsonl":
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    import pandas as pd

    return [
        {str(k): str(v) for k, v in row.items()} for row in pd.read_parquet(file).to_dict("records")
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{clip}", "other.mkv"], "there is no file other.mkv"),
        (["{folder}/empty"], "holds no sound or video file"),
        (["{clip}", "--out", "rows.txt"], "does not end in .csv, .parquet, .jsonl"),
        (["{clip}", "--out", "{folder}/none/rows.csv"], "cannot be written"),
        (["{folder}", "--review"], "--review is for one clip"),
        (["{folder}", "--subtitle", "Hello."], "--subtitle is for one clip"),
        (["{folder}", "--clues"], "--clues is for one clip"),
        (["{folder}", "--details"], "--details is for one clip"),
        (["{folder}", "--brief"], "--brief is for one clip"),
        (["{clip}", "--brief", "--clues"], "--brief prints one line"),
        ([], "name a clip"),
    ],
)
def test_what_is_wrong_is_one_line(
    emer: Emer, folder: Path, words: list[str], message: str
) -> None:
    (folder / "empty").mkdir()
    line = [word.format(clip=folder / "clip2.wav", folder=folder) for word in words]
    done = emer("ask", *line, *SWAPS)
    assert done.exit_code == 2 and done.stdout == ""
    assert message in done.stderr and len(done.stderr.splitlines()) == 1


def test_damaged_clips_alone_are_wrong_input(emer: Emer, folder: Path) -> None:
    damaged = folder / "clip3.mkv"
    (folder / "clip4.webm").write_bytes(damaged.read_bytes())
    done = emer("ask", damaged, folder / "clip4.webm", *SWAPS)
    assert done.exit_code == 2 and "clip4.webm" in done.stdout


def test_two_files_are_two_clips_and_no_question(emer: Emer, folder: Path) -> None:
    words = [folder / "clip2.wav", folder / "clip10.wav", "--json"]
    records = json.loads(emer("ask", *words, *SWAPS).stdout)
    assert [Path(record["file"]).name for record in records] == ["clip2.wav", "clip10.wav"]
    assert {record["question"] for record in records} != {str(words[1])}


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done(folder: Path, tmp_path: Path) -> None:
    out, pipe = tmp_path / "rows.csv", tmp_path / "pipe"
    os.mkfifo(pipe)
    tools = swaps("scene=Waits", "face=none", "prosody=none", "speech=none")
    words = ["ask", str(folder / "clip3.mkv"), str(folder / "clip2.wav"), *tools, "--out", str(out)]
    with subprocess.Popen(
        [sys.executable, "-m", "emer.app", *words], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, cwd=MODULES, env=environment(WAITS_PIPE=str(pipe)),
    ) as process:  # fmt: skip
        try:
            assert pipe.read_text() == "at work"  # the second clip is asked about
            process.send_signal(signal.SIGINT)
            printed, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130 and errors.splitlines()[-1] == "emer: interrupted"
    (row,) = rows_of(out)
    assert row["error"] and row["file"].endswith("clip3.mkv") and "clip3.mkv" in printed
