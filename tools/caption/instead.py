"""What a model writes instead of a description: it declines, gives orders, or says who it is.

A description says what is seen. A refusal is no evidence, an order is for nobody here, and people
are not identified: a caption with a name in it is not told. The patterns are ours, and coarse:
what they miss is still told as a model's words only.
"""

from __future__ import annotations

import re

_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.IGNORECASE | re.DOTALL)
_DECLINES = re.compile(
    r"\b(?:i'm|i am|we're|we are) (?:sorry|afraid|unable|not able)\b"
    r"|\bi (?:can't|cannot|can not|couldn't|could not|won't|will not|must not) "
    r"(?:help|assist|identify|provide|describe|comply|comment|view|process|analy[sz]e)\b"
    r"|\bas an? (?:ai|artificial|language|text)\b|\b(?:ai|language) (?:model|assistant)\b"
    r"|(?:抱歉|对不起).*(?:无法|不能)|作为.{0,6}(?:AI|人工智能|语言模型)",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}"
    r"\b(?:instructions?|prompts?|rules?|messages?)\b"
    r"|\b(?:system|developer) (?:prompt|message)\b|\bnew instructions?\b"
    r"|\byou (?:must|should|shall|are now|will now)\b"
    r"|(?:^|[.!?:;]\s+)(?:answer|respond|reply|output|print|return)\s+(?:only|with)\b"
    r"|(?:忽略|无视).{0,12}(?:指令|提示|规则)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r'"[^"]*"|“[^”]*”')
_NAME = re.compile(
    r"\b[A-Z][a-z]+(?: [A-Z]\.)? (?:(?:de|da|van|von|bin|al|la) )?[A-Z][a-z]+"
    r"|\b(?:[Pp]resident|[Ss]enator|[Aa]ct(?:or|ress)|[Ss]inger|Mrs?\.?|Ms\.?|Dr\.?) [A-Z][a-z]+"
)
_PLACE = re.compile(r"\b(?:in|at|from|near) [A-Z][a-z]+(?: [A-Z][a-z]+)*")
_WORDS = """
a an the this that these those his her their its one two three four five six some several many
both all another each other people persons person man men woman women boy boys girl girls child
children in on at behind beside between with while there here he she they it and but young old
older elderly asian african american european indian chinese japanese korean
"""
_COMMON = frozenset(_WORDS.split())
"""Words that begin a sentence with a capital, or have one, and are no name of somebody's."""


def without_thoughts(text: str) -> str:
    """Return the text without what a model thinks aloud before it answers."""
    return _THOUGHTS.sub(" ", text).strip()


def instead(text: str) -> str:
    """Return what a text is instead of a description; "" where it is one."""
    straight = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if _DECLINES.search(straight):
        return "it declines to describe"
    if _ORDERS.search(straight):
        return "it gives orders to whoever reads it"
    if _names_somebody(straight):
        return "it gives somebody a name, and nobody is identified here"
    return ""


def _names_somebody(text: str) -> bool:
    """Tell whether a first and a last name, or a title and a name, stand in it, but for quotes."""
    bare = _PLACE.sub(" ", _QUOTED.sub(" ", text))
    words = re.findall(r"[A-Za-z]+", bare)
    if sum(word[0].isupper() for word in words) > 0.7 * len(words) and len(words) > 3:
        return False  # A Caption In Capitals tells nothing of names
    return any(
        not {word.casefold().rstrip(".") for word in found.group().split()} & _COMMON
        for found in _NAME.finditer(bare)
    )
