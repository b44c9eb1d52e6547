"""What a captioner wrote, made one plain sentence: it is data, whatever it says.

What could be taken for markup, an id, an address or an order to somebody goes or is bare words
in a sentence that says who speaks.
"""

# ruff: noqa: RUF001  (the curly marks are what is replaced)
from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from emer.tools.caption.sentences import SENTENCES

LONGEST = 240
"""Characters of a caption (40 tokens are about 160; chosen by us)."""

_TAG = re.compile(r"<[^<>]{0,80}>|\[[^\[\]]{0,80}\]|\{[^{}]{0,80}\}|https?://\S+|www\.\S+")
_ID = re.compile(r"\b[tafs][0-9a-f]{8}\b")
_MARKS = re.compile(r"[*_#`~|<>\[\]{}\\]+")
_FRAMED = re.compile(
    r"^(?:(?:the|this|that)\s+)?(?:image|picture|photo(?:graph)?|frame|scene|screenshot|video|clip)s?"
    r"\s+(?:shows?|showing|depicts?|depicting|features?|captures?|portrays?|displays?|is of)\s+|"
    r"^in (?:the|this|these) (?:image|picture|photo|frame|scene|video|clip)s?\s*,?\s*"
    r"(?:we can see\s+|there is\s+)?|^(?:assistant|answer|caption|description)\s*:\s*|^of\s+",
    re.IGNORECASE,
)
_NOT_SEEN = re.compile(
    r"\b(?:can(?:not|'t| not) be (?:seen|determined|told)|not (?:visible|shown)|"
    r"(?:cannot|can't|can not|do not|don't) (?:see|tell|know|determine)|"
    r"no (?:answer|information))\b"
    r"|^\W*(?:(?:it|that|this) is )?(?:unclear|unanswerable|unknown)\b",
    re.IGNORECASE,
)
_CLAUSES = re.compile(r"[.;!?]+\s*|,?\s+but\s+")
_QUOTES = {ord(mark): '"' for mark in "“”„«»"} | {ord(mark): "'" for mark in "‘’"}


def clean(text: str, unfinished: bool = False) -> str:
    """Return the caption as words of one sentence without its full stop; "" if none are left."""
    bare = _MARKS.sub(" ", _ID.sub(" ", _TAG.sub(" ", plain(text).translate(_QUOTES))))
    bare = " ".join(bare.split())
    if bare.count('"') % 2:
        bare = bare.replace('"', "'")
    bare = _FRAMED.sub("", bare)
    if unfinished:
        bare = _whole(bare)
    sentences = [s.strip().rstrip(".!?…,;: ") for s in SENTENCES.split(bare)]
    joined = "; ".join(_lower(s) for s in sentences if s)
    return _short(joined)


def plain(text: str) -> str:
    """Return text on one line, without characters that control or are not seen."""
    seen = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    return " ".join(seen.split())


def describes(text: str, times: Sequence[float], sure: bool) -> str:
    """Return the sentence that tells a caption as what a model says of one or more frames."""
    when = [f"{time:.1f} s" for time in times]
    which = f"the frame at {when[0]}" if len(when) == 1 else f"the frames at {_listed(when)}"
    return f"A model describes {which}{'' if sure else ', unsurely'}: {text}."


def answers(question: str, text: str, start: float, end: float, sure: bool) -> str:
    """Return the sentence that tells an answer as a model's, with what it was asked."""
    asked = " ".join(question.split()).translate(_QUOTES).replace('"', "'")
    doubt = "" if sure else ", unsurely"
    return f'Asked "{asked}", a model answers for {start:.1f}-{end:.1f} s{doubt}: {text}.'


def is_not_seen(text: str) -> bool:
    """Tell whether an answer is, in each of its clauses, that the pictures do not show it."""
    clauses = [clause for clause in _CLAUSES.split(text) if clause.strip()]
    return bool(clauses) and all(_NOT_SEEN.search(clause) for clause in clauses)


def _whole(text: str) -> str:
    """Return text that was cut off up to its last whole sentence, or its last whole word."""
    done = list(SENTENCES.split(text))
    if len(done) > 1:
        return " ".join(done[:-1])
    return f"{text.rsplit(' ', 1)[0]} …" if " " in text else text


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0].rstrip(",;: ")


def _lower(sentence: str) -> str:
    """Return the sentence with a small first letter, unless its first word is "I" or a name's."""
    first = sentence.split(" ", 1)[0]
    if first[1:] != first[1:].lower() or first.partition("'")[0] == "I":
        return sentence
    return sentence[0].lower() + sentence[1:]


def _listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]])
