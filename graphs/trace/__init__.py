"""Traces: the events of a run as JSON lines, written, read and compared."""

__all__ = ["clue_ledger", "diff", "events", "jsonl", "runs", "stored_settings"]
