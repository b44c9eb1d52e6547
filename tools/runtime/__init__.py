"""Runtime of models: device, batches, pool, cancellation, native libraries."""

__all__ = ["batching", "cancellation", "device", "mediapipe", "memo", "model_pool", "native"]
