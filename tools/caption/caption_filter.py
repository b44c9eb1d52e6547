"""Caption filter: what of a model's text about a picture may become evidence.

The fields of a `FrameDescription` are filtered one by one, any other text as it is:

- Refusals, orders (text in the picture may hold some), repetition and guesses reject all of it.
- A capitalised name becomes "(name)": no one is identified here. To drop its sentence would lose
  the smile that it tells of; "a person" would be false of a brand or a place.
- A feeling stays as an appearance only: "sad" becomes "sad-looking", and a noun becomes "(feeling)"
  unless the text says "a look of sorrow".

Names and feelings are found in English alone, by the lists of words.toml. The patterns are ours and
coarse: what they miss is still a model's description, which weighs half (`DESCRIBED` in
`agents/lexicon/cue_parser.py`).
"""

# ruff: noqa: RUF001  (the typographic quotes are what is replaced)
from __future__ import annotations

import math
import re
import tomllib
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from emer.tools.caption.description import LABELS, Caption, parse_description
from emer.tools.types import Quality

LONGEST, LONGEST_FIELD = 240, 80
"""Characters of a plain caption and of a field (40 tokens are about 160; ours)."""
DOUBTFUL, GUESS = -1.1, -2.3
"""Mean log-probabilities below which a caption is uncertain, and rejected.

Chosen by us. A caption that is right word for word is rarely less probable than one token in
three; text of a model that sees nothing in the picture is near chance."""
REPEATS: Final = 2.4
"""Compression ratio of repetitive text (as for speech, Radford et al. 2022)."""
MOST_CERTAIN, MOST_UNCERTAIN, UNMEASURED = 0.9, 0.2, 0.5
"""Largest score of a certain and an uncertain caption, and of one without either."""
NAME, FEELING = "(name)", "(feeling)"
NAMES_ONLY = "it gives names, and nobody is identified here"
NOTHING_SEEN = "it describes nothing that can be seen"

_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.IGNORECASE | re.DOTALL)
_LIST_MARK = re.compile(r"^[ \t]*(?:\d+[.)]|[-*•])[ \t]+", re.MULTILINE)
_REFUSAL = re.compile(
    r"\b(?:i'm|i am|we're|we are) (?:sorry|afraid|unable|not able)\b"
    r"|\bi (?:can't|cannot|can not|couldn't|could not|won't|will not|must not) "
    r"(?:help|assist|identify|provide|describe|comply|comment|view|process|analy[sz]e)\b"
    r"|\b(?:can't|cannot|unable to|don't|do not) see (?:any|an|the) (?:image|picture|photo)\b"
    r"|\b(?:no|any) (?:image|picture|photo)s? (?:\w+ ){0,3}(?:attached|provided|uploaded|shared)\b"
    r"|\b(?:provide|share|upload|attach|send) (?:me )?(?:an?|the) (?:image|picture|photo)\b"
    r"|\b(?:don't|do not|not) feel comfortable\b|\bnot comfortable (?:with )?\w+ing\b"
    r"|\bas an? (?:ai|artificial|language|text)\b|\b(?:ai|language) (?:model|assistant)\b"
    r"|(?:抱歉|对不起).{0,80}(?:无法|不能)|作为.{0,6}(?:AI|人工智能|语言模型)",
    re.IGNORECASE,
)
_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}"
    r"\b(?:instructions?|prompts?|rules?|messages?)\b"
    r"|\b(?:system|developer) (?:prompt|message)\b|\bnew instructions?\b"
    r"|\byou (?:must|should|shall|are now|will now)\b"
    r"|(?:^|[.!?:;]\s+)(?:answer|respond|reply|output|print|return)\s+(?:only|with)\b"
    r"|(?:忽略|无视).{0,12}(?:指令|提示|规则)",
    re.IGNORECASE,
)
_NOT_SEEN = re.compile(
    r"\b(?:can(?:not|'t| not) be (?:seen|determined|told)|not (?:visible|shown)|"
    r"(?:cannot|can't|can not|do not|don't) (?:see|tell|know|determine)|"
    r"no (?:answer|information))\b"
    r"|^\W*(?:(?:it|that|this) is )?(?:unclear|unanswerable|unknown)\b"
    r"|^\W*(?:none|nothing|n/a|not applicable)\W*$",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[.;!?]+\s*|,?(?<!\s)\s+but\s+")
_SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\bDr\.)(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bSt\.)(?<!\b[A-Z]\.)\s+"
)
_MARKUP = re.compile(
    r"<[^<>]{0,80}>|\[[^\[\]]{0,80}\]|\{[^{}]{0,80}\}|https?://\S+|www\.\S+"
    r"|\b[tafs][0-9a-f]{8}\b|[*_#`~|<>\[\]{}\\]+"
)
_LEAD = re.compile(
    r"^(?:(?:the|this|that)\s+)?(?:image|picture|photo(?:graph)?|frame|scene|screenshot|video|clip)s?"
    r"\s+(?:shows?|showing|depicts?|depicting|features?|captures?|portrays?|displays?|is of)\s+|"
    r"^in (?:the|this|these) (?:image|picture|photo|frame|scene|video|clip)s?\s*,?\s*"
    r"(?:we can see\s+|there is\s+)?|^(?:assistant|answer|caption|description)\s*:\s*|^of\s+"
    r"|^\W*(?:sure|certainly|of course|okay|ok)[,;:.!]+\s*(?:here(?:'s| is| are) [^:]{0,60}:\s*)?"
    r"|^\W*here(?:'s| is| are) [^:]{0,60}:\s*",
    re.IGNORECASE,
)
_QUOTES = {ord(mark): '"' for mark in "“”„«»"} | {ord(mark): "'" for mark in "‘’"}
_QUOTED = re.compile(r'("[^"]*")')
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_TITLED = re.compile(
    r"(?<=\bnamed )\w[\w-]*|\b(?:(?:(?:Dr|Mr|Mrs|Ms)\.?|[A-Z]\.)\s+){1,4}[A-Z][\w-]*"
)
_RUN = re.compile(rf"{re.escape(NAME)}(?: (?:(?:van|von|de|bin|al|of) )?{re.escape(NAME)})+")
_ONLY_FEELING = re.compile(rf"(?:\w+:? )?{re.escape(FEELING)}")
_PARTITIVE = re.compile(r"(?:composed|content)(?= of\b)")
_APPEARS = re.compile(
    r"\b(?:look|looks|looking|looked|appear|appears|appearing|seem|seems|seeming|like|"
    r"expression of|as if)\b"
    r"(?!\s+(?:at|away|down|up|to(?! be)|towards?|into|out|over|back|around|for)\b)"
    r"[\w\s]{0,20}$"
)
_FEELS = re.compile(
    r"\b(?:feels|feel|felt|feeling)\b"
    r"(?=\s+(?:(?:very|so|quite|rather|a|bit|little|too|\w+ly)\s+){0,3}([\w-]+))"
)


@dataclass(frozen=True, slots=True)
class FilteredCaption:
    """A caption that may become evidence."""

    text: str
    """One sentence without its full stop; names and feelings replaced."""
    certain: bool
    quality: Quality
    original: str
    """The model's own words, without names."""
    feelings: tuple[str, ...]
    """Words of feeling in it: the model's inference."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why nothing of a caption may become evidence."""

    reason: str


def filter_caption(caption: Caption, sharpness: float) -> FilteredCaption | Rejection:
    """What of a caption may become evidence; the picture's sharpness is 0-1."""
    text = _LIST_MARK.sub("", _THINKING.sub(" ", plain(caption.text, "\n"))).translate(_QUOTES)
    fields = parse_description(text)
    if fields is None and text.lstrip("`json \n").startswith("{"):
        return Rejection("its JSON is not the description that was asked for")
    parts = {"": text} if fields is None else fields
    body = ". ".join(parts.values())
    if fields is not None and not body:
        return Rejection(NOTHING_SEEN)
    logprob = caption.logprob
    if fields is not None and logprob is not None:
        logprob /= max(0.5, len(body) / len(text))  # JSON's own tokens are near certain
    if reason := _reason_against(body, logprob):
        return Rejection(reason)
    english = is_english(body)
    if english:
        parts = {name: _outside_quotes(part, redacted) for name, part in parts.items()}
    if fields is None:
        original = clean(parts[""], caption.truncated)
    else:
        phrases = {name: _phrase(part) for name, part in parts.items()}
        original = "; ".join(f"{LABELS.get(n, '')}{part}" for n, part in phrases.items() if part)
    if not original:
        named = any(NAME in part for part in parts.values())
        return Rejection(NAMES_ONLY if named else NOTHING_SEEN)
    feelings: list[str] = []
    shown = as_looks(original, feelings) if english else original
    shown = "; ".join(part for part in shown.split("; ") if not _ONLY_FEELING.fullmatch(part))
    if not shown:
        return Rejection(NOTHING_SEEN)
    quality = _quality(logprob, sharpness)
    certain = logprob is None or logprob >= DOUBTFUL
    return FilteredCaption(shown, certain, quality, original, tuple(dict.fromkeys(feelings)))


def _reason_against(text: str, logprob: float | None) -> str:
    words = [word.casefold() for word in re.findall(r"\w+", text)]
    # As written, and as `clean` will join it: a line break or markup must not hide an order.
    joined = " ".join(_MARKUP.sub(" ", plain(text)).split())
    forms = [form.translate(_QUOTES) for form in (text, joined)]
    if not any(word.isalpha() for word in words):
        return "it wrote no words"
    if is_repetitive(words):
        return "its words go in circles"
    if logprob is not None and logprob < GUESS:
        return f"it guesses (mean log-probability {logprob:.1f})"
    if any(map(_REFUSAL.search, forms)):
        return "it declines to describe"
    return "it gives orders to its reader" if any(map(_ORDER.search, forms)) else ""


def is_repetitive(words: list[str]) -> bool:
    """Whether one word comes thrice in a row, three come thrice, or most are the same."""
    threes = Counter(zip(words, words[1:], words[2:], strict=False))
    if any(a == b == c or count >= 3 for (a, b, c), count in threes.items()):
        return True
    text = " ".join(words).encode()
    few = len(words) >= 8 and len(set(words)) < 0.4 * len(words)
    return few or len(text) / len(zlib.compress(text)) > REPEATS


def _quality(logprob: float | None, sharpness: float) -> Quality:
    """The tokens' geometric mean probability, halved for a blurred picture."""
    most, factors = UNMEASURED, {}
    if logprob is not None:
        most = MOST_CERTAIN if logprob >= DOUBTFUL else MOST_UNCERTAIN
        factors = {"caption_logprob": round(logprob, 3)}
    probability = min(most, math.exp(min(0.0, logprob or 0.0)))
    score = round(probability * (0.5 + 0.5 * sharpness), 3)
    return Quality(score=score, factors={**factors, "sharpness": round(sharpness, 3)})


def is_not_seen(text: str) -> bool:
    """Whether each clause of a text says that the pictures do not show it."""
    clauses = [clause for clause in _CLAUSE_END.split(text) if clause.strip()]
    return bool(clauses) and all(_NOT_SEEN.search(clause) for clause in clauses)


def is_english(text: str) -> bool:
    """Whether a text is English, so that names and feelings can be found in it.

    English function words and common words outnumber what belongs to other languages, and are at
    least a sixth of all words; fewer than three small words, as around names, are too few to tell.
    """
    words = _WORD.findall(_QUOTED.sub(" ", text))
    lower = [word for word in words if not word[0].isupper()]
    ours = sum(_is_common(word) for word in words)
    other = [word.casefold() in _words("foreign") for word in words]
    theirs = sum(other) + sum(not word.isascii() for word in lower)
    return (ours > theirs or not theirs) and (ours * 6 >= len(words) or len(lower) < 3)


def redacted(text: str) -> str:
    """A text with "(name)" for what has a capital and is no common word.

    A word all in capitals, as on a sign, is none; one name of several words is replaced once.
    """

    def replace(match: re.Match[str]) -> str:
        word, ending, rest = match.group().partition("'s")
        is_name = word[0].isupper() and not word.isupper() and not _is_common(word)
        return f"{NAME}{ending}{rest}" if is_name else match.group()

    return _RUN.sub(NAME, _WORD.sub(replace, _TITLED.sub(NAME, text)))


def as_looks(text: str, feelings: list[str]) -> str:
    """A text with its feelings as looks; each is appended to `feelings`."""

    def replace(match: re.Match[str]) -> str:
        word, before = match.group(), match.string[: match.start()]
        noun = word.casefold() in _words("feeling_noun")
        if _PARTITIVE.match(match.string, match.start()):
            return word
        if not noun and word.casefold() not in _words("feeling"):
            return word
        feelings.append(word.casefold())
        if _APPEARS.search(before):
            return word
        return FEELING if noun else f"{word}-looking"

    def feels(match: re.Match[str]) -> str:
        if match.group(1).casefold() not in _words("feeling"):
            return match.group()
        return "looking" if match.group() == "feeling" else "looks"

    return _outside_quotes(text, lambda part: _WORD.sub(replace, _FEELS.sub(feels, part)))


def clean(text: str, truncated: bool = False, longest: int = LONGEST) -> str:
    """A text as one sentence without full stop, markup, ids and addresses."""
    bare = " ".join(_MARKUP.sub(" ", plain(text).translate(_QUOTES)).split())
    if bare.count('"') % 2:
        bare = bare.replace('"', "'")
    sentences = list(_SENTENCE_END.split(_LEAD.sub("", bare)))
    if truncated:  # up to the last whole sentence, or the last whole word
        head = sentences[-1].rpartition(" ")[0]
        sentences = sentences[:-1] or [f"{head} …" if head else sentences[-1]]
    trimmed = [s.strip().rstrip(".!?…,;: ") for s in sentences]
    joined = "; ".join(_lower(s) for s in trimmed if s and not _only_names(s))
    return joined if len(joined) <= longest else joined[:longest].rsplit(" ", 1)[0].rstrip(",;: ")


def plain(text: str, spaces: str = "") -> str:
    """Text without invisible characters; on one line unless `spaces` has line breaks."""
    seen = (c if c in spaces or unicodedata.category(c)[0] != "C" else " " for c in text)
    return "".join(seen).strip() if spaces else " ".join("".join(seen).split())


def _phrase(text: str) -> str:
    phrase = clean(text, longest=LONGEST_FIELD).replace(";", ",")
    return "" if is_not_seen(phrase) else phrase


def _only_names(sentence: str) -> bool:
    """Whether a sentence only names a person: "this is (name)"."""
    words = _WORD.findall(sentence.replace(NAME, " "))
    return NAME in sentence and all(word.casefold() in _words("function") for word in words)


def _lower(sentence: str) -> str:
    first = sentence.split(" ", 1)[0]
    if first[1:] != first[1:].lower() or first.partition("'")[0] == "I":
        return sentence
    return sentence[0].lower() + sentence[1:]


def _outside_quotes(text: str, change: Callable[[str], str]) -> str:
    return "".join(
        part if place % 2 else change(part) for place, part in enumerate(_QUOTED.split(text))
    )


def _is_common(word: str) -> bool:
    """Whether a word, or its base form, is listed, or it is a long word in -ing."""
    small = word.casefold().removesuffix("'s")
    listed = _words("function") | _words("common") | _words("feeling") | _words("feeling_noun")
    stems = {small, small.removesuffix("s"), small.removesuffix("es"), small.removesuffix("ing")}
    if "-" in small:
        stems |= {small.partition("-")[0]}
    return bool(stems & listed) or (len(small) > 6 and small.endswith("ing"))


@lru_cache
def _words(name: str) -> frozenset[str]:
    tables = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
    return frozenset(tables[name].split())
