"""Folding of strangers' text: look-alike, invisible and styled letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_LOOK_ALIKES = str.maketrans(
    "аеорсухіјѕһԁԛԝьвкмнтгпѵɡıοаνρικτυχαεηωβγАВЕКМНОРСТУХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijshdqwbbkmhtrnvgioavpiktuxaenwbyABEKMHOPCTYXIJSABEZHIKMNOPTYX",
)
"""Cyrillic, Greek and phonetic letters that are drawn like Latin ones (chosen by us)."""
_QUOTES = str.maketrans("‘’‚‛′`´", "'" * 7) | str.maketrans("“”„‟«»″「」『』〝〞", '"' * 13)  # noqa: RUF001
_DASHES = str.maketrans("‐‑‒–—―−〜～", "-" * 9)  # noqa: RUF001
_STOPS = str.maketrans("。、", ".,")
_INVISIBLE = frozenset({"Cf", "Cc", "Co", "Cs", "Cn"})
_LATIN, _HAN = (
    re.compile(r"[a-zA-Z\u00c0-\u024f]"),
    re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]"),
)
_SPACES = "\t\n\r"


def fold(text: str) -> str:
    """The text in lower case, in one form, without invisible characters.

    Look-alike letters become Latin ones, quotation marks, dashes and Chinese full stops plain
    ones, white space single spaces.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.casefold().replace("`", "'").split())
    visible = "".join(
        " " if c in _SPACES else c
        for c in unicodedata.normalize("NFKC", text.translate(_QUOTES))
        if c in _SPACES or unicodedata.category(c) not in _INVISIBLE
    )
    for table in (_LOOK_ALIKES, _QUOTES, _DASHES, _STOPS):
        visible = visible.translate(table)
    return " ".join(visible.casefold().split())


def strange_words(text: str, known: Iterable[str] = ()) -> tuple[str, ...]:
    """The words that are not in plain Latin or Chinese letters and in no known text.

    Invisible characters, marks that cannot be composed and letters of another form (a
    full-width or Cyrillic one for "a") make a word strange: a person reads another text than
    a program.
    """
    found = (word for word in text.split() if any(map(_is_strange, _composed(word))))
    words = {word: None for word in found}
    if not words:
        return ()
    originals = {part for one in known for part in one.split()}
    return tuple(word for word in words if not any(word in part for part in originals))


def _composed(word: str) -> str:
    return unicodedata.normalize("NFC", word)


def _is_strange(character: str) -> bool:
    category = unicodedata.category(character)
    if category[0] == "L":
        return not (_LATIN.match(character) or _HAN.match(character))
    return category in _INVISIBLE or category[0] == "M"
