"""Whether a vision model is at its address: what it is asked, and what is reported."""

from __future__ import annotations

import socket

import pytest

from emer.tools.caption.vision_api import Endpoint, VisionApi, reach
from emer.tools.errors import ConfigError, ToolFailed
from emer.tools.runtime.device import Machine, configure
from emer.tools.tool import Remote
from tests.fixtures.packages import needs
from tests.fixtures.servers.openai_chat import OpenAIServer, serving

pytestmark = [needs("openai"), pytest.mark.slow]


def tool(server: OpenAIServer) -> VisionApi:
    return VisionApi(model="tiny", url=server.url)


class Away(Endpoint):
    """An endpoint on another machine, as far as we are told."""

    @property
    def is_local(self) -> bool:
        return False


@pytest.mark.parametrize("models", [["other", "tiny"], ["tiny:latest"], b'[{"id": "tiny"}]'])
def test_a_model_that_is_listed_is_there_and_asked_nothing(models):
    with serving() as server:
        server.models = models
        found = tool(server)
        assert isinstance(found, Remote) and found.reach().endswith(" has it")
        assert (server.listed, server.asked) == (1, [])


@pytest.mark.parametrize("models", [403, 404, 405, 501, ["/models/llava.gguf"], []])
def test_one_here_that_does_not_list_it_is_asked_for_a_word(models):
    with serving("Yes.") as server:
        server.models = models
        assert tool(server).reach().endswith(" answers")
        (asked,) = server.asked
    assert asked["messages"] == [{"role": "user", "content": "Say yes."}]
    assert asked["max_tokens"] == 1


@pytest.mark.parametrize(
    ("models", "reply", "why"),
    [
        (["a", "b"], 404, "has no model 'tiny'; it has a, b$"),
        (list("abcdef"), 404, "has no model 'tiny'; it has a, b, c, d and 2 more$"),
        ([], 400, "has no model 'tiny'; it has none$"),
        (404, 404, "has no chat with 'tiny' there; the address of one mostly ends in /v1$"),
        (401, "Yes.", r"refuses the key \(HTTP 401\): set EMER_VISION_KEY$"),
        (404, 403, r"refuses the key \(HTTP 403\): set EMER_VISION_KEY$"),
        (500, "Yes.", "answers HTTP 500: .*"),
        (302, "Yes.", "answers HTTP 302: .*"),
        (404, 503, "answers HTTP 503: .*"),
        (b"<html>", "Yes.", "does not answer as OpenAI's chat protocol does$"),
        (b'{"data": 3}', "Yes.", "does not answer as OpenAI's chat protocol does$"),
    ],
)
def test_what_is_wrong_is_said_on_one_line(models, reply, why):
    with serving(reply) as server, pytest.raises(ToolFailed, match=why) as error:
        server.models = models
        tool(server).reach()
    assert error.value.cause.startswith(f"http://127.0.0.1:{server.server_address[1]} ")
    assert "\n" not in str(error.value)


def test_nobody_there_and_nobody_who_answers_are_told_apart():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        silent = VisionApi(model="m", url=f"http://127.0.0.1:{port}/v1", seconds=0.2)
        with pytest.raises(ToolFailed, match=r"does not answer within 0\.2 s$"):
            silent.reach()
    with pytest.raises(ToolFailed, match=f"nobody answers at http://127.0.0.1:{port}: .*refused"):
        silent.reach()


def test_another_machine_is_sent_the_key_and_nothing_else():
    with serving() as server:
        away = Away(server.url, "tiny", "secret-key", 5.0)
        server.models = 404
        assert reach(away).endswith(" answers, but does not say which models it has")
        server.models = ["other"]
        with pytest.raises(ToolFailed, match=r"has no model 'tiny'; it has other$"):
            reach(away)
        assert server.keys == ["Bearer secret-key"] * 2 and server.asked == []


def test_offline_asks_nobody_else():
    configure(Machine(offline=True))
    with pytest.raises(ConfigError, match="EMER_OFFLINE forbids"):
        VisionApi(model="m", url="https://vision.example/v1").reach()
