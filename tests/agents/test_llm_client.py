"""A client of a chat model that several threads share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, cast

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.messages.ai import UsageMetadata

from emer.agents.llm.client import ChatClient, Request, Task
from emer.agents.llm.schemas import Criticising
from emer.agents.types import Budget, ModelCall


class Echo:
    """Replies with the request, once all threads have made theirs."""

    def __init__(self, threads: int, usage: UsageMetadata | None = None) -> None:
        self._barrier, self.usage = Barrier(threads), usage

    _llm_type = "echo"

    def bind_tools(self, schemas: Sequence[Any], **_: Any) -> Echo:
        self._barrier.wait(timeout=10)
        return self

    def stream(self, messages: Sequence[BaseMessage]) -> Iterator[AIMessageChunk]:
        yield AIMessageChunk(content=str(messages[-1].content), usage_metadata=self.usage)


def test_each_thread_gets_the_reply_to_its_own_request() -> None:
    client = ChatClient(cast(BaseChatModel, Echo(4)), "echo", lambda _: None)

    def ask(name: str) -> str:
        verdict = f'{{"sentence": 1, "verdict": "rejected", "why": "{name}"}}'
        request = [HumanMessage(f'{{"verdicts": [{verdict}]}}')]
        task = Task("critic", "", "en", Budget(rounds=1, tool_calls=1, seconds=60, tokens=10_000))
        return client.ask(
            task, Request(request, Criticising, {}), lambda reply: reply.verdicts[0].why
        )

    names = ["first", "second", "third", "fourth"]
    with ThreadPoolExecutor(len(names)) as pool:
        assert list(pool.map(ask, names)) == names


def test_negative_counts_of_a_server_do_not_raise_the_budget() -> None:
    calls: list[ModelCall] = []
    usage = UsageMetadata(input_tokens=-900_000, output_tokens=5, total_tokens=-899_995)
    client = ChatClient(cast(BaseChatModel, Echo(1, usage)), "echo", calls.append)
    task = Task("critic", "", "en", Budget(rounds=1, tool_calls=1, seconds=60, tokens=10_000))
    request = Request([HumanMessage('{"verdicts": []}')], Criticising, {})
    client.ask(task, request, lambda reply: reply)
    assert task.tokens < 10_000
    assert not calls[0].counted and calls[0].tokens_in > 0
