"""Clues joined and quoted.

A clue's sentence as part of a longer one: trimmed, joined and quoted.

An explanation as plain text, in reading order, with the ids of its clues.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from emer.agents.lexicon.cue_parser import is_doubtful, transcript
from emer.agents.questions.declined import DeclineReason
from emer.agents.types import Explanation, StopReason
from emer.prompts.prompt import load
from emer.tools.types import Clue

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)


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


STOP_REASONS: Mapping[StopReason, str] = {
    "sure": "the leading reading was sure enough",
    "nothing_to_ask": "nothing that could be asked would change the answer",
    "no_new_clues": "looking closer brought nothing new",
    "rounds_spent": "the rounds it may take were spent",
    "tool_calls_spent": "the tool calls it may make were spent",
    "seconds_spent": "the time it may take was spent",
    "tokens_spent": "the tokens a model may use were spent",
    "money_spent": "the money a model may cost was spent",
    "budget": "the budget was spent",
    "no_evidence": "there was nothing to go by",
    "agreed": "everything that is seen, heard and said agrees",
    "not_shown": "nobody is there whom the question could mean",
    "paused": "it waits for a review",
    "declined": "no clip could answer the question",
}
"""Why a run stopped, in words."""


def render(explanation: Explanation) -> str:
    """Return the sentences block by block, then labels, other readings and what is missing."""
    if explanation.declined is not None:
        return refusal_text(explanation.declined)
    blocks = [
        " ".join(f"{s.text} {cite(s.clue_ids)}" for s in sentences)
        for sentences in explanation.by_modality.values()
    ]
    return "\n\n".join(part for part in (*blocks, _labels(explanation), _rest(explanation)) if part)


def refusal_text(declined: DeclineReason) -> str:
    """Return why a question is not answered, and what could be asked instead."""
    return load(f"declined/{declined}").text


def cite(clue_ids: tuple[str, ...]) -> str:
    """Return clue ids as they stand behind a sentence: "[f1a2b3c4d, a0b1c2d3e]"."""
    return f"[{', '.join(clue_ids)}]" if clue_ids else ""


def _labels(explanation: Explanation) -> str:
    if not explanation.labels:
        return "Labels: none; what was observed does not carry a reading."
    named = (f"{label.name} ({label.band}) {cite(label.clue_ids)}" for label in explanation.labels)
    return "Labels: " + "; ".join(named)


def _rest(explanation: Explanation) -> str:
    other = [
        f"Other reading: {a.label}. {a.would_change} {cite(a.clue_ids)}".rstrip()
        for a in explanation.alternatives
    ]
    missing = [f"Not observed ({m.modality}): {m.why}" for m in explanation.missing]
    return "\n".join((*other, *missing))
