"""Judges, which rate how far two explanations agree."""

__all__ = ["chat", "judge"]
