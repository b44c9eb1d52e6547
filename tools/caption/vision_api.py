"""OpenAI-compatible vision endpoint.

A vision model behind an address that speaks OpenAI's chat protocol; pictures go there.

Whether an endpoint would answer: asked without showing it anything.

The list of its models is asked for. One on this machine that does not list ours (llama.cpp takes
any name) is asked to say a word; no other host is sent more than the question and the key.

A captioner behind any OpenAI-compatible address: frames are sent there, so it must be chosen.
"""

from __future__ import annotations

import base64
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from emer.tools.caption.caption_filter import MOST_TOKENS, Shown, Written
from emer.tools.caption.caption_tool import CaptionTool
from emer.tools.errors import ConfigError, ToolFailed, ToolMissing
from emer.tools.media.decoder import Rgb
from emer.tools.runtime.cancellation import note, still_wanted
from emer.tools.runtime.device import is_offline
from emer.tools.runtime.native import importing
from emer.tools.types import Param, Source
from emer.tools.weights.download import key_for

if TYPE_CHECKING:
    import httpx


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


SECONDS = 5.0
"""Time limit of the list; a word may take as long as an answer, since a model may load for it."""
NO_CHAT = (400, 404, 405, 501)
"""What an endpoint says that has no chat with a model."""
NO_LIST = (403, 404, 405, 501)
"""What one says that lists no models, or not to this key, which may chat all the same."""
NAMED = 4


def reach(endpoint: Endpoint) -> str:
    """Return what was found, in few words; `Refused` says on one line what is wrong."""
    import httpx

    headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    seconds = min(SECONDS, endpoint.seconds)
    try:
        with httpx.Client(headers=headers, timeout=seconds, follow_redirects=False) as client:
            return _found(client, endpoint)
    except httpx.TimeoutException as error:
        limit = error.request.extensions["timeout"]["read"]
        raise Refused(f"{endpoint.host} does not answer within {limit:g} s") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = " ".join(str(error).split())[:200]
        raise Refused(f"nobody answers at {endpoint.host}: {why}") from error


def _found(client: httpx.Client, endpoint: Endpoint) -> str:
    names = _listed(client, endpoint)
    if names and {endpoint.model, f"{endpoint.model}:latest"} & {*names}:
        return f"{endpoint.host} has it"
    if endpoint.is_local and _says_a_word(client, endpoint):
        return f"{endpoint.host} answers"
    if names is None:
        if endpoint.is_local:
            raise Refused(
                f"{endpoint.host} has no chat with {endpoint.model!r} there; "
                "the address of one mostly ends in /v1"
            )
        return f"{endpoint.host} answers, but does not say which models it has"
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    known = f"it has {', '.join(names[:NAMED])}{more}" if names else "it has none"
    raise Refused(f"{endpoint.host} has no model {endpoint.model!r}; {known}")


def _listed(client: httpx.Client, endpoint: Endpoint) -> Sequence[str] | None:
    """Return the names of its models; None if it does not tell."""
    answer = client.get(f"{endpoint.url.rstrip('/')}/models")
    if answer.status_code in NO_LIST:
        return None
    _require(answer, endpoint)
    try:
        told = answer.json()
        return [str(model["id"]) for model in (told if isinstance(told, list) else told["data"])]
    except (ValueError, LookupError, TypeError) as error:
        raise Refused(f"{endpoint.host} does not list models as OpenAI's protocol does") from error


def _says_a_word(client: httpx.Client, endpoint: Endpoint) -> bool:
    """Tell whether the model answers a line of text, of which nothing is kept."""
    turn = {"role": "user", "content": "Say yes."}
    asked: dict[str, Any] = {"model": endpoint.model, "messages": [turn], "max_tokens": 1}
    address = f"{endpoint.url.rstrip('/')}/chat/completions"
    answer = client.post(address, json=asked, timeout=endpoint.seconds)
    if answer.status_code in NO_CHAT:
        return False
    _require(answer, endpoint)
    return True


def _require(answer: httpx.Response, endpoint: Endpoint) -> None:
    """Raise `Refused` unless the answer is one."""
    status = answer.status_code
    if status in (401, 403):
        raise Refused(f"{endpoint.host} refuses the key (HTTP {status}): set EMER_VISION_KEY")
    if status != 200:
        raise Refused(f"{endpoint.host} answers HTTP {status}")


KEY = "EMER_VISION_KEY"
URL, MODEL = "EMER_VISION_URL", "EMER_VISION_MODEL"


class VisionApi(CaptionTool):
    """Describes frames with a vision model behind an address (OpenAI, vLLM, llama.cpp, Ollama ...).

    `url` and `model` may also stand in EMER_VISION_URL and EMER_VISION_MODEL. The key comes from
    EMER_VISION_KEY, or from OPENAI_API_KEY for OpenAI itself; an address that wants none needs
    none. `seconds` is the time limit of one request, of which there is one a frame.
    """

    name: ClassVar[str] = "vision-api"
    description = (
        "Sends a few frames to a vision model, which describes them and may be asked about them."
    )
    deterministic: ClassVar[bool] = False

    def __init__(
        self,
        model: str = "",
        url: str = "",
        seconds: float = 60.0,
        most: int = 8,
        most_close: int = 4,
        mask_subtitles: str = "found",
        max_side: int = 768,
    ) -> None:
        """Keep the settings; nothing is sent. `ConfigError` for what cannot be."""
        super().__init__(most, most_close, mask_subtitles, max_side)
        if not 0 < seconds <= 600:
            raise ConfigError(f"{self.name}.seconds must be above 0 and at most 600")
        self._model, self._url, self._seconds = model, url, seconds

    @property
    def source(self) -> Source:
        """Name, version, model, and the host to which frames are sent."""
        endpoint = self._endpoint()
        params: dict[str, Param] = {**self.params, "host": endpoint.host}
        return Source(tool=self.name, version=_version(), model=endpoint.model, params=params)

    @property
    def answers(self) -> bool:
        """Yes: it is told in words what to do."""
        return True

    def reach(self) -> str:
        """Ask the endpoint whether the model is there; no picture is sent.

        `ToolFailed` says what is wrong.
        """
        try:
            return reach(self._endpoint())
        except Refused as error:
            raise ToolFailed(self.name, "a first request", str(error)) from error

    def write(self, shown: Sequence[Shown]) -> Sequence[Written]:
        """Return what the model writes about each; `ToolFailed` names the host and the fault."""
        endpoint = self._endpoint()
        if not endpoint.is_local:
            count = sum(len(each.pictures) for each in shown)
            note(f"{count} frame{'s' * (count != 1)} of the clip went to {endpoint.host}")
        try:
            return ask(endpoint, shown, still_wanted)
        except Refused as error:
            raise ToolFailed(self.name, "the clip", str(error)) from error

    def _endpoint(self) -> Endpoint:
        model = self._model or os.environ.get(MODEL, "")
        url = self._url or os.environ.get(URL, "")
        if not model or not url:
            line = 'url = "http://127.0.0.1:8000/v1", model = "NAME" in emer.toml, or '
            raise ToolMissing(self.name, "an address and a model", f"{line}{URL} and {MODEL}")
        endpoint = Endpoint(checked(url, self.name), model, key_for(url, KEY), self._seconds)
        if is_offline() and not endpoint.is_local:
            raise ConfigError(
                f"{self.name} would send frames to {endpoint.host}: EMER_OFFLINE forbids"
            )
        return endpoint


def _version() -> str:
    try:
        return version("openai")
    except PackageNotFoundError:
        what = "the package openai"
        raise ToolMissing("vision-api", what, "pip install 'emer[llm]'") from None
