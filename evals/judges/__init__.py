"""Judges, which rate how far two explanations agree."""

from emer.evals.judges.judge import Judge, JudgeFailed, Rating, judge_all
from emer.evals.judges.offline import OfflineJudge

__all__ = ["Judge", "JudgeFailed", "OfflineJudge", "Rating", "judge_all"]
