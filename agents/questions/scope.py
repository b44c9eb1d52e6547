"""Whether a question is about the clip at all: by default it is not."""

from __future__ import annotations

import re
from collections.abc import Iterable

from emer.agents.lexicon.cue_parser import normal_text
from emer.agents.questions.question import Topic, topic_of

_ANCHORS = re.compile(
    r"\b(?:he|she|they|him|her|his|hers|their|them|theirs|himself|herself|themselves)\b"
    r"|\b(?:the|this|that|these|those|other|each|every|an?|which|left|right|first|second|third"
    r"|fourth|older|younger|main) (?:\w+ )?(?:person|people|man|woman|men|women|guys?|girls?|boys?"
    r"|lady|child|kids?|speakers?|actors?|actress|characters?|faces?|voices?|one)\b(?! who\b)"
    r"|\b(?:clip|video|scene|pictures?|footage|recording|facial|emotion\w*|feel|feels|feeling|feelings|mood"
    r"|voices?|tone|intonation|gestur\w+|postures?|expressions?|clues?|someone|somebody|anyone"
    r"|anybody|everyone|everybody|person|speaker|your (?:mind|answer|reading|conclusion|label"
    r"|explanation|evidence|confidence|view|opinion))\b"
    r"|[他她]|(?:这|那|哪|每|几|多少|左边|右边|中间|旁边|另外?一?)(?:个|位|名)?(?:人|男|女|孩)"
    r"|此人|人物|的人|男人|女人|有人|视频|片段|画面|镜头|表情|脸|声音|语气|语调|情绪|情感|心情|感受"
    r"|感觉|神情|手势|姿势|说话|对方"
)
"""Words for a person, the clip, what is displayed, or the answer itself."""

_VOCABULARY = frozenset(
    """
    a about again against agree all alone also an and any anything apart appear appears are as
    ask at aware away based be because been before between both but by can certain certainty
    change changed changes clear clearly come conclude confidence confident could counter
    counterevidence describe detail details did differ different display displayed displays do
    does else evidence exactly explain explanation express expressed expresses first for from
    get give go going had happen happened happening happens has have hear heard here how i if in
    interpret is isn't it its just know last less likely look looks made make makes many me mean
    means mind moment more most much need no not notice now of ok okay on one ones only or other
    others overall part people please reading reason reasons really reliable right said same say
    second see seem seems seen show showing shown shows sign signs so some sound sounds speak
    speaking speaks start still strong such summarise summarize summary support supports sure
    take talk talking tell than thank thanks that the their them then there these they thing
    think this those through time to too two up us use very visible want was watch we well were
    what when where which who whole whose why will with without would wrong yes you your
    conflict conflicts contradict contradicts objection objections doubt doubtful analyse
    analyze analysis interpretation react reacts reaction demeanour demeanor attitude behave
    behaviour behavior atmosphere respond response cue cues third fourth end beginning middle
    conclusion convince true false maybe perhaps let let's i'm you're it's what's that's who's
    don't doesn't didn't aren't can't next afterwards following
    """.split()  # noqa: SIM905
)
"""Words of which a question about the whole clip may consist, without any other."""

_GENERAL_ZH = re.compile(
    r"(?:发生|看出|看到|听到|描述|解释|分析|概括|总结|反应|表现|表达|展示|显示|态度|状态|线索|证据|依据|理由|原因"
    r"|怎么|怎样|什么|为何|为什么|哪里|哪儿|哪些|多少|确定|肯定|把握|置信度?|可靠|可能性?|改变|看法|答案|判断"
    r"|结论|想法|想|会|能|可以|请|告诉|说说|说明|讲讲|总体|整体|变化|发展|过程|时候|何时|结果|不同|一样|反面"
    r"|相反|支持|反对|现在|接着|接下来|然后|之后|开头|结尾|中间|最后|还有|其他|别的|另外|如果|没有|知道|认为|觉得"
    r"|真的|真|为|有|是|的|了|吗|呢|吧|啊|嘛|呀|这|那|里|上|中|在|到|出|来|去|和|与|或|还|也|又|都|就|很|太|更"
    r"|最|不|没|你|您|我|们|个|些|下|一|样|着|过|把|被|对|从|以|及|之|其|何|谁|几|次|多|少|么|点|凭|要|得|地|给"
    r"|秒|事|看|听|它)+"
)
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[^\W\d_]+(?:'[a-z]+)?")


def is_outside(question: str, earlier: Iterable[str] = ()) -> bool:
    """True for a question that names nothing of the clip, its people or the answer."""
    topic = topic_of(question, earlier, 1.0, lambda _: True)
    plain = normal_text(question)
    if _ANCHORS.search(plain) or _is_named(topic):
        return False
    if _CHINESE.search(plain):
        return _CHINESE.search(_GENERAL_ZH.sub("", plain)) is not None
    words = _WORD.findall(plain)
    return bool(words) and not all(word in _VOCABULARY for word in words)


def _is_named(topic: Topic) -> bool:
    """True if the question itself names an emotion, a sign, a person, part or moment."""
    named = (topic.families, topic.cues, topic.part, topic.moment, topic.bare, topic.modality)
    return any(named) or topic.place is not None or topic.person is not None or topic.other
