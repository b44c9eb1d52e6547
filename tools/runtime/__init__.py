"""Runtime of models: device, batches, pool, cancellation, native libraries."""

from emer.tools.runtime.cancellation import Cancelled, note, raise_if_cancelled

__all__ = ["Cancelled", "note", "raise_if_cancelled"]
