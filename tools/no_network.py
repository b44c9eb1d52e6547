"""A stretch of code without a network: what it tried is refused and listed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_ONE_AT_A_TIME = threading.Lock()
_HERE = ("127.0.0.1", "::1", "localhost")


@contextmanager
def no_network() -> Iterator[list[str]]:
    """Refuse connections and look-ups but to this machine, and list what was tried.

    Python's own sockets only: what a library does below Python is not seen.
    """
    tried: list[str] = []
    kept = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(address: Any) -> None:
        host = address[0] if isinstance(address, tuple) else address
        local = address if isinstance(address, str | bytes) else host in _HERE
        if not local:
            tried.append(str(host))
            raise OSError(f"a tool must not reach for {host} while observing")

    def connect(self: socket.socket, address: Any) -> None:
        check(address)
        kept[0](self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        check(address)
        return kept[1](self, address)

    def getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        check((host,))
        return kept[2](host, *rest, **named)

    with _ONE_AT_A_TIME:
        _put(connect, connect_ex, getaddrinfo)
        try:
            yield tried
        finally:
            _put(*kept)


def _put(connect: Any, connect_ex: Any, getaddrinfo: Any) -> None:
    socket.socket.connect = connect  # type: ignore[method-assign]
    socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]
    socket.getaddrinfo = getaddrinfo
