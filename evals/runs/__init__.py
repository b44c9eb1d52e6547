"""Runs of systems over clips, one JSONL file per system."""

from emer.evals.runs.record import RunFile, RunHeader
from emer.evals.runs.runner import answer_all, run

__all__ = ["RunFile", "RunHeader", "answer_all", "run"]
