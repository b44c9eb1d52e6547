"""`emer ask` for several clips or a folder: one question, one table."""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from emer.agents.rules.passages import Kind, passages
from emer.app.commands.ask import AskRequest, explain_clip, has_clip_suffix
from emer.app.render.answer import answer_record
from emer.app.render.format import list_table
from emer.app.render.progress import print_output
from emer.graphs.answer import FailureRecord
from emer.graphs.cli_errors import BAD_INPUT, FAILED
from emer.tools.errors import ClipError, ConfigError, EmerError
from emer.tools.text import one_line, readable
from emer.tools.types import Record

if TYPE_CHECKING:
    from pandas import DataFrame

    from emer.graphs.answer import Answer

_NUMBER = re.compile(r"(\d+)")


class Row(Record):
    """Result of one clip: its answer, or why there is none."""

    file: str
    question: str = ""
    answer: str = ""
    """In one sentence."""
    labels: str = ""
    """"happy (medium), surprised (low)"."""
    missing: str = ""
    run_id: str = ""
    error: str = ""


def clips_in(paths: Sequence[str]) -> tuple[list[str], int]:
    """The clips of files and folders in natural order, and the number of other files.

    In a folder a clip is a file whose name ends like a sound or video file; one that is named
    is always a clip. `ClipError` for a path that does not exist and for a folder without clips.
    """
    clips: dict[str, None] = {}
    skipped = 0
    for path in paths:
        if not os.path.isdir(path):
            if not os.path.exists(path):
                raise ClipError(f"there is no file {path}")
            clips[path] = None
            continue
        try:
            names = sorted(os.listdir(path), key=_natural)
        except OSError as error:
            raise ClipError(f"{path} cannot be read: {error.strerror}") from error
        inside = [name for name in names if _is_clip(path, name)]
        if not inside:
            raise ClipError(f"the folder {path} holds no sound or video file")
        skipped += len(names) - len(inside)
        clips.update(dict.fromkeys(os.path.join(path, name) for name in inside))
    return list(clips), skipped


def run_ask_several(
    request: AskRequest, paths: Sequence[str], out: Path | None, *, json: bool
) -> None:
    """Ask each clip and print the table; exit code 1 if some failed, 2 if all did."""
    clips, skipped = clips_in(paths)
    _check_options(request, len(clips))
    write = _writer(out) if out is not None else None
    rows: list[Row] = []
    records: list[Record] = []
    try:
        for number, clip in enumerate(clips, start=1):
            print(f"{number} of {len(clips)}: {one_line(clip)}", file=sys.stderr)
            row, record = _ask_one(replace(request, clip=clip))
            rows.append(row)
            records.append(record)
    finally:
        if rows:  # what is done is not lost with an interruption
            if write is not None:
                write(rows)
            note = f"{skipped} other files were left out" if skipped else ""
            print_output(_table(rows, note, out), records, json=json)
    failures = sum(bool(row.error) for row in rows)
    if failures:
        raise typer.Exit(BAD_INPUT if failures == len(rows) else FAILED)


def _check_options(request: AskRequest, count: int) -> None:
    """Raise `ConfigError` for what a table has no place for."""
    unfit = {
        "--review": request.review,
        "--subtitle": request.subtitle is not None and count > 1,
        f"--{'details' if request.detail == 'all' else request.detail}": request.detail != "plain",
    }
    for option, given in unfit.items():
        if given:
            raise ConfigError(f"{option} is for one clip; of {count} a table is printed")


def _ask_one(request: AskRequest) -> tuple[Row, Record]:
    file = _no_formula(readable(request.clip))
    try:
        answer, progress = explain_clip(request)
    except EmerError as error:
        if isinstance(error, ConfigError) and not isinstance(error, ClipError):
            raise  # wrong for every clip
        row = Row(file=file, error=_no_formula(one_line(str(error))))
        return row, FailureRecord(file=file, error=row.error)
    return _row(file, answer), answer_record(answer, progress)


def _no_formula(text: str) -> str:
    """A path, or a text that begins with one, that no spreadsheet takes for a formula."""
    return f"./{text}" if text.startswith(("=", "+", "-", "@")) else text


def _row(file: str, answer: Answer) -> Row:
    texts: dict[Kind, list[str]] = {"labels": [], "missing": []}
    for passage in passages(answer.explanation):
        texts.setdefault(passage.kind, []).extend(one_line(part.text) for part in passage.parts)
    return Row(
        file=file,
        question=answer.question,
        answer=one_line(answer.line),
        labels=", ".join(texts["labels"]),
        missing=" ".join(texts["missing"]),
        run_id=answer.run_id,
    )


def _table(rows: Sequence[Row], note: str, out: Path | None) -> RenderableType:
    table = list_table()
    for heading, share in (("file", 2), ("answer", 6), ("labels", 2), ("missing", 3)):
        table.add_column(heading, overflow="fold", ratio=share)
    for row in rows:
        answer = Text(row.answer) if not row.error else Text(row.error, style="red")
        table.add_row(Text(os.path.basename(row.file)), answer, row.labels, one_line(row.missing))
    written = f"written to {one_line(str(out))}" if out is not None else ""
    lines = [Text(line, style="dim") for line in (note, written) if line]
    return Group(table, *lines)


def _writer(out: Path) -> Callable[[Sequence[Row]], None]:
    """Function that writes rows, whole or not at all; `ConfigError` if it cannot."""
    writers: dict[str, Callable[[DataFrame, Path], object]] = {
        ".csv": lambda frame, path: frame.to_csv(path, index=False),
        ".parquet": lambda frame, path: frame.to_parquet(path, index=False),
        ".jsonl": lambda frame, path: frame.to_json(
            path, orient="records", lines=True, force_ascii=False
        ),
    }
    save = writers.get(out.suffix.lower())
    if save is None:
        raise ConfigError(f"--out {out} does not end in {', '.join(writers)}")
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        raise ConfigError(f"--out {out} cannot be written")

    def write(rows: Sequence[Row]) -> None:
        import pandas as pd

        frame = pd.DataFrame([row.model_dump() for row in rows], columns=list(Row.model_fields))
        draft = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
        try:
            save(frame, draft)
            os.replace(draft, out)
        except OSError as error:
            raise ConfigError(f"--out {out} cannot be written: {error.strerror}") from error
        finally:
            with suppress(OSError):
                draft.unlink()

    return write


def _is_clip(folder: str, name: str) -> bool:
    is_listed = has_clip_suffix(name) and not name.startswith(".")
    return is_listed and os.path.isfile(os.path.join(folder, name))


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort key in which "clip2" comes before "clip10"."""
    return [(int(p), "") if p.isdigit() else (0, p.casefold()) for p in _NUMBER.split(name)]
