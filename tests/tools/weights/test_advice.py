"""The one command that would improve a run, said only where it is true."""

from __future__ import annotations

import pytest

from emer.tools.weights import advice as module
from emer.tools.weights.advice import advice
from emer.tools.weights.catalogue import recommended
from emer.tools.weights.locate import target
from tests.fixtures.packages import needs

BOTH = ("pocketsphinx", "mesh")


def put(tool: str) -> None:
    """Lay files where the recommended weights of a tool belong."""
    (weights,) = [weights for weights in recommended() if weights.tool == tool]
    path = target(weights)
    if weights.path is not None:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"weights")
        return
    path.mkdir(parents=True)
    for name in weights.files:
        (path / name).write_bytes(b"{}")


@pytest.fixture
def package(monkeypatch):
    """Have faster-whisper's package be there; the function takes it away."""
    monkeypatch.setattr(module, "find_spec", lambda name: object())
    return lambda: monkeypatch.setattr(module, "find_spec", lambda name: None)


def test_the_gain_of_all_that_is_weak_is_named_with_one_command(folder, package):
    found = advice(BOTH)
    assert found is not None and found.command == "emer models pull recommended"
    assert found.gain == "hears 99 languages and sees nose, cheeks and lips"


@pytest.mark.parametrize(
    ("tool", "used", "gain"),
    [
        ("faster-whisper", ("faster-whisper", "mesh"), "sees nose, cheeks and lips"),
        ("blendshapes", ("pocketsphinx", "blendshapes"), "hears 99 languages"),
    ],
)
def test_what_is_here_is_not_advised(tool, used, gain, folder, package):
    put(tool)
    found = advice(used)
    assert found is not None and found.gain == gain
    assert advice([name for name in used if name == tool]) is None


def test_nothing_is_said_where_weights_are_here_and_not_used(folder, package):
    put("faster-whisper")
    put("blendshapes")
    assert advice(BOTH) is None


def test_a_package_that_lacks_is_named_with_the_weights_or_alone(folder, package):
    package()
    found = advice(BOTH)
    assert found is not None
    assert found.command == "pip install 'emer[recommended]' && emer models pull recommended"
    put("faster-whisper")
    put("blendshapes")
    alone = advice(BOTH)
    assert alone is not None and alone.command == "pip install 'emer[recommended]'"
    assert alone.gain == "hears 99 languages"
    mesh = advice(("mesh",))
    assert mesh is None


def test_other_tools_have_no_advice(folder):
    assert advice(()) is None and advice(("subtitle", "own-tool", "whisper")) is None


@needs("faster_whisper")
def test_the_package_of_a_tool_is_found_by_its_module():
    assert all(module.find_spec(name) is not None for name in module.PACKAGES.values())
