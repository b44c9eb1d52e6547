"""Model weights: catalogue, location, download and verification."""

__all__ = ["addition", "catalogue", "download", "locate", "model_loader", "transfer", "wheels"]
