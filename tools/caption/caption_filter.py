"""Refusals, orders, names, feelings: keep or drop.

What a model writes instead of a description: it declines, or gives orders.

A description says what is seen. A refusal is no evidence, and an order is for nobody here. The
patterns are ours, and coarse: what they miss is still told as a model's words only.

What a captioner wrote, made one plain sentence: it is data, whatever it says.

What could be taken for markup, an id, an address or an order to somebody goes or is bare words
in a sentence that says who speaks.

What may be told of one caption, and the clue that tells it.

What a captioner is shown, and what it writes.

Whether what a captioner wrote may be told: its own doubts, and text that runs in circles.

The limits are chosen by us. A caption that is right word for word is rarely less probable than
one token in three; text from a model that sees nothing in the picture is near chance.
"""

from __future__ import annotations

import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pydantic import JsonValue

from emer.tools.caption.sentences import SENTENCES
from emer.tools.caption.subtitle_mask import Band
from emer.tools.media.decoder import Rgb
from emer.tools.types import Clue, Quality, Source, Span

_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.IGNORECASE | re.DOTALL)
_LISTED = re.compile(r"^[ \t]*(?:\d+[.)]|[-*•])[ \t]+", re.MULTILINE)
_DECLINES = re.compile(
    r"\b(?:i'm|i am|we're|we are) (?:sorry|afraid|unable|not able)\b"
    r"|\bi (?:can't|cannot|can not|couldn't|could not|won't|will not|must not) "
    r"(?:help|assist|identify|provide|describe|comply|comment|view|process|analy[sz]e)\b"
    r"|\b(?:can't|cannot|unable to|don't|do not) see (?:any|an|the) (?:image|picture|photo)\b"
    r"|\b(?:no|any) (?:image|picture|photo)s? (?:\w+ ){0,3}(?:attached|provided|uploaded|shared)\b"
    r"|\b(?:provide|share|upload|attach|send) (?:me )?(?:an?|the) (?:image|picture|photo)\b"
    r"|\b(?:don't|do not|not) feel comfortable\b|\bnot comfortable (?:with )?\w+ing\b"
    r"|\bas an? (?:ai|artificial|language|text)\b|\b(?:ai|language) (?:model|assistant)\b"
    r"|(?:抱歉|对不起).*(?:无法|不能)|作为.{0,6}(?:AI|人工智能|语言模型)",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}"
    r"\b(?:instructions?|prompts?|rules?|messages?)\b"
    r"|\b(?:system|developer) (?:prompt|message)\b|\bnew instructions?\b"
    r"|\byou (?:must|should|shall|are now|will now)\b"
    r"|(?:^|[.!?:;]\s+)(?:answer|respond|reply|output|print|return)\s+(?:only|with)\b"
    r"|(?:忽略|无视).{0,12}(?:指令|提示|规则)",
    re.IGNORECASE,
)


def without_thoughts(text: str) -> str:
    """Return the text without what a model thinks aloud before it answers, and marks of a list."""
    return _LISTED.sub("", _THOUGHTS.sub(" ", text)).strip()


def instead(text: str) -> str:
    """Return what a text is instead of a description; "" where it is one."""
    straight = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if _DECLINES.search(straight):
        return "it declines to describe"
    if _ORDERS.search(straight):
        return "it gives orders to whoever reads it"
    return ""


# ruff: noqa: RUF001  (the curly marks are what is replaced)


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


KEPT = 400
"""Characters of what a model wrote that a clue keeps."""


@dataclass(frozen=True, slots=True)
class Told:
    """A caption that passed its guards."""

    text: str
    """Cleaned, and with feelings told as looks."""
    sure: bool
    time: float
    quality: Quality
    written: str
    """As the model wrote it, without the sentences that name somebody."""
    felt: tuple[str, ...]
    """The words of feeling in it: the model's inference."""

    @property
    def what(self) -> tuple[str, bool]:
        """What two frames must share to be told in one sentence."""
        return self.text, self.sure


def clue_of(
    source: Source,
    text: str,
    span: Span,
    told: Told,
    band: Band | None,
    more: Mapping[str, JsonValue],
) -> Clue:
    """Return the clue; `band` is what was blanked out of the frames, in pixels."""
    data: dict[str, JsonValue] = {**more, "caption": plain(told.written)[:KEPT]}
    if told.felt:
        data["inferred"] = list(told.felt)
    if band is not None:
        data["blanked"] = {"top": band.top, "bottom": band.bottom}
    return Clue(
        modality="scene", span=span, text=text, quality=told.quality, source=source, data=data
    )


MOST_TOKENS = 40
"""New tokens that a captioner may write."""

DESCRIBE = (
    "Describe in one short sentence what the people in this picture visibly do: face, gaze, "
    "hands, posture. Name only what can be seen, no feelings and no guesses."
)
ANSWER = (
    "These pictures follow each other in a clip. Answer in one short sentence, only with what "
    "can be seen in them; if it cannot be seen, say: it cannot be seen. Question: {question}"
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A picture that is worth a caption, as it will be shown."""

    picture: Rgb
    time: float
    """Seconds from the clip's start."""
    clear: float
    """How sharp it is, 0-1."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Pictures to be described, or asked about."""

    pictures: tuple[Rgb, ...]
    question: str = ""
    """Empty: describe."""

    @property
    def words(self) -> str:
        """What a model that takes words is told."""
        return ANSWER.format(question=self.question) if self.question else DESCRIBE


@dataclass(frozen=True, slots=True)
class Written:
    """What came of it."""

    text: str
    logprob: float | None
    """Mean log-probability of its tokens as the model gave it; None where it gave none."""
    unfinished: bool = False
    """Whether it was cut off at the most tokens."""


DOUBT, GUESS = -1.1, -2.3
"""Mean log-probabilities below which a caption is told as doubtful, and not at all."""
REPEATS = 2.4
"""Compression from which text runs in circles (as for speech, Radford et al. 2022)."""
SURE, DOUBTFUL, UNMEASURED = 0.9, 0.2, 0.5
"""Most a score may be: of a sure caption, of a doubtful one, of one without probabilities."""

_WORD = re.compile(r"\w+")


class Verdict(Enum):
    """How a caption may be told."""

    TOLD = "describes"
    DOUBTFUL = "describes, unsurely"
    DROPPED = "not told"


def judge(written: Written) -> tuple[Verdict, str]:
    """Return the verdict, and why a caption is not told."""
    words = [word.casefold() for word in _WORD.findall(written.text)]
    if not any(word.isalpha() for word in words):
        return Verdict.DROPPED, "it wrote no words"
    if in_circles(words):
        return Verdict.DROPPED, "its words go in circles"
    if written.logprob is not None and written.logprob < GUESS:
        return Verdict.DROPPED, f"it guesses (mean log-probability {written.logprob:.1f})"
    sure = written.logprob is None or written.logprob >= DOUBT
    return (Verdict.TOLD if sure else Verdict.DOUBTFUL), ""


def in_circles(words: list[str]) -> bool:
    """Tell whether words repeat: one thrice in a row, three in a row thrice, or mostly the same."""
    if any(a == b == c for a, b, c in zip(words, words[1:], words[2:], strict=False)):
        return True
    threes = Counter(zip(words, words[1:], words[2:], strict=False))
    if threes and max(threes.values()) >= 3:
        return True
    text = " ".join(words).encode()
    few = len(words) >= 8 and len(set(words)) < 0.4 * len(words)
    return few or len(text) / len(zlib.compress(text)) > REPEATS


def score(written: Written, clear: float, verdict: Verdict) -> float:
    """Return the quality: the tokens' mean probability (geometric), halved for a blurred picture.

    `clear` is how sharp the picture is, 0-1.
    """
    sharp = 0.5 + 0.5 * clear
    if written.logprob is None:
        return round(UNMEASURED * sharp, 3)
    sure = min(SURE, math.exp(min(0.0, written.logprob)))
    return round((sure if verdict is Verdict.TOLD else min(sure, DOUBTFUL)) * sharp, 3)


def factors(written: Written, clear: float) -> Mapping[str, float]:
    """Return the measurements behind the score."""
    known = {} if written.logprob is None else {"caption_logprob": round(written.logprob, 3)}
    return {**known, "sharpness": round(clear, 3)}
