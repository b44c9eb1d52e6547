"""Decoded pictures become RGB of the right colours and sizes."""

from __future__ import annotations

import av
import numpy as np
import pytest

from emer.tools.media.decode_worker import LARGE
from emer.tools.media.decoder import Frame, Picture, VideoShape, resize, to_rgb
from tests.fixtures.clips import picture_of

ORANGE = (220, 130, 40)


def picture(pixel_format: str, size: tuple[int, int] = (64, 48)) -> Picture:
    rgb = np.full((size[1], size[0], 3), ORANGE, np.uint8)
    rgb[: size[1] // 2] = 20
    decoded = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format=pixel_format)
    return picture_of(decoded)


@pytest.mark.parametrize(
    ("pixel_format", "size"),
    [
        ("yuv420p", (64, 48)),
        ("yuv420p", (70, 46)),
        ("yuv420p", (65, 47)),
        ("yuvj420p", (64, 48)),
        ("yuv444p", (64, 48)),
        ("yuv420p10le", (64, 48)),
        ("rgb24", (50, 30)),
    ],
)
def test_every_format_keeps_its_colours(pixel_format: str, size: tuple[int, int]) -> None:
    image = to_rgb(picture(pixel_format, size))
    assert image.shape == (size[1], size[0], 3)
    assert np.abs(image[-4:].astype(int) - ORANGE).max() <= 4
    assert np.abs(image[:4].astype(int) - 20).max() <= 4


def test_pictures_that_are_kept_stay_as_they_are() -> None:
    shape = VideoShape(64, 48, 0)
    corners = []
    for level in range(20, 220, 10):
        grey = np.full((48, 64, 3), level, np.uint8)
        decoded = av.VideoFrame.from_ndarray(grey, format="rgb24").reformat(format="yuv420p")
        corners.append(Frame(len(corners), 0.0, picture_of(decoded), shape).rgb()[:5, :5])
    means = [float(part.mean()) for part in corners]
    assert np.allclose(means, range(20, 220, 10), atol=2)


def test_a_frame_is_converted_once_for_all_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    converted: list[int] = []

    def count(decoded: Picture) -> np.ndarray:  # type: ignore[type-arg]
        converted.append(1)
        return to_rgb(decoded)

    monkeypatch.setattr("emer.tools.media.decoder.to_rgb", count)
    frame = Frame(0, 0.0, picture("yuv420p"), VideoShape(48, 64, 90))
    sizes = [frame.rgb(side).shape for side in (None, 32, None, 16)]
    assert sizes == [(64, 48, 3), (32, 24, 3), (64, 48, 3), (16, 12, 3)]
    assert len(converted) == 1
    with pytest.raises(ValueError, match="read-only"):
        frame.rgb()[0] = 0


@pytest.mark.parametrize("shape", [(1080, 1920, 3), (2160, 3840, 3), (336, 448, 3)])
def test_a_large_picture_shrinks_to_the_means_of_its_parts(shape: tuple[int, int, int]) -> None:
    across = np.linspace(0, 255, shape[1], dtype=np.float32)
    noise = np.random.default_rng(1).integers(-20, 21, shape, dtype=np.int8)
    image = np.clip(across[:, None] + noise, 0, 255).astype(np.uint8)
    small = resize(image, (64, 64 * shape[0] // shape[1]))
    columns = np.array_split(image.mean(axis=(0, 2)), 64)
    assert small.shape == (64 * shape[0] // shape[1], 64, 3)
    assert np.allclose(small.mean(axis=(0, 2)), [part.mean() for part in columns], atol=2)
    assert (image.size > 3 * LARGE) == (shape[1] > 448)
