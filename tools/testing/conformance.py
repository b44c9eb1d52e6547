"""The contract as checks, for tool authors.

One look of a tool under watch, and what is found about it: the parts of a check.

What a tool does in need: clips that lack what it looks for, others at its side, a call given up.

Nothing to observe is `Unobservable` with a reason. It is never an error, never a sentence about
one, and never a clue about what is not there.

A stretch of code without a network: what it tried is refused and listed.

What every tool must keep, checked against a clip: for the authors of tools.

for finding in check_tool(MyTool(), Clip.open("clip.mp4")):
    print("ok  " if finding.ok else "FAIL", finding.check, finding.why)
"""

from __future__ import annotations

import re
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emer.tools.errors import EmerError, ToolMissing, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.runtime.cancellation import Abandoned, Call, at_work
from emer.tools.testing.clips import noise, silence, tone, write_trial
from emer.tools.tool import Answering, Heavy, Tool
from emer.tools.types import MODALITIES, Clue, Modality, Record, Source, Span


class Finding(Record):
    """One thing a tool must keep, whether it does, and what was seen."""

    check: str
    ok: bool
    why: str = ""


class Look(Record):
    """What one call of `observe` gave: clues, or the reason there are none."""

    clues: tuple[Clue, ...] = ()
    unobservable: str | None = None
    abandoned: bool = False
    broken: str = ""

    @property
    def ids(self) -> frozenset[str]:
        """The ids of the clues."""
        return frozenset(clue.id for clue in self.clues)


def look(tool: Tool, clip: Clip, span: Span | None = None, this: Call | None = None) -> Look:
    """Return what the tool gives; whatever it raises is an answer, too."""
    return _watched(tool, lambda: tool.observe(clip, span), this)


def ask(tool: Answering, clip: Clip, span: Span, question: str) -> Look:
    """Return what the tool answers; whatever it raises is an answer, too."""
    return _watched(tool, lambda: tool.answer(clip, span, question), None)


def _watched(tool: object, call: Callable[[], Sequence[Clue]], this: Call | None) -> Look:
    try:
        with at_work(this or Call()):
            return Look(clues=tuple(call()))
    except Unobservable as error:
        return Look(unobservable=str(error))
    except Abandoned:
        return Look(abandoned=True)
    except ToolMissing as error:
        return Look(broken=str(error))
    except BaseException as error:
        if isinstance(error, EmerError):
            return Look(broken=" ".join(str(error).split())[:300])
        cause = " ".join(repr(error).split())[:300]
        return Look(broken=f"{cause}{_where(tool, error)}")


def _where(tool: object, error: BaseException) -> str:
    """Return the line of the tool's own file that raised, or that led to it."""
    passed = traceback.extract_tb(error.__traceback__)
    file = getattr(sys.modules.get(type(tool).__module__), "__file__", None)
    own = [frame for frame in passed if frame.filename == file] or passed[-1:]
    return f" ({own[-1].filename}:{own[-1].lineno})" if own else ""


def finding(check: str, ok: bool, why: str) -> Finding:
    """Return the finding; what was seen is told only when it is wrong."""
    return Finding(check=check, ok=ok, why="" if ok else why)


SEEN: tuple[Modality, ...] = ("face", "scene")
WAIT = 120.0
"""Seconds that two looks at once may take."""


def check_hard_cases(tool: Tool, clip: Clip) -> Iterator[Finding]:
    """Yield what the tool does with hard clips, with company, and when it is given up."""
    with tempfile.TemporaryDirectory(prefix="emer-") as folder:
        hard = {name: Clip.open(path) for name, path in _hard_clips(Path(folder))}
        looks = {name: look(tool, hard_clip) for name, hard_clip in hard.items()}
    yield _check_need(looks, hard)
    yield _check_invented(tool, clip, looks)
    yield _check_edges(tool, clip)
    yield _check_company(tool, clip)
    if isinstance(tool, Heavy):
        yield from _check_heavy(tool, clip)


def _hard_clips(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the clips by what is hard about them."""
    yield "no sound", write_trial(folder / "mute.mp4")
    yield "no picture", write_trial(folder / "blind.m4a", grey=None, sound=tone())
    yield "black and silent", write_trial(folder / "black.mp4", grey=0, sound=silence())
    yield "noise", write_trial(folder / "noise.mp4", sound=noise())
    yield "0.3 s", write_trial(folder / "short.mp4", seconds=0.3, sound=tone(0.3))


def _check_need(looks: dict[str, Look], clips: dict[str, Clip]) -> Finding:
    wrong = []
    for name, seen in looks.items():
        outside = [c for c in seen.clues if c.span and c.span.end > clips[name].duration + 0.05]
        if seen.broken or seen.unobservable == "" or outside:
            why = seen.broken or (outside[0].text if outside else "no reason is given")
            wrong.append(f"{name}: {why}")
    name = "hard clips give clues or a reason: no sound, no picture, black, noise, very short"
    return finding(name, not wrong, "; ".join(wrong))


def _check_invented(tool: Tool, clip: Clip, looks: dict[str, Look]) -> Finding:
    """Check that what was taken away from such a clip is not told of.

    Only for a picture or sound that the author's clip has: else the tool may not need it.
    """
    lacking = {"face": ("no picture", "black and silent"), "scene": ("no picture",)}
    cases: Sequence[str] = ()
    if tool.modality in SEEN and clip.video is not None:
        cases = lacking[tool.modality]
    if tool.modality not in SEEN and clip.audio is not None:
        cases = ("no sound", "black and silent")
    told = [clue.text for case in cases for clue in looks[case].clues]
    return finding("nothing is told of what the clip lacks", not told, f"it says: {told[:1]}")


def _check_edges(tool: Tool, clip: Clip) -> Finding:
    """Check a look at a single moment, at the last one, and beyond it."""
    end = clip.duration
    spans = [Span(start=0, end=0), Span(start=end, end=end), Span(start=end + 1, end=end + 2)]
    looks = {f"{s.start:g}-{s.end:g} s": look(tool, clip, s) for s in spans}
    broken = "; ".join(f"{where}: {seen.broken}" for where, seen in looks.items() if seen.broken)
    return finding("an empty span, or one behind the end, breaks nothing", not broken, broken)


def _check_company(tool: Tool, clip: Clip) -> Finding:
    """Check that two looks at once give what one gives."""
    found: list[Look] = []
    threads = [
        threading.Thread(target=lambda: found.append(look(tool, clip)), daemon=True)
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    name = "two looks at once give the same"
    if len(found) < 2:
        return finding(name, False, f"no result within {WAIT:g} s")
    if not getattr(tool, "deterministic", True):
        same = all(not seen.broken for seen in found)
    else:
        same = found[0].ids == found[1].ids and found[0].broken == found[1].broken
    return finding(name, same, f"{len(found[0].ids ^ found[1].ids)} clues differ")


def _check_heavy(tool: Heavy, clip: Clip) -> Iterator[Finding]:
    """Yield what is asked of a tool with a model: it names its device, loads, ends, comes back."""
    assert isinstance(tool, Tool)
    before = look(tool, clip)
    params = {*tool.source.params} & {*tool.hardware, "device", "batch", "threads"} - {"dtype"}
    yield finding(
        "how it runs is no part of the source", not params, f"the source names {sorted(params)}"
    )
    yield finding("the device is told", bool(tool.hardware.get("device")), f"{dict(tool.hardware)}")
    try:
        tool.unload()
        tool.load()
        tool.unload()
        broken = ""
    except Exception as error:
        broken = " ".join(repr(error).split())[:300]
    yield finding("it loads and unloads", not broken, broken)
    after = look(tool, clip)
    same = after.ids == before.ids and after.broken == before.broken
    yield finding("it gives the same after it was unloaded", same, after.broken or "clues differ")
    given_up = Call()
    given_up.give_up()
    seen = look(tool, clip, None, given_up)
    yield finding("a look that is given up breaks nothing", not seen.broken, seen.broken)


_ONE_AT_A_TIME = threading.Lock()
_HERE = ("127.0.0.1", "::1", "localhost")


@contextmanager
def no_network() -> Iterator[list[str]]:
    """Refuse connections and look-ups but to this machine, and list what was tried.

    Python's own sockets only: what a library does below Python is not seen.
    """
    tried: list[str] = []
    kept = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else address
        local = address if isinstance(address, str | bytes) else host in _HERE
        if not local:
            tried.append(str(host))
            raise OSError(f"a tool must not reach for {host} while observing")

    def connect(self: socket.socket, address: Any) -> None:
        check(address)
        kept[0](self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        check(address)
        return kept[1](self, address)

    def getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        check((host,))
        return kept[2](host, *rest, **named)

    with _ONE_AT_A_TIME:
        _put(connect, connect_ex, getaddrinfo)
        try:
            yield tried
        finally:
            _put(*kept)


def _put(connect: Any, connect_ex: Any, getaddrinfo: Any) -> None:
    socket.socket.connect = connect  # type: ignore[method-assign]
    socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]
    socket.getaddrinfo = getaddrinfo


SLACK = 0.05
"""Seconds a span may reach over an edge: about one frame."""

QUESTION = "what is shown?"
"""What a tool that answers questions is asked."""

_QUOTED = re.compile(r'"[^"]*"|“[^”]*”')
_BREAK = re.compile(r"[.!?…][\"”']?\s+(?=[A-Z])")
_FAILURE = re.compile(r"\b(?:error|exception|traceback|failed to|not implemented)\b", re.IGNORECASE)


def check_tool(tool: Tool, clip: Clip, again: Callable[[], Tool] | None = None) -> list[Finding]:
    """Return what the tool keeps and breaks of the contract; nothing is raised.

    The clip is observed several times, in full and in its middle third, then clips that lack
    something, all without a network. `again` makes the tool anew, to see that its clues do
    not depend on which one of them looked.
    """
    shape = _check_shape(tool)
    if not all(found.ok for found in shape):
        return shape
    middle = Span(start=round(clip.duration / 3, 3), end=round(clip.duration * 2 / 3, 3))
    before = _left_behind()
    with no_network() as tried:
        first, second = look(tool, clip), look(tool, clip)
        closer, once_more = look(tool, clip, middle), look(tool, clip, middle)
        other = look(again(), clip) if again is not None else first
        answered = _answers(tool, clip, middle)
        hard = [] if first.broken else list(check_hard_cases(tool, clip))
    looks = (first, second, closer, once_more, other, *answered)
    found = [*shape, _check_errors(looks), _check_reasons(looks), _check_network(tried)]
    if first.broken:
        return found
    found += [
        _check_same(tool, "the same clip gives the same clues", first, second),
        _check_same(tool, "a closer look gives the same clues", closer, once_more),
        _check_same(tool, "the tool made anew gives the same clues", first, other),
    ]
    if answered:
        found.append(_check_same(tool, "the same question gets the same answer", *answered))
        found.append(_check_overlap("an answer stays in its span", answered[0].clues, middle))
    clues = [*first.clues, *closer.clues, *(clue for one in answered[:1] for clue in one.clues)]
    whole = Span(start=0.0, end=clip.duration)
    found += [_check_clues(name, test, clues) for name, test in _rules(tool).items()]
    found.append(_check_once(first))
    found.append(_check_spans("spans lie in the clip", first.clues, whole))
    found.append(_check_overlap("a closer look stays in its span", closer.clues, middle))
    return [*found, *hard, _check_left_behind(before)]


def _answers(tool: Tool, clip: Clip, span: Span) -> tuple[Look, ...]:
    """Return two answers to one question about the span, of a tool that answers any."""
    if not isinstance(tool, Answering) or not tool.answers:
        return ()
    return ask(tool, clip, span, QUESTION), ask(tool, clip, span, QUESTION)


def _check_shape(tool: Tool) -> list[Finding]:
    """Check what can be known before anything is observed."""
    if not isinstance(tool, Tool):
        why = "it needs modality, description, source and observe(clip, span=None)"
        return [Finding(check="is a tool", ok=False, why=why)]
    try:
        source = tool.source
        plain = isinstance(source, Source) and Source.model_validate_json(source.model_dump_json())
    except Exception as error:
        return [Finding(check="the source is JSON and stable", ok=False, why=repr(error))]
    described = isinstance(tool.description, str) and _is_sentence(tool.description)
    return [
        finding("the modality is known", tool.modality in MODALITIES, repr(tool.modality)),
        finding("the description is a sentence", described, repr(tool.description)),
        finding("the source is JSON and stable", plain == tool.source, repr(source)),
    ]


def _check_errors(looks: Sequence[Look]) -> Finding:
    broken = [each.broken for each in looks if each.broken]
    return finding("observe gives clues or raises Unobservable", not broken, "; ".join(broken[:1]))


def _check_reasons(looks: Sequence[Look]) -> Finding:
    empty = [each for each in looks if each.unobservable is not None and not each.unobservable]
    return finding("Unobservable gives a reason", not empty, "the reason is empty")


def _check_network(tried: Sequence[str]) -> Finding:
    reached = sorted({*tried})
    return finding("observing needs no network", not reached, f"it reached for {reached}")


def _check_same(tool: Tool, name: str, one: Look, other: Look) -> Finding:
    if not getattr(tool, "deterministic", True):
        return Finding(check=name, ok=True, why="declared not deterministic")
    same = one.ids == other.ids and one.unobservable == other.unobservable
    return finding(name, same, f"{len(one.ids ^ other.ids)} clues differ between two looks")


def _check_once(seen: Look) -> Finding:
    twice = len(seen.clues) - len(seen.ids)
    return finding("each clue is given once", not twice, f"{twice} clues are given again")


def _rules(tool: Tool) -> dict[str, Callable[[Clue], bool]]:
    """Return what must hold of each clue, by name."""
    return {
        "clues have the tool's modality": lambda clue: clue.modality == tool.modality,
        "clues name the tool's source": lambda clue: clue.source == tool.source,
        "texts are one sentence": lambda clue: _is_sentence(clue.text),
        "no failure is told as a clue": lambda clue: not _FAILURE.search(_bare(clue.text)),
        "quality has factors": lambda clue: bool(clue.quality.factors),
        "clues survive JSON": _survives,
    }


def _check_clues(name: str, holds: Callable[[Clue], bool], clues: Sequence[Clue]) -> Finding:
    wrong = [clue.text for clue in clues if not holds(clue)]
    return finding(name, not wrong, f"{len(wrong)} clues do not, first: {wrong[:1]}")


def _check_spans(name: str, clues: Sequence[Clue], limit: Span) -> Finding:
    outside = [
        f"{clue.text} [{clue.span.start:g}-{clue.span.end:g}]"
        for clue in clues
        if clue.span is not None
        and (clue.span.start < limit.start - SLACK or clue.span.end > limit.end + SLACK)
    ]
    where = f"{limit.start:g}-{limit.end:g} s"
    return finding(name, not outside, f"{len(outside)} reach out of {where}: {outside[:1]}")


def _check_overlap(name: str, clues: Sequence[Clue], asked: Span) -> Finding:
    """Check that nothing lies outside the span; what reaches out of it may be told whole."""
    outside = [c.text for c in clues if c.span is not None and not c.span.overlaps(asked, SLACK)]
    where = f"{asked.start:g}-{asked.end:g} s"
    return finding(name, not outside, f"{len(outside)} lie outside {where}: {outside[:1]}")


def _is_sentence(text: str) -> bool:
    """Tell whether the text is one sentence: a capital, a full stop, no break inside.

    Quoted words may hold any number of sentences.
    """
    bare = _bare(text)
    ends = bool(re.search(r"[.!?…][\"”')]?$", text.strip()))
    return bool(bare) and bare[0].isupper() and ends and not _BREAK.search(bare)


def _survives(clue: Clue) -> bool:
    try:
        return Clue.model_validate_json(clue.model_dump_json()) == clue
    except ValueError:
        return False


def _bare(text: str) -> str:
    """Return the text with quoted words left out."""
    return _QUOTED.sub("Q", text.strip())


def _left_behind() -> set[str]:
    """Return the threads and child processes that would outlive a look."""
    import psutil

    threads = {t.name for t in threading.enumerate() if not t.daemon}
    return threads | {f"process {child.pid}" for child in psutil.Process().children()}


def _check_left_behind(before: set[str]) -> Finding:
    more = sorted(_left_behind() - before)
    return finding("no thread and no process is left behind", not more, f"left: {more}")
