"""One look of a tool under watch, and what is found about it: the parts of a check."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence

from emer.tools.call import Abandoned, Call, at_work
from emer.tools.clip import Clip
from emer.tools.errors import EmerError, ToolMissing, Unobservable
from emer.tools.tool import Answering, Tool
from emer.tools.types import Clue, Record, Span


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
