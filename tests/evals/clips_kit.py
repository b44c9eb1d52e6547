"""Short clips for the benchmark's tests."""

from __future__ import annotations

from pathlib import Path

from tests.clips import Written, write_clip


def silent_clip(path: Path, seconds: float = 0.2) -> Path:
    """Write a clip of a picture that brightens, without sound."""
    frames = round(25 * seconds)
    return write_clip(
        path, Written([k / 25 for k in range(frames)], [20 + 4 * k for k in range(frames)])
    )
