"""Whether a caption is English: the guards of names, feelings and reasons read nothing else."""

from __future__ import annotations

import re

from emer.tools.caption.grammar import KNOWN, QUOTED, does

_ABROAD = """
der die das den dem ein eine einer und ist mit im auf von le la les un une des du est et dans avec
sur el los las una es y con del en de het een zijn met il lo gli di che da os um uma com na och ett
"""
ABROAD = frozenset(_ABROAD.split())
"""Words of grammar of other languages."""


def is_english(text: str) -> bool:
    """Tell whether the guards can read a text, which speak English grammar.

    Words of English grammar and of what people do are counted against words of grammar of other
    languages and small words with letters that English lacks. English are more, and at least a
    sixth of all words; fewer than three small words, as around names, are too few to tell.
    """
    words = re.findall(r"[^\W\d_]+", QUOTED.sub(" ", text))
    small = [word.casefold() for word in words]
    ours = sum(word in KNOWN or does(word) for word in small)
    lower = [word for word in words if not word[0].isupper()]
    theirs = sum(not word.isascii() for word in lower) + sum(word in ABROAD for word in small)
    return (ours > theirs or not theirs) and (ours * 6 >= len(words) or len(lower) < 3)
