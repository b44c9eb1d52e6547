"""Every package folder is listed in pyproject.toml, so the wheel misses none."""

from __future__ import annotations

import tomllib

from tests.conftest import ROOT

TOP = ("agents", "app", "evals", "graphs", "prompts", "tools")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_package_folder_is_listed() -> None:
    listed = set(PYPROJECT["tool"]["setuptools"]["packages"])
    found = [p.parent.relative_to(ROOT) for top in TOP for p in (ROOT / top).rglob("__init__.py")]
    assert listed == {"emer." + ".".join(folder.parts) for folder in found}


def test_every_top_folder_is_linked_for_type_checkers() -> None:
    for top in TOP:
        assert (ROOT / ".typing" / "emer" / top).resolve() == ROOT / top
