"""A vision model behind an address that speaks OpenAI's chat protocol; pictures go there."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from emer.tools.caption.records import MOST_TOKENS, Shown, Written
from emer.tools.errors import ConfigError
from emer.tools.imports import importing
from emer.tools.pictures import Rgb

TRIES = 2
"""How often a request is made again after a fault that may pass."""
QUALITY = 90
"""Of the JPEG that is sent."""
LIMITS: Sequence[Mapping[str, Any]] = (
    {"max_tokens": MOST_TOKENS, "temperature": 0, "seed": 0, "logprobs": True},
    {"max_tokens": MOST_TOKENS, "temperature": 0},
    {"max_completion_tokens": MOST_TOKENS},
)
"""What is asked for besides, the most first: not every endpoint knows all of it."""
LOCAL = ("127.0.0.1", "::1", "localhost")


class Refused(Exception):
    """The endpoint gave no answer that can be used; the message is one line."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is, and as whom it is asked."""

    url: str
    model: str
    key: str
    seconds: float
    """Time limit of one request."""

    @property
    def host(self) -> str:
        """The address without a path, as it may stand in a trace."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}"

    @property
    def is_local(self) -> bool:
        """Whether nothing leaves this machine."""
        return urlsplit(self.url).hostname in LOCAL


def checked(url: str, tool: str) -> str:
    """Return an address that can be asked, else raise `ConfigError`; no key may stand in it."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        whole = False
    if not whole:
        raise ConfigError(f"{tool}.url {url!r}: write http(s)://HOST[:PORT]/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(f"{tool}.url: the key comes from the environment, never from the address")
    return url


def ask(endpoint: Endpoint, shown: Sequence[Shown], before_each: Any) -> list[Written]:
    """Return what the model writes about each, in order; `Refused` at the first fault.

    `before_each` is called before each request, so that a look that is given up ends.
    """
    with importing():
        import openai
    written = []
    with openai.DefaultHttpxClient(follow_redirects=False, timeout=endpoint.seconds) as http:
        client = openai.OpenAI(
            base_url=endpoint.url,
            api_key=endpoint.key or "none",
            max_retries=TRIES,
            timeout=endpoint.seconds,
            http_client=http,
        )
        for each in shown:
            before_each()
            try:
                written.append(_one(client, endpoint, each))
            except openai.OpenAIError as error:
                raise Refused(_why(endpoint, error)) from error
            except (ValueError, TypeError, AttributeError, LookupError) as error:
                why = f"{endpoint.host} does not answer as OpenAI's chat protocol does"
                raise Refused(why) from error
    return written


def _one(client: Any, endpoint: Endpoint, shown: Shown) -> Written:
    """Ask once, in the plainest way of `LIMITS` that the endpoint takes."""
    import openai

    pictures = [
        {"type": "image_url", "image_url": {"url": data_url(picture)}} for picture in shown.pictures
    ]
    content = [*pictures, {"type": "text", "text": shown.words}]
    request = {"model": endpoint.model, "messages": [{"role": "user", "content": content}]}
    *before, last = LIMITS
    for limits in before:
        try:
            return _read(client.chat.completions.create(**request, **limits))
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            continue
    return _read(client.chat.completions.create(**request, **last))


def _read(reply: Any) -> Written:
    """Return the answer; `LookupError`, `AttributeError` or `TypeError` where there is none."""
    choice = reply.choices[0]
    given = getattr(getattr(choice, "logprobs", None), "content", None) or ()
    known = [token.logprob for token in given if isinstance(token.logprob, int | float)]
    numbers = [number for number in known if math.isfinite(number)]
    mean = max(sum(numbers) / len(numbers), -100.0) if numbers else None
    text = _text(choice.message.content)
    return Written(text.strip(), mean, unfinished=choice.finish_reason == "length")


def _text(content: Any) -> str:
    """Return the words of a message: one text, or parts of which some are text."""
    if isinstance(content, list):
        return " ".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def data_url(picture: Rgb) -> str:
    """Return the picture as a JPEG inside an address."""
    import cv2

    _, packed = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(packed.tobytes()).decode()}"


def _why(endpoint: Endpoint, error: Exception) -> str:
    """Return on one line what went wrong; never the key."""
    told = " ".join(str(error).split())[:200]
    safe = told.replace(endpoint.key, "***") if endpoint.key else told
    return f"{endpoint.host}: {type(error).__name__}: {safe}"
