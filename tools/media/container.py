"""Opening of a clip's file: one local regular file, whose name FFmpeg never sees.

FFmpeg reads addresses from names ("http:", "pipe:0") and opens other files that a playlist
names. It gets an open file instead, a list of formats that are read from one file alone, and
no protocol. Several readers share the descriptor, each with its own position.

The processes of `probe_worker` and `decode_worker` import it: it needs nothing but PyAV.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from av.container import InputContainer

FORMATS: Final = (
    "mov", "matroska", "avi", "asf", "flv", "live_flv", "mpeg", "mpegts", "mpegvideo", "m4v",
    "h261", "h263", "h264", "hevc", "obu", "av1", "ivf", "mjpeg", "yuv4mpegpipe", "dv", "mxf",
    "nut", "nuv", "rm", "wtv", "dhav", "gif", "apng", "3gp", "ogg", "wav", "w64", "aiff", "au",
    "caf", "flac", "mp3", "aac", "ac3", "eac3", "dts", "amr", "amrnb", "amrwb", "ape", "wv",
    "tta", "tak", "mpc", "mpc8", "dsf", "voc", "ircam", "nistsphere", "gsm", "truehd", "mlp",
    "jpeg_pipe", "png_pipe", "webp_pipe", "bmp_pipe",
)  # fmt: skip
"""FFmpeg's names of the formats that hold picture or sound in one file.

Playlists (hls, dash, concat), numbered pictures (image2), devices and descriptions of
streams (sdp) open other files or addresses and are not among them.
"""
BUFFER_BYTES: Final = 1 << 18
"""Bytes that FFmpeg asks for at once."""


class Reader:
    """A position in an open file, as PyAV reads it; many may share one descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._position = descriptor, 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes from the position on; none at the end."""
        data = os.pread(self._descriptor, size, self._position)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to an offset from the start, the position or the end."""
        size = os.fstat(self._descriptor).st_size
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Bytes from the start."""
        return self._position


def open_container(descriptor: int, max_pixels: int) -> InputContainer:
    """Open a regular file as audio or video; `av.error.FFmpegError` where it is none.

    The decoder refuses pictures of more than `max_pixels`.
    """
    import av

    container = av.open(
        Reader(descriptor),
        mode="r",
        options={"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "none"},
        metadata_errors="replace",
        buffer_size=BUFFER_BYTES,
    )
    for stream in container.streams.video:
        if stream.codec_context is not None:  # None: of a codec that is unknown
            stream.codec_context.options = {"max_pixels": str(max_pixels)}
    return container
