"""Model weights: catalogue, location, download and verification."""

__all__ = ["catalogue", "download", "locate", "pretrained", "transfer"]
