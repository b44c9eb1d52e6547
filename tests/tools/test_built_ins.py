"""Every built-in that needs no weights passes the conformance suite on the demo's clip."""

from __future__ import annotations

from pathlib import Path

import pytest

from emer.app.demo_clip import CLIP
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool, registered
from emer.tools.testing.conformance import check_tool
from emer.tools.tool import Heavy

pytestmark = pytest.mark.slow

WITHOUT_WEIGHTS = ("pocketsphinx", "subtitle", "mesh", "egemaps", "camera")


@pytest.fixture(scope="module")
def demo() -> Path:
    return Path(str(CLIP))


@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_it_keeps_the_contract(name, demo):
    clip = Clip.open(demo, subtitle="Oh, I can't believe it!")
    findings = check_tool(load_tool(name), clip, again=lambda: load_tool(name))
    assert [f"{f.check}: {f.why}" for f in findings if not f.ok] == []
    assert len(findings) >= 22


def test_the_others_are_tried_with_weights_of_their_own():
    """Tools with a model: the tests of each, in its folder, make them tiny weights."""
    heavy = set(registered()) - set(WITHOUT_WEIGHTS)
    assert not any(isinstance(load_tool(name), Heavy) for name in WITHOUT_WEIGHTS)
    assert heavy <= {
        "whisper",
        "faster-whisper",
        "asr",
        "speech-emotion",
        "functionals",
        "deepface",
        "blendshapes",
        "captioner",
        "vision-api",
        "ocr",
    }
