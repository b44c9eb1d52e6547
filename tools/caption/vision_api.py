"""The tool `vision-api`: a captioner behind an OpenAI-compatible address."""

from __future__ import annotations

import base64
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar, Final, TypeVar
from urllib.parse import urlsplit

from emer.tools.caption.caption_tool import CaptionTool
from emer.tools.caption.description import SCHEMA, Caption, VisualPrompt
from emer.tools.errors import ConfigError, ToolFailed, ToolMissing
from emer.tools.media.decoder import Rgb
from emer.tools.registry import register
from emer.tools.runtime.address import checked_address, key_for
from emer.tools.runtime.cancellation import note, raise_if_cancelled
from emer.tools.runtime.connections import bound
from emer.tools.runtime.device import is_offline, machine
from emer.tools.runtime.native import importing
from emer.tools.runtime.time_limit import TimeLimitExceeded, call_with_limit
from emer.tools.types import Param, Source

Reply = TypeVar("Reply")

TOOL: Final = "vision-api"
KEY, URL, MODEL = "EMER_VISION_KEY", "EMER_VISION_URL", "EMER_VISION_MODEL"
RETRIES: Final = 2
"""Repeats of a request after a fault that may pass."""
LIST_SECONDS: Final = 5.0
"""Time limit of the list of models; a model may have to load for a reply."""
LONGEST_CAPTION: Final = 4_000
"""Characters of a reply that are read; 128 tokens are asked for."""
JPEG_QUALITY: Final = 90
MOST_NAMES: Final = 4
"""Models that are named where the one that is wanted is absent."""
LOCAL = ("127.0.0.1", "::1", "localhost")
NO_LIST, NO_CHAT = (403, 404, 405, 501), (400, 404, 405, 501)
"""HTTP statuses of an address without a list of models, and without chat."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Address, model and key; `seconds` is the time limit of one request."""

    url: str
    model: str
    key: str
    seconds: float

    @property
    def host(self) -> str:
        """The address without a path, as it may appear in a trace."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}"

    @property
    def is_local(self) -> bool:
        """Whether nothing leaves this machine."""
        return urlsplit(self.url).hostname in LOCAL


@register("vision-api", slot="caption")
@dataclass(eq=False)
class VisionApi(CaptionTool):
    """Sends frames to a vision model, which describes them and answers questions.

    The key comes from EMER_VISION_KEY, or from OPENAI_API_KEY for OpenAI itself; an address that
    wants none needs none.

    Args:
        model: The model's name there; "" takes EMER_VISION_MODEL.
        url: The address, mostly ending in /v1; "" takes EMER_VISION_URL.
        seconds: Time limit of one request, of which there is one a frame.
        most, most_close, mask_subtitles, max_side: As for `CaptionTool`.
    """

    model: str = ""
    url: str = ""
    seconds: float = 60.0
    name: ClassVar[str] = TOOL
    description = (
        "Sends a few frames to a vision model, which describes them and may be asked about them."
    )
    deterministic: ClassVar[bool] = False
    answers = True

    def __post_init__(self) -> None:
        """Check the settings; nothing is sent. `ConfigError` says which is not possible."""
        super().__post_init__()
        if not 0 < self.seconds <= 600:
            raise ConfigError(f"{TOOL}.seconds must be above 0 and at most 600")

    @property
    def source(self) -> Source:
        """Name, version, model, and the host to which frames are sent."""
        endpoint = self.endpoint()
        params: dict[str, Param] = {**self.params, "host": endpoint.host}
        return Source(tool=TOOL, version=_version(), model=endpoint.model, params=params)

    def reach(self) -> str:
        """Whether the model is there; no picture is sent. See `reach`."""
        return reach(self.endpoint())

    def write(self, prompts: Sequence[VisualPrompt]) -> Sequence[Caption]:
        """What the model writes about each; `ToolFailed` names the host and the fault."""
        endpoint = self.endpoint()
        if not endpoint.is_local:
            count = sum(len(each.pictures) for each in prompts)
            note(f"{count} frame{'s' * (count != 1)} of the clip went to {endpoint.host}")
        captions: list[Caption] = []
        variants = _variants(prompts[0])
        with _client(endpoint, RETRIES, "the clip") as client:
            for prompt in prompts:
                raise_if_cancelled()
                text = {"type": "text", "text": prompt.text}
                turn = {"role": "user", "content": [*map(_image, prompt.pictures), text]}
                reply = _within(endpoint, partial(_reply, client, endpoint.model, [turn], variants))
                captions.append(_caption(reply))
        return captions

    def endpoint(self) -> Endpoint:
        """Where frames are sent, by the settings and the environment.

        `ToolMissing` without an address, a model or the package openai; `ConfigError` for an
        address that cannot be, or is not allowed offline.
        """
        _version()
        model = self.model or os.environ.get(MODEL, "")
        url = self.url or os.environ.get(URL, "")
        if not model or not url:
            line = 'url = "http://127.0.0.1:8000/v1", model = "NAME" in emer.toml, or '
            raise ToolMissing(TOOL, "an address and a model", f"{line}{URL} and {MODEL}")
        endpoint = Endpoint(
            checked_address(url, f"{TOOL}.url"), model, key_for(url, KEY), self.seconds
        )
        if is_offline() and not endpoint.is_local:
            raise ConfigError(f"{TOOL} would send frames to {endpoint.host}: EMER_OFFLINE forbids")
        return endpoint


def reach(endpoint: Endpoint) -> str:
    """What was found at an address, in few words; `ToolFailed` says what is wrong.

    The list of its models is asked for. An address on this machine that does not list ours
    (llama.cpp takes any name) is asked for one word; no other is sent more than the key.
    """
    purpose, host, model = "a first request", endpoint.host, endpoint.model
    quick = replace(endpoint, seconds=min(LIST_SECONDS, endpoint.seconds))
    with _client(quick, 0, purpose) as client:
        names = _within(quick, partial(_models, client))
    if names and {model, f"{model}:latest"} & {*names}:
        return f"{host} has it"
    if endpoint.is_local:
        with _client(endpoint, 0, purpose) as client:
            if _within(endpoint, partial(_chats, client, model)):
                return f"{host} answers"
    elif names is None:
        return f"{host} answers, but does not say which models it has"
    if names is None:
        why = f"{host} has no chat with {model!r} there; the address of one mostly ends in /v1"
        raise ToolFailed(TOOL, purpose, why)
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    known = f"it has {', '.join(names[:MOST_NAMES])}{more}" if names else "it has none"
    raise ToolFailed(TOOL, purpose, f"{host} has no model {model!r}; {known}")


def _models(client: Any) -> list[str] | None:
    import openai

    try:
        reply = client.get("/models", cast_to=object)
    except openai.APIStatusError as error:
        if error.status_code in NO_LIST:
            return None
        raise
    return [str(each["id"]) for each in (reply if isinstance(reply, list) else reply["data"])]


def _chats(client: Any, model: str) -> bool:
    import openai

    body = {"model": model, "messages": [{"role": "user", "content": "Say yes."}], "max_tokens": 1}
    try:
        client.post("/chat/completions", body=body, cast_to=object)
    except openai.APIStatusError as error:
        if error.status_code in NO_CHAT:
            return False
        raise
    return True


def _variants(prompt: VisualPrompt) -> list[Mapping[str, Any]]:
    """What is asked for besides, the most first: not every endpoint knows all of it."""
    most = prompt.most_tokens(chats=True)
    plain = {"max_tokens": most, "temperature": 0}
    exact = {**plain, "seed": 0, "logprobs": True}
    schema = {"name": "frame", "strict": True, "schema": SCHEMA}
    structured = {**exact, "response_format": {"type": "json_schema", "json_schema": schema}}
    return [
        *([] if prompt.question else [structured]), exact, plain, {"max_completion_tokens": most},
    ]  # fmt: skip


def _reply(client: Any, model: str, turns: Any, variants: list[Mapping[str, Any]]) -> Any:
    """The reply to the first variant that is taken; those refused leave the list."""
    import openai

    while True:
        try:
            return client.chat.completions.create(model=model, messages=turns, **variants[0])
        except (openai.BadRequestError, openai.UnprocessableEntityError):
            if len(variants) == 1:
                raise
            variants.pop(0)


def _caption(reply: Any) -> Caption:
    choice = reply.choices[0]
    tokens = getattr(getattr(choice, "logprobs", None), "content", None) or ()
    known = [t.logprob for t in tokens if isinstance(t.logprob, int | float)]
    numbers = [number for number in known if math.isfinite(number)]
    mean = max(sum(numbers) / len(numbers), -100.0) if numbers else None
    text = _text(choice.message.content) or _text(getattr(choice.message, "refusal", None))
    cut = choice.finish_reason == "length" or len(text) > LONGEST_CAPTION
    return Caption(text.strip()[:LONGEST_CAPTION], mean, truncated=cut)


def _text(content: Any) -> str:
    if isinstance(content, list):
        return " ".join(_text(part.get("text")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _image(picture: Rgb) -> Mapping[str, Any]:
    import cv2

    _, packed = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    url = f"data:image/jpeg;base64,{base64.b64encode(packed.tobytes()).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def _within(endpoint: Endpoint, work: Callable[[], Reply]) -> Reply:
    """Result of one request, its repeats included, within the limits of the endpoint."""
    return call_with_limit(work, min(endpoint.seconds, machine().network.total))


@contextmanager
def _client(endpoint: Endpoint, retries: int, purpose: str) -> Iterator[Any]:
    """Yield a client of the endpoint; what it or the block raises becomes one line.

    It follows no redirect, which would take frames or the key to another host.
    """
    with importing():
        import httpx
        import openai
    try:
        with openai.DefaultHttpxClient(follow_redirects=False) as http:
            bound(http)
            yield openai.OpenAI(
                base_url=endpoint.url, api_key=endpoint.key or "none", max_retries=retries,
                timeout=endpoint.seconds, http_client=http,
            )  # fmt: skip
    except (openai.OpenAIError, TimeLimitExceeded) as error:
        raise ToolFailed(TOOL, purpose, _cause(endpoint, error)) from error
    except httpx.InvalidURL as error:
        raise ConfigError(f"{TOOL}.url {endpoint.url!r}: {error}") from error
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        why = f"{endpoint.host} does not answer as OpenAI's chat protocol does"
        raise ToolFailed(TOOL, purpose, why) from error


def _cause(endpoint: Endpoint, error: Any) -> str:
    import openai

    line = " ".join(str(error.__cause__ or error).split())
    line = re.sub(r"Bearer [^'\"]*", "Bearer ***", line)  # the repr of a header
    detail = (line.replace(endpoint.key, "***") if endpoint.key else line)[:200]
    if isinstance(error, openai.APITimeoutError | TimeLimitExceeded):
        return f"{endpoint.host} does not answer within {endpoint.seconds:g} s"
    if isinstance(error, openai.APIConnectionError):
        return f"nobody answers at {endpoint.host}: {detail}"
    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        if status in (401, 403):
            return f"{endpoint.host} refuses the key (HTTP {status}): set {KEY}"
        return f"{endpoint.host} answers HTTP {status}: {detail.partition(' - ')[2] or detail}"
    return f"{endpoint.host}: {type(error).__name__}: {detail}"


def _version() -> str:
    try:
        return version("openai")
    except PackageNotFoundError:
        raise ToolMissing(TOOL, "the package openai", "pip install 'emer[llm]'") from None
