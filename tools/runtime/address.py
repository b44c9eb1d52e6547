"""Addresses of model servers, and the API key that goes to each."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from emer.tools.errors import ConfigError


def key_for(url: str, variable: str) -> str:
    """API key for a URL: the variable's, else OpenAI's key for OpenAI alone."""
    parts = urlsplit(url)
    place = (parts.scheme, parts.netloc.lower().removesuffix(":443"))  # user names included
    is_openai = place == ("https", "api.openai.com")
    names = (variable, "OPENAI_API_KEY") if is_openai else (variable,)
    # A file written on Windows leaves "\r" at its end, which an error of the header would show.
    return next((key for name in names if (key := os.environ.get(name, "").strip())), "")


def checked_address(url: str, name: str) -> str:
    """Address of a model server without white space; `ConfigError` if it is none.

    The message begins with `name`. Every library must read the same host in it: the key goes there.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole or not url.isprintable() or set(url) & {" ", "\\"}:
        raise ConfigError(f"{name} {url!r}: write http(s)://HOST[:PORT]/v1")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError(f"{name}: the key comes from the environment, never from the address")
    return url
