"""The process of pocketsphinx: sound on stdin, decoded words on stdout.

pocketsphinx holds Python's global lock while it decodes, so it runs in a process of its own:

    python -P -m emer.tools.speech.pocketsphinx_worker < request > answer

This module imports little of `emer`, so that the process starts in a tenth of a second.

The request is one line of JSON (`sizes`: bytes of each piece of sound; `settings`; `parent`:
a process; `seconds`), then 16 bit mono PCM at 16 kHz, piece after piece. The answer is one
JSON list with, per piece, the words, and the phones of a phone loop over the same sound.
Nothing is pickled or executed.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from emer.tools.runtime.worker_process import confine

PHONE_LOOP: Mapping[str, Any] = {"lm": None, "lw": 2.0, "beam": 1e-20, "pbeam": 1e-10}
"""The phone loop's settings, as pocketsphinx's own documentation gives them."""


class Decoded(NamedTuple):
    """One decoded segment: its frames [start, end) from the piece's start, its scores.

    `acoustic` is the log10 likelihood of its frames, each against the best state's.
    """

    word: str
    start: int
    end: int
    acoustic: float
    posterior: float


def main() -> None:
    """Read one request from stdin and write its answer to stdout."""
    request = json.loads(sys.stdin.buffer.readline())
    confine(int(request["parent"]), float(request["seconds"]))
    pieces = (sys.stdin.buffer.read(size) for size in request["sizes"])
    json.dump(recognise(pieces, request["settings"], int(request["parent"])), sys.stdout)


def recognise(
    pieces: Iterable[bytes], settings: Mapping[str, float], parent: int
) -> list[dict[str, Any]]:
    """Per piece of PCM its `words` and `loop` (phones without a language model)."""
    from pocketsphinx import Decoder, get_model_path

    words = Decoder(loglevel="FATAL", cmn="batch", **settings)
    model = get_model_path("en-us/en-us-phone.lm.bin")
    loop = Decoder(loglevel="FATAL", cmn="batch", allphone=model, **PHONE_LOOP)
    answer = []
    for piece in pieces:
        if os.getppid() != parent:
            sys.exit(1)
        answer.append({"words": decode(words, piece), "loop": decode(loop, piece)})
    return answer


def decode(decoder: Any, piece: bytes) -> list[Decoded]:
    """The segments of the best path through one piece, fillers included."""
    decoder.start_utt()
    # The whole utterance at once: the cepstral mean is then taken over all of it.
    decoder.process_raw(piece, no_search=False, full_utt=True)
    decoder.end_utt()
    segments = decoder.seg() if decoder.hyp() else None
    decoded = []
    for s in segments or ():
        acoustic = round(math.log10(max(s.ascore, sys.float_info.min)), 3)
        decoded.append(Decoded(s.word, s.start_frame, s.end_frame + 1, acoustic, s.prob))
    return decoded


if __name__ == "__main__":
    main()
