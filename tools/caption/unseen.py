"""What no picture shows goes: why somebody does something, what is thought, what it may mean.

The clause is cut and the rest is told; a sentence of which no more is left than whom it is about
is not. Feelings as nouns are told as looks, or cut, too (`feelings`).
"""

from __future__ import annotations

import re

from emer.tools.caption.feelings import as_looks
from emer.tools.caption.grammar import any_of, does, outside_quotes
from emer.tools.caption.seeming import FELT, NOUNS

_MAYBE = r"(?:,? (?:possibly|probably|perhaps|likely|maybe|apparently|presumably|seemingly|just))*"
_WHY = (
    r"(?:because|due to|owing to|thanks to|as a result of|in order to|so as to|so that|caused by|"
    r"in (?:response|reaction) to|for fear (?:of|that)|since (?:he|she|they)|"
    r"after (?:being|having|[a-z]+ing)|"
    r"(?:who|that) (?:has|have|had) (?:just|recently|already|been))\b"
)
_THINK = (
    r"(?:th(?:inks?|inking|ought) (?:about|of|that|back|how|whether)|"
    r"(?:deep|lost) in (?:thought|(?:his|her|their) [a-z]+)|"
    r"remember(?:s|ing)|recall(?:s|ing)|reminisc(?:es|ing)|reflect(?:s|ing) on|ponder(?:s|ing)|"
    r"contemplat(?:es|ing)|wonder(?:s|ing)|imagin(?:es|ing)|dream(?:s|ing) (?:of|about)|"
    r"reali[sz](?:es|ing)|know(?:s|ing)|believ(?:es|ing)|understands|regret(?:s|ting)|"
    r"wish(?:es|ing)|hop(?:es|ing)|want(?:s|ing)|intend(?:s|ing)|plan(?:s|ning) (?:to|on|for)|"
    r"decid(?:es|ing)|expect(?:s|ing)|doubt(?:s|ing)|worr(?:ies|ying)|long(?:s|ing) for|"
    r"feel(?:s|ing) (?:that|as if|like|(?:(?:so|very|quite|[a-z]+ly) )?"
    rf"(?!{any_of(FELT)}\b)[a-z]+ed)|"
    r"(?:unsure|uncertain) (?:whether|about|if|how|what)|reminded of|"
    r"(?:to )?(?:hid|mask|conceal|suppress)(?:e|es|ing|s)? (?:his|her|their) "
    rf"{any_of(NOUNS)}|"
    r"(?:miss(?:es|ing)|loves|hates|adores|despises|trusts|fears) (?:him|her|his|them|their)|"
    r"(?:try|tries|trying|struggl(?:es|ing)) to (?:understand|remember|forget|hide|suppress|cope|"
    r"decide|process|comprehend|make sense|figure|accept))\b"
)
_MEANS = (
    r"(?:(?:suggest|convey)(?:s|ing)?|(?:signif|impl)(?:y|ies|ying)|"
    r"(?:indicat|evok|exud|radiat)(?:e|es|ing)|"
    r"show(?:s|ing)? (?:that|how)|hint(?:s|ing) at|"
    r"express(?:es|ing) (?:that|how|a (?:sense|feeling|mix)))\b"
)
_END = (
    r"(?=[,.!?]|$| (?:while|but)\b| as (?:he|she|they|if|though)\b|"
    r" with (?:his|her|their|an?|both)\b| and [a-z]+(?:s|ing)\b)"
)
_REST = rf"[^.!?,]*?(?:, (?:who|which|whose|that|where)\b[^.!?,]*?)*{_END}"
_FIRST = re.compile(rf"^\W*(?:{_WHY}|{_THINK})[^,.]*(?:, |$)", re.IGNORECASE)
_CAUSE = re.compile(rf"{_MAYBE},? \b{_WHY}")
_RESUMED = re.compile(r", (?:while|with (?:his|her|their|an?|both)|(?P<doing>[a-z]+ing))\b")
_THOUGHT = re.compile(
    r"(?P<lead>,? (?:and|as if|as though|as|while|when|who|that|which)\b(?: (?:he|she|they))?)?"
    r"(?:,? (?:is|are|was|were|(?:may|might|must) be|(?:appears?|seems?) to be))?"
    rf"{_MAYBE},? {_THINK}{_REST}(?P<on> and\b| while\b|,)?"
)
_MEANING = re.compile(rf",?(?: (?:which|that|and|this))?{_MAYBE} {_MEANS}{_REST}")
_ABOUT = re.compile(rf"\b(?P<felt>[a-z-]+) (?:about|of|that|over|for) {_REST}")
_LEFT_OPEN = re.compile(
    r"(?:[,\s]|\b(?:is|are|was|were|and|but|who|which|while|as|or|with|one|an?|the)(?=[,\s]|$))+$"
)
_LEFT_OVER = re.compile(r"^(?:[,\s]|\b(?:and|but|while|which)\b)+", re.IGNORECASE)


def visible(text: str) -> str:
    """Return a caption without what cannot be seen; as it is, where it all can."""
    return outside_quotes(text, lambda bare: "; ".join(filter(None, map(_of, bare.split("; ")))))


def _of(sentence: str) -> str:
    left = as_looks(_without_clauses(sentence))
    if left == sentence:
        return sentence
    left = " ".join(_LEFT_OVER.sub("", _LEFT_OPEN.sub("", left)).replace(" ,", ",").split())
    words = left.split()
    return left if len(words) > 2 or any(map(does, words)) else ""


def _without_clauses(text: str) -> str:
    text = _FIRST.sub("", text)
    if cause := _CAUSE.search(text):
        text = text[: cause.start()] + _resumed(text[cause.end() :])
    text = _MEANING.sub("", text)
    text = _THOUGHT.sub(_gone_on, text)
    return _ABOUT.sub(lambda found: found["felt"] if found["felt"] in FELT else found.group(), text)


def _gone_on(found: re.Match[str]) -> str:
    """Return what joins the words around a thought: nothing, where it was all that was said."""
    joins = found["on"] or ""
    if joins == ",":
        return "" if found.group().startswith(",") else joins
    return joins if found["lead"] else ""


def _resumed(reason: str) -> str:
    """Return what goes on behind a reason with what is seen again."""
    found = _RESUMED.finditer(reason)
    where = (one.start() for one in found if one["doing"] is None or does(one["doing"]))
    return reason[next(where, len(reason)) :]
