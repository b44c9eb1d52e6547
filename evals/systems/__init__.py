"""Systems under test, through one contract."""

from emer.evals.systems.system import Card, Cost, Prediction, System

__all__ = ["Card", "Cost", "Prediction", "System"]
