"""HTTP connections that end with the call they serve, and replies of bounded size.

For the clients of httpx and of httpx2: which of the two a provider's package uses is its choice.
"""

from __future__ import annotations

import importlib
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from emer.tools.runtime.cancellation import Call, current_call, raise_if_cancelled
from emer.tools.runtime.device import machine

LONGEST_REPLY = 32_000_000
"""Bytes of a model's reply: a stream spends some 200 on a token (chosen by us)."""


def bound(client: Any, most: int = LONGEST_REPLY, call: Call | None = None) -> None:
    """Bound the requests of a client: connecting, silence, the size of each reply.

    A request is closed when the call that makes it is cancelled; a timeout of the client that
    is shorter than those of the settings stays.

    Args:
        client: A synchronous client of httpx or httpx2.
        most: Bytes of a reply after which it is broken off.
        call: The call served, where the client works in threads of its own.
    """

    def begin(request: Any) -> None:
        raise_if_cancelled()
        serving = call or current_call()
        request.headers["Connection"] = "close"  # each request has the connection of its call
        request.headers["Accept-Encoding"] = "identity"  # unpacked, a reply may have any size
        request.extensions["timeout"] = _timeouts(request.extensions.get("timeout") or {})
        if serving is not None:
            request.extensions["trace"] = partial(_follow, serving)

    def answered(response: Any) -> None:
        response.stream = _measured(response, most)

    hooks = client.event_hooks
    client.event_hooks = {
        "request": [*hooks["request"], begin],
        "response": [*hooks["response"], answered],
    }


def _timeouts(given: dict[str, float | None]) -> dict[str, float]:
    network = machine().network
    limits = {"connect": network.connect} | dict.fromkeys(("read", "write", "pool"), network.first)
    return {name: min(limit, given.get(name) or limit) for name, limit in limits.items()}


def _follow(call: Call, name: str, info: dict[str, Any]) -> None:
    """Note the socket of a request, when it is connected and again when it is encrypted."""
    get: Callable[[str], Any] | None = getattr(info.get("return_value"), "get_extra_info", None)
    connected = get("socket") if get is not None and name.endswith(".complete") else None
    if connected is not None:
        call.on_cancel(partial(_shut, connected))


def _shut(connected: socket.socket) -> None:
    """End the connection: a thread that waits for it wakes up, as it would not by `close`."""
    with suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _measured(response: Any, most: int) -> Any:
    """The stream of a response, broken off when it is too long or its call is cancelled."""
    library: Any = importlib.import_module(type(response).__module__.partition(".")[0])
    inner, request = response.stream, response.request
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise library.DecodingError("the reply is packed, which was not asked for", request=request)

    class Measured(library.SyncByteStream):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            size = 0
            for piece in inner:
                raise_if_cancelled()
                size += len(piece)
                if size > most:
                    raise library.ReadError(f"a reply of over {most} bytes", request=request)
                yield piece

        def close(self) -> None:
            inner.close()

    return Measured()
