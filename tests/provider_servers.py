"""Real servers on loopback that speak the protocols of Anthropic and of Ollama, streaming."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.serving import LocalServer, running


class ProviderServer(LocalServer):
    """Answers each request with the same JSON object; remembers what it was asked.

    It answers as Anthropic does at /v1/messages and as Ollama does at /api/chat.
    """

    def __init__(self, reply: dict[str, Any]) -> None:
        super().__init__(_Handler)
        self.reply = reply
        self.asked: list[dict[str, Any]] = []


def serving(reply: dict[str, Any]) -> AbstractContextManager[ProviderServer]:
    """Return a server that gives this reply, at work in a thread of its own."""
    return running(ProviderServer(reply))


class _Handler(BaseHTTPRequestHandler):
    server: ProviderServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        speaks = {"/v1/messages": _anthropic, "/api/chat": _ollama}[self.path]
        kind, content = speaks(body, self.server.reply)
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        pass


def _anthropic(body: dict[str, Any], reply: dict[str, Any]) -> tuple[str, bytes]:
    text = json.dumps(reply)
    name = body["tools"][0]["name"]
    message = {"id": "m", "type": "message", "role": "assistant", "content": [],
               "stop_reason": None, "model": body["model"],
               "usage": {"input_tokens": 70, "output_tokens": 1}}  # fmt: skip
    block = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {}}
    pieces = [text[start : start + 30] for start in range(0, len(text), 30)]
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0,
           "delta": {"type": "input_json_delta", "partial_json": piece}} for piece in pieces),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"},
         "usage": {"input_tokens": 70, "output_tokens": 30}},
        {"type": "message_stop"},
    ]  # fmt: skip
    lines = (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return "text/event-stream", "".join(lines).encode()


def _ollama(body: dict[str, Any], reply: dict[str, Any]) -> tuple[str, bytes]:
    head = {"model": body["model"], "created_at": "2026-01-01T00:00:00Z"}
    call = {"function": {"name": body["tools"][0]["function"]["name"], "arguments": reply}}
    said = {"role": "assistant", "content": "", "tool_calls": [call]}
    done = {"done": True, "done_reason": "stop", "prompt_eval_count": 70, "eval_count": 30}
    lines = [
        {**head, "message": said, "done": False},
        {**head, "message": {"role": "assistant", "content": ""}, **done},
    ]
    return "application/x-ndjson", "".join(json.dumps(line) + "\n" for line in lines).encode()
