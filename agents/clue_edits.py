"""What a person makes of the clues before the reasoner goes on: struck out, rewritten, added."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

from emer.agents.lexicon.cue_parser import read
from emer.agents.near_duplicates import retells
from emer.tools.errors import ConfigError
from emer.tools.types import Clue, Modality, Quality, Record, Source, Span

TRUST = 0.8
"""Quality of a person's clue where they do not say how well it can be seen or heard: that of
a well measured one (chosen by us). Its only factor says that nobody measured it."""
LONGEST = 500
"""Characters of a person's clue: it is one sentence."""
REVISES = "revises"
"""The key of a rewritten clue's `data` under which the id of the tool's clue stands."""
WRITER = Source(tool="reviewer", version="1")

_NUMBERS = re.compile(r"[\d.]+")

Said = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST)]
Stretch = Annotated[
    Span,
    BeforeValidator(
        lambda v: {"start": v[0], "end": v[1]} if isinstance(v, list) and len(v) == 2 else v
    ),
]
"""A span, written as {"start": 1.2, "end": 2.0} or as [1.2, 2.0]."""
Judged = Annotated[float, Field(ge=0, le=1)]
"""How well something can be seen or heard, as a person judges it."""


class Rewrite(Record):
    """A clue in a person's words; what is left out stays as it was.

    Args:
        clue: Id of the clue.
        text: The new sentence.
        span: The new time, in seconds.
        quality: How well it can be seen or heard, 0 to 1.

    """

    clue: str
    text: Said | None = None
    span: Stretch | None = None
    quality: Judged | None = None


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
    text: Said
    span: Stretch | None = None
    person: str | None = None
    quality: Judged | None = None


class Edits(Record):
    """What a person changes; clues that are not named are accepted as they are."""

    reject: tuple[str, ...] = ()
    edit: tuple[Rewrite, ...] = ()
    add: tuple[Addition, ...] = ()

    @property
    def struck(self) -> tuple[str, ...]:
        """Ids of the clues that no longer stand as they were."""
        return (*self.reject, *(rewrite.clue for rewrite in self.edit))

    def and_then(self, more: Edits) -> Edits:
        """Return both sets as one; of two rewrites of a clue the later one holds."""
        again = {rewrite.clue for rewrite in more.edit} | set(more.reject)
        return Edits(
            reject=tuple(
                dict.fromkeys((*(i for i in self.reject if i not in again), *more.reject))
            ),
            edit=(*(r for r in self.edit if r.clue not in again), *more.edit),
            add=tuple(dict.fromkeys((*self.add, *more.add))),
        )


def check_edits(edits: Edits, clues: Sequence[Clue], duration: float) -> None:
    """Raise `ConfigError` for the first edit that cannot be carried out on these clues."""
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
    spans = [*(rewrite.span for rewrite in edits.edit), *(added.span for added in edits.add)]
    for span in spans:
        if span is not None and span.end > duration:
            raise ConfigError(
                f"{span.start:g}-{span.end:g} s is not inside the clip, which lasts {duration:g} s"
            )


def revise(clues: Iterable[Clue], edits: Edits) -> tuple[Clue, ...]:
    """Return the clues that the person wrote, those that replace one of `clues` first."""
    known = {clue.id: clue for clue in clues}
    rewritten = (_rewritten(known[r.clue], r) for r in edits.edit if r.clue in known)
    added = (_written(a.modality, a.text, a.span, a.person, a.quality, {}) for a in edits.add)
    return (*rewritten, *added)


def brings_back(clue: Clue, struck: Sequence[Clue]) -> bool:
    """Tell whether a closer look's clue is one that a person struck out, under another id.

    That is the same tool saying the same thing about the same person at the same time.
    """
    return any(
        clue.id == other.id or retells(clue, other) or _says_the_same(clue, other)
        for other in struck
    )


def _says_the_same(one: Clue, other: Clue) -> bool:
    if (one.source.tool, one.person) != (other.source.tool, other.person):
        return False
    if one.span is not None and other.span is not None and not one.span.overlaps(other.span):
        return False
    return _wording(one) == _wording(other) or (bool(_cues(one)) and _cues(one) == _cues(other))


def _wording(clue: Clue) -> str:
    return _NUMBERS.sub("", clue.text)


def _cues(clue: Clue) -> frozenset[tuple[str, bool]]:
    (reading,) = read([clue])
    return frozenset((mention.cue, mention.negated) for mention in reading.mentions)


def _rewritten(clue: Clue, rewrite: Rewrite) -> Clue:
    """Return the person's version; the tool's numbers do not stand behind it any more."""
    return _written(
        clue.modality,
        rewrite.text or clue.text,
        rewrite.span or clue.span,
        clue.person,
        rewrite.quality,
        {REVISES: clue.id},
    )


def _written(
    modality: Modality,
    text: str,
    span: Span | None,
    person: str | None,
    quality: float | None,
    data: dict[str, str],
) -> Clue:
    score = TRUST if quality is None else quality
    return Clue(
        modality=modality,
        span=span,
        person=person,
        text=" ".join(text.split()),
        quality=Quality(score=score, factors={"told_by_a_person": 1.0}),
        source=WRITER,
        data=data,
    )
