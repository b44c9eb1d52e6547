"""Clue sentences inside longer ones; explanations and stop reasons as plain text."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from emer.agents.lexicon.cue_parser import is_doubtful, transcript
from emer.agents.types import LONGEST_SENTENCE, DeclineReason, Explanation, StopReason
from emer.prompts.prompt import load
from emer.tools.text import listed
from emer.tools.types import Clue

MAX_QUOTE = 160
"""Characters of a transcript that a sentence quotes (chosen by us)."""

_OPENING = re.compile(
    r"^(?:in the (?:video|audio|text|clip)\s*,\s*|在(?:视频|音频|文本)中[，,]?\s*)", re.I
)
_NUMBERS = re.compile(r"(?<!\s)\s*\((?!on the |at the |left|right)[^()]*\)")
_LIMIT = re.compile(r",?(?<!\s)\s*measured against an average face[^,;.]*")
_LOWERED = re.compile(
    r"^(?:The|A|An|This|His|Her|Their|Its|One|Both|He|She|They|It|There|At|From|No|Near)\b"
)
_SUBJECT = re.compile(
    r"^(the (?:person|voice|pitch|speech|speaker)|person \d+(?: \([^)]*\))?) ", re.I
)
_PUNCTUATED = re.compile(r"[,;，；。]|\.\s")
_TRANSLATED = re.compile(r"^Translated from ([\w ]+) into English")
_SPACE_BEFORE = re.compile(r"(?<!\s)\s+([,;.])")


def phrase(clue: Clue) -> str:
    """The clue's sentence without its full stop and its numbers, ready to join."""
    text = _OPENING.sub("", " ".join(clue.text.split()))
    bare = _SPACE_BEFORE.sub(r"\1", _NUMBERS.sub("", text)).strip().rstrip(".。;；,，!").strip()
    bare = bare or text
    return bare[0].lower() + bare[1:] if _LOWERED.match(bare) else bare


def join(clues: Sequence[Clue], hedged: bool = False) -> str:
    """The clues as one enumeration, without repeated subjects and hedges.

    `hedged` if the sentence before stated the limit of the measurement.
    """
    parts: list[str] = []
    for clue in clues:
        part = phrase(clue)
        if hedged or any(_LIMIT.search(p) for p in parts):
            part = _LIMIT.sub("", part) or part
        parts.append(part)
    if any(map(_PUNCTUATED.search, parts)):
        return "; ".join(parts)
    return listed(list(_shared_subject(parts)))


def _shared_subject(parts: Sequence[str]) -> Iterator[str]:
    """The parts, leaving out a subject that is also that of the part before."""
    subject = None
    for part in parts:
        match = _SUBJECT.match(part)
        repeated = match is not None and subject == match.group(1).casefold()
        subject = match.group(1).casefold() if match else None
        yield part[match.end() :] if repeated and match else part


def wordings(clue: Clue) -> tuple[str, ...]:
    """How a whole clue may stand in a sentence, as `join` and `quote` write it."""
    whole = " ".join(clue.text.split()).rstrip(".。;；,，!").strip()
    part = phrase(clue)
    forms = [whole, part, _LIMIT.sub("", part), sentence_of(clue).rstrip(".")]
    for form in tuple(forms):
        subject = _SUBJECT.match(form)
        if subject is not None:
            bare = form[subject.end() :]
            names = () if subject.group(1)[0] in "pP" else ("she", "he", "the person")
            forms += [bare, *(f"{name} {bare}" for name in names)]
    return tuple(dict.fromkeys(form for form in forms if form))


def sentence_of(clue: Clue, language: str = "en") -> str:
    """The clue in its own words, as one sentence of an explanation."""
    text = " ".join(clue.text.split())
    if len(text) >= LONGEST_SENTENCE:
        text = quote(clue) if clue.modality == "text" else text[: LONGEST_SENTENCE - 1]
    return text if text[-1] in ".!?。！？" else text + ("。" if language == "zh" else ".")


def has_hedge(clue: Clue) -> bool:
    """True if the clue states the limit of its measurement."""
    return _LIMIT.search(clue.text) is not None


def quote(clue: Clue) -> str:
    """The words of a text clue in a sentence that names their source."""
    words = transcript(clue).strip().replace('"', "'").replace("“", "'").replace("”", "'")
    if len(words) > MAX_QUOTE:
        words = words[:MAX_QUOTE].rsplit(" ", 1)[0]
    if is_doubtful(clue):
        kind = "doubtful"
    elif source := _TRANSLATED.search(clue.text):
        return load("rules/text_translated").substitute(words=words, language=source[1])
    else:
        kind = "subtitle" if "subtitle" in clue.text.casefold()[:40] else "speech"
    return load(f"rules/text_{kind}").substitute(words=words)


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
    """Plain text: the sentences by block, the labels, other readings, what is missing."""
    if explanation.declined is not None:
        return refusal_text(explanation.declined)
    blocks = [
        " ".join(f"{s.text} {cite(s.clue_ids)}" for s in sentences)
        for sentences in explanation.by_modality.values()
    ]
    labels = "; ".join(f"{x.name} ({x.band}) {cite(x.clue_ids)}" for x in explanation.labels)
    rest = [
        f"Other reading: {a.label}. {a.would_change} {cite(a.clue_ids)}".rstrip()
        for a in explanation.alternatives
    ]
    rest += [f"Not observed ({m.modality}): {m.why}" for m in explanation.missing]
    labels = labels or "none; what was observed does not carry a reading."
    return "\n\n".join(part for part in (*blocks, f"Labels: {labels}", "\n".join(rest)) if part)


def refusal_text(reason: DeclineReason) -> str:
    """Why a question is not answered, and what could be asked instead."""
    return load(f"declined/{reason}").text


def cite(clue_ids: tuple[str, ...]) -> str:
    """Clue ids as they stand behind a sentence: "[f1a2b3c4d, a0b1c2d3e]"."""
    return f"[{', '.join(clue_ids)}]" if clue_ids else ""
