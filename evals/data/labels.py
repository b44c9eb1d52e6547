"""Label lists as they stand in CSV cells: "['happy', 'sad']", "[happy, sad]" or "happy, sad"."""

from __future__ import annotations

import re

_QUOTES = "'\""
_GAP = re.compile(r"\s*")
_BARE = re.compile(r"[^,\[\]]*")


class BadList(ValueError):
    """A cell that cannot be read as a list of labels; the message says where it breaks off."""


def parse_labels(text: str) -> tuple[str, ...]:
    """Return the labels of a cell as they are written, without quotes and blanks.

    Several lists in one cell are joined. An empty cell is an empty list. `BadList` for an
    unclosed bracket or quote, and for what stands outside the brackets.
    """
    text = text.strip()
    if not text.startswith("["):
        return _inside(text, 0, end="")[0]
    labels: list[str] = []
    place = 0
    while place < len(text):
        if text[place] != "[":
            raise BadList(f"{text[place : place + 12]!r} stands outside the brackets")
        found, place = _inside(text, place + 1, end="]")
        labels += found
        place = _gap(text, place)
        if text[place : place + 1] == ",":
            place = _gap(text, place + 1)
    return tuple(labels)


def show_labels(labels: tuple[str, ...]) -> str:
    """Return the cell that `parse_labels` reads as these labels."""
    return str(list(labels))


def _inside(text: str, place: int, end: str) -> tuple[tuple[str, ...], int]:
    """Return the items from `place` to the closing bracket, and the place behind it."""
    items: list[str] = []
    while True:
        place = _gap(text, place)
        if end and place >= len(text):
            raise BadList("the bracket is not closed")
        item, place = _item(text, place, end)
        if item:
            items.append(item)
        place = _gap(text, place)
        rest = text[place : place + 1]
        if rest == end:
            return tuple(items), place + 1
        if not rest:
            raise BadList("the bracket is not closed")
        if rest != ",":
            raise BadList(f"{text[place : place + 12]!r} is not after a comma")
        place += 1


def _item(text: str, place: int, end: str) -> tuple[str, int]:
    """Return one item, quoted or bare, and the place behind it."""
    if text[place : place + 1] in _QUOTES and place < len(text):
        return _quoted(text, place, end)
    match = _BARE.match(text, place)
    assert match is not None  # the pattern matches the empty string
    return match.group().strip(), match.end()


def _quoted(text: str, place: int, end: str) -> tuple[str, int]:
    """Return a quoted item: it ends at the quote that a comma or the end follows."""
    quote = text[place]
    closing = re.compile(rf"{quote}\s*(?=,|\]|$)" if end else rf"{quote}\s*(?=,|$)")
    match = closing.search(text, place + 1)
    if match is None:
        raise BadList(f"the quote before {text[place + 1 : place + 13]!r} is not closed")
    return text[place + 1 : match.start()].strip(), match.end()


def _gap(text: str, place: int) -> int:
    match = _GAP.match(text, place)
    return match.end() if match else place
