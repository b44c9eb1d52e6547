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
    for question in (inquiry.question, *earlier):
        if _CHINESE.search(question):
            return "zh"
        if _LATIN.search(question):
            return "en"
    return "en"
