"""HTTP guard of `langgraph dev`: requests of this machine, JSON, of bounded size.

`http.app` of langgraph.json names it, and LangGraph's server adds its routes to it. A page of
another site that is open in a browser of this machine can reach the server: it may send what
needs no preflight, or have its own name point here. Neither is let through.
"""

from __future__ import annotations

import re

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost", "[::1]")
ORIGIN = re.compile(r"https?://(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?")
MOST_BYTES = 1_000_000
"""Size of a request; the longest allowed question and words are about 100 kB."""


class LocalRequests:
    """ASGI middleware that refuses requests of foreign pages, and large ones."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with the reason of its refusal."""
        refused = refusal(Headers(scope=scope)) if scope["type"] == "http" else None
        if refused is None:
            await self.app(scope, receive, send)
            return
        status, why = refused
        await JSONResponse({"detail": why}, status_code=status)(scope, receive, send)


def refusal(headers: Headers) -> tuple[int, str] | None:
    """Status and reason of a request that is refused; None for one that is not."""
    origin, length = headers.get("origin"), headers.get("content-length", "0")
    if origin is not None and not ORIGIN.fullmatch(origin):
        return 403, "pages of other sites may not use this server"
    if "transfer-encoding" in headers or not length.isdecimal():
        return 411, "a request needs its Content-Length"
    if len(length) > len(str(MOST_BYTES)) or int(length) > MOST_BYTES:
        return 413, f"a request has at most {MOST_BYTES:,} bytes"
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if length.strip("0") and kind != "application/json":
        return 415, "the body of a request is application/json"
    return None


app = Starlette(
    middleware=[
        Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS), www_redirect=False),
        Middleware(LocalRequests),
    ]
)
for hooks in ("on_startup", "on_shutdown"):
    if not hasattr(
        app.router, hooks
    ):  # gone since Starlette 1.0; LangGraph's server looks for them
        setattr(app.router, hooks, [])
