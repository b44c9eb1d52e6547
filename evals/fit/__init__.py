"""Cue weights and calibration fitted to labelled clips."""

from emer.evals.fit.features import Examples, examples
from emer.evals.fit.logistic import Weights, fit

__all__ = ["Examples", "Weights", "examples", "fit"]
