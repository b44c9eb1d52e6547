"""The report: a leaderboard as tables and plots."""

from emer.evals.report.leaderboard import Board
from emer.evals.report.scorecard import Column, Ruler, Scorecard
from emer.evals.report.tables import Report, Table

__all__ = ["Board", "Column", "Report", "Ruler", "Scorecard", "Table"]
