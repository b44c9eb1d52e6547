"""What every test shares: the data beside the checkout, and a home of its own."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

from emer.tools.runtime.device import configure
from tests.fixtures.paths import ROOT

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    and threading.current_thread() is threading.main_thread()
):
    # A shell starts what runs in its background so, and processes of the tests would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

hypothesis.register_profile(
    "emer", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a busy machine is no failure
hypothesis.load_profile("emer")

SLOW = {"shared", "shared_clip", "demo_clip", "spoken", "sound", "talk", "checkpoint", "spawn"}
"""Fixtures of real clips and data, of checkpoints, and of processes."""


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what asks for a slow fixture."""
    for item in items:
        if SLOW.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


HEAVY = {
    *("torch", "transformers", "mediapipe", "tensorflow"),
    *("deepface", "whisper", "faster_whisper"),
}
"""Packages that take seconds to load; tests import them when they run."""
LOADED = pytest.StashKey[set[str]]()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which heavy packages the collection has loaded, and spare it the garbage collector.

    What is imported stays; models that are unloaded, and pytest at its end, collect all the rest.
    """
    session.config.stash[LOADED] = HEAVY.intersection(sys.modules)
    gc.freeze()


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real clips and data, or skip where it is absent."""
    folder = (ROOT / os.environ.get("EMER_TEST_DATA", "../shared")).resolve()
    if not folder.is_dir():
        pytest.skip(f"no test data at {folder}; set EMER_TEST_DATA to a folder that has it")
    return folder


@pytest.fixture(scope="session")
def shared_clip(shared: Path) -> Callable[[str], Path]:
    """Return a function from a clip's name ("talking/x.mp4") to its path."""

    def find(name: str) -> Path:
        path = shared / "clips" / name
        if not path.exists():
            pytest.skip(f"no clip {name} in {shared}")
        return path

    return find


HOMES = itertools.count()


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which each test has its home: cheaper than a `tmp_path` for each."""
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def own_home(homes: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test its own evidence store and traces, and no settings of the machine's."""
    for name in [n for n in os.environ if n.startswith("EMER_") and not n.startswith("EMER_TEST_")]:
        monkeypatch.delenv(name)
    home = homes / f"{next(HOMES)}"
    monkeypatch.setenv("EMER_HOME", str(home))
    monkeypatch.setenv("HF_HUB_CACHE", str(home / "hub"))  # auto would take what others left there
    configure(None)
    return home
