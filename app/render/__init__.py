"""Pages and JSON records that the commands print."""

__all__ = ["answer", "comparison", "format", "progress", "review", "tables", "timeline"]
