"""What no picture shows goes: why somebody does something, what is thought, what it may mean.

A sentence is told up to where such a clause begins, if that is a whole sentence, and else not at
all; so is one that denies anything. Feelings as nouns are told as looks, or cut, too (`feelings`).
"""

from __future__ import annotations

import re

from emer.tools.caption.feelings import as_looks, claims_feeling, without_felt
from emer.tools.caption.grammar import any_of, outside_quotes
from emer.tools.caption.seeming import FELT, NOUNS
from emer.tools.caption.sentences import is_negated, is_whole, sentence_wise

_MAYBE = (
    r"(?:,? (?:possibly|probably|perhaps|likely|maybe|apparently|presumably|seemingly|just|only|"
    r"mostly|mainly|partly|simply))*"
)
_WHY = (
    r"(?:because|due to|owing to|as a result of|in order to|so as to|so that|caused by|"
    r"in (?:response|reaction) to|for fear (?:of|that)|since (?:he|she|they)|"
    r"after (?:being|having|[a-z]+ing)|"
    r"(?:who|that) (?:has|have|had) (?:just|recently|already|been))\b"
)
_OBJECT = (
    r"(?= (?:that|how|what|why|where|when|who|whether|if|he|she|they|it|the|his|her|their|an?|"
    r"about|of|for|to|him|them|someone|something)\b)"
)
_THINK = (
    r"(?:th(?:inks?|inking|ought) (?:about|of|that|back|how|whether)|"
    r"(?:deep|lost) in (?:thought|(?:his|her|their) [a-z]+)|"
    r"remember(?:s|ing)|recall(?:s|ing)|reminisc(?:es|ing)|reflect(?:s|ing) on|ponder(?:s|ing)|"
    r"contemplat(?:es|ing)|wonder(?:s|ing)|imagin(?:es|ing)|dream(?:s|ing) (?:of|about)|"
    rf"(?:knowing|longing|worrying|understanding){_OBJECT}|"
    r"reali[sz](?:es|ing)|knows|believ(?:es|ing)|understands|regret(?:s|ting)|"
    r"wish(?:es|ing)|hop(?:es|ing)|want(?:s|ing)?|intend(?:s|ing)?|plan(?:s|ning) to|"
    r"decid(?:es|ing)|expect(?:s|ing)|doubt(?:s|ing)|worries|longs for|"
    r"feel(?:s|ing) (?:that|as if|like|(?:(?:so|very|quite|[a-z]+ly) )?"
    rf"(?!{any_of(FELT)}\b)[a-z]+ed)|"
    r"(?:unsure|uncertain) (?:whether|about|if|how|what)|reminded of|"
    r"(?:hid|mask|conceal|suppress)(?:e|es|ing|s)? (?:his|her|their|the) "
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
_JOINED = (
    r"(?:,? (?:and|but|as if|as though|as|while|when|who|which|that|this)\b(?: (?:he|she|they|it))?"
    r"(?: (?:is|are|was|were|(?:may|might|must) be|(?:appears?|seems?) to be))?)?"
)
_FIRST = re.compile(
    rf"^\W*(?:{_WHY}|{_THINK})[^,]*, (?=(?:an?|the|his|her|he|she|they|two) [^,]*$)", re.IGNORECASE
)
_UNSEEN = re.compile(
    rf"(?P<joined>{_JOINED}){_MAYBE}(?:^|,| )\W*"
    rf"(?<!\ba )(?<!\ban )(?<!\bthe )(?<!\bhis )(?<!\bher )"
    rf"(?<!\btheir )(?:(?P<why>{_WHY})|(?P<what>{_THINK}|{_MEANS}))",
    re.IGNORECASE,
)
_PARTICIPLE = re.compile(r"(?:[a-z]+ing|lost|deep|unsure|uncertain|reminded)\b")
_ABOUT = re.compile(
    rf"\b(?P<felt>(?!composed of|content of){any_of(FELT)}) (?:about|of|that|over|for) .*"
)


def visible(text: str) -> str:
    """Return a caption without what cannot be seen; as it is, where it all can."""
    return outside_quotes(text, lambda bare: sentence_wise(bare, _of).rstrip("; "))


def _of(sentence: str) -> str:
    end = ";" if sentence.endswith(";") else ""
    whole = sentence.removesuffix(";")
    seen = _without_clauses(whole)
    looks = as_looks(seen)
    left = without_felt(looks)
    if claims_feeling(left) or (left != whole and is_negated(whole)):
        return ""
    cut = seen != whole or left != looks
    return "" if cut and not is_whole(left) else left.rstrip(", ") + end


def _without_clauses(text: str) -> str:
    """Return a sentence up to a clause that is not seen; "" where the verb is in that clause."""
    text = _FIRST.sub("", text)
    if found := _UNSEEN.search(text):
        apart = found["why"] or found["joined"] or _PARTICIPLE.match(found["what"])
        text = text[: found.start()] if apart else ""
    return _ABOUT.sub(r"\g<felt>", text)
