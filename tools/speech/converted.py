"""How many layers a model converted for CTranslate2 has: the library loads it and does not say.

`model.bin` begins with the version of the format and the kind of model; then come the weights,
each with its name (`encoder/layer_3/...`), shape, type and bytes, and the names of those that are
equal to another. Names are read, bytes passed over.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

FORMAT = 4
"""Version of the format since which it is so; Whisper's models came later."""

_LAYER = re.compile(r"(encoder|decoder)/layer_(\d+)/")


class Layers(NamedTuple):
    """Layers that hear, and that write."""

    encoder: int
    decoder: int


def layers(folder: Path) -> Layers:
    """Return the layers of a converted folder; `ValueError` for a format that is not known."""
    counts = {"encoder": 0, "decoder": 0}
    with (folder / "model.bin").open("rb") as file:
        for found in filter(None, map(_LAYER.match, _names(file))):
            part, place = found.groups()
            counts[part] = max(counts[part], int(place) + 1)
    return Layers(**counts)


def _names(file: BinaryIO) -> Iterator[str]:
    """Yield the names of the weights, as the library's own converter writes them."""
    if _number(file, "I") < FORMAT:
        raise ValueError("model.bin is of an old format")
    _text(file)
    _number(file, "I")  # of the kind of model
    for _ in range(_number(file, "I")):
        yield _text(file)
        rank = _number(file, "B")
        file.seek(4 * rank + 1, 1)
        file.seek(_number(file, "I"), 1)
    for _ in range(_number(file, "I")):
        yield _text(file)
        _text(file)  # which it is equal to


def _number(file: BinaryIO, kind: str) -> int:
    read = file.read(struct.calcsize(kind))
    try:
        return int(struct.unpack(kind, read)[0])
    except struct.error as error:
        raise ValueError("model.bin ends too early") from error


def _text(file: BinaryIO) -> str:
    return file.read(_number(file, "H")).rstrip(b"\0").decode()
