"""Clues, cues, people and reasons in words (English, Chinese)."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from emer.agents.lexicon.cue_parser import Mention, is_doubtful, read, transcript
from emer.agents.lexicon.lexicon import lexicon
from emer.agents.questions.person_focus import person_of, place_of
from emer.agents.same_words import is_heard, is_written
from emer.agents.types import LONGEST_SENTENCE, Alternative, DeclineReason, StopReason
from emer.prompts.prompt import Language, has_term, load, term
from emer.tools.cues import cue_names
from emer.tools.text import listed, when
from emer.tools.types import Clue, Span

MAX_QUOTE = 600
"""Characters of a transcript that a sentence quotes (chosen by us)."""

_OPENING = re.compile(
    r"^(?:in the (?:video|audio|text|clip)\s*,\s*|在(?:视频|音频|文本)中[，,]?\s*)", re.I
)
_NUMBERS = re.compile(r"(?<!\s)\s*\((?!on the |at the |left|right)[^()]*\)")
_LIMIT = re.compile(r",?(?<!\s)\s*measured against an average face[^,;.]*")
_LOWERED = re.compile(
    r"^(?:(?:Person|Voice)(?= \d)|Someone|The|A|An|This|His|Her|Their|Its|One|Both|He|She|They|It"
    r"|There|At|From|No|Near)\b"
)
_SUBJECT = re.compile(
    r"^(someone|the (?:person|voice|pitch|speech|speaker)|(?:person|voice) \d+(?: \([^)]*\))?) ",
    re.I,
)
_PUNCTUATED = re.compile(r"[,;，；。]|\.\s|\band\b")
_TRANSLATED = re.compile(r"^Translated from ([\w ]+) into English")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_SLIGHT, _STRONG = 0.7, 1.15
"""Strength of a cue up to which it is slight, and from which it is strong."""
_SPACE_BEFORE = re.compile(r"(?<!\s)\s+([,;.])")


def sentence_of(clue: Clue, language: Language) -> str:
    """A clue in its own words, as a sentence of a language.

    In English the clue's own sentence; in Chinese made from its cues, degrees and times; a
    clue without cues is quoted as it is.
    """
    if language == "zh":
        return phrase(clue, language).rstrip("。") + "。"
    text = " ".join(clue.text.split())
    if len(text) >= LONGEST_SENTENCE:
        text = quote(clue) if clue.modality == "text" else text[: LONGEST_SENTENCE - 1]
    return text if text[-1] in ".!?。！？" else f"{text}."


def phrase(clue: Clue, language: Language = "en") -> str:
    """The clue's sentence without its full stop and its numbers, ready to join."""
    ours = clue.modality == "text" and clue.text[0].isascii()  # Chinese words, an English frame
    if language == "zh" and (ours or not _CHINESE.search(clue.text)):
        return _chinese_phrase(clue)
    text = _OPENING.sub("", " ".join(clue.text.split()))
    bare = _SPACE_BEFORE.sub(r"\1", _NUMBERS.sub("", text)).strip().rstrip(".。;；,，!").strip()
    bare = bare or text
    return bare[0].lower() + bare[1:] if _LOWERED.match(bare) else bare


def _chinese_phrase(clue: Clue) -> str:
    if clue.modality == "text":
        return quote(clue, "zh").rstrip("。")
    mentions = read([clue])[0].mentions
    exact = {_group(m): m for m in sorted(mentions, key=lambda m: len(m.cue))}
    named = list(dict.fromkeys(_chinese_cue(m) for m in mentions if exact[_group(m)] is m))
    if not named:
        return f"“{clue.text.strip()}”"
    who = _chinese_name(clue)
    at = seconds(clue.span, "zh") if clue.span else ""
    return f"{who}{'在' if who and at else ''}{at}{'、'.join(named)}"


def _chinese_name(clue: Clue) -> str:
    name = person_of(clue)
    return person_name(name, place_of(clue), "zh") if name else ""


def _group(mention: Mention) -> tuple[str, bool]:
    cue = lexicon().cues.get(mention.cue)
    return cue.group if cue else mention.cue, mention.negated


def _chinese_cue(mention: Mention) -> str:
    name = cue_name(mention.cue, "zh")
    if mention.negated:
        return f"{term('not', 'zh')}{name}"
    if mention.strength <= _SLIGHT:
        return f"{name}（{term('slightly', 'zh')}）"
    return f"{name}（{term('strongly', 'zh')}）" if mention.strength >= _STRONG else name


def cue_name(key: str, language: Language) -> str:
    """Name of a cue, or of a combination of cues, in a sentence."""
    if language == "en":
        return lexicon().phrase_of(key)
    if key in cue_names():
        return cue_names()[key].chinese
    members = next((combo.members for combo in lexicon().combos if combo.key == key), ())
    return "并".join(cue_names()[member].chinese for member in members)


def label_name(name: str, language: Language) -> str:
    """A label in a language; a word that the lexicon lacks stays as it is."""
    if language == "en":
        return name
    known = (label.words_zh for label in lexicon().labels if label.name == name)
    return next(known, (name,))[0]


def person_name(name: str, place: str | None, language: Language) -> str:
    """A person by name and place: "person 2 (on the right)"."""
    if language == "zh":
        name = re.sub(r"^(person|voice) (\d+)$", lambda m: term(m[1], "zh") + m[2], name)
        name = re.sub(r"^the person (?=\w)", "", name)
        name = f"{term(name, 'zh')}的人" if has_term(name) else name
        where = term(place, "zh") if place and has_term(place) else place
        return f"{name}（{where}）" if where and where not in name else name
    return f"{name} ({place})" if place and place not in name else name


def seconds(span: Span, language: Language) -> str:
    """A span in words: "2.1-2.8 s"."""
    return when(span.start, span.end).removesuffix(" s") + term("s", language).rstrip()


def times(words: str, span: Span, language: Language) -> str:
    """Words with their time: "a smile at 2.1-2.8 s"."""
    return (
        f"{words} at {seconds(span, language)}"
        if language == "en"
        else f"{seconds(span, 'zh')}{words}"
    )


def listing(items: Sequence[str], language: Language) -> str:
    """A list in words: "a, b and c"."""
    return listed(list(items)) if language == "en" else "、".join(items)


def alternatives_of(items: Sequence[str], language: Language) -> str:
    """A choice in words: "a or b"."""
    return " or ".join(items) if language == "en" else "或".join(items)


def join(clues: Sequence[Clue], language: Language = "en", hedged: bool = False) -> str:
    """The clues as one enumeration, without repeated subjects and hedges.

    `hedged` if the sentence before stated the limit of the measurement.
    """
    parts: list[str] = []
    for clue in clues:
        part = phrase(clue, language)
        if hedged or any(_LIMIT.search(p) for p in parts):
            part = _LIMIT.sub("", part) or part
        parts.append(part)
    if language == "zh":
        names = [n for n in (_chinese_name(clue) for clue in clues) if n]
        same = names[0] if len(names) == len(parts) and len({*names}) == 1 else ""
        return "，".join([parts[0], *(part.removeprefix(same) for part in parts[1:])])
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
    forms = [whole, part, _LIMIT.sub("", part), sentence_of(clue, "en").rstrip(".")]
    forms += [phrase(clue, "zh"), sentence_of(clue, "zh").rstrip("。")]
    for form in tuple(forms):
        subject = _SUBJECT.match(form)
        if subject is not None:
            bare = form[subject.end() :]
            names = () if subject.group(1)[0] in "pP" else ("she", "he", "the person")
            forms += [bare, *(f"{name} {bare}" for name in names)]
    return tuple(dict.fromkeys(form for form in forms if form))


def has_hedge(clue: Clue) -> bool:
    """True if the clue states the limit of its measurement."""
    return _LIMIT.search(clue.text) is not None


def quote(clue: Clue, language: Language = "en") -> str:
    """The words of a text clue in a sentence that names their source."""
    words = quoted(clue)
    if is_doubtful(clue):
        kind = "doubtful"
    elif source := _TRANSLATED.search(clue.text):
        prompt = load(f"rules/{language}/text_translated")
        return prompt.substitute(words=words, language=source[1])
    elif is_written(clue):
        kind = "subtitle_heard" if is_heard(clue) else "subtitle"
    else:
        kind = "speech"
    return load(f"rules/{language}/text_{kind}").substitute(words=words)


def quote_pair(originals: Sequence[Clue], translation: Clue, language: Language = "en") -> str:
    """Words of a speaker beside their translation, hedged where either is in doubt."""
    kind = "text_pair_subtitle" if any(map(is_written, originals)) else "text_pair"
    if any(map(is_doubtful, originals)):
        kind = "text_doubtful_pair"
    elif is_doubtful(translation):
        kind += "_doubtful"
    between = "”、“" if language == "zh" else '", "'
    words = between.join(map(quoted, originals))
    return load(f"rules/{language}/{kind}").substitute(words=words, translated=quoted(translation))


def is_translation(clue: Clue) -> bool:
    """True for words that were translated."""
    return "translated" in clue.text.casefold()[:60] or "translated_from" in clue.data


def quoted(clue: Clue) -> str:
    """The words of a text clue, whole up to `MAX_QUOTE` characters."""
    words = transcript(clue).strip().replace('"', "'").replace("“", "'").replace("”", "'")
    if len(words) > MAX_QUOTE:
        cut = words[:MAX_QUOTE]
        return (cut if _CHINESE.search(cut) else cut.rsplit(" ", 1)[0]) + " ..."
    return words


STOP_REASONS: Mapping[StopReason, str] = {
    reason: term(f"stop_{reason}", "en") for reason in get_args(StopReason)
}
"""Why a run stopped, in words."""


def stop_text(reason: StopReason, language: Language) -> str:
    """Why a run stopped, in words of a language."""
    return term(f"stop_{reason}", language)


def alternative_text(other: Alternative, language: Language) -> str:
    """Another reading: "Also possible: amused; laughter would support it."."""
    prompt = load(f"rules/{language}/or_else")
    return prompt.substitute(label=other.label, would_change=other.would_change)


def refusal_text(reason: DeclineReason, language: Language = "en") -> str:
    """Why a question is not answered, and what could be asked instead."""
    return load(f"declined/{language}/{reason}").text
