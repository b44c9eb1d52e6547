"""Judges, which rate how far two explanations agree."""

from emer.evals.judges.judge import Judge, JudgeFailed, OfflineJudge, judge_all

__all__ = ["Judge", "JudgeFailed", "OfflineJudge", "judge_all"]
