"""Runs of systems over clips, one JSONL file per system."""

__all__ = ["runner"]
