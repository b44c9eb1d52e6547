"""The EMER benchmark, and measurements of speed and memory."""

__all__ = ["commands", "data", "fit", "judges", "metrics", "report", "runs", "speed", "systems"]
