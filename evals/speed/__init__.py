"""Speed and memory: of whole runs, and of tools with a model against their libraries."""

__all__ = ["measure", "models", "peak_memory", "pipeline"]
