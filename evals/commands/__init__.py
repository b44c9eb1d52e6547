"""Commands of `emer-eval`; each module is imported when its command runs."""

__all__ = ["data", "fit", "grounding", "options", "report", "run", "score", "speed", "words"]
