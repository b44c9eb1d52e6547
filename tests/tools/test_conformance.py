"""`check_tool` passes what keeps the contract and names what breaks it."""

from __future__ import annotations

import itertools
import socket
from pathlib import Path
from typing import Any

import pytest

from emer.tools.clip import Clip
from emer.tools.conformance import check_tool
from emer.tools.errors import ToolMissing, Unobservable
from emer.tools.fake import FakeTool
from emer.tools.types import Clue, Quality, Source, Span
from tests.clips import Written, tone, write_clip

LINES = [("The person smiles from 0.2-0.8 s.", 0.2, 0.8), ("The head turns.", 1.1, 1.9)]


@pytest.fixture
def clip(tmp_path: Path) -> Clip:
    """Return a clip of three seconds of sound."""
    return Clip.open(write_clip(tmp_path / "tone.wav", Written(sound=tone(220, 3.0))))


def broken(tool: Any, clip: Clip) -> set[str]:
    """Return the names of the checks that the tool does not pass."""
    return {finding.check for finding in check_tool(tool, clip) if not finding.ok}


class Altered(FakeTool):
    """A good tool but for one thing about its clues."""

    def __init__(self, **change: Any) -> None:
        super().__init__("altered", "face", LINES)
        self.change = change

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        found = super().observe(clip, span)
        return [Clue(**{**dict(clue), "id": "", **self.change}) for clue in found]


class Counting(FakeTool):
    """Says something else each time."""

    def __init__(self, name: str = "counting") -> None:
        super().__init__(name, "face")
        self._numbers = itertools.count()

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        self._lines = [(f"The person blinks {next(self._numbers)} times.", 1.2, 1.8)]
        return super().observe(clip, span)


class Dreaming(Counting):
    deterministic = False


class Calling(FakeTool):
    """Reaches for the network and hides that it failed."""

    def __init__(self, how: str) -> None:
        super().__init__("calling", "face", LINES)
        self.how = how

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        try:
            if self.how == "name":
                socket.getaddrinfo("example.org", 80)
            else:
                with socket.socket() as plug:
                    plug.connect(("192.0.2.1", 80))
        except OSError:
            pass
        return super().observe(clip, span)


class Deaf(FakeTool):
    """Does not heed the span."""

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        return super().observe(clip, None)


def test_a_good_tool_passes_every_check(clip):
    findings = check_tool(FakeTool("good", "face", LINES), clip)
    assert len(findings) >= 13 and all(finding.ok for finding in findings)
    assert check_tool(FakeTool("mute", "face", fail=Unobservable("no face")), clip)
    assert broken(FakeTool("mute", "face", fail=Unobservable("no face")), clip) == set()


@pytest.mark.parametrize(
    ("tool", "check"),
    [
        (Altered(span=Span(start=1.0, end=3.5)), "spans lie in the clip"),
        (Altered(text="the person smiles"), "texts are one sentence"),
        (Altered(text="The person smiles. The head turns."), "texts are one sentence"),
        (Altered(quality=Quality(score=1.0)), "quality has factors"),
        (Altered(modality="audio"), "clues have the tool's modality"),
        (Altered(source=Source(tool="x", version="1")), "clues name the tool's source"),
        (Altered(data={"power": float("nan")}), "observe gives clues or raises Unobservable"),
        (Counting(), "the same clip gives the same clues"),
        (Calling("name"), "observing needs no network"),
        (Calling("number"), "observing needs no network"),
        (Deaf("deaf", "face", LINES), "a closer look stays in its span"),
        (FakeTool(fail=Unobservable("")), "Unobservable gives a reason"),
        (FakeTool(fail=RuntimeError("oh")), "observe gives clues or raises Unobservable"),
        (FakeTool(fail=SystemExit(1)), "observe gives clues or raises Unobservable"),
        (FakeTool(fail=ToolMissing("a", "b", "pip")), "observe gives clues or raises Unobservable"),
        (FakeTool(modality="smell"), "the modality is known"),  # type: ignore[arg-type]
        (object(), "is a tool"),
    ],
)
def test_what_breaks_the_contract_is_named(tool, check, clip):
    assert check in broken(tool, clip)


def test_a_tool_may_declare_that_it_is_not_deterministic(clip):
    assert broken(Dreaming("dreaming"), clip) == set()


def test_quoted_words_may_hold_several_sentences(clip):
    said = Altered(text='The person says: "No. Never!" at 1.1-1.9 s.')
    assert "texts are one sentence" not in broken(said, clip)


def test_the_network_is_given_back(clip):
    before = socket.socket.connect, socket.getaddrinfo
    check_tool(Calling("name"), clip)
    assert (socket.socket.connect, socket.getaddrinfo) == before
