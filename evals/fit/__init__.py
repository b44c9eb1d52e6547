"""Cue weights and calibration fitted to labelled clips."""

__all__ = ["cross_validation", "features", "logistic", "weights"]
