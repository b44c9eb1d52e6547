"""Sentences of a caption, one by one, and whether what is left of one may stand for itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from emer.tools.caption.grammar import LITTLE, does

_OPEN = """
a an the and or but nor is are was were be been being am to of with by for from at as than while
when where which who whose that because his my your their its if so not very more no has have had
do does did will would can could may might must should appear appears seem seems look looks looking
feel feels feeling he she they i
"""
OPEN = frozenset(_OPEN.split())
"""Words that no whole sentence ends with."""
_SHORT = """
a an the his her their its my your this these with of in by at from two three both each
"""
BEFORE_NOUNS = frozenset(_SHORT.split())
"""Words behind which stands no verb."""
_PEOPLE = "man men woman women boy girl child person people couple he she they who it"
PEOPLE = frozenset(_PEOPLE.split())
_JOIN = ", and or but while as when where like that than because"
JOINTS = frozenset(_JOIN.split())
"""What joins a clause to another."""
_BE = ("is", "are", "was", "were", "has", "have")
_NEGATED = re.compile(
    r"n't\b|\b(?:not|no|never|without|neither|nor|none|nobody|nothing|nowhere|cannot|lack\w*|hardly|"
    r"barely|rarely|scarcely|unlikely|free|instead|rather|fail\w*|refus\w*|few|(?<!as )if|"
    r"unless|whether)\b",
    re.IGNORECASE,
)
SENTENCES = re.compile(
    r"(?<=[.!?])(?<!\bDr\.)(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bSt\.)(?<!\b[A-Z]\.)\s+"
)
"""What stands between sentences; "Dr. House" is in one."""
_ENDS = re.compile(rf"{SENTENCES.pattern}|(?<=;)\s+|\s*\n\s*")
_PRONOUN = re.compile(r"\W*(?:he|she|they|it|his|her|their|its|him|them)\b", re.IGNORECASE)


def sentence_wise(text: str, change: Callable[[str], str]) -> str:
    """Return the text with each sentence changed, or dropped where nothing is left of it.

    Behind a dropped sentence, one that begins with a pronoun could be read of somebody else told
    of before: it is dropped with it.
    """
    left: list[str] = []
    gone = False
    for sentence in filter(None, _ENDS.split(text)):
        told = "" if gone and left and _PRONOUN.match(sentence) else change(sentence)
        gone = not told
        left += [told] if told else []
    return " ".join(left)


def is_negated(text: str) -> bool:
    """Tell whether a sentence denies or supposes; a part may claim what the whole does not."""
    return bool(_NEGATED.search(text))


def is_open(text: str) -> bool:
    """Tell whether what is left of a sentence breaks off, or is no more than its subject."""
    words = re.findall(r"[\w'-]+", text.casefold())
    return len(words) < 2 or words[-1] in OPEN or (len(words) == 2 and words[0] in BEFORE_NOUNS)


def is_whole(text: str) -> bool:
    """Tell whether what is left of a sentence has a verb besides its subject, to the last clause.

    Without that, "a man hits a ball and a woman [thinks of home]" would be read of whom he hits.
    """
    words = re.findall(r"[\w'-]+|,", text.casefold())
    joints = [place for place, word in enumerate(words) if word in JOINTS]
    last = words[joints[-1] :] if joints else []
    return not is_open(text) and _has_verb(words) and (not last or _goes_on(last))


def _has_verb(words: Sequence[str]) -> bool:
    return any(
        does(word)
        or word in _BE
        or (before in PEOPLE and word not in LITTLE and word.endswith(("s", "ed", "ing")))
        for before, word in pairwise(words)
        if before not in BEFORE_NOUNS and not before.endswith("'s")
    )


def _goes_on(clause: Sequence[str]) -> bool:
    """Tell whether a clause behind a joint has a verb of its own, next to its subject."""
    if list(clause[:2]) == [",", "with"] and len(clause) > 4:
        return True
    return _has_verb(clause[2:4] if clause[1] in BEFORE_NOUNS else clause)
