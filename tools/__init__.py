"""Perception: the clip, the tools that observe it, and their clues."""

__all__ = ["errors", "evidence_store", "registry", "text", "timeseries", "tool", "types"]
