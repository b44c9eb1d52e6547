"""Runtime of models: device, batches, pool, cancellation, native libraries."""

__all__ = ["batching", "cancellation", "connections", "device", "mediapipe", "memo", "model_pool"]
__all__ += ["native", "time_limit"]
