"""Prosody: pitch, loudness, rate, pauses and voice quality."""

from emer.tools.prosody.egemaps import EGeMAPS

__all__ = ["EGeMAPS"]
