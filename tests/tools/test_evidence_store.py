"""The evidence store: what its key depends on, and what it survives."""

from __future__ import annotations

import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from emer.tools.evidence_store import EvidenceStore, code_digest
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.testing.fakes import FakeTool
from emer.tools.types import Observation, Span
from tests.fixtures.clips import Written, tone, write_clip

LINE = ("The person smiles from 0.2-0.8 s.", 0.2, 0.8)


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    """Return a clip of one second of sound."""
    return Clip.open(write_clip(tmp_path / "tone.wav", Written(sound=tone(220, 1.0))))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the store will be."""
    return tmp_path / "home" / "evidence.sqlite"


def seen(clip: Clip, tool: FakeTool, span: Span | None = None) -> Observation:
    """Return what the tool observes."""
    clues = tuple(tool.observe(clip, span))
    return Observation(tool=tool.source.tool, modality=tool.modality, span=span, clues=clues)


def test_what_was_put_comes_back_in_another_process_life(clip, path):
    tool = FakeTool(lines=[LINE])
    first = EvidenceStore(path)
    key = first.key(clip, tool)
    assert first.get(key) is None
    first.put(key, seen(clip, tool))
    first.close()
    assert EvidenceStore(path).get(key) == seen(clip, tool)


def test_a_reason_for_no_clues_is_kept(path):
    nothing = Observation(tool="fake", modality="face", missing="no face was found")
    store = EvidenceStore(path)
    store.put("k", nothing)
    assert store.get("k") == nothing and store.note is None


def test_the_key_holds_all_that_changes_the_result(clip, path, tmp_path):
    other_clip = Clip.open(write_clip(tmp_path / "o.wav", Written(sound=tone(330, 1.0))))
    store, tool = EvidenceStore(path), FakeTool()
    keys = [
        store.key(clip, tool),
        store.key(other_clip, tool),
        store.key(clip, tool, Span(start=0, end=1)),
        store.key(clip, tool, Span(start=0, end=0.5)),
        store.key(clip, FakeTool("other")),
        store.key(clip, FakeTool(version="2")),
        store.key(clip, FakeTool(params={"size": 1})),
        store.key(clip, FakeTool(params={"size": 2})),
        store.key(clip, tool, question="a letter?"),
        store.key(clip, tool, question="a phone?"),
    ]
    assert len(set(keys)) == len(keys)
    assert store.key(Clip.open(clip.path), FakeTool()) == keys[0]


def test_given_words_change_the_key_of_text_tools_alone(clip, path):
    store = EvidenceStore(path)
    fine, not_fine = (Clip.open(clip.path, subtitle=words) for words in ("Fine.", "Not fine."))
    speech, face = FakeTool(modality="text"), FakeTool(modality="face")
    assert store.key(fine, speech) != store.key(not_fine, speech)
    assert store.key(fine, face) == store.key(not_fine, face)


def test_editing_the_tools_file_changes_the_key(clip, path, tmp_path):
    code = "from emer.tools.testing.fakes import FakeTool\nclass Edited(FakeTool):\n    pass\n"
    store, keys = EvidenceStore(path), []
    for folder, text in (("a", code), ("b", code), ("c", code + "# edited\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "edited_tool.py").write_text(text)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(tmp_path / folder))
            keys.append(store.key(clip, load_tool("edited_tool:Edited")))
        del sys.modules["edited_tool"]
    assert keys[0] == keys[1] != keys[2]


def test_the_code_of_a_tool_is_its_package_or_its_one_file(clip, path, tmp_path):
    code = "from emer.tools.testing.fakes import FakeTool\nclass Edited(FakeTool):\n    pass\n"
    store = EvidenceStore(path)

    def key(folder: str, beside: str, spec: str) -> str:
        where = tmp_path / folder / "edited_package"
        where.mkdir(parents=True)
        for name, text in (("__init__", ""), ("edited_tool", code), ("beside", beside)):
            (where / f"{name}.py").write_text(text)
        (tmp_path / folder / "edited_tool.py").write_text(code)
        (tmp_path / folder / "beside.py").write_text(beside)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(tmp_path / folder))
            found = store.key(clip, load_tool(spec))
        for name in ("edited_package.edited_tool", "edited_package", "edited_tool"):
            sys.modules.pop(name, None)
        return found

    in_package, alone = "edited_package.edited_tool:Edited", "edited_tool:Edited"
    same, edited = (key(f, f"SIZE = {n}", in_package) for f, n in (("a", 1), ("b", 2)))
    assert key("c", "SIZE = 1", in_package) == same != edited
    assert key("d", "SIZE = 1", alone) == key("e", "SIZE = 2", alone)


def test_the_code_digest_is_of_the_file_with_the_class():
    class Local(FakeTool):
        pass

    assert code_digest(Local) != code_digest(FakeTool)
    assert len(code_digest(FakeTool)) == 16, "64 bits of the hash"


def test_threads_write_and_read_at_once(path):
    store, problems = EvidenceStore(path), []

    def work(name: int) -> None:
        for number in range(20):
            one = Observation(tool=f"t{name}", modality="face", missing=str(number))
            store.put(f"{name}-{number}", one)
            if store.get(f"{name}-{number}") != one:
                problems.append((name, number))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == [] and store.note is None
    fresh = EvidenceStore(path)
    assert all(fresh.get(f"{n}-{k}") for n in range(4) for k in range(20))


def test_a_file_that_is_no_database_is_moved_aside(path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a database " * 1000)
    store = EvidenceStore(path)
    store.put("k", Observation(tool="fake", modality="face"))
    assert store.note is not None and "\n" not in store.note
    assert EvidenceStore(path).get("k") is not None
    (aside,) = path.parent.glob("*.broken-*")
    assert aside.read_bytes().startswith(b"not a database") and aside.name in store.note
    milliseconds = int(aside.name.rpartition("-")[2])
    assert abs(milliseconds / 1000 - aside.stat().st_ctime) < 60


def test_damage_inside_the_file_is_survived(path):
    store = EvidenceStore(path)
    for number in range(200):
        store.put(f"{number}", Observation(tool="fake", modality="face", missing="x" * 500))
    store.close()
    damaged = bytearray(path.read_bytes())
    damaged[4096:] = b"\xff" * (len(damaged) - 4096)
    path.write_bytes(damaged)
    again = EvidenceStore(path)
    assert again.get("7") is None
    again.put("7", Observation(tool="fake", modality="face"))
    again.close()
    assert EvidenceStore(path).get("7") is not None


def test_a_new_file_of_another_process_is_not_moved_aside(path):
    """Two processes find the file broken; the second must not take the new file of the first."""
    with closing(EvidenceStore(path)) as store:
        for number in range(200):
            store.put(f"{number}", Observation(tool="fake", modality="face", missing="x" * 500))
    late = EvidenceStore(path)
    path.write_bytes(b"not a database " * 10_000)
    first, new = EvidenceStore(path), Observation(tool="fake", modality="face", missing="new")
    first.put("new", new)
    assert late.get("7") is None, "it reads the broken file, which is no longer at the path"
    late.put("late", new)
    aside, *journals = sorted(path.parent.glob("*.broken-*"))
    assert [f.name.removeprefix(aside.name) for f in journals] == ["-shm", "-wal"]
    assert late.get("new") == new == first.get("late")
    assert first.note is not None and late.note is None


def test_a_damaged_record_counts_as_absent(path):
    store = EvidenceStore(path)
    store.put("k", Observation(tool="fake", modality="face"))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE observation SET record = '{\"tool\": 3'")
    assert store.get("k") is None
    store.put("k", Observation(tool="fake", modality="face"))
    assert store.get("k") is not None


def test_a_full_disk_keeps_what_is_new_in_memory(path, monkeypatch):
    connect = sqlite3.connect

    def connect_to_a_full_disk(*where: Any, **how: Any) -> sqlite3.Connection:
        connection = connect(*where, **how)
        connection.execute("PRAGMA max_page_count = 1")  # no page more than there are
        return connection

    with closing(EvidenceStore(path)) as store:
        store.put("old", Observation(tool="fake", modality="face"))
    with monkeypatch.context() as disk:
        disk.setattr(sqlite3, "connect", connect_to_a_full_disk)
        store = EvidenceStore(path)
    big = Observation(tool="fake", modality="face", missing="x" * 100_000)
    store.put("big", big)
    store.put("more", big)
    assert store.get("big") == big == store.get("more")
    assert store.get("old") is not None
    assert store.note is not None and "full" in store.note
    store.close()
    fresh = EvidenceStore(path)
    assert fresh.note is None and fresh.get("old") is not None and fresh.get("big") is None


def test_what_cannot_wait_for_another_write_is_kept_in_memory(path, monkeypatch):
    monkeypatch.setattr("emer.tools.evidence_store.BUSY_SECONDS", 0.05)
    store, seen = EvidenceStore(path), Observation(tool="fake", modality="face")
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.put("k", seen)
        assert store.get("k") == seen and store.note is None
    store.put("later", seen)
    fresh = EvidenceStore(path)
    assert fresh.get("k") is None and fresh.get("later") == seen


def test_a_closed_store_keeps_what_is_new_in_memory(path):
    store, seen = EvidenceStore(path), Observation(tool="fake", modality="face")
    store.put("old", seen)
    store.close()
    store.put("new", seen)
    assert store.get("new") == seen and store.get("old") is None
    store.close()
    assert EvidenceStore(path).get("new") is None


def test_where_nothing_can_be_written_it_works_in_memory(tmp_path):
    (tmp_path / "file").write_text("")
    store = EvidenceStore(tmp_path / "file" / "evidence.sqlite")
    store.put("k", Observation(tool="fake", modality="face"))
    assert store.get("k") is not None and "memory" in (store.note or "")
    assert EvidenceStore(None).note is None


def test_a_store_that_can_only_be_read_still_answers(path, monkeypatch):
    store = EvidenceStore(path)
    store.put("k", Observation(tool="fake", modality="face"))
    store.close()

    connect = sqlite3.connect

    def connect_to_read(file: Any, **how: Any) -> sqlite3.Connection:
        if how.get("uri"):
            return connect(file, **how)
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", connect_to_read)
    read_only = EvidenceStore(path)
    assert read_only.get("k") is not None
    read_only.put("new", Observation(tool="fake", modality="face"))
    assert read_only.get("new") is not None and read_only.note
    found: list[Observation | None] = []
    thread = threading.Thread(target=lambda: found.append(read_only.get("k")))
    thread.start()
    thread.join()
    assert found[0] is not None


def damage(path: Path) -> bytes:
    """Break the last quarter of a store of 400 rows, which still opens; return the file."""
    with closing(EvidenceStore(path)) as store:
        for number in range(400):
            store.put(f"{number:03}", Observation(tool="t", modality="face", missing="x" * 500))
    damaged = bytearray(path.read_bytes())
    damaged[3 * len(damaged) // 4 :] = b"\xff" * (len(damaged) - 3 * len(damaged) // 4)
    path.write_bytes(damaged)
    return bytes(damaged)


def test_what_meets_damage_while_it_is_written_is_in_the_new_file(path):
    damage(path)
    seen = Observation(tool="t", modality="face", missing="new")
    with closing(EvidenceStore(path)) as store:
        assert store.note is None
        store.put("399", seen)
        assert store.note is not None and "moved to" in store.note
    with closing(EvidenceStore(path)) as fresh:
        assert fresh.get("399") == seen and fresh.get("000") is None


def test_damage_that_is_met_while_reading_is_set_aside_and_a_new_file_made(path):
    damaged = damage(path)
    seen = Observation(tool="t", modality="face", missing="new")
    with closing(EvidenceStore(path)) as store:
        assert store.note is None
        missing = [number for number in range(400) if store.get(f"{number:03}") is None]
        assert missing and store.note is not None and "moved to" in store.note
        store.put("new", seen)
    (aside,) = (f for f in path.parent.glob("*.broken-*") if f.name in store.note)
    assert aside.read_bytes() == damaged
    with closing(EvidenceStore(path)) as fresh:
        assert fresh.note is None and fresh.get("new") == seen and fresh.get("399") is None


def test_after_an_error_of_the_disk_nothing_more_is_written_to_it(path, monkeypatch):
    connect, opened = sqlite3.connect, []

    def connect_to_a_full_disk(*where: Any, **how: Any) -> sqlite3.Connection:
        opened.append(connect(*where, **how))
        opened[-1].execute("PRAGMA max_page_count = 1")
        return opened[-1]

    EvidenceStore(path).close()
    with monkeypatch.context() as disk:
        disk.setattr(sqlite3, "connect", connect_to_a_full_disk)
        store = EvidenceStore(path)
    store.put("big", Observation(tool="t", modality="face", missing="x" * 100_000))
    opened[-1].execute("PRAGMA max_page_count = 1000")
    small = Observation(tool="t", modality="face")
    store.put("small", small)
    assert store.get("small") == small
    store.close()
    with closing(EvidenceStore(path)) as fresh:
        assert fresh.get("small") is None and fresh.get("big") is None


def test_clips_are_listed_counted_and_removed_with_what_is_of_no_clip(path):
    seen = {name: Observation(tool="t", modality="face", missing=name * 9) for name in "abcu"}
    size = {name: len(one.model_dump_json()) for name, one in seen.items()}
    with closing(EvidenceStore(path)) as store:
        assert store.clips() == set() and store.held(["a"]) == ((0, 0), (0, 0))
        for name in "abc":
            store.put(name, seen[name], f"clip {name}")
        store.put("a2", seen["a"], "clip a")
        store.put("u", seen["u"])
        assert store.clips() == {"clip a", "clip b", "clip c"}
        known, unknown = store.held({"clip a", "clip b", "no clip"})
        assert known == (3, 2 * size["a"] + size["b"]) and unknown == (1, size["u"])
        assert store.held(()) == ((0, 0), (1, size["u"]))
        assert store.remove(["clip a", "clip b"]) is True
        assert store.clips() == {"clip c"}
        assert store.held(["clip a", "clip c"]) == ((1, size["c"]), (0, 0))
        assert [store.get(key) for key in ("a", "a2", "b", "u")] == [None] * 4
        assert store.get("c") == seen["c"]
        store.put("c", seen["b"], "clip b")
        assert store.clips() == {"clip b"}, "a row is of the clip that it was written for last"


@pytest.mark.parametrize("closed", [False, True])
def test_without_a_file_there_is_nothing_to_list_or_remove(path, closed):
    store = EvidenceStore(path if closed else None)
    store.put("k", Observation(tool="t", modality="face"), "clip")
    if closed:
        store.close()
    assert store.clips() == set() and store.held(["clip"]) == ((0, 0), (0, 0))
    assert store.remove(["clip"]) is True
