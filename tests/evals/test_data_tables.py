"""What is wrong with a CSV is said in one line: the file, the row, the column."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emer.evals.data.clips import BadList, parse_labels
from emer.evals.data.predictions import matched, read_predictions
from emer.evals.data.tables import BadTable, Table, read_table

COLUMNS = {"name": ("name", "names"), "labels": ("openset",)}
HEAD = "name,openset\n"


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "answers.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(folder: Path, text: str | bytes) -> Table:
    return read_table(written(folder, text), COLUMNS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\na,b\n", r"row 1: no column openset; it has name, label"),
        ("id,openset\na,b\n", r"row 1: no column name or names"),
        ("name,name,openset\na,a,b\n", r"row 1, column name: the column is there twice"),
        (HEAD + "a,x\nb,y\na,z\n", r"row 4, column name: 'a' was already in row 2"),
        (HEAD + "a,x\n ,y\n", r"row 3, column name: empty"),
        (HEAD + "a,x\nb,y,z\n", r"row 3: 3 cells under 2 columns"),
        (HEAD + "a\n", r"row 2: 1 cells under 2 columns"),
        (HEAD + 'a,"x\n', r"row 2: not readable as CSV"),
        (HEAD, r"row 2: there are no rows below the header"),
        ("", r"row 1: there is no header"),
        (HEAD.encode() + b"a,\xff\n", r"line 2: not UTF-8 text"),
    ],
)
def test_each_fault_is_one_line_with_file_row_and_column(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(BadTable, match=message) as caught:
        read(tmp_path, text)
    assert "answers.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_and_an_absent_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="is a folder"):
        read_table(tmp_path, COLUMNS)
    with pytest.raises(BadTable, match="there is no file"):
        read_table(tmp_path / "none.csv", COLUMNS)


def test_a_byte_order_mark_is_skipped_and_said(tmp_path: Path) -> None:
    table = read(tmp_path, b"\xef\xbb\xbf" + HEAD.encode() + b"a,x\n")
    assert table.rows[0]["name"] == "a"
    assert table.notes == (f"{table.path} row 1, column name: a byte-order mark stands before it; "
                           "it was skipped",)  # fmt: skip


def test_rows_are_numbered_as_a_spreadsheet_numbers_them(tmp_path: Path) -> None:
    table = read(tmp_path, HEAD + 'a,"two\nlines"\n\nb,\u2028y\n')
    assert [(row.number, row["name"]) for row in table.rows] == [(2, "a"), (4, "b")]
    assert table.where(table.rows[1], "labels").endswith("row 4, column openset")


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("['happy', 'sad']", ("happy", "sad")),
        ("[happy, very sad]", ("happy", "very sad")),
        ("happy, sad", ("happy", "sad")),
        ("happy", ("happy",)),
        ("", ()),
        ("[]", ()),
        ("[],[]", ()),
        ('[], ["confused"]', ("confused",)),
        ("[\"don't believe\", 'doubt']", ("don't believe", "doubt")),
        ("['it's late', 'x']", ("it's late", "x")),
        ("[don't care]", ("don't care",)),
        ("['', 'x', ]", ("x",)),
    ],
)
def test_label_lists_as_people_write_them(cell: str, labels: tuple[str, ...]) -> None:
    assert parse_labels(cell) == labels


@pytest.mark.parametrize("cell", ["['happy'", "[happy", "['happy", "['a'] b", "['a' 'b'", "a [b]"])
def test_a_broken_list_is_refused(cell: str) -> None:
    with pytest.raises(BadList):
        parse_labels(cell)


@given(st.lists(st.text("abc -é愉", min_size=1).map(str.strip).filter(bool)))
def test_what_is_written_is_read_again(labels: list[str]) -> None:
    assert parse_labels(str(labels)) == tuple(labels)


def test_an_unreadable_list_is_named_with_row_and_column(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + "a,['x']\nb,\"['y\"\n")
    with pytest.raises(BadTable, match=r"row 3, column openset: not a list of labels"):
        read_predictions(path)


def test_empty_predictions_are_counted_and_named(tmp_path: Path) -> None:
    found = read_predictions(written(tmp_path, HEAD + "a,[]\nb,x\nc,\n"))
    assert found.labels["a"] == found.labels["c"] == ()
    assert "row 2, column openset: empty prediction; 2 of 3 are, each scores 0" in found.notes[0]


def test_another_separator_is_noticed(tmp_path: Path) -> None:
    found = read_predictions(written(tmp_path, HEAD + "a,happy;sad\n"))
    assert found.labels["a"] == ("happy;sad",)
    assert "row 2, column openset: 'happy;sad' is not split at ';'" in found.notes[0]


def test_names_that_do_not_match_are_refused_and_on_request_counted(tmp_path: Path) -> None:
    found = read_predictions(written(tmp_path, HEAD + "a,x\nzz,y\n"))
    with pytest.raises(BadTable, match=r"row 3, column name: 'zz' is none of the 2 .*--partial"):
        matched(["a", "b"], found)
    unknown, absent = matched(["a", "b"], found, partial=True)
    assert "'zz'" in unknown
    assert "no row for clip 'b' (1 of 2 clips have none, 1 match)" in absent


def test_a_file_that_matches_nothing_is_refused_even_then(tmp_path: Path) -> None:
    found = read_predictions(written(tmp_path, HEAD + "zz,y\n"))
    with pytest.raises(BadTable, match="0 match"):
        matched(["a"], found, partial=True)


def test_the_challenges_npz_is_read_but_no_pickle(tmp_path: Path) -> None:
    import numpy as np

    plain, pickled = tmp_path / "a-openset.npz", tmp_path / "b-openset.npz"
    np.savez(plain, filenames=["a", "b"], fileitems=["['x', 'y']", "[]"])
    np.savez(pickled, filenames=["a"], fileitems=np.array([["x"]], dtype=object))
    assert read_predictions(plain).labels == {"a": ("x", "y"), "b": ()}
    with pytest.raises(BadTable, match=r"b-openset\.npz.*pickled ones are not read"):
        read_predictions(pickled)
