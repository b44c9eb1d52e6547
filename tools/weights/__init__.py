"""Model weights: catalogue, location, download and verification."""

__all__ = ["catalogue", "download", "locate", "model_loader", "transfer"]
