"""Runtime of models: device, batches, pool, cancellation, native libraries."""

__all__ = ["address", "batching", "cancellation", "connections", "device", "mediapipe", "memo"]
__all__ += ["model_pool", "native", "time_limit", "worker_process"]
