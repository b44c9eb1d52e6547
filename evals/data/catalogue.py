"""The official files that measurements read: what each is, where it comes from, its licence.

The table is catalogue.csv. `sha256` is of a copy whose scores were checked; where it is
empty we never held the whole file, and a download is checked against the git blob id that
the host lists for the pinned commit.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path, PurePosixPath

from emer.evals.data.tables import Row, read_table
from emer.tools.types import Record

TABLE = Path(__file__).parent / "catalogue.csv"
_COLUMNS = ("key", "file", "accepts", "what", "repository", "commit", "path", "sha256", "licence")


class Origin(Record):
    """A file at a commit of a public GitHub repository."""

    repository: str
    commit: str
    path: str
    sha256: str | None

    @property
    def named(self) -> str:
        """The origin as a person reads it."""
        return f"github.com/{self.repository} at {self.commit[:8]}, {self.path}"


class Entry(Record):
    """A file: our name for it, the name its authors gave it, and its origin."""

    key: str
    file: PurePosixPath
    """Where it stands in a data folder of ours."""
    accepts: PurePosixPath | None
    """The end of the path it has in a checkout of its authors' repository."""
    what: str
    licence: str
    origin: Origin | None

    def fits(self, relative: PurePosixPath) -> bool:
        """Tell whether a path within a data folder ends as this file's does."""
        return any(
            relative.parts[-len(known.parts) :] == known.parts
            for known in (self.file, self.accepts)
            if known is not None
        )


@cache
def catalogue() -> tuple[Entry, ...]:
    """Return every entry, in the order of the table."""
    table = read_table(TABLE, {column: (column,) for column in _COLUMNS}, key="key")
    return tuple(_entry(row) for row in table.rows)


def entry(key: str) -> Entry:
    """Return the entry with this key."""
    return next(e for e in catalogue() if e.key == key)


def _entry(row: Row) -> Entry:
    origin = Origin(
        repository=row["repository"],
        commit=row["commit"],
        path=row["path"],
        sha256=row["sha256"] or None,
    )
    return Entry(
        key=row["key"],
        file=PurePosixPath(row["file"]),
        accepts=PurePosixPath(row["accepts"]) if row["accepts"] else None,
        what=row["what"],
        licence=row["licence"],
        origin=origin if row["repository"] else None,
    )
