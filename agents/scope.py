"""Questions that no clip can answer: whose face, whether true, what comes next."""

from __future__ import annotations

import re
from typing import Literal

Beyond = Literal["identity", "private", "truth", "health", "future", "outside"]
"""What a question asks for that a clip cannot show."""

_ASKS: dict[Beyond, re.Pattern[str]] = {
    "identity": re.compile(
        r"\bwho (?:is|are|was) (?:this|that|the|she|he|they)\b|\bwhat(?:'s| is| are)"
        r" (?:\w+ )?(?:his|her|their|the (?:person|man|woman|actor|actress)'?s?) (?:full )?names?\b"
        r"|\b(?:identify|recogni[sz]e) (?:this|that|the|him|her)\b|这(?:个人)?是谁|叫什么(?:名字)?"
        r"|(?:他|她)是谁"
    ),
    "private": re.compile(
        r"\bhow old\b|\bwhat(?:'s| is) (?:his|her|their) (?:age|religion|race|ethnicity|nationality"
        r"|job|income|sexuality|party)\b|\b(?:gay|straight|religious|muslim|jewish|christian)\b"
        r"|\bwhere (?:is|are) (?:he|she|they) from\b|多大(?:年纪|岁)|几岁|哪国人"
        r"|什么(?:民族|宗教|职业)"
    ),
    "truth": re.compile(
        r"\b(?:lying|lies)\b(?! (?:on|in|down|there|beside|next))"
        r"|\b(?:truthful\w*|deceptive|deceiv\w+|honest\w*|sincere\w*|genuine(?:ly)?"
        r"|faking|telling the truth|guilty of)\b|说谎|撒谎|骗人|真心|真诚|是不是真的"
    ),
    "health": re.compile(
        r"\b(?:depression|diagnos\w+|autis\w+|adhd|bipolar|mentally ill|mental (?:illness|health)"
        r"|disorder|suicidal|drunk|on drugs|sick|ill)\b|抑郁症|自闭症|精神病|生病|诊断"
    ),
    "future": re.compile(
        r"\bwill (?:he|she|they|the (?:person|man|woman)) \w+"
        r"|\b(?:going to|gonna) (?:do|say|happen)"
        r"|\bwhat happens (?:next|after)\b|接下来会|以后会|将来|下一步"
    ),
    "outside": re.compile(
        r"\bwhat (?:is|was) (?:he|she|they) thinking\b|\b(?:secretly|deep down|really feel\w*)\b"
        r"|\bhow (?:does|did) (?:he|she|they) (?:really|truly) feel\b|\boff[- ]?(?:screen|camera)\b"
        r"|心里(?:在)?想|真正的感受|内心"
    ),
}


def beyond(question: str) -> Beyond | None:
    """Return what the question asks for that no clip shows, or None if a clip may show it."""
    plain = question.casefold()
    return next((kind for kind, asks in _ASKS.items() if asks.search(plain)), None)
