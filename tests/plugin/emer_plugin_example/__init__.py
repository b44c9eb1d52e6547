"""An example tool for emer: finds the loudest moment of a clip.

pip install emer-plugin-example
emer ask clip.mp4 --tool prosody=loudness
emer ask clip.mp4 --tool prosody=emer_plugin_example:Loudness
"""

from __future__ import annotations

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.media.sound import RATE
from emer.tools.types import Clue, Modality, Quality, Source, Span


class Loudness:
    """Says when the sound is loudest, and by how much."""

    modality: Modality = "audio"
    description = "Finds the loudest moment of the sound."

    def __init__(self, window: float = 0.25) -> None:
        """Take the length in seconds over which loudness is measured."""
        self.window = window

    @property
    def source(self) -> Source:
        """Name, version and the window: part of the evidence key."""
        return Source(tool="loudness", version="0.1.0", params={"window": self.window})

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        """Return one clue; `Unobservable` when the sound is silent or absent."""
        import numpy as np

        samples = clip.samples(span)
        step = round(self.window * RATE)
        count = len(samples) // step
        if count < 2:
            raise Unobservable("the sound is too short to compare its parts")
        power = (samples[: count * step].astype(np.float64).reshape(count, step) ** 2).mean(axis=1)
        if power.max() <= 1e-10:
            raise Unobservable("the sound is silent")
        above = 10 * np.log10(power.max() / max(float(np.median(power)), 1e-10))
        start = (span.start if span else 0.0) + int(power.argmax()) * self.window
        return [self._clue(round(start, 3), round(float(above), 1))]

    def _clue(self, start: float, above: float) -> Clue:
        end = round(start + self.window, 3)
        text = f"The sound is loudest at {start:.1f}-{end:.1f} s ({above:+.1f} dB over its median)."
        return Clue(
            modality=self.modality,
            span=Span(start=start, end=end),
            text=text,
            quality=Quality(score=1.0, factors={"window_s": self.window}),
            source=self.source,
            data={"above_db": above},
        )
