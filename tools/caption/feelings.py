"""Feelings told as nouns: looks where they are said of a face, gone where they are felt.

"Anger on his face", "a look of sorrow" and "shows disgust" are told as "a look like ...". Of
"trembles in fear" is told "trembles", and "her grief is evident" is not told. Whether what is left
may be told says `unseen`: it must be a whole sentence, of one that denies nothing. Which words are
feelings says `seeming`.
"""

from __future__ import annotations

import re

from emer.tools.caption.grammar import ACTS, LITTLE, any_of, does
from emer.tools.caption.seeming import NOUNS

_HOW = (
    r"(?:(?:great|deep|pure|sheer|utter|intense|mild|slight|quiet|genuine|visible|obvious|clear|"
    r"some|such|sudden|strong|true|absolute|an?|the|both|no|any|much|neither) )*"
)
_NOUN = any_of(NOUNS)
_SMALL = any_of(LITTLE)
_HINT = (
    r"(?:(?:an? |the |no |any )?(?:[a-z]+ )?"
    r"(?:air|hints?|traces?|mix|mixture|flash|touch|sense|feeling|display|wave|surge|rush|pang|"
    r"signs?) of )"
)
_FEELING = rf"(?:{_HINT}?{_HOW}{_NOUN}(?:(?:,|,? and|,? n?or|,? mixed with) {_HOW}{_NOUN})*\b)"
_ALONE = rf"(?= ?[,.;!?]| (?:{_SMALL}|[a-z]+ing|{any_of(ACTS)}e?s|[a-z]+ies)\b| ?$)"
"""What follows a noun that stands before no other, as in "pride parade"."""
_THEIRS = r"(?:his|her|their|its|one's|(?:the|an?) [a-z]+'s)"

_ON_FACE = re.compile(
    r"(?P<lead>^|\b(?:with|shows?|showing|has|have|having|there (?:is|isn't|is not)|and|,) )"
    rf"(?:(?:an? |the )?(?:looks?|expression) of )?(?P<what>{_FEELING})"
    r"(?: (?:written|visible|evident|etched|shown|showing|seen|painted))?"
    rf"(?P<where> (?:all )?(?:on|in|across|over) {_THEIRS} (?:[a-z]+ )?"
    r"(?:face|eyes?|features|expression|gaze))\b",
    re.IGNORECASE,
)
_A_LOOK = re.compile(rf"\b(?P<look>looks?|expressions?) of (?P<what>{_FEELING}){_ALONE}")
_SHOWN = re.compile(
    rf"\b(?P<verb>show(?:s|ing)|display(?:s|ing)) (?P<what>{_FEELING})"
    r"(?= ?[,.;!?]|$| (?:and|as|while|when)\b)"
)
_FELT = re.compile(
    r"(?P<verb>\b[a-z]+)?,?(?:,? (?:and|who|is|are|was|were|be)\b)*"
    r"(?P<how>(?:^| )(?:filled|overcome|overwhelmed|struck|consumed|gripped|paraly[sz]ed|full|"
    r"driven))?"
    r"(?:^| )(?:with|in|out of|from|by|for(?= joy)|(?<=full )of|"
    rf"feel(?:s|ing)|experienc(?:es|ing)|suffer(?:s|ing) from) {_FEELING}{_ALONE}"
    r"(?P<on> (?:and (?P<next>[a-z]+)|(?:as|while|at) (?:an?|the|he|she|they|his|her)\b))?",
    re.IGNORECASE,
)
_FIRST = re.compile(
    rf"^(?:filled|overcome|overwhelmed|struck|consumed|gripped|driven) (?:with|by) {_FEELING}, "
    r"(?=(?:an?|the|his|her|he|she|they|two) [^,]*$)",
    re.IGNORECASE,
)
_CLAIMED = re.compile(
    rf"\b{_THEIRS} {_FEELING}(?=[,.;!?]| (?:{_SMALL}|[a-z]+(?:s|ed|ing))\b|$)"
    rf"|^{_FEELING} (?:is|are|[a-z]+s)\b|\b{_HINT}{_FEELING}"
    rf"|\b(?:smile|frown|gaze|eyes|face|tears|one) of {_FEELING}"
    rf"|\b(?:has|have|having|express(?:es|ing)|there is) {_FEELING}{_ALONE}",
    re.IGNORECASE,
)
_HINTS = re.compile(rf"^{_HINT}", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:an?|the) ", re.IGNORECASE)


def as_looks(text: str) -> str:
    """Return a sentence with the feelings that are said of a face or a look told as looks."""
    text = _ON_FACE.sub(lambda f: f"{f['lead']}a look like {_bare(f)}{f['where']}", text)
    text = _A_LOOK.sub(lambda f: f"{f['look']} like {_bare(f)}", text)
    return _SHOWN.sub(lambda f: f"{f['verb']} a look like {_bare(f)}", text)


def without_felt(text: str) -> str:
    """Return a sentence up to what is felt, or around it where it surely goes on."""
    text = _FIRST.sub("", text)
    if felt := _FELT.search(text):
        verb, on, then = felt["verb"] or "", felt["on"] or "", felt["next"]
        goes_on = on and does(verb) and not felt["how"] and (not then or does(then))
        after = on + text[felt.end() :] if goes_on else ""
        text = text[: felt.start()] + verb + (after if not _FELT.search(after) else "")
    return text


def claims_feeling(text: str) -> bool:
    """Tell whether a sentence is about a feeling, and not about what is seen."""
    return bool(_CLAIMED.search(text))


def _bare(found: re.Match[str]) -> str:
    """Return what is felt without the words that say how much."""
    what = _ARTICLE.sub("", _HINTS.sub("", found["what"]))
    return what[0].lower() + what[1:]
