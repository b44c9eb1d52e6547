"""Carry out: systems over clips, resumable, one JSONL file for each system."""
