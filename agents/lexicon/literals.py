"""Literals without which a pattern cannot match: most patterns need not be tried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

_OPTIONAL = ("?", "*", "{0")
_SHORTEST = 2
"""Characters of a literal that tells enough; one is enough in Chinese."""


def may_match(pattern: re.Pattern[str], text: str) -> bool:
    """False if a text lacks all literals of which each match has one."""
    needed = literals(pattern.pattern)
    return not needed or any(literal in text for literal in needed)


@lru_cache(maxsize=4096)
def literals(pattern: str) -> tuple[str, ...]:
    """Literals of which each match of a pattern has at least one; empty if unknown."""
    found: list[str] = []
    for choice in _choices(pattern):
        own = _of_choice(choice)
        if not own:
            return ()
        found += own
    return tuple(dict.fromkeys(found))


def _choices(pattern: str) -> Iterator[str]:
    """The parts of a pattern between bars outside of groups."""
    start = 0
    for at, token in _tokens(pattern):
        if token == "|":
            yield pattern[start:at]
            start = at + 1
    yield pattern[start:]


def _tokens(pattern: str) -> Iterator[tuple[int, str]]:
    """Characters, escapes, classes, groups and repetitions, each with its place."""
    at = 0
    while at < len(pattern):
        end = _token_end(pattern, at)
        yield at, pattern[at:end]
        at = end


def _token_end(pattern: str, at: int) -> int:
    first = pattern[at]
    if first == "\\":
        return at + 2
    if first == "[":
        return pattern.index("]", at + 2) + 1
    if first == "{":
        return pattern.index("}", at) + 1
    if first != "(":
        return at + 1
    end = at + 1
    while pattern[end] != ")":
        end = _token_end(pattern, end)
    return end + 1


def _of_choice(choice: str) -> tuple[str, ...]:
    """The literals of a part without bars: its longest run, else those of a group."""
    runs, groups, run = [], [], ""
    tokens = [token for _, token in _tokens(choice)]
    for token, after in zip(tokens, [*tokens[1:], ""], strict=True):
        is_optional = after.startswith(_OPTIONAL)
        plain = token[1] if len(token) == 2 and token[0] == "\\" else token
        is_literal = len(plain) == 1 and (
            (token[0] == "\\" and not plain.isalnum())
            or (token[0] != "\\" and plain not in ".^$?*+")
        )
        if is_literal and not is_optional:
            run += plain
            continue
        runs.append(run)
        run = ""
        if token.startswith("(?:") and not is_optional:
            groups.append(token[3:-1])
    best = max([*runs, run], key=len)
    if len(best) >= _SHORTEST or (best and not best.isascii()):
        return (best,)
    inner = [found for group in groups if (found := literals(group))]
    return min(inner, key=len, default=())
