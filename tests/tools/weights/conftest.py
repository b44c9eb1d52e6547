"""A machine of its own for each test: an empty weights folder, and no library's cache."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from emer.tools.runtime.device import configure


@pytest.fixture(autouse=True, scope="session")
def hub_constants() -> None:
    """Load huggingface_hub first: it reads HF_HUB_OFFLINE and HOME once, when it is imported."""
    with suppress(ImportError):
        import huggingface_hub.constants  # noqa: F401


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the weights folder; the user's own caches are out of sight."""
    for name in ("XDG_CACHE_HOME", "DEEPFACE_HOME", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("EMER_WEIGHTS", str(tmp_path / "weights"))
    configure(None)
    return tmp_path / "weights"
