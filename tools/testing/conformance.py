"""Conformance suite: the contract of a tool as checks on a clip.

for finding in check_tool(MyTool(), Clip.open("clip.mp4")):
    print("ok  " if finding.ok else "FAIL", finding.check, finding.why)
"""

from __future__ import annotations

import atexit
import shutil
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from emer.tools.errors import EmerError, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.runtime.cancellation import Call, Cancelled, in_call
from emer.tools.testing.clips import noise, silence, tone, write_trial
from emer.tools.testing.clue_checks import (
    Finding,
    Reader,
    check_clues,
    check_words,
    finding_of,
    is_sentence,
)
from emer.tools.tool import Answering, Heavy, Tool
from emer.tools.types import MODALITIES, Clue, Record, Source, Span

SLACK: Final = 0.05
"""Seconds by which a span may exceed a limit: about one frame."""
WAIT: Final = 120.0
"""Seconds that two concurrent calls may take."""
QUESTION: Final = "what is shown?"
"""Question to a tool that answers questions."""

_VISUAL = ("face", "scene")
_LOCAL_HOSTS = ("127.0.0.1", "::1", "localhost")
_SOCKETS_LOCK = threading.Lock()


class Outcome(Record):
    """Result of one call of a tool: clues, the reason for none, or the failure."""

    clues: tuple[Clue, ...] = ()
    unobservable: str | None = None
    broken: str = ""

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(clue.id for clue in self.clues)


def check_tool(
    tool: Tool,
    clip: Clip,
    again: Callable[[], Tool] | None = None,
    reader: Reader | None = None,
) -> list[Finding]:
    """Findings of the whole suite; whatever the tool raises becomes a finding.

    The tool observes the clip several times, in full and in its middle third, then clips that
    lack something, all without a network.

    Args:
        tool: The tool.
        clip: A clip that shows what it observes.
        again: Makes the tool anew, to check that its clues do not depend on the instance.
        reader: Reads the clues, to list what each sentence means to a reasoner.
    """
    shape = _check_shape(tool)
    if not all(each.ok for each in shape):
        return shape
    middle = Span(start=round(clip.duration / 3, 3), end=round(clip.duration * 2 / 3, 3))
    before = _threads_and_processes()
    with _no_network() as hosts:
        first, second = _observe(tool, clip), _observe(tool, clip)
        closer, closer_again = _observe(tool, clip, middle), _observe(tool, clip, middle)
        other = _observe(again(), clip) if again is not None else first
        answers = _answers(tool, clip, middle)
        hard = [] if first.broken else list(_check_hard_cases(tool, clip))
    calls = (first, second, closer, closer_again, other, *answers)
    findings = [*shape, *_check_calls(calls, hosts)]
    if first.broken:
        return findings
    findings += [
        _check_same(tool, "the same clip gives the same clues", first, second),
        _check_same(tool, "a closer look gives the same clues", closer, closer_again),
        _check_same(tool, "the tool made anew gives the same clues", first, other),
    ]
    if answers:
        findings.append(_check_same(tool, "the same question gets the same answer", *answers))
        findings.append(_check_overlap("an answer stays in its span", answers[0], middle))
    clues = [clue for each in (first, closer, *answers[:1]) for clue in each.clues]
    findings += [
        *check_clues(tool, clues),
        *_check_whole(first, clip.duration),
        _check_overlap("a closer look stays in its span", closer, middle),
        *([] if reader is None else [check_words(clues, reader)]),
    ]
    left = sorted(_threads_and_processes() - before)
    name = "no thread and no process is left behind"
    return [*findings, *hard, finding_of(name, not left, f"left: {left}")]


def _observe(tool: Tool, clip: Clip, span: Span | None = None, call: Call | None = None) -> Outcome:
    return _outcome(tool, lambda: tool.observe(clip, span), call)


def _answers(tool: Tool, clip: Clip, span: Span) -> tuple[Outcome, ...]:
    """Two answers to one question about the span, if the tool takes questions."""
    if not isinstance(tool, Answering) or not tool.answers:
        return ()
    first, second = (_outcome(tool, lambda: tool.answer(clip, span, QUESTION)) for _ in range(2))
    return first, second


def _outcome(tool: object, work: Callable[[], Sequence[Clue]], call: Call | None = None) -> Outcome:
    try:
        with in_call(call or Call()):
            return Outcome(clues=tuple(work()))
    except Unobservable as error:
        return Outcome(unobservable=str(error))
    except Cancelled:
        return Outcome()
    except EmerError as error:
        return Outcome(broken=_one_line(str(error)))
    except BaseException as error:  # SystemExit, too, would end the run
        return Outcome(broken=f"{_one_line(repr(error))}{_place(tool, error)}")


def _place(tool: object, error: BaseException) -> str:
    """File and line in the tool's own module that raised, or that led to it."""
    frames = traceback.extract_tb(error.__traceback__)
    file = getattr(sys.modules.get(type(tool).__module__), "__file__", None)
    places = [frame for frame in frames if frame.filename == file] or frames[-1:]
    return f" ({places[-1].filename}:{places[-1].lineno})" if places else ""


def _check_shape(tool: Tool) -> list[Finding]:
    if not isinstance(tool, Tool):
        why = "it needs modality, description, source and observe(clip, span=None)"
        return [Finding(check="is a tool", ok=False, why=why)]
    try:
        source = tool.source
        plain = isinstance(source, Source) and Source.model_validate_json(source.model_dump_json())
    except Exception as error:
        return [Finding(check="the source is JSON and stable", ok=False, why=repr(error))]
    described = isinstance(tool.description, str) and is_sentence(tool.description)
    return [
        finding_of("the modality is known", tool.modality in MODALITIES, repr(tool.modality)),
        finding_of("the description is a sentence", described, repr(tool.description)),
        finding_of("the source is JSON and stable", plain == tool.source, repr(source)),
    ]


def _check_calls(calls: Sequence[Outcome], hosts: Sequence[str]) -> Iterator[Finding]:
    broken = [each.broken for each in calls if each.broken]
    yield finding_of(
        "observe gives clues or raises Unobservable", not broken, "; ".join(broken[:1])
    )
    empty = [each for each in calls if each.unobservable == ""]
    yield finding_of("Unobservable gives a reason", not empty, "the reason is empty")
    reached = sorted({*hosts})
    yield finding_of("observing needs no network", not reached, f"it reached for {reached}")


def _check_same(tool: Tool, name: str, one: Outcome, other: Outcome) -> Finding:
    if not getattr(tool, "deterministic", True):
        return Finding(check=name, ok=True, why="declared not deterministic")
    same = one.ids == other.ids and one.unobservable == other.unobservable
    return finding_of(name, same, f"{len(one.ids ^ other.ids)} clues differ between two looks")


def _check_whole(outcome: Outcome, duration: float) -> Iterator[Finding]:
    """Check that clues of the whole clip are given once and lie in it."""
    twice = len(outcome.clues) - len(outcome.ids)
    yield finding_of("each clue is given once", not twice, f"{twice} clues are given again")
    outside = [
        f"{clue.text} [{clue.span.start:g}-{clue.span.end:g}]"
        for clue in outcome.clues
        if clue.span is not None and clue.span.end > duration + SLACK
    ]
    why = f"{len(outside)} reach out of 0-{duration:g} s: {outside[:1]}"
    yield finding_of("spans lie in the clip", not outside, why)


def _check_overlap(name: str, outcome: Outcome, span: Span) -> Finding:
    outside = [c.text for c in outcome.clues if c.span and not c.span.overlaps(span, SLACK)]
    why = f"{len(outside)} lie outside {span.start:g}-{span.end:g} s: {outside[:1]}"
    return finding_of(name, not outside, why)


@cache
def _hard_clips() -> dict[str, Clip]:
    """Clips that lack something, by what it is; written and probed once for all tools."""
    folder = Path(tempfile.mkdtemp(prefix="emer-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    files = {
        "no sound": write_trial(folder / "mute.mp4"),
        "no picture": write_trial(folder / "blind.m4a", grey=None, sound=tone()),
        "black and silent": write_trial(folder / "black.mp4", grey=0, sound=silence()),
        "noise": write_trial(folder / "noise.mp4", sound=noise()),
        "0.3 s": write_trial(folder / "short.mp4", seconds=0.3, sound=tone(0.3)),
    }
    return {case: Clip.open(path) for case, path in files.items()}


def _check_hard_cases(tool: Tool, clip: Clip) -> Iterator[Finding]:
    """Edge cases: missing streams, empty spans, concurrent calls, cancellation."""
    outcomes = {case: _observe(tool, hard) for case, hard in _hard_clips().items()}
    yield _check_reasons(outcomes)
    yield _check_invented(tool, clip, outcomes)
    end = clip.duration
    spans = [Span(start=0, end=0), Span(start=end, end=end), Span(start=end + 1, end=end + 2)]
    edges = {f"{s.start:g}-{s.end:g} s": _observe(tool, clip, s) for s in spans}
    broken = "; ".join(f"{where}: {each.broken}" for where, each in edges.items() if each.broken)
    yield finding_of("an empty span, or one behind the end, breaks nothing", not broken, broken)
    yield _check_concurrent(tool, clip)
    if isinstance(tool, Heavy):
        yield from _check_heavy(tool, clip)


def _check_reasons(outcomes: dict[str, Outcome]) -> Finding:
    wrong = []
    for case, outcome in outcomes.items():
        end = _hard_clips()[case].duration + SLACK
        outside = [c.text for c in outcome.clues if c.span and c.span.end > end]
        if outcome.broken or outcome.unobservable == "" or outside:
            wrong.append(f"{case}: {outcome.broken or [*outside, 'no reason is given'][0]}")
    name = "hard clips give clues or a reason: no sound, no picture, black, noise, very short"
    return finding_of(name, not wrong, "; ".join(wrong))


def _check_invented(tool: Tool, clip: Clip, outcomes: dict[str, Outcome]) -> Finding:
    """Check that there is no clue about a picture or a sound that is missing.

    Only for a picture or sound that the author's clip has: else the tool may not need it.
    """
    lacking = {"face": ("no picture", "black and silent"), "scene": ("no picture",)}
    stream = clip.video if tool.modality in _VISUAL else clip.audio
    cases = () if stream is None else lacking.get(tool.modality, ("no sound", "black and silent"))
    clues = [clue.text for case in cases for clue in outcomes[case].clues]
    return finding_of("nothing is told of what the clip lacks", not clues, f"it says: {clues[:1]}")


def _check_concurrent(tool: Tool, clip: Clip) -> Finding:
    outcomes: list[Outcome] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(_observe(tool, clip)), daemon=True)
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    name = "two looks at once give the same"
    if len(outcomes) < 2:
        return finding_of(name, False, f"no result within {WAIT:g} s")
    one, other = outcomes
    if not getattr(tool, "deterministic", True):
        same = not one.broken and not other.broken
    else:
        same = one.ids == other.ids and one.broken == other.broken
    return finding_of(name, same, f"{len(one.ids ^ other.ids)} clues differ")


def _check_heavy(tool: Heavy, clip: Clip) -> Iterator[Finding]:
    """Check a tool with a model: device, loading, unloading, cancellation."""
    assert isinstance(tool, Tool)
    before = _observe(tool, clip)
    params = {*tool.source.params} & {*tool.hardware, "device", "batch", "threads"} - {"dtype"}
    name = "how it runs is no part of the source"
    yield finding_of(name, not params, f"the source names {sorted(params)}")
    device = bool(tool.hardware.get("device"))
    yield finding_of("the device is told", device, f"{dict(tool.hardware)}")
    broken = ""
    try:
        tool.unload()
        tool.load()
        tool.unload()
    except Exception as error:
        broken = _one_line(repr(error))
    yield finding_of("it loads and unloads", not broken, broken)
    after = _observe(tool, clip)
    same = after.ids == before.ids and after.broken == before.broken
    yield finding_of(
        "it gives the same after it was unloaded", same, after.broken or "clues differ"
    )
    call = Call()
    call.cancel()
    cancelled = _observe(tool, clip, None, call)
    name = "a look that is given up breaks nothing"
    yield finding_of(name, not cancelled.broken, cancelled.broken)


def _threads_and_processes() -> set[str]:
    """Threads and child processes that would outlive a call."""
    import psutil

    threads = {t.name for t in threading.enumerate() if not t.daemon}
    return threads | {f"process {child.pid}" for child in psutil.Process().children()}


@contextmanager
def _no_network() -> Iterator[list[str]]:
    """Refuse connections but to this machine; yields the hosts that were tried.

    Python's own sockets only; sockets of native code are not seen.
    """
    from unittest.mock import patch

    hosts: list[str] = []

    def guarded(original: Callable[..., Any], where: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            address = where(*args, **kwargs)
            host = address[0] if isinstance(address, tuple) else address
            if not isinstance(address, str | bytes) and host not in _LOCAL_HOSTS:
                hosts.append(str(host))
                raise OSError(f"a tool must not reach for {host} while observing")
            return original(*args, **kwargs)

        return call

    kind = socket.socket
    looked_up = guarded(socket.getaddrinfo, lambda host, *_, **__: (host,))
    with (
        _SOCKETS_LOCK,
        patch.object(kind, "connect", guarded(kind.connect, lambda _, address: address)),
        patch.object(kind, "connect_ex", guarded(kind.connect_ex, lambda _, address: address)),
        patch.object(socket, "getaddrinfo", looked_up),
    ):
        yield hosts


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
