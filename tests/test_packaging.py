"""The wheel: every package and data file is in it, and `emer` runs from where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.specifiers import SpecifierSet

from tests.fixtures.paths import ROOT

pytestmark = pytest.mark.slow

TOP = ("agents", "app", "evals", "graphs", "prompts", "tools")
DATA = {".csv", ".html", ".json", ".md", ".mp4", ".toml", ".typed"}
"""Suffixes of the files that the code reads, or that belong to them, beside the modules."""
NOT_INSTALLED = {"evals/LOG.md"}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pip(*words: object) -> None:
    """Run pip without an index: nothing can be fetched."""
    line = [sys.executable, "-m", "pip", "--quiet", *map(str, words), "--no-index", "--no-deps"]
    done = subprocess.run(line, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel that is built from a copy of the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    for name in (*TOP, "src"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    pip("wheel", sources, "--no-build-isolation", "--wheel-dir", folder)
    return next(folder.glob("emer-*.whl"))


def installed_as(path: Path) -> str:
    """Return where a source file is in the wheel: app/cli.py is emer/app/cli.py."""
    relative = path.relative_to(ROOT)
    return str(relative.relative_to("src") if relative.parts[0] == "src" else "emer" / relative)


def sources() -> list[Path]:
    """Return the modules and data files that are installed."""
    files = [path for top in (*TOP, "src") for path in (ROOT / top).rglob("*") if path.is_file()]
    wanted = [path for path in files if path.suffix in {".py", *DATA}]
    return [path for path in wanted if str(path.relative_to(ROOT)) not in NOT_INSTALLED]


def test_every_package_folder_is_listed() -> None:
    listed = set(PYPROJECT["tool"]["setuptools"]["packages"])
    found = [p.parent.relative_to(ROOT) for top in TOP for p in (ROOT / top).rglob("__init__.py")]
    assert listed == {"emer", *("emer." + ".".join(folder.parts) for folder in found)}


def test_every_top_folder_is_linked_for_type_checkers() -> None:
    linked = ROOT / ".typing" / "emer"
    assert all((linked / top).resolve() == ROOT / top for top in TOP)
    assert (linked / "__init__.py").resolve() == ROOT / "src" / "emer" / "__init__.py"


def test_every_module_and_data_file_is_in_the_wheel(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    expected = {installed_as(path) for path in sources()}
    assert {"emer/py.typed", "emer/app/assets/demo.mp4", "emer/app/assets/demo.json"} <= expected
    assert expected - packed == set()
    assert {name for name in packed - expected if ".dist-info/" not in name} == set()


def test_emer_runs_from_where_the_wheel_is_installed(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    pip("install", wheel, "--target", target)
    environment = {**os.environ, "PYTHONPATH": str(target)}
    code = "import emer, emer.app.cli as c; print(emer.__file__, c.__file__)"
    for words in (("-m", "emer.app", "--version"), ("-c", code)):
        done = subprocess.run(
            [sys.executable, *words],
            check=True, capture_output=True, text=True, cwd=tmp_path, env=environment,
        )  # fmt: skip
        if "--version" in words:
            assert done.stdout.strip() == f"emer {PYPROJECT['project']['version']}"
        else:
            assert all(path.startswith(str(target)) for path in done.stdout.split())


@pytest.mark.parametrize("version", ["3.10.14", "3.11.0", "3.12.1", "3.13.0"])
def test_python_3_11_and_3_12_are_supported_and_no_other(version: str) -> None:
    allowed = SpecifierSet(PYPROJECT["project"]["requires-python"])
    assert allowed.contains(version) == version.startswith(("3.11", "3.12"))


def test_the_packages_that_share_the_folder_cv2_have_one_version() -> None:
    """mediapipe, deepface and rapidocr each want another; in any order the last one is whole."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    versions = {line.partition("==")[::2] for line in lines if line.startswith("opencv-")}
    assert len(versions) >= 3
    assert len({version for _, version in versions}) == 1
