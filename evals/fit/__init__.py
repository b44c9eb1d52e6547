"""Fit: cue weights and calibration from a researcher's own labels; what ships is not touched."""
