"""Prosody: pitch, loudness, rate, pauses and voice quality."""
