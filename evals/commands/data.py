"""`emer-eval data`, `data pull` and `data write`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from emer.evals.commands.options import note, print_json, progress
from emer.evals.data.datasets import sets_in
from emer.evals.data.export import read_explained, write_dataset
from emer.evals.data.locations import (
    DataFolder,
    Entry,
    Pulled,
    catalogue,
    data_folder,
    pull,
    pulled_folder,
)
from emer.evals.data.mer import TERMS
from emer.evals.report.tables import Group, Table, show
from emer.tools.errors import ConfigError, EmerError


@dataclass(frozen=True, slots=True)
class Line:
    """One file or set: whether it is there, and where, or how to get it."""

    what: str
    found: bool
    detail: str


def run_list(data: Path | None, json: bool) -> None:
    """Print what is there and what is missing."""
    folder = data_folder(data)
    files, sets, clips = list(_files(folder)), list(_sets(folder)), list(_clips(folder))
    if json:
        lines = {"files": files, "sets": sets, "clips": clips}
        print_json(
            {"folder": str(folder.root), **{k: [_plain(x) for x in v] for k, v in lines.items()}}
        )
        return
    groups = [
        Group("official files", [_row(line) for line in files]),
        Group("sets that can be scored", [_row(line) for line in sets]),
        Group("clips (licensed; we can neither fetch nor pass them on)", [_row(x) for x in clips]),
    ]
    lead = f"Data folder: {folder.root}. Files are found under our names or their authors'."
    show(Table("Data", lead, ["", "there", "where, or how to get it"], groups, numbers=False))


def run_pull(to: Path | None, only: tuple[str, ...], mirror: str | None, json: bool) -> None:
    """Pull the files; exit with 1 when one could not be had."""
    known = {entry.key: entry for entry in catalogue() if entry.origin}
    unknown = [key for key in only if key not in known]
    if unknown:
        raise ConfigError(f"--only {unknown[0]}: there are {', '.join(known)}")
    wanted = [known[key] for key in (only or known)]
    folder = to or pulled_folder()
    with progress("pulling", len(wanted)) as step:
        found = pull(wanted, folder, mirror, lambda done: step(done.entry.key))
    if json:
        print_json([{"key": p.entry.key, "file": str(p.path), "state": p.state, "detail": p.detail,
                     "licence": p.entry.licence} for p in found])  # fmt: skip
    else:
        show(_pulled_table(found, folder))
    if any(p.state in ("refused", "unreachable") for p in found):
        raise typer.Exit(1)


def run_write(runs: tuple[Path, ...], to: Path, json: bool) -> None:
    """Write the two CSV files of a dataset."""
    found = read_explained(runs)
    reasons, labels = write_dataset(found, to)
    silent = sum(not explained.explanation.labels for explained in found)
    if silent:
        note(f"{silent} of {len(found)} explanations abstain and have no label")
    if json:
        print_json(
            {"clips": len(found), "without_labels": silent, "files": [str(reasons), str(labels)]}
        )
    else:
        print(f"{len(found)} clips: {reasons}, {labels}")


def _files(folder: DataFolder) -> Iterator[Line]:
    for entry in catalogue():
        path = folder.files.get(entry.key)
        yield Line(f"{entry.key}: {entry.what}", path is not None, str(path or _way(entry)))
    stored = [p for p in folder.tables("predictions") if p != folder.files.get("mer2024_baseline")]
    way = (
        f"{len(stored)} files"
        if stored
        else "name, openset (.csv) of other systems in predictions/"
    )
    yield Line("predictions: other systems' stored answers", bool(stored), way)


def _sets(folder: DataFolder) -> Iterator[Line]:
    for name, read in sets_in(folder).items():
        try:
            dataset = read()
        except EmerError as error:
            yield Line(name, False, str(error))
            continue
        media = sum(sample.clip is not None for sample in dataset.samples)
        told = f"{len(dataset.samples)} clips, {len(dataset.labelled)} labelled, {media} with media"
        yield Line(name, True, told + "".join(f"; {said}" for said in dataset.notes))


def _clips(folder: DataFolder) -> Iterator[Line]:
    here = {name.partition("/")[0] for name in sets_in(folder)}
    for year, terms in TERMS.items():
        way = "in this folder" if year in here else f"point --data at its folder; from {terms}"
        yield Line(year, year in here, way)


def _way(entry: Entry) -> str:
    if entry.origin is None:
        return "made from the others where absent"
    check = "sha256 pinned" if entry.origin.sha256 else "no sha256 pinned: git blob id is checked"
    return (
        f"emer-eval data pull --only {entry.key} ({entry.origin.named}; {check}; {entry.licence})"
    )


def _pulled_table(found: list[Pulled], folder: Path) -> Table:
    rows = [[p.entry.key, p.state, p.detail, p.entry.licence] for p in found]
    lead = f"Into {folder}. Nothing is written whose checksum does not hold."
    return Table(
        "Pulled",
        lead,
        ["file", "state", "checked against", "licence"],
        [Group("", rows)],
        numbers=False,
    )


def _row(line: Line) -> list[str]:
    return [line.what, "yes" if line.found else "no", line.detail]


def _plain(line: Line) -> dict[str, object]:
    return {"what": line.what, "found": line.found, "detail": line.detail}
