"""Media: clips, their frames, samples, shots and subtitles."""

from emer.tools.media.clip import RATE, Clip, Samples
from emer.tools.media.decoder import Frame, Rgb
from emer.tools.media.subtitles import SubtitleCue

__all__ = ["RATE", "Clip", "Frame", "Rgb", "Samples", "SubtitleCue"]
