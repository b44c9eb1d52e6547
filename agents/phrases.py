"""A clue's sentence as part of a longer one: trimmed, joined and quoted."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from emer.agents.cues import is_doubtful, transcript
from emer.prompts.prompt import load
from emer.tools.types import Clue

LONGEST_QUOTE = 160
"""Characters of a transcript that a sentence quotes at most (chosen by us)."""

_OPENING = re.compile(
    r"^(?:in the (?:video|audio|text|clip)\s*,\s*|在(?:视频|音频|文本)中[，,]?\s*)", re.I
)
_NUMBERS = re.compile(r"\s*\((?!on the |at the |left|right)[^()]*\)")
_LIMIT = re.compile(r",?\s*measured against an average face[^,;.]*")
_LOWERED = re.compile(
    r"^(?:The|A|An|This|His|Her|Their|Its|One|Both|He|She|They|It|There|At|From|No|Near)\b"
)
_SUBJECT = re.compile(
    r"^(the (?:person|voice|pitch|speech|speaker)|person \d+(?: \([^)]*\))?) ", re.I
)
_PUNCTUATED = re.compile(r"[,;，；。]|\.\s")
_TRANSLATED = re.compile(r"^Translated from ([\w ]+) into English")
_SPACE_BEFORE = re.compile(r"\s+([,;.])")


def phrase(clue: Clue) -> str:
    """Return the clue's sentence without its full stop and its numbers, ready to join."""
    text = _OPENING.sub("", " ".join(clue.text.split()))
    bare = _SPACE_BEFORE.sub(r"\1", _NUMBERS.sub("", text)).strip().rstrip(".。;；,，!").strip()
    kept = bare or text
    if _LOWERED.match(kept):
        kept = kept[0].lower() + kept[1:]
    return kept


def join(clues: Sequence[Clue], hedge_said: bool = False) -> str:
    """Return the clues as one enumeration; a repeated subject and a repeated hedge go."""
    parts: list[str] = []
    for clue in clues:
        part = phrase(clue)
        if hedge_said or any(_LIMIT.search(p) for p in parts):
            part = _LIMIT.sub("", part) or part
        parts.append(part)
    if any(map(_PUNCTUATED.search, parts)):
        return "; ".join(parts)
    return listed(_shared_subject(parts))


def _shared_subject(parts: Sequence[str]) -> Iterator[str]:
    """Yield the parts, leaving out a subject that the part before already named."""
    subject = None
    for part in parts:
        found = _SUBJECT.match(part)
        again = found is not None and subject == found.group(1).casefold()
        subject = found.group(1).casefold() if found else None
        yield part[found.end() :] if again and found else part


def has_hedge(clue: Clue) -> bool:
    """Tell whether the clue states the limit of its measurement."""
    return _LIMIT.search(clue.text) is not None


def quote(clue: Clue) -> str:
    """Return the words of a text clue inside the sentence that its wording calls for."""
    words = transcript(clue).strip().replace('"', "'").replace("“", "'").replace("”", "'")
    if len(words) > LONGEST_QUOTE:
        words = words[:LONGEST_QUOTE].rsplit(" ", 1)[0]
    if is_doubtful(clue):
        kind = "doubtful"
    elif source := _TRANSLATED.search(clue.text):
        return load("rules/text_translated").substitute(words=words, language=source[1])
    elif "subtitle" in clue.text.casefold()[:40]:
        kind = "subtitle"
    else:
        kind = "speech"
    return load(f"rules/text_{kind}").substitute(words=words)


def listed(parts: Iterable[str]) -> str:
    """Return "a", "a and b" or "a, b and c"."""
    found = list(parts)
    return " and ".join([", ".join(found[:-1]), found[-1]]) if len(found) > 1 else "".join(found)
