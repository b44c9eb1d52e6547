"""Feelings that a speaker states of oneself, and qualities of things.

A word of `words.csv` is found, then what stands to its left is read word by word up to the
subject: pronoun, copula, adverbs of degree, negations. The first person makes it a feeling of
the speaker; so does no subject at all where a degree is stated ("so happy", "真开心"), unless
the clause before has another subject. Questions, conditions and intentions state nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from emer.agents.utterances.sentences import ELSEWHERE, Sentence
from emer.agents.utterances.tables import Form, Words, alternatives, function_words
from emer.tools.types import CueMention

REACH = 90
"""Characters to the left of a feeling that are read for its subject (chosen by us)."""
WIDEST = 28
"""Characters of the longest function word."""
LOOSE = 12
"""Chinese characters that may stand between "我" and a feeling with a degree (by us)."""
MOST = 1.35
"""Strength of the highest degree, as of FACS intensity E."""
RECALLED = 0.5
"""Factor on a feeling of the past (direction: Rimé et al. 1991; size: ours)."""

_CONDITION = re.compile(
    r"\b(?:if|unless|whether|suppose|supposing|in case|as though|whenever|when(?= i\b)|imagine"
    r"|no matter (?:how|what)|however)\b[^,]*$"
    r"|(?:如果|要是|假如|倘若|若是|假使|万一|要不是|除非|即使|就算|哪怕|等到?我|无论|不管|不论|再怎么)[^,]*$"
    r"|多[^,多]{1,3}多$"
)
_WISH = re.compile(r"\bi wish\b[^,]*$")
_BEHIND = re.compile(
    r"[^,]{0,3}的时候|的话|时(?!候)|的(?:样子|人|日子|原因|理由|权利)|得太早|什么$|多[^,多]{1,3}的?[^,]{0,8}[都也]|\s*不"
)
_JOINT = re.compile(r"(?:,\s*(?:and|or|but)?|\bbut\b|\bnor\b|\band\b|\bor\b|和|又|跟|且)\s*$")
_OPEN = re.compile(r"(?:^|[,:\u2026])\s*$")
_ENDS = re.compile(r"\s*(?:$|,|[了啊呀吧呢哦的]+\s*(?:$|,))")
_PEOPLE = re.compile(
    rf"[你您他她它]|{ELSEWHERE}|○|[爸妈爹娘哥姐弟妹爷奶叔姨舅婆](?!的话)|老[师公板婆]|孩子|朋友|医生|大夫|先生"
    r"|小姐|女人|男人|儿子|女儿|同事|家人|别人|说|让|叫|使|看见|看到|听说|替|为了?你"
)
_FIRST_ZH = re.compile(
    r"(?:我|咱)们?(?!的?[爸妈爹娘哥姐弟妹爷奶叔姨舅婆]|家|儿子|女儿|老[公婆板师]|朋友|孩子|同)"
)
_OTHER_BEFORE = re.compile(
    r"(?:^|,)\s*(?:and |but |可是|但是|那|不过)?\s*(?:(?:you|he|she|they|it)\b|[你您他她它]们?|○)"
)
_MEETING = re.compile(
    r"(?:^|,)(?:能|很久|终于|见到|看到|看见|认识|遇见|遇到|听到|和你|跟你|有你|有您)[^他她它,]{0,10}$"
)
_OUTER = ("negation", "denial", "modal", "double")


@dataclass
class _Left:
    """What stands left of a word, up to its subject."""

    rest: int
    subject: str = ""
    factors: list[float] = field(default_factory=list)
    negations: int = 0
    has_copula: bool = False
    is_intended: bool = False
    is_past: bool = False
    has_turn: bool = False
    is_contrast: bool = False
    """What is denied further left is another word: "not angry, just sad"."""

    def strength(self, form: Form) -> float:
        """The weakest degree, or the strongest where none weakens; less of a past feeling."""
        low = min(self.factors, default=1.0)
        factor = low if low < 1 else max(self.factors, default=1.0)
        recalled = self.is_past and form == "self"
        return round(min(MOST, factor * (RECALLED if recalled else 1.0)), 4)

    def note(self, kind: str, factor: float) -> None:
        """Add a function word."""
        if kind == "degree":
            self.factors.append(factor)
        elif kind == "negation":
            self.negations += not self.is_contrast
        elif kind == "double":
            self.subject, self.negations = "doubly", 0
        elif kind == "denial":
            self.subject, self.negations = "denied", 1 - self.negations % 2
        self.has_copula |= kind in ("copula", "past")
        self.is_intended |= kind == "modal"
        self.is_past |= kind == "past"
        self.has_turn |= kind == "contrast"


def predicated(sentence: Sentence, words: Words) -> Iterator[CueMention]:
    """The cue of a word, for each place where the sentence states or denies it."""
    for match in words.pattern.finditer(sentence.text):
        text, start, end = sentence.text, match.start(), match.end()
        before = text[max(0, start - REACH) : start]
        if _BEHIND.match(text, end) or _CONDITION.search(before) or _WISH.search(before):
            continue
        left = _read_left(text, start)
        rest = text[max(0, left.rest - REACH) : left.rest]
        _find_loose(left, rest)
        asked = sentence.is_asked(start) and left.subject not in ("denied", "doubly")
        if asked or left.is_intended:
            continue
        if words.form == "self" and not _is_own(left, rest):
            continue
        if words.form == "thing" and (
            not _is_of_thing(left, rest, text[end : end + WIDEST])
            or (left.subject == "person" and _feelings().fullmatch(match.group()))
        ):
            continue
        denied = left.negations % 2 == 1
        yield CueMention(cue=words.cue, strength=left.strength(words.form), negated=denied)


def _read_left(text: str, start: int) -> _Left:
    """Reads function words from the right, up to a subject."""
    left, least = _Left(rest=start), max(0, start - REACH)
    while left.rest > least and not left.subject:
        item = _list_item(text, left.rest)
        if item is not None:
            turned = left.has_turn or "but" in text[item : left.rest]
            left.rest, left.is_contrast = item, left.is_contrast or turned
            continue
        found = _function_word(text, left.rest)
        if found is None:
            break
        end, (left.rest, kind, factor) = left.rest, found
        if kind in ("self", "person", "other"):
            met = kind == "person" and left.factors and _MEETING.search(text, least, end)
            left.subject = "self" if met else kind
            outer = _function_word(text, left.rest)
            if outer is not None and outer[1] in _OUTER:
                left.note(outer[1], 1.0)
        else:
            left.note(kind, factor)
    return left


def _function_word(text: str, end: int) -> tuple[int, str, float] | None:
    """Start, kind and factor of the longest function word that ends at a place."""
    least = max(0, end - WIDEST)
    found = _last_word(text[max(0, least - 1) : end], least > 0)
    return None if found is None else (end - found[0], *found[1:])


@lru_cache(maxsize=8192)
def _last_word(tail: str, is_cut: bool) -> tuple[int, str, float] | None:
    """Length, kind and factor of the function word at the end of a text.

    Of a text that is cut the first character only tells whether a word begins behind it.
    """
    best: tuple[int, str, float] | None = None
    for pattern, kinds in function_words():
        match = pattern.search(tail, int(is_cut))
        if match is not None and (best is None or len(tail) - match.start() > best[0]):
            best = (len(tail) - match.start(), *kinds[match.lastgroup or ""])
    return best


@lru_cache(maxsize=1)
def _feelings() -> re.Pattern[str]:
    """What people feel, and things can have as well ("sad")."""
    return re.compile("|".join(alternatives(("self",), language) for language in ("en", "zh")))


@lru_cache(maxsize=1)
def _feeling() -> re.Pattern[str]:
    english, chinese = (alternatives(("self", "thing"), language) for language in ("en", "zh"))
    return re.compile(rf"(?:(?<![\w'])(?:{english})|(?:{chinese}))\s*$")


def _list_item(text: str, end: int) -> int | None:
    """Where "angry, " or "sad and " begins that ends at a place."""
    joint = _JOINT.search(text, max(0, end - WIDEST), end)
    if joint is None:
        return None
    item = _feeling().search(text, max(0, joint.start() - WIDEST), joint.start())
    return item.start() if item else None


def _find_loose(left: _Left, rest: str) -> None:
    """A Chinese first person some words before a feeling with a degree."""
    if left.subject or not (left.factors or left.negations):
        return
    clause = rest.rsplit(",", 1)[-1]
    first = list(_FIRST_ZH.finditer(clause))
    if first:
        between = clause[first[-1].end() :]
        if len(between) <= LOOSE and not _PEOPLE.search(between):
            left.subject = "self"
    elif _MEETING.search(rest[-LOOSE - 4 :]):
        left.subject = "self"


def _is_own(left: _Left, rest: str) -> bool:
    if left.subject in ("self", "doubly", "denied"):
        return True
    if left.subject or not left.factors or not _OPEN.search(rest):
        return False
    return _OTHER_BEFORE.search(rest) is None


def _is_of_thing(left: _Left, rest: str, behind: str) -> bool:
    """True for a quality that is said of anything but the speaker."""
    if left.subject == "self":
        return False
    alone = _OPEN.search(rest) is not None and _ENDS.match(behind) is not None
    return bool(left.factors) or left.has_copula or alone
