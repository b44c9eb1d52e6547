"""Metrics as statistics over clips, with bootstrap intervals."""

from emer.evals.metrics.bootstrap import Draws, Estimate, Statistic, estimate, mean, ratio
from emer.evals.metrics.wheel import Lexicon, Wheel

__all__ = ["Draws", "Estimate", "Lexicon", "Statistic", "Wheel", "estimate", "mean", "ratio"]
