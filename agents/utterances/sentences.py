"""Sentences of a transcript, without the words of others, with what they ask.

What stands in quotation marks, or behind "she said that", are the words of other people and
are left out (`ELSEWHERE` stands for them); "I said that I am sorry" are the speaker's own.
A tag ("..., don't you think so?") asks for agreement: the rest of its sentence is a statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from emer.agents.utterances.normalization import HAN, normal_words

ELSEWHERE = "\u2592"
"""Stands for words that are other people's, or that a name in quotation marks gives."""

LONGEST_TAG = 60
"""Characters at the end of a sentence that are read for a tag (chosen by us)."""

_PIECE = re.compile("[^.!?;\u2026\n]+[.!?;\u2026]*|[.!?\u2026]+")
_QUOTED = re.compile(r'"[^"]{1,400}"')

_TAG_EN = (
    r"(?:do not you (?:think|agree|feel)(?: so| that| it)?|do you (?:know|hear|understand)"
    r"(?: that)?|you know(?: that)?|right|okay|ok|huh|eh|correct|(?:is|are|was|were|do|does|did"
    r"|have|has|had|can|could|will|would|should|am)(?: not)?"
    r" (?:i|you|he|she|it|we|they|that|this|there)(?: not)?)"
)
_TAG_ZH = (
    r"(?:[你您]们?不?(?:也)?(?:觉得|认为|知道|明白|懂)(?:呢|吗|么|吧)|[你您]们?知不知道"
    r"|知道(?:吗|么|吧|不)|懂(?:吗|么|不)|明白(?:吗|么|不)|对(?:吧|吗|么|不对)|是(?:吧|吗|么|不是)"
    r"|不是(?:吗|么)|好(?:吗|吧|不好|么)|行(?:吗|吧|不行|么)|可以(?:吗|么)"
    r"|[你您]说(?:呢|是不是|对不对)|成吗|嗯)"
)
_TAG = re.compile(
    rf"(?:,\s*(?:{_TAG_EN}|{_TAG_ZH})|\s(?:do not you (?:think|agree)(?: so)?)"
    rf"|(?<=[{HAN}])[,\s]*{_TAG_ZH})[\s,]*$"
)
_ASKED_ZH = re.compile(
    r"(?:吗|么|呢|没有)[\s,]*$|是不是|有没有|什么|怎么|为何|哪|谁|几[点个时]|多少|难道"
)
_UNMARKED = re.compile(r"(?:吗|么)$|(?:什么|怎么|为何|哪|谁|几|多少)[^,]*呢$")
"""A question without its mark, as recognisers write them."""
_ASKED_EN = re.compile(
    r"^(?:(?:and|but|so|well|oh|then|hey|now|ah)[,\s]+)*(?:am|is|are|was|were|do|does|did|have|has"
    r"|had|can|could|will|would|shall|should|may|might|what|who|whom|whose|which|why|how|when"
    r"|where)\b"
)
_SAID_EN = re.compile(
    # A word is begun once: at each apostrophe of "a'a'a'" a search would begin again.
    r"(?<![\w\u25cb'])"
    r"(?P<who>[\w\u25cb']+(?: have| had| has| just| always| once| also| already| even| never){0,4})"
    r"\s+(?:said|says|(?:told|tells) (?:me|us|him|her|you|them)|thinks|thought|claims|claimed"
    r"|believes|believed|asked|asks|wrote|shouted|yelled|whispered|replied|answered|promised|swore"
    r"|insists|pretends)\b(?: that| like)?(?P<direct>\s*[,:])?"
    r"|\b(?P<sayer>you|they|people|others) (?:say|think|believe|claim|pretend|suppose)\b(?: that)?"
    r"(?P<direct2>\s*[,:])?"
)
_OWN_EN = re.compile(r"^(?:i|we|let|just i)\b")
_SAID_ZH = re.compile(
    r"(?P<who>[他她它]们?|[你您](?!说,)们?|○|人家|大家|别人|谁|有人|大夫|医生|老师|警察"
    r"|[爸妈哥姐弟妹爷奶叔姨舅]{1,2}|老[公婆板]|朋友|孩子)[^,我]{0,6}?(?:[对跟和给]我)?"
    r"(?:说|讲|喊|骂|告诉[我你他她]|以为|觉得|认为|当|心想|回答)"
    r"(?!服|话|起|不定|呢|吧|明|好了|了?[一二三四五六七八九十几两]|[了过]我)(?P<direct>\s*[,:])?"
)
_BACK = re.compile(
    r",\s*(?:可是|但是|但|所以|那|而|and |but |so |that is why )?\s*(?:我|咱|俺|i |we )"
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a speaker's own words.

    Args:
        text: Its words, normal, without its mark and tag.
        mark: The marks at its end.
        asks: It is a question, not only tagged as one.
        tagged: A tag asks for agreement.
        asked_from: Where its question begins: behind the last comma of a longer sentence.
    """

    text: str
    mark: str
    asks: bool
    tagged: bool
    asked_from: int

    def is_asked(self, at: int) -> bool:
        """True if a place of the text is in the part that asks."""
        return self.asks and at >= self.asked_from


def sentences_of(transcript: str) -> Iterator[Sentence]:
    """The sentences of a transcript, without the words of others."""
    words = normal_words(transcript)
    own = _QUOTED.sub(_unless_whole(words), words).replace('"', " ")
    for match in _PIECE.finditer(own):
        piece = match.group()
        text = piece.rstrip(".!?;\u2026").strip()
        yield _sentence(text, piece[len(piece.rstrip(".!?;\u2026")) :])


def _unless_whole(words: str) -> Callable[[re.Match[str]], str]:
    """A replacement that leaves a transcript alone that is one quotation."""
    whole = words.strip()
    return lambda match: match.group() if match.group() == whole else f" {ELSEWHERE} "


def _sentence(text: str, mark: str) -> Sentence:
    is_chinese = re.search(rf"[{HAN}]$", text) is not None
    tag = _TAG.search(text, max(0, len(text) - LONGEST_TAG)) if "?" in mark or is_chinese else None
    tagged = tag is not None and tag.start() > 0
    if tag is not None and tagged:
        text = text[: tag.start()].strip(" ,")
    asks = not tagged and ("?" in mark or _UNMARKED.search(text) is not None)
    return Sentence(_own_words(text), mark, asks, tagged, _question_start(text) if asks else 0)


def _question_start(text: str) -> int:
    """Where the part that asks begins: the last clause, or the first that is inverted."""
    start = 0
    for clause in text.split(","):
        if _ASKED_EN.match(clause.lstrip()) or _ASKED_ZH.search(clause):
            return start
        start += len(clause) + 1
    return text.rfind(",") + 1


def _own_words(text: str) -> str:
    """The text with what it attributes to others replaced."""
    text = _without(text, _SAID_EN)
    return _without(text, _SAID_ZH)


def _without(text: str, said: re.Pattern[str]) -> str:
    for match in said.finditer(text):
        groups = match.groupdict()
        who = groups.get("who") or groups.get("sayer") or ""
        if _OWN_EN.match(who):
            continue
        direct = groups.get("direct") or groups.get("direct2")
        back = None if direct else _BACK.search(text, match.end())
        rest = text[back.start() :] if back else ""
        return f"{text[: match.end()]} {ELSEWHERE}{rest}"
    return text
