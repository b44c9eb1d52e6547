"""Model weights: catalogue, location, download, verification and advice."""

__all__ = [
    "addition", "advice", "catalogue", "download", "locate", "model_loader", "transfer", "wheels",
]  # fmt: skip
