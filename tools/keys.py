"""Which key may go to an address: a user's key for one host is no other host's business."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

_OPENAI = ("https", "api.openai.com")


def key_for(url: str, own: str) -> str:
    """Return the key in the variable `own`, else OpenAI's for OpenAI alone; "" if there is none."""
    parts = urlsplit(url)
    names = (own, "OPENAI_API_KEY") if (parts.scheme, parts.hostname) == _OPENAI else (own,)
    return next((os.environ[name] for name in names if os.environ.get(name)), "")
