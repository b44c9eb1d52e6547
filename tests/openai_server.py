"""A real server on loopback that speaks the OpenAI chat protocol, streaming included."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.serving import LocalServer, running


class OpenAIServer(LocalServer):
    """Answers each request with the next reply; remembers what it was asked.

    A reply is a JSON object (the model's answer), a text, a number (an HTTP status), or bytes,
    which are sent as the whole body.
    `after` is given once the replies are used up; `logprob` to each token, where it is asked for.
    It lists `models`: names, an HTTP status, or bytes.
    """

    def __init__(self, replies: list[Any]) -> None:
        super().__init__(_Handler)
        self.replies = list(replies)
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.after: Any = 503
        self.logprob: float | None = None
        self.models: list[str] | int | bytes = 404
        self.listed = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


def serving(*replies: Any) -> AbstractContextManager[OpenAIServer]:
    """Return a server that gives these replies, at work in a thread of its own."""
    return running(OpenAIServer(list(replies)))


class _Handler(BaseHTTPRequestHandler):
    server: OpenAIServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        models = self.server.models
        self.server.listed += 1
        self.server.keys.append(self.headers["Authorization"])
        if isinstance(models, int):
            self._send(models, "application/json", b"{}")
        elif isinstance(models, bytes):
            self._send(200, "application/json", models)
        else:
            told = {"object": "list", "data": [{"id": name, "object": "model"} for name in models]}
            self._send(200, "application/json", json.dumps(told).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        self.server.keys.append(self.headers["Authorization"])
        reply = self.server.replies.pop(0) if self.server.replies else self.server.after
        if isinstance(reply, int):
            told = {"error": {"message": f"status {reply}, tools are not supported here"}}
            self._send(reply, "application/json", json.dumps(told).encode())
            return
        if isinstance(reply, bytes):
            self._send(200, "application/json", reply)
            return
        text = reply if isinstance(reply, str) else json.dumps(reply)
        if body.get("stream"):
            events = b"".join(_events(body, text))
            self._send(200, "text/event-stream", events)
        else:
            logprob = self.server.logprob if body.get("logprobs") else None
            self._send(200, "application/json", json.dumps(_whole(body, text, logprob)).encode())

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        pass


def _events(body: dict[str, Any], text: str) -> Iterator[bytes]:
    """Yield the reply in pieces, as text or as a tool call, then what it cost."""
    tools = body.get("tools")
    for start in range(0, max(len(text), 1), 25):
        piece = text[start : start + 25]
        if tools:
            function: dict[str, Any] = {"arguments": piece}
            call: dict[str, Any] = {"index": 0, "function": function}
            if start == 0:
                call |= {"id": "call_1", "type": "function"}
                function["name"] = tools[0]["function"]["name"]
            delta: dict[str, Any] = {"tool_calls": [call]}
        else:
            delta = {"content": piece}
        yield _event({"index": 0, "delta": delta, "finish_reason": None})
    yield _event({"index": 0, "delta": {}, "finish_reason": "tool_calls" if tools else "stop"})
    yield _line({"choices": [], "usage": _usage(body, text), **_HEAD})
    yield b"data: [DONE]\n\n"


_HEAD = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "test"}


def _event(choice: dict[str, Any]) -> bytes:
    return _line({"choices": [choice], **_HEAD})


def _line(event: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def _whole(body: dict[str, Any], text: str, logprob: float | None) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
    if logprob is not None:
        tokens = [{"token": t, "logprob": logprob, "top_logprobs": []} for t in text.split()]
        choice["logprobs"] = {"content": tokens, "refusal": None}
    return {**_HEAD, "object": "chat.completion", "choices": [choice], "usage": _usage(body, text)}


def _usage(body: dict[str, Any], text: str) -> dict[str, int]:
    read = sum(len(str(message.get("content"))) for message in body["messages"]) // 4
    written = len(text) // 4
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
