"""What every tool must keep, checked against a clip: for the authors of tools.

for finding in check_tool(MyTool(), Clip.open("clip.mp4")):
    print("ok  " if finding.ok else "FAIL", finding.check, finding.why)
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from emer.tools.clip import Clip
from emer.tools.errors import EmerError, ToolMissing, Unobservable
from emer.tools.tool import Tool
from emer.tools.types import MODALITIES, Clue, Record, Source, Span

SLACK = 0.05
"""Seconds a span may reach over an edge: about one frame."""

_QUOTED = re.compile(r'"[^"]*"|“[^”]*”')
_BREAK = re.compile(r"[.!?…][\"”']?\s+(?=[A-Z])")


class Finding(Record):
    """One thing a tool must keep, whether it does, and what was seen."""

    check: str
    ok: bool
    why: str = ""


class _Pass(Record):
    """What one call of `observe` gave: clues, or the reason there are none."""

    clues: tuple[Clue, ...] = ()
    unobservable: str | None = None
    broken: str = ""
    network: tuple[str, ...] = ()


def check_tool(tool: Tool, clip: Clip) -> list[Finding]:
    """Return what the tool keeps and breaks of the contract; nothing is raised.

    The clip is observed twice in full and once in its middle third, without a network.
    """
    shape = _check_shape(tool)
    if not all(finding.ok for finding in shape):
        return shape
    middle = Span(start=round(clip.duration / 3, 3), end=round(clip.duration * 2 / 3, 3))
    first, again = _observe(tool, clip), _observe(tool, clip)
    closer = _observe(tool, clip, middle)
    passes = (first, again, closer)
    found = [*shape, _check_errors(passes), _check_reasons(passes), _check_network(passes)]
    if first.broken:
        return found
    found.append(_check_same(tool, first, again))
    clues = [*first.clues, *closer.clues]
    whole = Span(start=0.0, end=clip.duration)
    found += [_check_clues(name, test, clues) for name, test in _rules(tool).items()]
    found.append(_check_spans("spans lie in the clip", first.clues, whole))
    found.append(_check_spans("a closer look stays in its span", closer.clues, middle))
    return found


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
        _finding("the modality is known", tool.modality in MODALITIES, repr(tool.modality)),
        _finding("the description is a sentence", described, repr(tool.description)),
        _finding("the source is JSON and stable", plain == tool.source, repr(source)),
    ]


def _observe(tool: Tool, clip: Clip, span: Span | None = None) -> _Pass:
    with _no_network() as tried:
        try:
            clues = tuple(tool.observe(clip, span))
            return _Pass(clues=clues, network=tuple(tried))
        except Unobservable as error:
            return _Pass(unobservable=str(error), network=tuple(tried))
        except ToolMissing as error:
            return _Pass(broken=str(error), network=tuple(tried))
        except BaseException as error:
            cause = str(error) if isinstance(error, EmerError) else repr(error)
            return _Pass(broken=" ".join(cause.split())[:300], network=tuple(tried))


def _check_errors(passes: Sequence[_Pass]) -> Finding:
    broken = [each.broken for each in passes if each.broken]
    return _finding("observe gives clues or raises Unobservable", not broken, "; ".join(broken[:1]))


def _check_reasons(passes: Sequence[_Pass]) -> Finding:
    empty = [each for each in passes if each.unobservable is not None and not each.unobservable]
    return _finding("Unobservable gives a reason", not empty, "the reason is empty")


def _check_network(passes: Sequence[_Pass]) -> Finding:
    tried = [host for each in passes for host in each.network]
    return _finding("observing needs no network", not tried, f"reached for {', '.join(tried[:3])}")


def _check_same(tool: Tool, first: _Pass, again: _Pass) -> Finding:
    name = "the same clip gives the same clues"
    if not getattr(tool, "deterministic", True):
        return Finding(check=name, ok=True, why="declared not deterministic")
    ids, others = ({clue.id for clue in each.clues} for each in (first, again))
    same = ids == others and first.unobservable == again.unobservable
    return _finding(name, same, f"{len(ids ^ others)} clues differ between two looks")


def _rules(tool: Tool) -> dict[str, Callable[[Clue], bool]]:
    """Return what must hold of each clue, by name."""
    return {
        "clues have the tool's modality": lambda clue: clue.modality == tool.modality,
        "clues name the tool's source": lambda clue: clue.source == tool.source,
        "texts are one sentence": lambda clue: _is_sentence(clue.text),
        "quality has factors": lambda clue: bool(clue.quality.factors),
        "clues survive JSON": _survives,
    }


def _check_clues(name: str, holds: Callable[[Clue], bool], clues: Sequence[Clue]) -> Finding:
    wrong = [clue.text for clue in clues if not holds(clue)]
    return _finding(name, not wrong, f"{len(wrong)} clues do not, first: {wrong[:1]}")


def _check_spans(name: str, clues: Sequence[Clue], limit: Span) -> Finding:
    outside = [
        f"{clue.text} [{clue.span.start:g}-{clue.span.end:g}]"
        for clue in clues
        if clue.span is not None
        and (clue.span.start < limit.start - SLACK or clue.span.end > limit.end + SLACK)
    ]
    where = f"{limit.start:g}-{limit.end:g} s"
    return _finding(name, not outside, f"{len(outside)} reach out of {where}: {outside[:1]}")


def _finding(check: str, ok: bool, why: str) -> Finding:
    """Return the finding; what was seen is told only when it is wrong."""
    return Finding(check=check, ok=ok, why="" if ok else why)


def _is_sentence(text: str) -> bool:
    """Tell whether the text is one sentence: a capital, a full stop, no break inside.

    Quoted words may hold any number of sentences.
    """
    bare = _QUOTED.sub("Q", text.strip())
    ends = bool(re.search(r"[.!?…][\"”')]?$", text.strip()))
    return bool(bare) and bare[0].isupper() and ends and not _BREAK.search(bare)


def _survives(clue: Clue) -> bool:
    try:
        return Clue.model_validate_json(clue.model_dump_json()) == clue
    except ValueError:
        return False


_NETWORK = threading.Lock()
_HERE = ("127.0.0.1", "::1", "localhost")


@contextmanager
def _no_network() -> Iterator[list[str]]:
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

    with _NETWORK:
        _set_network(connect, connect_ex, getaddrinfo)
        try:
            yield tried
        finally:
            _set_network(*kept)


def _set_network(connect: Any, connect_ex: Any, getaddrinfo: Any) -> None:
    socket.socket.connect = connect  # type: ignore[method-assign]
    socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]
    socket.getaddrinfo = getaddrinfo
