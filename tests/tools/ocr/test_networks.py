"""Weights come from the package alone; what is absent or damaged is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from emer.graphs.components import choose
from emer.graphs.settings import load_settings
from emer.tools.errors import ToolMissing, WeightsBroken
from emer.tools.ocr import networks
from emer.tools.ocr.networks import INSTALL, Networks
from emer.tools.ocr.tool import Ocr
from emer.tools.runtime.model_pool import POOL
from tests.fixtures.packages import needs


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the tool look for a package that nobody has."""
    networks.weights.cache_clear()
    monkeypatch.setattr(networks, "PACKAGES", ("rapidocr-of-nobody",))
    yield
    networks.weights.cache_clear()


def test_a_missing_package_is_named_with_the_one_command(absent: None) -> None:
    with pytest.raises(ToolMissing) as error:
        _ = Ocr().source
    assert str(error.value) == f"ocr needs the package rapidocr-of-nobody: {INSTALL}"


def test_auto_leaves_the_slot_empty_without_the_package(absent: None) -> None:
    chosen = choose(load_settings(tools={"ocr": "auto"}))
    assert "ocr" not in chosen.settings.active_tools
    assert INSTALL in chosen.reasons["ocr"]


@needs(*networks.PACKAGES)
def test_auto_takes_the_tool_where_the_package_is() -> None:
    chosen = choose(load_settings(tools={"ocr": "auto"}))
    assert chosen.settings.tools["ocr"].use == "ocr"


@needs(*networks.PACKAGES)
@pytest.mark.slow
def test_a_truncated_model_is_one_line(tmp_path: Path) -> None:
    whole = Networks()
    broken = Networks()
    broken.detector = tmp_path / whole.detector.name
    broken.detector.write_bytes(whole.detector.read_bytes()[:100_000])
    POOL.unload()
    with pytest.raises(WeightsBroken) as error:
        broken.load()
    assert "\n" not in str(error.value) and INSTALL in str(error.value)
    whole.load()
    assert whole.detect(np.zeros((90, 160, 3), np.uint8)) == []
    assert whole.read(np.zeros((48, 200, 3), np.uint8)).text == ""
    whole.unload()
