"""Words of a transcript in one spelling and script, with names masked.

Chinese is written in simplified characters (recognisers of Mandarin answer in either), Latin
words in lower case without contractions, and a blank stands between the two scripts. A name is
replaced by `NAME`, so that neither Joy nor Mister Happy is a feeling.
"""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import re

from emer.agents.utterances.tables import alternatives

NAME = "\u25cb"
"""Stands for a name."""
HAN = "\u4e00-\u9fff"
TITLE_CASE = 0.6
"""Share of capitals among the words of a transcript from which they tell no name (by us)."""

_TRADITIONAL = (
    "氣會說對沒麼們個難過愛謝歡樂煩惱厭惡懼驚嚇傷淚離開聽見覺這裡還後點給話認識請問題樣讓為甚從來經"
    "夠騙壞賤髒聲聰時間現體親寶貝護錯誤該殺報應閉滾東無顧緊張恥醜憂慮擔關係講誰幾嗎嘗試產業買賣"
    "實際終於學習義務慘飯錢場當頭臉燒電腦車開門裝機夢勵誇贊讚歲風險絕斷場種與並準備動靜罵責罰"
    "邊遠進運選變輕輸贏連這遲將軍單獨寫爾葉號嘆噁羨尷"
)
_SIMPLIFIED = (
    "气会说对没么们个难过爱谢欢乐烦恼厌恶惧惊吓伤泪离开听见觉这里还后点给话认识请问题样让为什从来经"
    "够骗坏贱脏声聪时间现体亲宝贝护错误该杀报应闭滚东无顾紧张耻丑忧虑担关系讲谁几吗尝试产业买卖"
    "实际终于学习义务惨饭钱场当头脸烧电脑车开门装机梦励夸赞赞岁风险绝断场种与并准备动静骂责罚"
    "边远进运选变轻输赢连这迟将军单独写尔叶号叹恶羡尴"
)
_MARKS = str.maketrans(
    "，、。！？；：（）“”「」『』’‘．～—",
    ',,.!?;:()""""""\'\'.~-',
)
_SCRIPT = str.maketrans(_TRADITIONAL, _SIMPLIFIED)

_CONTRACTIONS = (
    (r"\b(?:can't|cannot|cant)\b", "can not"),
    (r"\b(?:won't)\b", "will not"),
    (r"\bshan't\b", "shall not"),
    (r"\bain't\b", "is not"),
    (r"\b(do|does|did|is|was|are|were|have|has|had|could|would|should|must|need)n'?t\b", r"\1 not"),
    (r"\b(?:i'm|im)\b", "i am"),
    (r"\b(you|we|they)'re\b|\b(?:(you)re)\b", r"\1\2 are"),
    (r"\b(i|you|we|they|who|would|could|should|might|must)'ve\b|\b(?:(i)ve)\b", r"\1\2 have"),
    (r"\b(i|you|we|they|he|she|it|that|there|who|this|what)'ll\b", r"\1 will"),
    (r"\b(i|you|we|they|he|she|it|that|there|who)'d\b", r"\1 would"),
    (r"\b(that|it|he|she|what|who|there|where|how|here|why)'s\b|\b(that)s\b", r"\1\2 is"),
    (r"\blet's\b", "let us"),
    (r"\b(?:gonna)\b", "going to"),
    (r"\b(?:wanna)\b", "want to"),
    (r"\bgotta\b", "have to"),
    (r"\by'all\b", "you"),
)
_EXPANDED = tuple((re.compile(short), long) for short, long in _CONTRACTIONS)

_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Mister|Dr|Doctor|Sir|Lady|Uncle|Aunt|Auntie|Grandma|Grandpa|Professor"
    r"|Captain|Princess|Prince|Saint|Sister|Brother|Madame?|Master|Old|Little)\.?\s+[A-Z][a-z'-]+"
    r"|\b(?:mr|mrs|ms|mister|dr|uncle|auntie?|captain|professor|princess)\b\.?\s+[a-z'-]+"
)
_CALLED = re.compile(
    r"(\b(?:named|(?:is|was|are|am) called|name is|name's|call (?:me|him|her|it))\s+)[A-Za-z'-]+",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"(?<![\w'])[A-Z][a-z]+(?:-[A-Za-z]+)?(?!\w)")
_LATIN = re.compile(r"[A-Za-z][A-Za-z']*")
_OPENING = re.compile(r"(?:^|[.!?\u2026:\"\n-])[\"'(\s]*$")
_DEGREE_BEFORE = re.compile(r"\b(?:so|very|really|too|how|feel)\s+$", re.IGNORECASE)
_NO_NAMES = frozenset(
    {"God", "Jesus", "Christ", "Lord", "Heaven", "Heavens", "Gosh", "Goodness", "Oh", "Ah", "Mom",
     "Mum", "Mommy", "Mama", "Dad", "Daddy", "Papa", "Mother", "Father", "Ok", "Okay", "Hey", "Hi",
     "Hello", "Thank", "Thanks", "Sorry", "Please", "Yes", "No", "Wow"}
)  # fmt: skip
_GREETED = re.compile(
    r"\s+(?:birthday|new year|christmas|anniversary|holidays?|easter|days?)\b", re.IGNORECASE
)
_FEELING = alternatives(("self",), "zh")
_NAMED_ZH = re.compile(rf"((?:名叫|叫做|叫作|名字[是叫]|[我你他她它]叫))(?:{_FEELING})")
_TITLE_ZH = re.compile(
    rf"(?:(?<![{HAN}])[小阿老](?:{_FEELING})"
    rf"|(?:{_FEELING})(?=先生|小姐|女士|老师|同学|叔叔|阿姨|哥哥|姐姐|医生))"
)
_BORDER = re.compile(rf"(?<=[A-Za-z0-9])(?=[{HAN}])|(?<=[{HAN}])(?=[A-Za-z0-9])")
_HAN_GAP = re.compile(rf"(?<=[{HAN}]) +(?=[{HAN}])")


def normal_words(text: str) -> str:
    """The transcript in one spelling, its names masked."""
    marked = text.translate(_MARKS).translate(_SCRIPT).replace("...", "\u2026")
    plain = _without_names(_BORDER.sub(" ", marked)).casefold()
    plain = "\n".join(" ".join(line.split()) for line in plain.splitlines())
    for short, long in _EXPANDED:
        plain = short.sub(long, plain)
    # Subtitles without punctuation part their clauses by blanks.
    return _HAN_GAP.sub(",", plain)


def _without_names(text: str) -> str:
    text = _TITLED.sub(NAME, text)
    text = _CALLED.sub(rf"\1{NAME}", text)
    text = _TITLE_ZH.sub(NAME, _NAMED_ZH.sub(rf"\1{NAME}", text))
    found = frozenset(_inner_capitals(text))
    return _CAPITAL.sub(lambda m: NAME if m.group() in found else m.group(), text)


def _inner_capitals(text: str) -> list[str]:
    """Capitalised words inside sentences, unless most words are capitalised."""
    inner = [
        m
        for m in _LATIN.finditer(text)
        if not _OPENING.search(text, max(0, m.start() - 8), m.start())
    ]
    capital = [m for m in inner if _CAPITAL.fullmatch(m.group())]
    others = [m for m in inner if not m.group()[0].isupper() or m.group()[0] == "I"]
    if len(capital) > 1 and len(capital) >= TITLE_CASE * (len(capital) + len(others)):
        return []
    return [
        m.group()
        for m in capital
        if m.group() not in _NO_NAMES
        and not _DEGREE_BEFORE.search(text, max(0, m.start() - 12), m.start())
        and not _GREETED.match(text, m.end())
    ]
