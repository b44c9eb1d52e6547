"""The report: a leaderboard as tables and plots."""

__all__ = ["build", "leaderboard", "measure", "plots", "scorecard", "tables"]
