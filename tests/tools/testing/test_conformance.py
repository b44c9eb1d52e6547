"""`check_tool` passes what keeps the contract and names what breaks it."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from emer.tools.cues import stated
from emer.tools.errors import ToolMissing, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.runtime.cancellation import Cancelled, raise_if_cancelled
from emer.tools.testing.clips import write_trial
from emer.tools.testing.clue_checks import Finding
from emer.tools.testing.conformance import check_tool
from emer.tools.testing.fakes import FakeTool
from emer.tools.types import Clue, Quality, Source, Span
from tests.fixtures.clips import Written, tone, write_clip

LINES = [("The person smiles from 0.2-0.8 s.", 0.2, 0.8), ("The head turns.", 1.1, 1.9)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("conformance")


@pytest.fixture(scope="module")
def clip(folder: Path) -> Clip:
    """Return a clip of three seconds of sound."""
    return Clip.open(write_clip(folder / "tone.wav", Written(sound=tone(220, 3.0))))


@pytest.fixture(scope="module")
def film(folder: Path) -> Clip:
    """Return a clip of three seconds of grey picture and a tone."""
    return Clip.open(write_trial(folder / "film.mp4", seconds=3.0, sound=tone(220, 3.0)))


def broken(tool: Any, clip: Clip, **more: Any) -> set[str]:
    """Return the names of the checks that the tool does not pass."""
    return {finding.check for finding in check_tool(tool, clip, **more) if not finding.ok}


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
        self.lines = [(f"The person blinks {next(self._numbers)} times.", 1.2, 1.8)]
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


class Seeing(FakeTool):
    """Says what it was told to say, but only of a clip with a picture that is not black."""

    def __init__(self) -> None:
        super().__init__("seeing", "face", LINES)

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        frames = list(clip.frames(fps=2))
        if max(frame.rgb(32).max() for frame in frames) < 20:
            raise Unobservable("the picture is black")
        return super().observe(clip, span)


class Blindly(FakeTool):
    """Needs a picture and breaks without one."""

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        if clip.video is None:
            raise KeyError("video")
        return super().observe(clip, span)


class Alone(FakeTool):
    """Breaks when two look at once."""

    busy = threading.Lock()

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        if not self.busy.acquire(blocking=False):
            raise RuntimeError("two at once")
        try:
            time.sleep(0.1)
            return super().observe(clip, span)
        finally:
            self.busy.release()


class Edgy(FakeTool):
    """Breaks on a span without length."""

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        if span is not None and span.length == 0:
            raise ZeroDivisionError
        return super().observe(clip, span)


class Leaving(FakeTool):
    """Leaves a thread behind that would hold up the process."""

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        threading.Thread(target=STOP.wait, args=(20,), name="left over").start()
        return super().observe(clip, span)


STOP = threading.Event()


class Modelled(Seeing):
    """Has a model that is loaded, unloaded and given up as it should be."""

    def __init__(self, **wrong: Any) -> None:
        super().__init__()
        self.params = wrong.get("params", {})
        self.wrong = wrong

    @property
    def hardware(self) -> dict[str, Any]:
        return {"device": self.wrong.get("device", "cpu"), "batch": 4}

    def load(self) -> None:
        if self.wrong.get("loading"):
            raise OSError("no such file")

    def unload(self) -> None:
        if self.wrong.get("forgets"):
            self.lines = LINES[:1]

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        try:
            raise_if_cancelled()
        except Cancelled as error:
            if self.wrong.get("stubborn"):
                raise RuntimeError("interrupted") from error
            raise
        return super().observe(clip, span)


@pytest.mark.parametrize(
    ("tool", "check"),
    [
        (FakeTool("liar", "face", LINES), "nothing is told of what the clip lacks"),
        (FakeTool("deaf liar", "audio", LINES), "nothing is told of what the clip lacks"),
        (Blindly("blindly", "scene", LINES), "hard clips give clues or a reason"),
        (Alone("alone", "scene", LINES), "two looks at once give the same"),
        (Edgy("edgy", "scene", LINES), "an empty span, or one behind the end, breaks nothing"),
        (Leaving("leaving", "scene", LINES), "no thread and no process is left behind"),
        (FakeTool("twice", "scene", [*LINES, LINES[0]]), "each clue is given once"),
        (
            FakeTool("failing", "scene", [("An error occurred in the decoder.", 0.2, 0.3)]),
            "no failure is told as a clue",
        ),
        (Modelled(params={"batch": 4}), "how it runs is no part of the source"),
        (Modelled(device=""), "the device is told"),
        (Modelled(loading=True), "it loads and unloads"),
        (Modelled(forgets=True), "it gives the same after it was unloaded"),
        (Modelled(stubborn=True), "a look that is given up breaks nothing"),
    ],
)
def test_what_a_tool_does_in_need_is_checked(tool, check, film):
    STOP.clear()
    try:
        found = broken(tool, film)
    finally:
        STOP.set()
    assert any(name.startswith(check) for name in found), found


def test_good_tools_pass_with_a_picture_and_with_a_model(film):
    assert broken(Seeing(), film) == broken(Modelled(), film) == set()


def test_a_tool_made_anew_must_give_the_same(film):
    other = FakeTool("seeing", "face", LINES[:1])
    found = broken(Seeing(), film, again=lambda: other)
    assert found == {"the tool made anew gives the same clues"}


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
        (Altered(text="The person smiles at 2.2-2.6 s."), "times in a sentence lie in its span"),
        (Altered(cues=stated(["smirk"])), "typed cues have a name in tools/cues.csv"),
        (Altered(cues=stated(["loud"])), "typed cues have a name in tools/cues.csv"),
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


def words(tool: Any, clip: Clip) -> Finding:
    """Return the finding on what a reasoner that knows smiles alone reads."""

    def reader(clue: Clue) -> list[str]:
        return ["smile"] if "smile" in clue.text else []

    found = check_tool(tool, clip, reader=reader)
    (finding,) = [each for each in found if each.check == "the reasoner reads the sentences"]
    assert finding.ok
    return finding


def test_what_a_reasoner_reads_is_listed_and_a_sentence_read_as_nothing_is_named(clip):
    finding = words(FakeTool("words", "face", LINES), clip)
    assert finding.warning and "The head turns." in finding.why and "docs/cues.md" in finding.why
    assert {each.text: each.cues for each in finding.sentences} == {
        LINES[0][0]: ("smile",),
        LINES[1][0]: (),
    }
    assert not words(FakeTool("words", "face", LINES[:1]), clip).warning
    found = check_tool(FakeTool("words", "face", LINES), clip)
    assert not any(each.sentences for each in found), "without a reader nothing is read"


@pytest.mark.parametrize("fields", [{"cues": stated(["light"])}, {"kind": "described"}])
def test_a_neutral_cue_and_free_words_are_no_reason_to_warn(fields, clip):
    finding = words(Altered(text="The picture is dark.", **fields), clip)
    assert [each.cues for each in finding.sentences] == [()] and not finding.warning
    assert words(Altered(text="The picture is dark."), clip).warning


def test_a_tool_may_declare_that_it_is_not_deterministic(clip):
    assert broken(Dreaming("dreaming"), clip) == set()


def test_quoted_words_may_hold_several_sentences(clip):
    quoting = Altered(text='The person says: "No. Never!" at 1.1-1.9 s.')
    assert "texts are one sentence" not in broken(quoting, clip)


def test_the_network_is_given_back(clip):
    before = socket.socket.connect, socket.getaddrinfo
    check_tool(Calling("name"), clip)
    assert (socket.socket.connect, socket.getaddrinfo) == before


class Answers(FakeTool):
    """Answers what it is asked in words, well or not."""

    answers = True

    def __init__(self, text: str = "It shows a letter.", shift: float = 0.0) -> None:
        super().__init__("answers", "face", LINES)
        self.text, self.shift = text, shift
        self.asked: list[str] = []

    def answer(self, clip: Clip, span: Span, question: str) -> list[Clue]:
        self.asked.append(question)
        if not self.text:
            raise RuntimeError("no")
        text = self.text.format(len(self.asked))
        return [self.clue(text, span.start + self.shift, span.end + self.shift)]


@pytest.mark.parametrize(
    ("tool", "check"),
    [
        (Answers(shift=2.0), "an answer stays in its span"),
        (Answers("Letter {}."), "the same question gets the same answer"),
        (Answers("a letter"), "texts are one sentence"),
        (Answers(""), "observe gives clues or raises Unobservable"),
    ],
)
def test_what_a_tool_answers_is_checked_too(tool, check, clip):
    assert check in broken(tool, clip) and tool.asked == ["what is shown?"] * 2


def test_a_tool_that_answers_well_passes_and_one_that_cannot_is_not_asked(clip):
    assert broken(Answers(), clip) == set()
    silent = Answers("")
    silent.answers = False
    assert broken(silent, clip) == set() and silent.asked == []


def test_a_tool_that_breaks_is_told_with_its_file_and_line(clip, tmp_path, monkeypatch):
    code = (
        "from emer.tools.types import Source\n"
        "class Stumbles:\n"
        "    modality, description = 'scene', 'Divides by zero.'\n"
        "    source = Source(tool='stumbles', version='1')\n"
        "    def observe(self, clip, span=None):\n"
        "        return [clip.duration / 0]\n"
    )
    (tmp_path / "stumbles.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = [f for f in check_tool(load_tool("stumbles:Stumbles"), clip) if not f.ok]
    assert found.why.endswith(f"division by zero') ({tmp_path / 'stumbles.py'}:6)")
