"""Pages and JSON records that the commands print."""

__all__ = ["answer", "format", "progress", "timeline"]
