"""Models of Anthropic and Ollama through their own packages, against servers on loopback."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler

import pytest

from emer.agents.llm.providers import connect
from emer.agents.llm.reasoner import Llm
from emer.agents.types import ModelCall
from emer.tools.errors import ConfigError
from tests.fixtures import clues as kit
from tests.fixtures import llm_replies
from tests.fixtures.packages import needs
from tests.fixtures.servers.local import LocalServer, running
from tests.fixtures.servers.providers import ProviderServer, serving

pytestmark = needs("langchain_anthropic", "langchain_ollama")


def decided(spec: str) -> ModelCall:
    """Let the model behind `spec` decide on mixed clues; return what was reported of it."""
    llm = Llm(connect(spec, 500), when="always")
    calls: list[ModelCall] = []
    llm.report_to(lambda report: calls.append(report) if isinstance(report, ModelCall) else None)
    found = llm.decide(kit.inquiry(*llm_replies.MIXED))
    assert {h.label for h in found.hypotheses} >= {"angry", "happy"}
    assert {call.outcome for call in calls} == {"ok"}
    return calls[-1]


def request_text(server: ProviderServer) -> str:
    (body,) = server.asked
    return str(body)


@pytest.mark.slow
def test_anthropic_is_asked_with_the_schema_and_its_tokens_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    with serving(llm_replies.DECIDED) as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        call = decided("anthropic:claude-haiku-4-5")
        assert kit.INSULT.text[-9:-1] in request_text(server)
        (body,) = server.asked
    assert (body["max_tokens"], body["stream"]) == (500, True)
    assert body["tool_choice"] == {"type": "tool", "name": body["tools"][0]["name"]}
    assert (call.tokens_in, call.tokens_out, call.form) == (70, 30, "tool")


@pytest.mark.slow
def test_ollama_is_asked_with_the_schema_and_its_tokens_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(llm_replies.DECIDED) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        call = decided("ollama:qwen3")
        assert kit.INSULT.text[-9:-1] in request_text(server)
        (body,) = server.asked
    assert body["format"]["$defs"]["clues"]["enum"] == ["f1", "t1", "a1"]
    assert body["options"]["num_predict"] == 500
    assert (call.tokens_in, call.tokens_out) == (70, 30)


@pytest.mark.slow
def test_a_key_that_is_not_set_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.delenv("ANTHROPIC_AUTH_TOKEN", raising=False)
    with pytest.raises(ConfigError, match="ANTHROPIC_API_KEY") as caught:
        connect("anthropic:claude-haiku-4-5", 500)
    assert "\n" not in str(caught.value)


class Redirecting(BaseHTTPRequestHandler):
    """Sends every request to another server, with its method and body."""

    target = ""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.send_response(307)
        self.send_header("Location", f"{self.target}{self.path}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class Recording(BaseHTTPRequestHandler):
    """Notes that a request came, and refuses it."""

    came: list[str]

    def do_POST(self) -> None:
        self.came.append(f"{self.headers} {self.rfile.read(int(self.headers['Content-Length']))!r}")
        self.send_error(403)

    def log_message(self, *args: object) -> None:
        pass


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spec", "variable"),
    [
        ("m@{url}/v1", ""),
        ("openai:gpt-4.1-mini", "OPENAI_BASE_URL"),
        ("anthropic:claude-haiku-4-5", "ANTHROPIC_BASE_URL"),
        ("ollama:qwen3", "OLLAMA_HOST"),
    ],
)
def test_a_redirect_takes_neither_key_nor_evidence_to_another_host(
    monkeypatch: pytest.MonkeyPatch, spec: str, variable: str
) -> None:
    for name in ("EMER_LLM_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "secret")
    elsewhere = type("Elsewhere", (Recording,), {"came": []})
    with running(LocalServer(elsewhere)) as other:
        redirecting = type("Here", (Redirecting,), {"target": other.url})
        with running(LocalServer(redirecting)) as server:
            monkeypatch.setenv(variable or "UNUSED", server.url)
            model = connect(spec.format(url=server.url), 10)
            with pytest.raises(Exception, match="307"):
                model.invoke("the evidence")
    assert elsewhere.came == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "url",
    [
        "http://api.openai.com@evil.example/v1",
        "https://user:word@api.openai.com/v1",
        "https://evil.example\\@api.openai.com/v1",
        "https://api.openai.com\\.evil.example/v1",
        "https://api.openai.com/v1?key=x",
        "https://api.openai.com/v1#x",
        "https://api.openai.com\t.evil.example/v1",
        "http://[::1/v1",
        "http://",
    ],
)
def test_an_address_that_reads_in_two_ways_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")
    with pytest.raises(ConfigError, match="reasoner: the address of m") as caught:
        connect(f"m@{url}", 10)
    assert "sk-of" not in str(caught.value)


def test_openai_s_key_goes_to_openai_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-openai")

    def key(spec: str) -> str:
        return str(connect(spec, 10).openai_api_key.get_secret_value())  # type: ignore[attr-defined]

    assert key("m@http://127.0.0.1:8000/v1") == "none"
    assert key("m@https://api.openai.com.evil.example/v1") == "none"
    assert key("m@https://api.openai.com/v1") == "sk-of-openai"
    monkeypatch.setenv("EMER_LLM_KEY", "own")
    assert key("m@http://127.0.0.1:8000/v1") == "own"
