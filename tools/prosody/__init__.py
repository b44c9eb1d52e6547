"""Hear how it is said: pitch, loudness, rate, pauses, voice quality."""
