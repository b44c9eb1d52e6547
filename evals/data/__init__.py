"""Data sets: EMER, the MER challenges, and a user's own CSV files."""

__all__ = ["clips", "datasets", "emer", "export", "locations", "predictions", "tables",
           "types", "wheels"]  # fmt: skip
