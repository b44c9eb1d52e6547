"""Sentences of a caption that show nothing of the person: supposed, or of a picture, or a sign.

"She refuses to cry", "if she were angry", "a poster of a crying woman" and a sign that says "I AM
ANGRY" name signs that nobody displays. Such a sentence is dropped where it names one, since who
reads the clue goes by the word. Plain denial ("does not smile") is read as such and stays.
"""

from __future__ import annotations

import re

from emer.tools.caption.grammar import any_of, outside_quotes
from emer.tools.caption.seeming import FELT, NOUNS
from emer.tools.caption.sentences import sentence_wise

_SIGNS = (
    r"(?:smil|grin|laugh|chuckl|cr(?:y|ies|ied)|tear|weep|sob|frown|scowl|glar|grimac|yell|shout|"
    r"scream|trembl|blush|furrow|clench|pout|sneer|smirk)\w*"
)
_SIGN = re.compile(rf"\b(?:{_SIGNS}|{any_of(FELT)}|{any_of(NOUNS)})\b", re.IGNORECASE)
_UNSURE = re.compile(
    r"\b(?:hardly|barely|scarcely|rarely|refus\w+|avoid\w*|fail\w* to|pretend\w*|(?<!as )if|would|"
    r"could|might|may|unless|whether|anything but|far from|no longer|used to|about to|too \w+ to|"
    r"instead of|rather than|(?:hard|difficult|impossible) to|little|faded?|fading|fades|"
    r"tr(?:y|ies|ying) (?:not )?to|(?:hid|suppress|hold)\w* back)\b",
    re.IGNORECASE,
)
_DEPICTED = (
    r"(?:poster|painting|picture|portrait|photo(?:graph)?|statue|sculpture|mask|doll|puppet|cartoon|"
    r"emoji|drawing|mural|billboard|magazine|screen|television|tv|monitor|logo|tattoo|toy|"
    r"dog|cat|horse|animal|monkey|bear|bird|robot|snowman)s?"
)
_ELSEWHERE = re.compile(
    rf"\b{_DEPICTED}\b.*\b(?:{_SIGNS}|{any_of(FELT)}|{any_of(NOUNS)})\b"
    rf"|\b(?:{any_of(FELT)}|{_SIGNS})(?: \w+)? {_DEPICTED}\b",
    re.IGNORECASE,
)
_CHATTER = re.compile(
    r"^\W*(?:therefore|thus|overall|in conclusion|in summary|so,)|\blet me know\b|\bfeel free\b"
    r"|\bhope (?:this|that) helps\b",
    re.IGNORECASE,
)
_LEADS_IN = re.compile(
    r"^\W*(?:sure|certainly|of course|yes|no|okay|ok)[,;:.!]+\s*"
    r"|^\W*here(?:'s| is| are) [^:]{0,60}:\s*",
    re.IGNORECASE,
)


def displayed(text: str) -> str:
    """Return the text without sentences whose signs nobody displays, and without chatter."""
    return outside_quotes(text, lambda bare: sentence_wise(bare, _told))


def _told(sentence: str) -> str:
    said = _LEADS_IN.sub("", _LEADS_IN.sub("", sentence))
    unseen = _UNSURE.search(said) and _SIGN.search(said)
    other = _ELSEWHERE.search(said) or _shouts_a_feeling(said)
    return "" if unseen or other or _CHATTER.search(said) else said


def _shouts_a_feeling(sentence: str) -> bool:
    """Tell whether a word of feeling stands in capitals: that is read off a sign."""
    words = re.findall(r"[A-Za-z]{3,}", sentence)
    if all(word.isupper() for word in words):
        return False
    return any(word.isupper() and word.casefold() in FELT | NOUNS for word in words)
