"""Known English words placed in their sound, as a reference for word times.

pocketsphinx aligns the phones of its dictionary with the sound (Viterbi), to frames of 10 ms.
"""

from __future__ import annotations

import re

import numpy as np

from emer.tools.errors import ConfigError
from emer.tools.speech.transcript import TimedWord
from emer.tools.speech.vad import Samples, to_pcm

FRAME = 0.01
BEAMS = {"beam": 1e-80, "pbeam": 1e-80, "wbeam": 1e-60}
"""Beams wide enough for acted speech (those of the tool `pocketsphinx`)."""


def aligned_words(samples: Samples, text: str) -> list[TimedWord]:
    """Words of `text` with times in seconds; empty where they do not fit the sound.

    `ConfigError` for a word that the dictionary lacks.
    """
    from pocketsphinx import Decoder

    words = [re.sub(r"[^a-z']", "", word) for word in text.casefold().split()]
    decoder = Decoder(loglevel="FATAL", cmn="batch", **BEAMS)
    unknown = [word for word in words if decoder.lookup_word(word) is None]
    if unknown:
        raise ConfigError(f"the word {unknown[0]!r} is not in pocketsphinx's dictionary")
    decoder.set_align_text(" ".join(words))
    decoder.start_utt()
    level = np.float32(0.5 / max(1e-6, float(np.abs(samples).max(initial=0.0))))
    decoder.process_raw(to_pcm(samples * level), no_search=False, full_utt=True)
    decoder.end_utt()
    if not decoder.hyp():
        return []
    return [
        TimedWord(re.sub(r"\(\d+\)$", "", s.word), s.start_frame * FRAME,
                  (s.end_frame + 1) * FRAME, 1.0)
        for s in decoder.seg()
        if s.word[0] not in "<[+"
    ]  # fmt: skip
