"""Perceive: the clip, the specialists that watch and listen, and their clues."""
