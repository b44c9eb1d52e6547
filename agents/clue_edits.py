"""Edits of the clues by a reviewer: rejected, rewritten and added clues."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from emer.agents.lexicon.cue_parser import Mention, read
from emer.agents.lexicon.lexicon import channel_of, lexicon
from emer.agents.near_duplicates import is_near_duplicate
from emer.tools.cues import cue_names
from emer.tools.errors import ConfigError
from emer.tools.types import Clue, Modality, Quality, Record, Source, Span

REVIEWER_QUALITY = 0.8
"""Default quality of a reviewer's clue: that of a well measured one (by us).

Its only factor says that it was not measured.
"""
MAX_CHARACTERS = 500
"""Length of a reviewer's clue: it is one sentence."""
REVISES = "revises"
"""Key of a rewritten clue's `data` that holds the id of the tool's clue."""
REVIEWER = Source(tool="reviewer", version="1")

MOST_NEAREST = 3
"""Cues that a note names (chosen by us)."""

_NUMBERS = re.compile(r"[\d.]+")
_WORDS = re.compile(r"\w+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_SMALL = {"a", "an", "the", "of", "to", "in", "with", "and", "or"}

ClueText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_CHARACTERS)
]
EditedSpan = Annotated[
    Span,
    BeforeValidator(
        lambda v: {"start": v[0], "end": v[1]} if isinstance(v, list) and len(v) == 2 else v
    ),
]
"""A span, written as {"start": 1.2, "end": 2.0} or as [1.2, 2.0]."""
MOST_EDITS = 1_000
"""Edits of one kind in a review (chosen by us)."""
Name = Annotated[str, StringConstraints(max_length=100)]
"""Id of a clue, or name of a person in the clip."""
Score = Annotated[float, Field(ge=0, le=1)]


class Rewrite(Record):
    """A clue in a person's words; what is left out stays as it was.

    Args:
        clue: Id of the clue.
        text: The new sentence.
        span: The new time, in seconds.
        quality: How well it can be seen or heard, 0 to 1.
    """

    clue: Name
    text: ClueText | None = None
    span: EditedSpan | None = None
    quality: Score | None = None


class Addition(Record):
    """A clue that a person saw or heard and no tool reported.

    Args:
        modality: "face", "scene", "audio" or "text".
        text: One sentence that can be checked by watching.
        span: When, in seconds; None: throughout.
        person: A name local to the clip ("person 1"), never an identity.
        quality: How well it can be seen or heard, 0 to 1; 0.8 where left out.
    """

    modality: Modality
    text: ClueText
    span: EditedSpan | None = None
    person: Name | None = None
    quality: Score | None = None


class Edits(Record):
    """A reviewer's changes; clues that are not named are accepted as they are."""

    reject: tuple[Name, ...] = Field(default=(), max_length=MOST_EDITS)
    edit: tuple[Rewrite, ...] = Field(default=(), max_length=MOST_EDITS)
    add: tuple[Addition, ...] = Field(default=(), max_length=MOST_EDITS)

    @property
    def struck(self) -> tuple[str, ...]:
        """Ids of the rejected and rewritten clues."""
        return (*self.reject, *(rewrite.clue for rewrite in self.edit))

    def and_then(self, more: Edits) -> Edits:
        """Both sets as one; of two edits of a clue the later one holds."""
        again = {rewrite.clue for rewrite in more.edit} | set(more.reject)
        rejected = (*(i for i in self.reject if i not in again), *more.reject)
        return Edits(
            reject=tuple(dict.fromkeys(rejected)),
            edit=(*(r for r in self.edit if r.clue not in again), *more.edit),
            add=tuple(dict.fromkeys((*self.add, *more.add))),
        )


def check_edits(edits: Edits, clues: Sequence[Clue], duration: float) -> None:
    """Raise `ConfigError` for the first edit that does not fit these clues."""
    known = {clue.id: clue for clue in clues}
    struck = edits.struck
    for id in struck:
        if id not in known:
            raise ConfigError(f"there is no clue {id!r}; the run has {', '.join(known) or 'none'}")
        if struck.count(id) > 1:
            raise ConfigError(f"clue {id} is edited or rejected twice; say once what becomes of it")
    for rewrite in edits.edit:
        if rewrite.text is None and rewrite.span is None and rewrite.quality is None:
            raise ConfigError(f"the edit of clue {rewrite.clue} changes nothing")
    written: tuple[Rewrite | Addition, ...] = (*edits.edit, *edits.add)
    for edit in written:
        if edit.span is not None and edit.span.end > duration:
            raise ConfigError(
                f"{edit.span.start:g}-{edit.span.end:g} s is not inside the clip, "
                f"which lasts {duration:g} s"
            )


def reviewer_clues(clues: Iterable[Clue], edits: Edits) -> tuple[Clue, ...]:
    """The reviewer's own clues, those that replace one of `clues` first.

    The tool's numbers are not copied: they do not support the reviewer's words.
    """
    known = {clue.id: clue for clue in clues}
    rewritten = (
        _clue(
            rewrite,
            text=rewrite.text or old.text,
            modality=old.modality,
            span=rewrite.span or old.span,
            person=old.person,
            data={REVISES: old.id},
        )
        for rewrite in edits.edit
        if (old := known.get(rewrite.clue))
    )
    added = (
        _clue(a, text=a.text, modality=a.modality, span=a.span, person=a.person) for a in edits.add
    )
    return (*rewritten, *added)


def matches_struck(clue: Clue, struck: Sequence[Clue]) -> bool:
    """True for a clue that a reviewer struck out, even under another id.

    That is a clue of the same tool with the same signs, person and time; cues of one group,
    such as a smile and a closed smile, are one sign.
    """
    return any(
        clue.id == other.id or is_near_duplicate(clue, other) or _repeats(clue, other)
        for other in struck
    )


def _repeats(one: Clue, other: Clue) -> bool:
    if (one.source.tool, one.person) != (other.source.tool, other.person):
        return False
    if one.span is not None and other.span is not None and not one.span.overlaps(other.span):
        return False
    if _NUMBERS.sub("", one.text) == _NUMBERS.sub("", other.text):
        return True
    stated = _mentions(one)
    return bool(stated) and all(any(_same_sign(a, b) for b in _mentions(other)) for a in stated)


def _same_sign(one: Mention, other: Mention) -> bool:
    a, b = (lexicon().cues[mention.cue] for mention in (one, other))
    are_opposites = a.key in b.opposites or b.key in a.opposites
    return a.group == b.group and one.negated == other.negated and not are_opposites


def _mentions(clue: Clue) -> tuple[Mention, ...]:
    (reading,) = read([clue])
    return reading.mentions


def unread_notes(written: Iterable[Clue]) -> tuple[str, ...]:
    """A note for each of a reviewer's clues in which no cue is read, with near cues.

    Words are evidence that is quoted, whether a cue is read in them or not.
    """
    unread = (clue for clue in written if clue.modality != "text" and not _mentions(clue))
    return tuple(
        f'"{clue.text}" has no effect on the answer: no sign is read in it; '
        f"one that is: {', '.join(_nearest(clue))}"
        for clue in unread
    )


def _nearest(clue: Clue) -> list[str]:
    """Names of the cues of the clue's channel that are most like its words."""
    channel, words = channel_of(clue.modality), _WORDS.findall(clue.text.casefold())
    cues = [cue for cue in lexicon().cues.values() if cue.channel == channel]
    names = [cue.phrase for cue in cues]
    if _CHINESE.search(clue.text):
        names = [cue_names()[cue.key].chinese for cue in cues if cue.key in cue_names()]

    def likeness(name: str) -> float:
        pairs = ((a, b) for a in words for b in _WORDS.findall(name) if b not in _SMALL)
        return max((SequenceMatcher(None, *pair).ratio() for pair in pairs), default=0.0)

    return sorted(dict.fromkeys(names), key=likeness, reverse=True)[:MOST_NEAREST]


def _clue(edit: Rewrite | Addition, *, text: str, **fields: Any) -> Clue:
    score = REVIEWER_QUALITY if edit.quality is None else edit.quality
    return Clue(
        text=" ".join(text.split()),
        quality=Quality(score=score, factors={"told_by_a_person": 1.0}),
        source=REVIEWER,
        kind="reviewed",
        **fields,
    )
