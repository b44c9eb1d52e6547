"""The language of an answer: as wished, else that of the question."""

from __future__ import annotations

import re

from emer.agents.types import Inquiry
from emer.prompts.prompt import Language

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[a-z]{2}", re.IGNORECASE)


def language_of(inquiry: Inquiry) -> Language:
    """The language of the answer to an inquiry.

    A question without words ("2.4 s?") is in the language of the one before.
    """
    if inquiry.language != "auto":
        return inquiry.language
    earlier = (turn.question for turn in reversed(inquiry.history))
    languages = map(language_in, (inquiry.question, *earlier))
    return next(filter(None, languages), "en")


def language_in(text: str) -> Language | None:
    """The language of a text: Chinese if it has such characters; None without words."""
    if _CHINESE.search(text):
        return "zh"
    return "en" if _LATIN.search(text) else None
