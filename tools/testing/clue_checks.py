"""Checks of a tool's clues: form, source, times, cues, words that are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from emer.tools.cues import cue_names
from emer.tools.text import times_in
from emer.tools.tool import Tool
from emer.tools.types import Clue, Record

ROUNDING: Final = 0.1
"""Seconds by which a time in a sentence may miss the span: tenths are written."""
_CHANNELS = {"face": "visual", "scene": "visual"}
_QUOTED = re.compile(r'"[^"]*"|“[^”]*”')
_BREAK = re.compile(r"[.!?…][\"”']?\s+(?=[A-Z])")
_FAILURE = re.compile(r"\b(?:error|exception|traceback|failed to|not implemented)\b", re.IGNORECASE)


class SentenceReading(Record):
    """A sentence, and the cues that the reasoner reads of it ("smile", "not nod")."""

    text: str
    cues: tuple[str, ...]


class Finding(Record):
    """Result of one check: its name, whether the tool passes, and if not, why."""

    check: str
    ok: bool
    why: str = ""
    warning: bool = False
    """It passes, with a doubt that `why` gives."""
    sentences: tuple[SentenceReading, ...] = ()
    """How the sentences were read."""


Reader = Callable[[Clue], Sequence[str]]
"""The cues that a reasoner reads of a clue."""


def check_clues(tool: Tool, clues: Sequence[Clue]) -> Iterator[Finding]:
    """Findings on each rule that holds for every clue."""
    rules: dict[str, Callable[[Clue], bool]] = {
        "clues have the tool's modality": lambda clue: clue.modality == tool.modality,
        "clues name the tool's source": lambda clue: clue.source == tool.source,
        "texts are one sentence": lambda clue: is_sentence(clue.text),
        "no failure is told as a clue": lambda clue: not _FAILURE.search(_unquoted(clue.text)),
        "quality has factors": lambda clue: bool(clue.quality.factors),
        "times in a sentence lie in its span": _agrees,
        "typed cues have a name in tools/cues.csv": _are_known,
        "clues survive JSON": _survives_json,
    }
    for name, holds in rules.items():
        wrong = [clue.text for clue in clues if not holds(clue)]
        yield finding_of(name, not wrong, f"{len(wrong)} clues do not, first: {wrong[:1]}")


def _agrees(clue: Clue) -> bool:
    """Whether the moments that the sentence names lie in the clue's span."""
    span, times = clue.span, times_in(_unquoted(clue.text))
    return span is None or all(
        span.start - ROUNDING <= time <= span.end + ROUNDING for time in times
    )


def _are_known(clue: Clue) -> bool:
    """Whether the typed cues are known, of the channel of the clue's modality."""
    names, channel = cue_names(), _CHANNELS.get(clue.modality, clue.modality)
    return all(m.cue in names and names[m.cue].channel == channel for m in clue.cues)


def check_words(clues: Sequence[Clue], reader: Reader) -> Finding:
    """The reading of each sentence; it warns of those that mean nothing.

    A typed cue that is neutral (the light, a number of people) says that this is meant; what is
    quoted or described in free words may say anything.
    """
    distinct = {clue.text: clue for clue in clues}.values()
    read = [SentenceReading(text=clue.text, cues=tuple(reader(clue))) for clue in distinct]
    free = {clue.text for clue in distinct if clue.cues or clue.modality == "text"}
    free |= {clue.text for clue in distinct if clue.kind in ("transcribed", "described")}
    none = [each.text for each in read if not each.cues and each.text not in free]
    why = f"read as no cue: {none[:3]} ({len(none)} in all); docs/cues.md lists the words"
    return Finding(
        check="the reasoner reads the sentences",
        ok=True,
        why=why if none else "",
        warning=bool(none),
        sentences=tuple(read),
    )


def _survives_json(clue: Clue) -> bool:
    try:
        return Clue.model_validate_json(clue.model_dump_json()) == clue
    except ValueError:
        return False


def is_sentence(text: str) -> bool:
    """True if a text is one sentence, but for what it quotes."""
    bare = _unquoted(text)
    ends = bool(re.search(r"[.!?…][\"”')]?$", text.strip()))
    return bool(bare) and bare[0].isupper() and ends and not _BREAK.search(bare)


def finding_of(check: str, ok: bool, why: str) -> Finding:
    """The finding; `why` is kept where the check fails."""
    return Finding(check=check, ok=ok, why="" if ok else why)


def _unquoted(text: str) -> str:
    return _QUOTED.sub("Q", text.strip())
