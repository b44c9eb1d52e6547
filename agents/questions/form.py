"""The form of a question: yes or no, when, who, how sure, what if."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from emer.agents.lexicon.cue_parser import mentions_in, normal_text
from emer.agents.lexicon.lexicon import WORD_CUES, Channel, LabelWord
from emer.agents.questions.emotion_words import known_words, label_words
from emer.agents.questions.question import Topic, is_general
from emer.agents.types import Inquiry
from emer.tools.types import MODALITIES, Modality

Kind = Literal[
    "reading", "whether", "either", "when", "count", "speaker", "who", "compare", "course",
    "sure", "change", "without", "against", "why", "what",
]  # fmt: skip

_AUX = (
    r"(?:is|are|was|were|am|does|do|did|has|have|had|can|could|would|will|might|may|should"
    r"|isn't|aren't|wasn't|weren't|doesn't|don't|didn't|hasn't|haven't|can't|couldn't|wouldn't)"
)
_START = r"^(?:(?:and|but|so|then|well|also|ok|okay)[, ]+)*"
_IF = (
    r"\bif (?:[\w']+ ){0,4}?(?:could ?n[o']t|could not|can ?not|can't|did not|didn't|do not|don't"
    r"|had not|hadn't|were not|weren't|was not|wasn't|were(?= (?:muted|silent|hidden|covered))"
    r"|(?:were|was|is|are)(?= (?:muted|silent|off|gone|hidden|covered|missing|removed|left out"
    r"|turned off))|ignore\w*|mute\w*|remove\w*|cover\w*|only)\b"
)
_FORMS: tuple[tuple[Kind, str], ...] = (
    (
        "without",
        rf"{_IF}|\b(?:without|ignoring|disregarding|leaving out|left out|apart from|except for"
        r"|ignore|disregard)\b|\b(?:with|turn) the (?:sound|audio|volume|voice) (?:off|muted)\b"
        r"|\bonly (?:from |by |hear |see |had |have |the |her |his )|\balone\b|\bsolely\b"
        r"|如果(?:听|看)不(?:到|见)|(?:如果|要是|假如).{0,6}(?:没有?|不|去掉|忽略|静音|只)"
        r"|去掉|忽略|不考虑|除了|静音|单凭|只(?:看|听|凭|根据)|光(?:看|听)|不(?:看|听)(?!起来)",
    ),
    (
        "change",
        r"\bchange (?:your|the|this) (?:mind|answer|view|reading|opinion|conclusion)\b"
        r"|\bconvince\b|\bwhat (?:else )?(?:would|could|might|must) (?:it take|you need|have to"
        r"|make you|support|change|speak)\b|\bwould .{0,30}\bchange\b|\bprove (?:you|it) wrong\b"
        r"|(?:改变|推翻|动摇).{0,6}(?:看法|答案|判断|结论|想法)|还需要什么|怎样才",
    ),
    (
        "sure",
        r"\bhow (?:\w+ )?(?:confident|sure|certain|reliable|likely|probable|safe|strong is (?:the"
        r"|your) evidence)\b|\bare you (?:\w+ )?(?:sure|certain|confident)\b|\bconfidence\b"
        r"|\bcertainty\b|\bprobability\b|置信|把握|(?:多|你|能)确定|确定吗|肯定吗|可靠|可能性|几成",
    ),
    (
        "compare",
        r"\b(?:which|who|whose)\b.*\b(?:more|most|less|least|er|est|[a-z]+i(?:er|est)|sadder"
        r"|saddest|angrier|calmer|calmest)\b|\bcompar\w+|\bdiffer\w*\b|\b(?:than|as \w+ as) (?:the"
        r"|person|her|him|she|he|them)\b|\bbetween (?:the )?(?:two|them|both)\b"
        r"|\bboth (?:of them|people|persons|women|men)\b|\bthey both\b|\bare they (?:all|both)\b"
        r"|\beach (?:of them|person|one)\b|\bfeel the same\b|\bthe same (?:emotion|feeling)\b"
        r"|(?:谁|哪).{0,6}(?:更|最|比较)|比.{1,8}更|相比|比较一下|区别|差别|两个?人都|他们都|每个人",
    ),
    (
        "course",
        r"\bdevelop\w*|\bevol\w+|\bover (?:the )?(?:whole )?(?:time|clip|video|course)\b"
        r"|\b(?:chang|shift|progress|fluctuat)\w*|\bthroughout\b|\btrajectory\b"
        r"|\bfrom (?:the )?(?:start|beginning) to\b|\b(?:stay|remain)s? (?:the same|constant)\b"
        r"|变化|发展|演变|过程|始终|一直|越来越|变得|从头到尾",
    ),
    ("count", r"\bhow (?:many|often)\b|\bnumber of\b|几(?:次|个|人|位|遍|回)|多少(?:次|人|个|遍)"),
    (
        "when",
        rf"{_START}(?:(?:since |from |until )?when|at (?:what|which) (?:time|point|moment|second)"
        r"|(?:in|at) which (?:part|moment)|where in the (?:clip|video)|how long)\b"
        r"|\bwhen (?:exactly|precisely)\b|\bwhen\?|什么时候|何时|什么时间|哪(?:一)?(?:刻|秒|段|时)"
        r"|第几秒|几秒|多久|多长时间",
    ),
    (
        "speaker",
        r"\b(?:who|which (?:one|person|of them|man|woman))\b(?: is| does| was|'s)?(?: \w+)?"
        r" (?:speak|talk)\w*\b|\bwhose voice\b|\bwho (?:says|said)\b"
        r"|谁.{0,3}(?:说话|讲话|发言|开口)|(?:说话|讲话)的(?:人)?是谁|谁的声音",
    ),
    ("who", rf"{_START}(?:who|which (?:one|person|of them|man|woman))\b|谁|哪(?:个|位)(?:人|在)?"),
    (
        "against",
        r"\bagainst\b|\bcounter-?\w*evidence\b|\bcontradict\w*|\bcounter-?argument\w*"
        r"|\bobjection\w*|\bdoes ?n[o']t fit\b|反对|反面|反证|反例|不符|相矛盾",
    ),
    (
        "why",
        r"\bwhy\b|\bhow come\b|\bwhat (?:makes|shows|tells|indicates|suggests|gives|speaks)\b"
        r"|\bhow (?:do|can|could) (?:you|we|one|i) (?:know|tell|see)\b|\bevidence\b|\breasons?\b"
        r"|为什么|为何|凭什么|依据|怎么(?:看|知道|判断)|何以|从哪里|从哪儿|哪里看",
    ),
)
_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _FORMS)
_YES_NO = re.compile(
    rf"{_START}{_AUX}\b|(?:, )?(?:right|correct|no|isn't (?:she|he|it))\?$"
    r"|吗|是不是|有没有|是否|会不会|对吧|吧[？?]?$|没有?[？?]$"
)
_EMOTION = re.compile(r"\b(?:emotion\w*|feel\w*|mood|sentiment)\b|情绪|情感|心情|感受|感觉")
_OR = re.compile(r"\bor\b|还是|或者?")
_PIECES = re.compile(
    r"\b(?:and|or|but|while|yet)\b|[,，、；;]|还是|或者?|并且|而且|同时|又|和|与|但"
)
_ONLY = re.compile(
    r"\bonly\b|\balone\b|\bsolely\b|单凭|只(?:看|听|凭|根据)|光(?:看|听)"
)  # what is kept
_CHANNELS: Mapping[str, tuple[tuple[Modality, ...], str]] = {
    "audio": (
        ("audio", "text"),
        r"\bhear\w*|\blisten\w*|\bsound\w*|\baudio\b|\bmut(?:ed?|ing)\b|\bvolume\b|听|静音|音频",
    ),
    "voice": (
        ("audio",),
        r"\bvoice\w*|\btone\b|\bintonation\b|\bpitch\b|\bprosody\b|语气|语调|声音|嗓音",
    ),
    "text": (
        ("text",),
        r"\bwords?\b|\btranscript\w*|\bsubtitles?\b|\btext\b|\bsa(?:ys?|id|ying)\b|\bspeech\b"
        r"|台词|字幕|文本|文字|话语|说的话|说了什么",
    ),
    "face": (
        ("face", "scene"),
        r"\bsee\w*|\bwatch\w*|\bpictures?\b|\bvideo\b|\bimage\w*|看[不见到]|画面",
    ),
    "look": (("face",), r"\bfac(?:e|es|ial)\b|\bexpressions?\b|表情|脸|面部"),
    "scene": (
        ("scene",),
        r"\bbody\b|\bgestures?\b|\bhands?\b|\bscene\b|\bbackground\b|肢体|手势|动作|背景",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """An emotion or a sign that a question names."""

    label: LabelWord | None = None
    cues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """How a question asks, and what it asks for in the order of its words."""

    kind: Kind = "reading"
    named: tuple[Named, ...] = ()
    removed: tuple[Modality, ...] = ()
    """What a hypothetical question takes away."""
    removes_signs: bool = False
    is_open: bool = False
    """It offers a choice ("happy or sad")."""


PLAIN = Form()
"""The plain question: what is displayed."""


def form_of(question: str, topic: Topic) -> Form:
    """The form of a question about a topic."""
    asked = normal_text(question)
    plain = known_words(asked)
    kind, named = _kind(asked, topic), _named(plain)
    if kind == "without":
        removed = _removed(plain, topic)
        if not (removed or topic.cues or topic.has_subject):
            kind = "change" if "change" in plain or "改变" in plain else "whether"
        is_part = bool(topic.cues) and not removed
        return Form(kind, named, removed, removes_signs=is_part)
    return Form(kind, named, is_open=bool(_OR.search(plain)) and len(named) > 1)


def is_short(inquiry: Inquiry, topic: Topic) -> bool:
    """True if only the question is answered, without a report on the whole clip."""
    of_all = form_of(inquiry.question, topic).kind in ("reading", "why") and topic.names_nothing
    return bool(inquiry.history) or not (of_all and is_general(inquiry.question))


def _kind(plain: str, topic: Topic) -> Kind:
    if topic.against:
        return "against"
    kind = next((kind for kind, pattern in _COMPILED if pattern.search(plain)), None)
    if kind is not None:
        return kind
    has_sign = bool(topic.families or topic.cues)
    if _YES_NO.search(plain) and has_sign:
        return "whether"
    if topic.moment is not None and _EMOTION.search(plain) and not has_sign:
        return "reading"
    if topic.modality is not None or topic.part or topic.moment is not None or topic.cues:
        return "what" if not topic.families else "whether"
    return "whether" if topic.families else "reading"


def _named(plain: str) -> tuple[Named, ...]:
    found: dict[tuple[str, ...], Named] = {}
    for piece in _PIECES.split(plain):
        for label in label_words(piece):
            found.setdefault((label.name,), Named(label))
        seen, heard = (_signs(piece, channel) for channel in ("visual", "audio"))
        cues = (*seen, *heard)
        if cues:
            found.setdefault(cues, Named(None, cues))
    return tuple(found.values())


def _signs(piece: str, channel: Channel) -> tuple[str, ...]:
    mentions = (m.cue for m in mentions_in(piece, channel))
    return tuple(dict.fromkeys(cue for cue in mentions if not cue.startswith(WORD_CUES)))


def _removed(plain: str, topic: Topic) -> tuple[Modality, ...]:
    """The modalities that a hypothetical question leaves out."""
    named = {
        m for modalities, words in _CHANNELS.values() if re.search(words, plain) for m in modalities
    }
    if topic.cues and not re.search(_CHANNELS["audio"][1], plain):
        return ()
    if _ONLY.search(plain) and named:
        return tuple(m for m in MODALITIES if m not in named)
    return tuple(m for m in MODALITIES if m in named)
