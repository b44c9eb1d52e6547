"""A client of a chat model that several threads share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, cast

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage, HumanMessage

from emer.agents.llm.client import ChatClient, Task
from emer.agents.llm.schemas import Criticising
from emer.agents.types import Budget


class Echo:
    """Replies with the request, once all threads have made theirs."""

    def __init__(self, threads: int) -> None:
        self._barrier = Barrier(threads)

    def bind_tools(self, schemas: Sequence[type], **_: Any) -> Echo:
        self._barrier.wait(timeout=10)
        return self

    def stream(self, messages: Sequence[BaseMessage]) -> Iterator[AIMessageChunk]:
        yield AIMessageChunk(content=str(messages[-1].content))


def test_each_thread_gets_the_reply_to_its_own_request() -> None:
    client = ChatClient(cast(BaseChatModel, Echo(4)), "echo", lambda _: None)

    def ask(name: str) -> str:
        verdict = f'{{"sentence": 1, "verdict": "rejected", "why": "{name}"}}'
        request = [HumanMessage(f'{{"verdicts": [{verdict}]}}')]
        task = Task("critic", "", "en", Budget(rounds=1, tool_calls=1, seconds=60, tokens=10_000))
        return client.ask(task, request, Criticising, lambda reply: reply.verdicts[0].why)

    names = ["first", "second", "third", "fourth"]
    with ThreadPoolExecutor(len(names)) as pool:
        assert list(pool.map(ask, names)) == names
