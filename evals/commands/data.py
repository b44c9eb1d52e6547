"""`emer-eval data`, `data pull` and `data write`."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import typer

from emer.evals.commands.options import note, print_json, progress
from emer.evals.data.datasets import TERMS, sets_in
from emer.evals.data.export import read_explained, write_dataset
from emer.evals.data.locations import (
    DataFolder,
    Entry,
    catalogue,
    data_folder,
    pull,
    pulled_folder,
)
from emer.evals.report.tables import Group, Table, show
from emer.tools.errors import ConfigError, EmerError


class Line(NamedTuple):
    """A file or set: whether it is there, and its place, or how to get it."""

    what: str
    found: bool
    detail: str

    @property
    def cells(self) -> list[str]:
        return [self.what, "yes" if self.found else "no", self.detail]


def run_list(data: Path | None, json: bool) -> None:
    """Print which data are there and which are missing."""
    folder = data_folder(data)
    lines = {"files": _files(folder), "sets": _sets(folder), "clips": _clips(folder)}
    if json:
        rows = {key: [line._asdict() for line in each] for key, each in lines.items()}
        print_json({"folder": str(folder.root), **rows})
        return
    headings = {
        "files": "official files",
        "sets": "sets that can be scored",
        "clips": "clips (licensed; we can neither fetch nor pass them on)",
    }
    groups = [Group(headings[key], [line.cells for line in each]) for key, each in lines.items()]
    lead = f"Data folder: {folder.root}. Files are found under our names or their authors'."
    show(Table("Data", lead, ["", "there", "where, or how to get it"], groups, numbers=False))


def run_pull(to: Path | None, only: tuple[str, ...], mirror: str | None, json: bool) -> None:
    """Pull the files; exit with 1 when one is refused or unreachable."""
    known = {entry.key: entry for entry in catalogue() if entry.origin}
    unknown = [key for key in only if key not in known]
    if unknown:
        raise ConfigError(f"--only {unknown[0]}: there are {', '.join(known)}")
    entries = [known[key] for key in (only or known)]
    folder = to or pulled_folder()
    with progress("pulling", len(entries)) as step:
        results = pull(entries, folder, mirror, lambda result: step(result.entry.key))
    if json:
        print_json([{"key": p.entry.key, "file": str(p.path), "state": p.state, "detail": p.detail,
                     "licence": p.entry.licence} for p in results])  # fmt: skip
    else:
        lead = f"Into {folder}. Nothing is written whose checksum does not hold."
        titles = ["file", "state", "checked against", "licence"]
        rows = [[p.entry.key, p.state, p.detail, p.entry.licence] for p in results]
        show(Table("Pulled", lead, titles, [Group("", rows)], numbers=False))
    if any(p.state in ("refused", "unreachable") for p in results):
        raise typer.Exit(1)


def run_write(runs: tuple[Path, ...], to: Path, json: bool) -> None:
    """Write the two CSV files of a dataset."""
    explanations = read_explained(runs)
    files = write_dataset(explanations, to)
    clips, silent = len(explanations), sum(not e.explanation.labels for e in explanations)
    if silent:
        note(f"{silent} of {clips} explanations abstain and have no label")
    if json:
        print_json({"clips": clips, "without_labels": silent, "files": list(map(str, files))})
    else:
        print(f"{clips} clips: {', '.join(map(str, files))}")


def _files(folder: DataFolder) -> list[Line]:
    paths = {entry: folder.files.get(entry.key) for entry in catalogue()}
    lines = [
        Line(f"{entry.key}: {entry.what}", path is not None, str(path or _way(entry)))
        for entry, path in paths.items()
    ]
    stored = [p for p in folder.tables("predictions") if p != folder.files.get("mer2024_baseline")]
    way = "name, openset (.csv) of other systems in predictions/"
    detail = f"{len(stored)} files" if stored else way
    return [*lines, Line("predictions: other systems' stored answers", bool(stored), detail)]


def _sets(folder: DataFolder) -> list[Line]:
    lines = []
    for name, read in sets_in(folder).items():
        try:
            dataset = read()
        except EmerError as error:
            lines.append(Line(name, False, str(error)))
            continue
        media = sum(sample.clip is not None for sample in dataset.samples)
        counts = f"{len(dataset.samples)} clips, {len(dataset.labelled)} labelled"
        lines.append(Line(name, True, "; ".join([f"{counts}, {media} with media", *dataset.notes])))
    return lines


def _clips(folder: DataFolder) -> list[Line]:
    years = {name.partition("/")[0] for name in sets_in(folder)}
    return [
        Line(
            year, year in years,
            "in this folder" if year in years else f"point --data at its folder; from {terms}",
        )
        for year, terms in TERMS.items()
    ]  # fmt: skip


def _way(entry: Entry) -> str:
    if entry.origin is None:
        return "made from the others where absent"
    check = "sha256 pinned" if entry.origin.sha256 else "no sha256 pinned: git blob id is checked"
    origin = f"{entry.origin.named}; {check}; {entry.licence}"
    return f"emer-eval data pull --only {entry.key} ({origin})"
