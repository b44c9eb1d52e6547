"""Hum: rumble and steady tones under a voice, taken out before it is measured."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emer.tools.runtime.native import importing
from emer.tools.speech.vad import RATE, Samples

CHUNK, MARGIN = 60 * RATE, RATE
"""Samples that are filtered together, and those filtered twice at each seam."""
LOW_HZ, RUMBLE_HZ = 50.0, 100.0
"""Cut-off of the high pass, and where rumble or mains hum is strong.

No speaking voice is below 60 Hz; of one below 100 Hz the harmonics still give the pitch,
as they do over a telephone.
"""
RUMBLE = 0.1
"""Power below 75 Hz over that from 75 Hz to 4 kHz from which rumble is strong (ours)."""
WINDOW = RATE // 2
"""Samples of a spectrum in which a steady tone stands out: 2 Hz apart."""
FEWEST = 10
"""Spectra (2.75 s) that show whether a tone is steady; a shorter vowel may be, too."""
TONE_DB, BELOW_DB = 12.0, 30.0
"""How far a tone stands out of its neighbours, and is below the loudest at most (ours)."""
TONES_HZ = (40.0, 1200.0)
"""Range of mains hum and its harmonics."""
BESIDE = 20
"""Lines of the spectrum on either side that a tone is compared with: 40 Hz."""
NOTCH_HZ = 6.0
MOST_TONES = 24
USUAL = 0.25
"""Amplitude to which the loud parts are brought: openSMILE hears no pitch in faint sound."""


class Hum(NamedTuple):
    """Sound under the voice: strong rumble, frequencies of steady tones in Hz."""

    rumble: bool
    tones: tuple[float, ...]


def without_hum(samples: Samples) -> tuple[Samples, Hum]:
    """The sound without hum, its loud parts at a quarter of full scale; and the hum.

    Mono 16 kHz sound of shape (n,), as the result is.
    """
    found = find_hum(samples)
    clean = _filtered(samples, _sections(found))
    top = float(np.percentile(np.abs(clean), 99.5)) if clean.size else 0.0
    if top > 0:
        clean *= np.float32(USUAL / top)
    return clean, found


def find_hum(samples: Samples) -> Hum:
    """Rumble and steady tones of mono 16 kHz sound.

    A tone is steady if it stands out in nearly every spectrum of half a second: no voice keeps
    one pitch through words and pauses.
    """
    if len(samples) < WINDOW:
        return Hum(False, ())
    rows = [_power(samples[k : k + WINDOW]) for k in _starts(len(samples))]
    mean = np.mean(rows, axis=0)
    hertz = np.arange(mean.size) * RATE / WINDOW
    low = mean[(hertz >= 20) & (hertz < 75)].sum()
    rest = mean[(hertz >= 75) & (hertz < 4000)].sum()
    tones = _tones(np.array(rows)) if len(rows) >= FEWEST else ()
    return Hum(bool(low > RUMBLE * rest), tones)


def _starts(size: int) -> range:
    """Starts of the spectra; of long sound at most 2000, evenly spread."""
    step = max(WINDOW // 2, size // 2000)
    return range(0, size - WINDOW + 1, step)


def _power(part: Samples) -> NDArray[np.float64]:
    spectrum = np.abs(np.fft.rfft(part * np.hanning(WINDOW)))[: WINDOW // 4]
    return np.asarray(np.square(spectrum), dtype=np.float64)


def _tones(rows: NDArray[np.float64]) -> tuple[float, ...]:
    """Frequencies that stand out in the quietest spectra, the strongest first."""
    with importing():
        from scipy.ndimage import median_filter
    place = max(1, len(rows) // 20)  # a dropout is no pause of the hum
    floor = 10 * np.log10(np.maximum(np.partition(rows, place, axis=0)[place], 1e-12))
    above = floor - median_filter(floor, 2 * BESIDE + 1, mode="nearest")
    loudest = float(10 * np.log10(max(rows.max(), 1e-12)))
    first, last = (round(hertz * WINDOW / RATE) for hertz in TONES_HZ)
    found = [
        k
        for k in range(first, last)
        if above[k] >= TONE_DB
        and floor[k] >= loudest - BELOW_DB
        and floor[k] == floor[k - 2 : k + 3].max()
    ]
    found.sort(key=lambda k: -floor[k])
    return tuple(round(_peak(floor, k) * RATE / WINDOW, 1) for k in found[:MOST_TONES])


def _peak(curve: NDArray[np.float64], k: int) -> float:
    """Place of a maximum between the samples, by a parabola."""
    before, at, after = curve[k - 1 : k + 2]
    bend = before - 2 * at + after
    return k + (0.5 * float((before - after) / bend) if bend else 0.0)


def _sections(hum: Hum) -> NDArray[np.float64]:
    with importing():
        from scipy.signal import butter, iirnotch, tf2sos
    order, cut = (8, RUMBLE_HZ) if hum.rumble else (4, LOW_HZ)
    sections: list[Any] = [butter(order, cut, "highpass", fs=RATE, output="sos")]
    sections += [tf2sos(*iirnotch(tone, tone / NOTCH_HZ, fs=RATE)) for tone in hum.tones]
    return np.concatenate(sections)


def _filtered(samples: Samples, sections: NDArray[np.float64]) -> Samples:
    """The sound filtered forth and back, so that nothing is delayed."""
    with importing():
        from scipy.signal import sosfiltfilt
    clean = np.zeros(len(samples), np.float32)
    for start in range(0, len(samples), CHUNK):
        begin = max(0, start - MARGIN)
        part = samples[begin : start + CHUNK + MARGIN]
        padded = min(RATE // 10, len(part) - 1)
        if padded < 1:
            continue
        made = sosfiltfilt(sections, part, padlen=padded)
        size = min(CHUNK, len(samples) - start)
        clean[start : start + size] = made[start - begin :][:size]
    return clean
