"""Feelings told as nouns: looks where they are said of a face, gone where they are felt.

"Anger on his face" and "a look of sorrow" become "a look like ..."; of "trembles in fear" is told
"trembles", and "her grief is evident" is not told. Which words are feelings says `seeming`.
"""

from __future__ import annotations

import re

from emer.tools.caption.grammar import ACTS, LITTLE, any_of
from emer.tools.caption.seeming import NOUNS

_HOW = (
    r"(?:(?:great|deep|pure|sheer|utter|intense|mild|slight|quiet|genuine|visible|obvious|clear|"
    r"some|such|sudden|strong|true|absolute|an?|the|both) )*"
)
_NOUN = any_of(NOUNS)
_SMALL = any_of(LITTLE)
_HINT = (
    r"(?:(?:an? |the )?(?:[a-z]+ )?"
    r"(?:air|hint|trace|mix|mixture|flash|touch|sense|feeling|display|wave) of )"
)
_FEELING = rf"(?:{_HINT}?{_HOW}{_NOUN}(?:(?:,|,? and|,? or|,? mixed with) {_HOW}{_NOUN})*\b)"
_ALONE = rf"(?= ?[,.;!?]| (?:{_SMALL}|[a-z]+ing|{any_of(ACTS)}e?s)\b| ?$)"
"""What follows a noun that stands before no other, as in "pride parade"."""
_THEIRS = r"(?:his|her|their|its|one's|(?:the|an?) [a-z]+'s)"
_LOOK = r"(?P<look>looks?|expressions?|face|smile|frown|gaze|eyes)"

_ON_FACE = re.compile(
    rf"(?:\b(?:an? |the )?(?:looks?|expression) of )?\b(?P<what>{_FEELING})(?: (?:is|are))?"
    r"(?: (?:clearly |plainly )?(?:written|visible|evident|etched|shown|showing|seen|painted))?"
    rf" (?P<where>(?:all )?(?:on|in|across|over) {_THEIRS} (?:[a-z]+ )?"
    r"(?:face|eyes?|features|expression|gaze))",
    re.IGNORECASE,
)
_A_LOOK = re.compile(rf"\b{_LOOK} of (?P<what>{_FEELING})")
_A_HINT = re.compile(rf"\b(?={_HINT})(?P<what>{_FEELING})")
_SHOWN = re.compile(
    rf"\b(?P<verb>show(?:s|ing)|display(?:s|ing)|has|having|express(?:es|ing)) (?P<what>{_FEELING})"
    rf"{_ALONE}"
)
_FELT = re.compile(
    r",?(?P<be>(?: (?:and|who|is|are|was|were|be))*)"
    r"(?:(?:^| )(?:filled|overcome|overwhelmed|struck|consumed|gripped|paraly[sz]ed|full))?"
    r"(?:^| )(?:with|in|out of|from|for|by|of|"
    rf"feel(?:s|ing)|experienc(?:es|ing)|suffer(?:s|ing) from) {_FEELING}{_ALONE}"
    r"(?P<on> and\b)?",
    re.IGNORECASE,
)
_CLAIMED = re.compile(
    rf"\b{_THEIRS} {_FEELING}(?=[,.;!?]| (?:{_SMALL}|[a-z]+(?:s|ed|ing))\b|$)"
    rf"|^{_FEELING} (?:is|are|[a-z]+s)\b",
    re.IGNORECASE,
)
_HINTS = re.compile(rf"^{_HINT}", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:an?|the) ", re.IGNORECASE)


def as_looks(text: str) -> str:
    """Return a sentence with feelings as looks; "" where it only tells what is felt."""
    text = _ON_FACE.sub(lambda found: f"a look like {_bare(found)} {found['where']}", text)
    text = _A_LOOK.sub(lambda found: f"{found['look']} like {_bare(found)}", text)
    text = _SHOWN.sub(lambda found: f"{found['verb']} a look like {_bare(found)}", text)
    text = _FELT.sub(lambda found: "" if found["be"] else found["on"] or "", text)
    if _CLAIMED.search(text):
        return ""
    return _A_HINT.sub(lambda found: f"a look like {_bare(found)}", text)


def _bare(found: re.Match[str]) -> str:
    """Return what is felt without the words that say how much."""
    what = _ARTICLE.sub("", _HINTS.sub("", found["what"]))
    return what[0].lower() + what[1:]
