"""What a model writes instead of a description: it declines, or gives orders.

A description says what is seen. A refusal is no evidence, and an order is for nobody here. The
patterns are ours, and coarse: what they miss is still told as a model's words only.
"""

from __future__ import annotations

import re

_THOUGHTS = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.IGNORECASE | re.DOTALL)
_LISTED = re.compile(r"^[ \t]*(?:\d+[.)]|[-*•])[ \t]+", re.MULTILINE)
_DECLINES = re.compile(
    r"\b(?:i'm|i am|we're|we are) (?:sorry|afraid|unable|not able)\b"
    r"|\bi (?:can't|cannot|can not|couldn't|could not|won't|will not|must not) "
    r"(?:help|assist|identify|provide|describe|comply|comment|view|process|analy[sz]e)\b"
    r"|\b(?:can't|cannot|unable to|don't|do not) see (?:any|an|the) (?:image|picture|photo)\b"
    r"|\b(?:no|any) (?:image|picture|photo)s? (?:\w+ ){0,3}(?:attached|provided|uploaded|shared)\b"
    r"|\b(?:provide|share|upload|attach|send) (?:me )?(?:an?|the) (?:image|picture|photo)\b"
    r"|\b(?:don't|do not|not) feel comfortable\b|\bnot comfortable (?:with )?\w+ing\b"
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


def without_thoughts(text: str) -> str:
    """Return the text without what a model thinks aloud before it answers, and marks of a list."""
    return _LISTED.sub("", _THOUGHTS.sub(" ", text)).strip()


def instead(text: str) -> str:
    """Return what a text is instead of a description; "" where it is one."""
    straight = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if _DECLINES.search(straight):
        return "it declines to describe"
    if _ORDERS.search(straight):
        return "it gives orders to whoever reads it"
    return ""
