"""Whether an endpoint would answer: asked without showing it anything.

The list of its models is asked for. One on this machine that does not list ours (llama.cpp takes
any name) is asked to say a word; no other host is sent more than the question and the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from emer.tools.caption.endpoint import Endpoint, Refused

if TYPE_CHECKING:
    import httpx

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
