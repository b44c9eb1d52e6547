"""Stored groups of synonyms: MER2024's openset-synonym.zip, one .npy text per clip."""

from __future__ import annotations

import ast
from io import BytesIO
from pathlib import Path, PurePosixPath
from zipfile import BadZipFile, ZipFile

from emer.evals.data.tables import BadTable
from emer.evals.metrics.synonyms import Groups, Stored


def read_groups(path: Path) -> Stored:
    """Return the groups of a zip; `BadTable` names a member that is not a list of lists."""
    if not path.is_file():
        raise BadTable(f"there is no file {path}")
    try:
        with ZipFile(path) as archive:
            members = [m for m in archive.namelist() if m.endswith(".npy")]
            found = {PurePosixPath(m).stem: _read(path, m, archive.read(m)) for m in members}
    except BadZipFile as error:
        raise BadTable(f"{path} is not a zip file") from error
    if not found:
        raise BadTable(f"{path} holds no .npy file")
    return Stored(name=f"stored groups of {path.name}", by_clip=found)


def _read(path: Path, member: str, raw: bytes) -> Groups:
    import numpy as np

    try:
        text = str(np.load(BytesIO(raw), allow_pickle=False))
        groups = ast.literal_eval(text)
        return [[str(label) for label in group] for group in groups]
    except (ValueError, SyntaxError, TypeError) as error:
        raise BadTable(f"{path}, {member}: not a list of label lists ({error})") from error
