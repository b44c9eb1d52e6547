"""Speakers: the voices of a clip, by embedding and by channel."""

from emer.tools.speakers.voices import (
    Voice,
    Voices,
    voices_by_channel,
    voices_by_embedding,
)

__all__ = ["Voice", "Voices", "voices_by_channel", "voices_by_embedding"]
