"""Questions that no clip can answer: identity, truthfulness, health, the future.

A question is declined when it asks for one of these things, not when it merely uses a word of
theirs. What is displayed may be asked for in any words: whether a smile is real or polite shows
in the eyes (Frank et al. 1993), where a person looks shows in their gaze.
"""

# ruff: noqa: RUF001  (the full-width marks are Chinese punctuation and are meant)
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from emer.agents.lexicon.cue_parser import normal_text
from emer.agents.questions.scope import is_outside
from emer.agents.types import DeclineReason

_BODY = (
    r"(?:person|people|man|woman|men|women|guys?|girls?|boys?|lady|child|actor|actress|speaker"
    r"|faces?|celebrity)"
)
_WHO = rf"(?:he|she|they|(?:the|this|that) (?:\w+ )?{_BODY}|person \d)"
"""A person as the subject of a question."""
_ENDS = r"\s*(?:[?,.;!]|$|\band\b)"
_IS = r"(?:is|are|was|were|'s)"
_TRULY = r"(?:really |actually |truly |perhaps |maybe |just |an? )?"

_INNOCENT = re.compile(
    r"\b(?:look|glanc|gaz|star[ei]|turn|fac|point)\w*(?:,? \w+){0,3},? off[- ]?(?:screen|camera)\b"
    r"|\b(?:lie|lies|lying|lay)\b (?:on|in|down|there|here|beside|next|at|back|still|under"
    r"|by|against|near|across|behind|awake|with|over|around|flat|low)\b"
    r"|\bwhere\b[^?]{0,80}?\blies?\b|\bsick (?:of|to death)\b|\bill(?: at ease|[- ]will)\b"
    r"|\bto be (?:\w+ )?honest\b|^(?:quite )?honestly\b"
    r"|\bstraight (?:ahead|face|at|in|to|into|on)\b"
    r"|\b(?:genuine\w*|sincere\w*|fak\w+|feign\w*|honest|pretend\w*)(?: \w+){0,2}"
    r" (?:smil|laugh|grin)\w*"
    r"|\b(?:smil|laugh|grin)\w*(?: \w+){0,4} (?:genuine\w*|sincere\w*|fake\w*|feigned|honest)\b"
    r"|[真假装]\w{0,3}笑|笑\w{0,4}(?:真诚|真心|[假装](?:的|出来)?)"
)
"""The same words in questions about what is displayed."""

_ASKS: Mapping[DeclineReason, tuple[str, ...]] = {
    "identity": (
        rf"\bwho ?{_IS} (?:this|that|these|those|he|she|they)(?: {_BODY})?{_ENDS}",
        rf"\bwho ?{_IS} the (?:\w+ ){{0,2}}{_BODY}(?: (?:in|on|at) the(?: \w+){{1,2}})?{_ENDS}",
        rf"\bwhat ?{_IS} (?:\w+ )?(?:his|her|their) (?:\w+ )?names?\b",
        rf"\bwhat ?{_IS} (?:the|this|that) (?:\w+ )?{_BODY}'?s? (?:\w+ )?names?\b",
        rf"\bwhat ?{_IS} {_WHO} called\b|\bwhose (?:face|voice) {_IS}\b",
        rf"\b(?:identify|recogni[sz]e|do you know) (?:him|them|her){_ENDS}",
        rf"\b(?:identify|recogni[sz]e|do you know) (?:this|that|the|these) (?:\w+ )?{_BODY}\b",
        rf"\b{_IS} {_WHO} (?:\w+ )?famous\b|\ba celebrity\b",
        r"(?:这|那)(?:个|位)?(?:男|女)?(?:人|演员)?是谁|[他她](?:们)?是谁|叫什么|姓什么|你认识[他她这]",
    ),
    "private": (
        r"\bhow old\b|\bwhat (?:age|race)\b|\bmale or female\b|\bfor a living\b|\bvoted? for\b",
        rf"\bwhat ?{_IS} (?:his|her|their) (?:age|religion|race|ethnicity|nationality|job"
        r"|profession|occupation|income|salary|sexuality|gender|sex|party|address|politics)\b",
        rf"\b{_IS} {_WHO} {_TRULY}(?:gay|straight|lesbian|bisexual|transgender|religious|muslim"
        r"|jewish|christian|hindu|buddhist|rich|poor|married|single|divorced|asian|african|arab"
        r"|hispanic|latin[oa]|chinese|japanese|indian|american|black|white)\b"
        r"(?! (?:with|of|from|at|in|thing|loser))",
        rf"\bwhere ?(?:{_IS}|do|does) {_WHO} (?:come )?from\b",
        rf"\bwhat (?:do|does) {_WHO} (?:earn|believe in)\b",
        r"多大(?:年纪|岁数?|了)|几岁|年龄|哪国人|哪里人|什么(?:民族|宗教|职业|工作|性别)",
        r"做什么工作|结婚了?[吗没]|同性恋|信(?:什么)?教",
    ),
    "truth": (
        r"\b(?:lie|lies|lying|lied|liar)\b|\b(?:telling|tells?|speaking) the truth\b|\bdeceiv\w+",
        rf"\b(?:{_IS}|seems?|looks?|sounds?|appears?)(?: \w+){{0,3}} (?:dis)?(?:honest|truthful"
        r"|deceptive|trustworthy|credible|sincere|insincere|genuine|guilty of)\b",
        r"\bhow (?:honest|truthful|trustworthy|credible|sincere|genuine)\b",
        r"\b(?:genuinely|honesty|truthfulness|sincerity|deceit|deception)\b",
        r"\b(?:fake|fakes|faking|faked|feign\w*|pretend\w*)\b",
        r"\b(?:putting (?:it|this|that) on|an act(?! of)|(?:just|only) acting)\b",
        rf"\b(?:do|does|did) {_WHO} (?:really |actually )?mean (?:it|that|this|what)\b",
        r"\b(?:can|could|should|may) (?:i|we|you|one) (?:really )?(?:trust|believe)\b",
        r"\bcheating on\b",
        r"说谎|撒谎|骗|诚实|可信|真心|真诚|真实的?(?:想法|情感|感情)|说的是真",
        r"装(?:的|作|出来)|假装|作假|是不是真的[吗呢]?[?？。]?$",
    ),
    "health": (
        r"\b(?:depress(?:ed|ion|ive)|clinically|diagnos\w+|autis\w+|adhd|ptsd|ocd|bipolar|dementia"
        r"|alzheimer\w*|schizo\w+|psycho(?:tic|sis|path\w*)|sociopath\w*|narcissis\w+|mentally ill"
        r"|mental (?:illness|health)|disorders?|suicid\w*|burn(?:ed|t)[- ]?out|traumati[sz]ed"
        r"|addict\w*|anorexi\w*|on the spectrum|hallucinat\w*|drunk|intoxicated|on drugs|pregnant"
        r"|unwell|a (?:seizure|stroke))\b",
        rf"\b(?:sick|ill)\b|\b{_IS} {_WHO} {_TRULY}healthy\b",
        r"抑郁|自闭|双相|创伤后|自杀|焦虑症|强迫症"
        r"|精神(?:病|疾病|分裂)|心理(?:疾病|问题)|生病|有病|病了|诊断|怀孕|喝醉|吸毒|健康吗",
    ),
    "future": (
        rf"\bwill {_WHO} \w+|\b(?:going to|gonna|about to) (?:do|say|happen)\b",
        r"\bwhat (?:will|would) happen\b|\bwhat happens (?:next|afterwards)\b",
        r"\bwhat happens after (?:the|this) (?:clip|video|scene|end)\b",
        r"接下来(?:会|将)|[以之]后会|将来|未来|下一步|会发生什么",
    ),
    "outside": (
        rf"\bwhat ?{_IS} {_WHO} thinking\b|\bwhat (?:does|did|do) {_WHO} think\b",
        r"\b(?:secretly|deep down|(?:really|truly) feel\w*|off[- ]?(?:screen|camera))\b",
        r"\bread (?:his|her|their) mind\b|\bbefore (?:the|this) (?:clip|video|scene|recording)\b",
        r"心里(?:在)?想|在想(?:什么|些)|怎么想|真正的感受|内心|镜头(?:之)?外|(?:视频|片段)之前",
    ),
}
_COMPILED = {reason: re.compile("|".join(asks)) for reason, asks in _ASKS.items()}
_NAMED = re.compile(r"\b[Ii]s (?:this|that|he|she|it) (?:really )?[A-Z]\w+ [A-Z]\w+")
"""A person's name, known by its capitals only."""
_NEXT = re.compile(r"\bwhat happens (?:next|afterwards)\b")
_MOMENT = re.compile(
    r"\d ?(?:s|secs?|seconds?)\b|\d ?秒|\bthe (?:start|beginning|middle|first half)\b|开头|中间"
)


def names_health(text: str) -> bool:
    """Whether a text affirms or denies a state of health, which no clip shows."""
    return _COMPILED["health"].search(_INNOCENT.sub(" ", normal_text(text))) is not None


def decline_reason(question: str, earlier: Iterable[str] = ()) -> DeclineReason | None:
    """What the question asks for that no clip shows; None if a clip may show it.

    "What happens next?" is not declined where an `earlier` question of the thread named a
    moment of the clip.
    """
    earlier = tuple(earlier)
    rest = _INNOCENT.sub(" ", normal_text(question))
    if _NAMED.search(question):
        return "identity"
    if _NEXT.search(rest) and any(map(_MOMENT.search, earlier)):
        rest = _NEXT.sub(" ", rest)
    asked = next((reason for reason, asks in _COMPILED.items() if asks.search(rest)), None)
    return asked or ("outside" if is_outside(question, earlier) else None)
