"""Speed and memory of whole runs, and of models against their libraries."""

__all__ = ["large_models", "measure", "models", "peak_memory", "pipeline"]
