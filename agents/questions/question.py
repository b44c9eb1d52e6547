"""Topic of a question (English, Chinese): person, moment, modality, emotion, sign."""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from emer.agents.lexicon.cue_parser import mentions_in, normal_text
from emer.agents.lexicon.lexicon import CHANNELS, WORD_CUES, lexicon
from emer.agents.questions.emotion_words import known_words
from emer.agents.types import LONGEST_QUESTION
from emer.tools.errors import ConfigError
from emer.tools.types import Modality, Span

NEAR = 0.5
"""Seconds around a named moment (chosen by us)."""
AFTER = 1.5
"""Seconds behind a moment that "what happens next?" is about (chosen by us)."""
MIDDLE = "the middle"

_S = r"\s*(?:s\b|secs?\b|seconds?\b|秒)"
_TIME = r"(?<!\d)(\d{1,9}(?:\.\d{1,9})?)"
_STRETCH = re.compile(rf"{_TIME}(?:{_S})?\s*(?:-|\u2013|to|and|until|到|至)\s*{_TIME}{_S}")
_POINT = re.compile(rf"{_TIME}{_S}|\b(?:second|sec) {_TIME}\b|第\s*{_TIME}\s*秒")
_CLOCK = re.compile(r"\b(\d{1,2}):([0-5]\d)(?:\.(\d{1,9}))?\b")
_PARTS = (
    (
        "the beginning",
        (0.0, 0.25),
        r"\b(?:at|in|from) the (?:very )?(?:start|beginning|outset)\b|\binitially\b|\bat first\b"
        r"|开头|开始时|开始的时候|一开始|起初",
    ),
    (
        "the end",
        (0.75, 1.0),
        r"\b(?:at|in|by|towards?) the (?:very )?end\b|\bfinally\b"
        r"|\bin the last (?:few )?(?:seconds|moments)\b|结尾|最后|结束时",
    ),
    ("the first half", (0.0, 0.5), r"\bfirst half\b|前半"),
    ("the second half", (0.5, 1.0), r"\b(?:second|last|latter) half\b|后半"),
    (
        MIDDLE,
        (0.375, 0.625),
        r"\b(?:in|at|around) the (?:middle|centre|center)\b|\bhalfway\b"
        r"|中段|中途|(?:视频|片段)中间",
    ),
)
"""Parts of a clip: name, share of its length (chosen by us), words."""
_NEXT = re.compile(
    r"\b(?:next(?! to)|afterwards?|after (?:that|this)|(?:and|what) then)\b|^(?:and )?then\b"
    r"|之后|接着|然后"
)
_BODY = r"(?:person|man|woman|girl|boy|lady|guy|child|kid|speaker|actor|actress|one|character)"
_STAND = r"(?:who(?: is|'s)? |that is |is |sitting |standing |seated )*"
_SIDES: Mapping[str, re.Pattern[str]] = {
    f"on the {side}": re.compile(
        rf"\b(?:on|at) (?:the|your) (?:far )?{side}\b"
        r"(?! of| side of| (?:moment|time|place|track|foot|note|hand)\b)"
        rf"|\b{side}(?:most|-?hand|-most)? (?:side )?{_BODY}\b|\bthe {side}most\b"
        rf"|(?<!看)(?<!向)(?<!朝)(?<!往){zh}(?:边|侧|面|方)"
    )
    for side, zh in (("left", "左"), ("right", "右"))
}
_PLACES: Mapping[str, re.Pattern[str]] = {
    **_SIDES,
    "in the middle": re.compile(
        rf"\b{_BODY} {_STAND}(?:in|at) the (?:middle|centre|center)\b"
        rf"|\b(?:middle|central) {_BODY}\b"
        r"|中间(?:的|那|这)?(?:个|位|名)?(?:人|女|男|孩)|中间那[位个]"
    ),
}
_FROM = re.compile(
    r"\b(first|second|third|fourth|fifth|1st|2nd|3rd|4th|5th) (?:\w+ )?from (?:the )?(left|right)\b"
    r"|(左|右)(?:边|侧|起|数|面)?(?:起|数|开始)?第([一二三四五])|从(左|右)(?:边)?(?:往.)?(?:数|起)?第([一二三四五])"
)
_NTH = {
    "1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth",
    "一": "first", "二": "second", "三": "third", "四": "fourth", "五": "fifth",
    "左": "left", "右": "right",
}  # fmt: skip
_GAZE = re.compile(
    r"\b(?:look|glanc|gaz|star[ei]|turn|point|lean|tilt|mov|facing)\w*(?: \w+){0,3}"
    r" (?:on|at) the (?:left|right)"
)
_ORDINALS = {"one": 1, "two": 2, "three": 3, "four": 4, "first": 1, "second": 2, "third": 3}
_DIGITS = {"一": 1, "二": 2, "三": 3, "四": 4}
_NUMBERED = re.compile(
    r"\bperson (?:number |no\.? ?|#)?(\d+|one|two|three|four)\b"
    r"|\b(first|second|third) person\b(?! from)"
    r"|(?:第)([一二三四\d])(?:个|位)?人|人物?([一二三四\d])|([一二三四\d])号(?:人物?)?"
)
_OTHER = re.compile(
    rf"\bthe other (?:{_BODY}|two|people|side)\b|\bthe others?\b(?= ?[?.,!]|$)"
    r"|另(?:外)?(?:一)?(?:个|位)?(?:人|女|男)|旁边的?(?:人|那)|对方"
)
_VOICE = re.compile(
    r"\b(first|second|third) voice\b|\bvoice (?:number )?(\d{1,2}|one|two|three)\b"
    r"|声音 ?(\d{1,2})(?![\d.])|第([一二三])个声音"
)
_ANY_PERSON = re.compile(
    r"\b(?:the|this|that|each|every|an?) (?:person|people|clip|video|scene|footage)\b"
    r"|\b(?:everyone|everybody|they all|who)\b|\bperson's\b|这个人|视频|片段|画面|谁"
)
_SEXES = {
    "women": re.compile(
        r"\b(?:the|this|that) (?:\w+ )?(?:woman|girl|lady|female)\b|女(?:人|孩|生|士)"
    ),
    "men": re.compile(r"\b(?:the|this|that) (?:\w+ )?(?:man|boy|guy|male)\b|男(?:人|孩|生|士)"),
}
_MODALITIES: Mapping[Modality, re.Pattern[str]] = {
    "audio": re.compile(
        r"\b(?:voices?|tone|intonation|pitch|prosody|audio|loudness|vocal\w*)\b"
        r"|\bhow (?:does|did|do) [\w ]{1,24}\b(?:sound|speak|talk)\b|\bsounds? like\b"
        r"|声音|语气|语调|嗓音|音调|音量|语速|听起来|口气"
    ),
    "text": re.compile(
        r"\b(?:his|her|their|the|these|those|which|what) (?:exact )?(?:words?|lines?)\b"
        r"|\bwhat (?:does|did|do|is|was|are|were) [\w ]{1,24}\b(?:say|saying|talking about)\b"
        r"|\bwhat (?:is|was) (?:being )?said\b|\b(?:transcripts?|subtitles?|dialogue|the text)\b"
        r"|说了?(?:些)?什么|说(?:过|了|出)?的话|台词|字幕|话语|文字|文本"
    ),
    "face": re.compile(
        r"\b(?:face|facial|expressions?|eyes|mouth|eyebrows?|brows?)\b"
        r"|表情|脸|面部|神情|眼神|眼睛|眉|嘴"
    ),
    "scene": re.compile(
        r"\b(?:background|setting|surroundings|lighting|body language|gestur\w+|postures?|hands?)\b"
        r"|\bthe (?:room|camera|body)\b|背景|环境|姿势|姿态|手势|肢体|动作|身体"
    ),
}
PARTS: Mapping[str, re.Pattern[str]] = {
    "hands": re.compile(r"\b(?:hands?|fists?|fingers?|arms?|gestur\w*|palms?)\b|手|拳|臂"),
    "eyes": re.compile(r"\b(?:eyes?|gaze|eyelids?)\b|眼|目光|视线"),
    "brows": re.compile(r"\b(?:brows?|eyebrows?|forehead)\b|眉|额"),
    "mouth": re.compile(r"\b(?:mouth|lips?|jaw|teeth|chin)\b|嘴|唇|下巴|牙"),
    "head": re.compile(r"\b(?:head|nods?)\b|头部|点头|摇头|[他她的]头|低头|抬头|歪头"),
    "posture": re.compile(
        r"\b(?:body|postures?|shoulders?|torso|lean\w*|legs?|feet)\b|身体|姿势|姿态|肩|上身|前倾|后仰"
    ),
}
"""Parts of the body: words of questions, and of the clues that tell of them."""
_ELLIPSIS = re.compile(
    r"^(?:and|but|so|then|also|or|what about|how about|what of)\b"
    r"|^(?:那|那么|还有|而|可是|但)|呢[？?。]?$"
)
_BARE = re.compile(
    r"^(?:and |but |so )?(?:why(?: not| so| is that)?|how (?:come|so|do you know|sure are you)"
    r"|(?:are you )?(?:sure|certain)|really|says who|based on what"
    r"|what makes you (?:say|think) (?:so|that))\W*$"
    r"|^(?:那)?(?:为什么(?:不)?|为何|怎么说|凭什么|何以见得|真的吗|确定吗|你确定吗)(?:呢)?\W*$"
)
_GENERAL = re.compile(
    r"\b(?:emotion\w*|affect\w*|feel\w*|mood\w*|sentiment|state of mind|attitude|demeanou?r|reading"
    r"|display\w*|express\w*|react\w*|respon\w*|behav\w*|happen\w*|go(?:es|ing)? on|look\w*|seem\w*"
    r"|appear\w*|describe|explain\w*|explanation|summar\w*|analy\w*|interpret\w*|evidence|clues?"
    r"|signs?|cues?|see|seen|hear|heard|shows?|shown|why|how is|how are|how does|how do)\b"
    r"|情绪|情感|感受|感觉|心情|心境|态度|状态|反应|表现|表达|发生|描述|解释|分析|概括|总结|看出|看到|听到"
    r"|怎么样|怎么了|为什么|为何|线索|证据"
)
"""Words of questions about the clip as a whole."""
_WHY_NOT = re.compile(
    r"\bwhy (?:not|(?:is|are|was|were|do|does|did)(?:n't|(?: \w+){1,4} not))\b"
    r"|为什么不|为何不|怎么不"
)
_WHOLE = re.compile(r"\b(?:overall|in general|altogether|as a whole)\b|总体|整体|总的来说")


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of the clip and its name; beyond the clip's end it has no span."""

    span: Span | None
    words: str


@dataclass(frozen=True, slots=True)
class Topic:
    """What a question asks about; the default is the clip as a whole."""

    families: tuple[str, ...] = ()
    """Emotion families it names, in the order of its words."""
    place: str | None = None
    """In the words of our tools: "on the left", "second from the left"."""
    person: str | None = None
    """"person 2"."""
    other: bool = False
    """It is about another than the main person."""
    sex: str | None = None
    """"women" or "men" where it distinguishes people so; none of our tools does."""
    modality: Modality | None = None
    part: str = ""
    """A part of the body, one of `PARTS`."""
    cues: tuple[str, ...] = ()
    """Displayed signs it names: a smile, a lowered gaze."""
    denied: bool = False
    """It asks why such a sign is absent."""
    moment: Moment | None = None
    bare: bool = False
    """It only asks for the reason or the certainty of the answer before."""
    against: bool = False
    """It asks why not."""

    @property
    def names_nothing(self) -> bool:
        """True if it names no person, moment, modality, emotion or sign."""
        about = (self.families, self.sex, self.modality, self.part, self.cues, self.moment)
        return not (self.has_subject or self.bare or any(about))

    @property
    def has_subject(self) -> bool:
        """True if it names a person by place or number, or the other one."""
        return self.place is not None or self.person is not None or self.other


def check_length(question: str) -> None:
    """Raise `ConfigError` for a question that is longer than one is read."""
    if len(question) > LONGEST_QUESTION:
        raise ConfigError(
            f"the question has {len(question):,} characters, at most {LONGEST_QUESTION:,} are "
            "read; shorten it"
        )


def is_general(question: str) -> bool:
    """True for a question about what the clip displays as a whole."""
    plain = normal_text(question)
    return bool(_GENERAL.search(plain) or _WHOLE.search(plain))


def topic_of(
    question: str, earlier: Iterable[str], duration: float, is_there: Callable[[Topic], bool]
) -> Topic:
    """The topic of a question in its thread.

    A short follow-up ("and her voice?", "why not?") takes over what it leaves unsaid from the
    question before; a person who is not in the clip is not taken over.

    Args:
        question: The last question of the thread.
        earlier: The questions before it, the oldest first.
        duration: Length of the clip in seconds.
        is_there: Tells whether a topic's person is in the clip.
    """
    before = Topic()
    for text in earlier:
        before = _follow(normal_text(text), before, duration)
        if before.has_subject and not is_there(before):
            before = _with_subject(before, Topic())
    return _follow(normal_text(question), before, duration)


def _moment(plain: str, duration: float) -> Moment | None:
    """The moment that a question (in lower case) names, if any."""
    if times := _times(plain):
        start, end, words = times
        if start > duration:
            return Moment(None, words)
        return Moment(Span(start=max(0.0, start - NEAR), end=min(end, duration) + NEAR), words)
    for name, (start, end), pattern in _PARTS:
        if re.search(pattern, plain):
            return Moment(Span(start=duration * start, end=duration * end), name)
    return None


def _next_moment(plain: str, before: Moment | None, duration: float) -> Moment | None:
    """The stretch behind an earlier moment, for "and then?"."""
    if before is None or before.span is None or not _NEXT.search(plain) or _times(plain):
        return None
    start = before.span.end
    if start >= duration:
        return Moment(None, f"after {before.words}")
    return Moment(Span(start=start, end=min(start + AFTER, duration)), f"{start:g} s")


def _times(plain: str) -> tuple[float, float, str] | None:
    """Start and end in seconds, and their name."""
    stretch = _STRETCH.search(plain)
    if stretch and float(stretch[1]) <= float(stretch[2]):
        return float(stretch[1]), float(stretch[2]), f"{stretch[1]}-{stretch[2]} s"
    if point := _POINT.search(plain):
        at = next(group for group in point.groups() if group)
    elif clock := _CLOCK.search(plain):
        at = str(int(clock[1]) * 60 + int(clock[2])) + (f".{clock[3]}" if clock[3] else "")
    else:
        return None
    return float(at), float(at), f"{at} s"


def _follow(plain: str, before: Topic, duration: float) -> Topic:
    topic = _named_in(plain, duration)
    if before.place and not topic.has_subject and topic.moment and topic.moment.words == MIDDLE:
        topic = replace(topic, place="in the middle", moment=None)
    topic = replace(topic, moment=_next_moment(plain, before.moment, duration) or topic.moment)
    is_new = topic.has_subject or topic.sex not in (None, before.sex)
    if before.has_subject and not (is_new or _ANY_PERSON.search(plain) or _WHOLE.search(plain)):
        topic = _with_subject(topic, before)
    return _completed(topic, before) if topic.bare or _ELLIPSIS.search(plain) else topic


def _with_subject(topic: Topic, of: Topic) -> Topic:
    return replace(topic, place=of.place, person=of.person, other=of.other, sex=of.sex)


def _completed(topic: Topic, before: Topic) -> Topic:
    """The topic with what a follow-up leaves unsaid; another person has another voice."""
    same = (topic.place, topic.person, topic.other) == (before.place, before.person, before.other)
    names_an_emotion_alone = topic.families and not (topic.modality or topic.moment or topic.cues)
    keeps = same and not names_an_emotion_alone and not topic.cues
    return replace(
        topic,
        families=topic.families or (before.families if not topic.cues else ()),
        modality=topic.modality or (before.modality if keeps else None),
        moment=topic.moment or (before.moment if keeps else None),
        part=topic.part or (before.part if topic.bare else ""),
        cues=topic.cues or (before.cues if topic.bare else ()),
        denied=topic.denied or (before.denied and topic.bare),
    )


@lru_cache(maxsize=256)
def _named_in(plain: str, duration: float) -> Topic:
    plain = known_words(plain)
    mentions = [m for c in CHANNELS if c != "text" for m in mentions_in(plain, c)]
    signs = [m for m in mentions if not m.cue.startswith(WORD_CUES)]
    named = {
        family: match.start()
        for family, words in lexicon().emotion_words.items()
        if (match := re.search(words, plain))
    }
    place, moment = _place(plain), _moment(plain, duration)
    return Topic(
        families=tuple(sorted(named, key=lambda family: (named[family], family))),
        place=place,
        person=_person(plain),
        other=_OTHER.search(plain) is not None,
        sex=next((sex for sex, words in _SEXES.items() if words.search(plain)), None),
        modality=next((m for m, words in _MODALITIES.items() if words.search(plain)), None),
        part=next((part for part, words in PARTS.items() if words.search(plain)), ""),
        cues=tuple(dict.fromkeys(m.cue for m in signs)),
        denied=any(m.negated for m in signs),
        moment=None if moment and moment.words == MIDDLE and place else moment,
        bare=_BARE.search(plain) is not None,
        against=_WHY_NOT.search(plain) is not None,
    )


def _place(plain: str) -> str | None:
    if counted := _FROM.search(plain):
        words = [_NTH.get(group, group) for group in counted.groups() if group]
        nth, side = sorted(words, key=lambda word: word in ("left", "right"))
        return f"on the {side}" if nth == "first" else f"{nth} from the {side}"
    places = () if _GAZE.search(plain) else _PLACES.items()
    return next((place for place, words in places if words.search(plain)), None)


def _person(plain: str) -> str | None:
    if match := _VOICE.search(plain):
        word = next(group for group in match.groups() if group)
        return f"voice {_ORDINALS.get(word) or _DIGITS.get(word) or int(word)}"
    if match := _NUMBERED.search(plain):
        word = next(group for group in match.groups() if group)
        return f"person {_ORDINALS.get(word) or _DIGITS.get(word) or int(word)}"
    return None
