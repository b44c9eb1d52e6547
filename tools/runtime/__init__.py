"""Runtime of models: device, batches, pool, cancellation, native libraries."""

__all__ = [
    "address",
    "batching",
    "cancellation",
    "device",
    "mediapipe",
    "memo",
    "model_pool",
    "native",
]
