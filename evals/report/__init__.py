"""The report: a leaderboard as tables and plots."""

from emer.evals.report.leaderboard import Board, Entry
from emer.evals.report.scorecard import Column, Ruler, Scorecard
from emer.evals.report.tables import Report, Table

__all__ = ["Board", "Column", "Entry", "Report", "Ruler", "Scorecard", "Table"]
