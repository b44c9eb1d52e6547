"""The `llm` reasoner: decider, planner, writer and critic played by a chat model.

The rules run first. They answer alone where they are sure, take over each step that the
model fails, and measure the confidence, which is never taken from the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import HumanMessage

from emer.agents.lexicon.lexicon import reasoner_name
from emer.agents.llm import messages
from emer.agents.llm.client import ChatClient, GaveUp, Prices, Request, Task
from emer.agents.llm.clue_list import ClueList
from emer.agents.llm.conversion import Conversion, opinions
from emer.agents.llm.providers import check, connect
from emer.agents.llm.schemas import Criticising, Deciding, Planning, R, Writing
from emer.agents.memory.memory import Memory
from emer.agents.reasoner import ReportListener
from emer.agents.rules.case import Case, case_of
from emer.agents.rules.planner import channels_agree, is_sure, spent_reason, validate_asks
from emer.agents.rules.reasoner import Rules
from emer.agents.types import (
    Analogy,
    Ask,
    Conflict,
    Decision,
    Explanation,
    Fallback,
    Inquiry,
    Recollection,
    Refusal,
    Role,
)
from emer.agents.verification.verifier import Opinion
from emer.prompts.prompt import Language, digest
from emer.tools.errors import EmerError
from emer.tools.runtime.cancellation import Cancelled
from emer.tools.runtime.time_limit import TimeLimitExceeded, call_with_limit

When = Literal["unsure", "always"]
T = TypeVar("T")


class Llm:
    """A reasoner that thinks with a chat model; see `emer.agents.reasoner.Reasoner`."""

    def __init__(
        self,
        model: str | BaseChatModel = "",
        when: When = "unsure",
        critic: bool = False,
        tools: bool = True,
        *,
        price_in: float = 0.0,
        price_out: float = 0.0,
        max_tokens: int = 2_000,
        weights: str = "",
    ) -> None:
        """Take the settings of the reasoner; the model is connected at the first request.

        Args:
            model: a name as in `providers.connect` ("openai:gpt-4.1-mini"), or a chat model.
            when: ask the model only where the rules are unsure, or always.
            critic: whether a critic checks the draft.
            tools: whether the reply is held to its schema; otherwise its form is in the prompt.
            price_in: money per million input tokens; 0 if unknown.
            price_out: money per million output tokens; 0 if unknown.
            max_tokens: most tokens of a reply.
            weights: a folder written by `emer-eval fit`, which then measures confidence.
        """
        self._rules = Rules(weights)
        self.weighting = self._rules.weighting
        self.name = reasoner_name("llm", self.weighting)
        self._model, self._when, self.criticises = model, when, critic
        self._tools, self._max_tokens = tools, max_tokens
        self._prices = Prices(price_in, price_out) if price_in or price_out else None
        self._listener: ReportListener = lambda _: None
        self._client: ChatClient | None = None
        self._memory: Memory | None = None
        self._debated: tuple[frozenset[str], Decision] | None = None
        """Ids of the clues of the last debate, and its decision."""

    def report_to(self, listener: ReportListener) -> None:
        """Report every request, recollection and fallback to `listener`."""
        self._listener = listener

    def remember_with(self, memory: Memory) -> None:
        """Give the decider and the planner the analogies of `memory`.

        The writer and the critic get none, so that no analogy becomes a sentence.
        """
        self._memory = memory

    def prepare(self) -> None:
        """Raise `ConfigError` at once if the model can never be asked."""
        if isinstance(self._model, str):
            check(self._model, self._max_tokens)

    def decide(self, inquiry: Inquiry) -> Decision:
        """Weigh the clues; ask for more, or stop and say why."""
        by_rules, case = self._rules.decide(inquiry), case_of(inquiry, self.weighting)
        if not self._is_wanted(case):
            return by_rules
        if channels_agree(case.standings):
            return by_rules.model_copy(update={"asks": (), "stop_reason": "agreed"})
        known = frozenset(clue.id for clue in inquiry.clues)
        if self._debated is not None and self._debated[0] == known and inquiry.asked:
            decision = self._debated[1]  # the last look brought no new clue
            stop = decision.stop_reason or "no_new_clues"
            return decision.model_copy(update={"asks": (), "refused": (), "stop_reason": stop})
        try:
            decision = self._debate(inquiry, case, by_rules.conflicts)
        except GaveUp:
            return by_rules
        self._debated = (known, decision)
        return decision

    def explain(self, inquiry: Inquiry, decision: Decision) -> Explanation:
        """Write the explanation, without what was struck out before."""
        case = case_of(inquiry, self.weighting)
        if not self._is_wanted(case):
            return self._rules.explain(inquiry, decision)
        conversion = Conversion(inquiry, case.disputed, self.weighting)
        language = inquiry.answer_language
        task = messages.writer(inquiry, decision.hypotheses, language)
        try:
            written = self._ask(
                "writer",
                inquiry,
                task,
                Writing,
                lambda reply: conversion.explanation(reply, decision.hypotheses),
                [hypothesis.label for hypothesis in decision.hypotheses],
            )
            return written.model_copy(update={"language": language})
        except GaveUp:
            return self._rules.explain(inquiry, decision)

    def criticise(self, inquiry: Inquiry, draft: Explanation) -> tuple[Opinion, ...]:
        """The critic's opinion of each sentence; none where the critic is off."""
        wanted = self.criticises and draft.sentences
        if not (wanted and self._is_wanted(case_of(inquiry, self.weighting))):
            return ()
        task = messages.critic(inquiry, draft, inquiry.answer_language)
        try:
            return self._ask(
                "critic", inquiry, task, Criticising, lambda r: opinions(r, draft.sentences)
            )
        except GaveUp:
            return ()

    def _debate(self, inquiry: Inquiry, case: Case, conflicts: tuple[Conflict, ...]) -> Decision:
        """Let the model weigh the candidates and, if they stay open, plan closer looks."""
        language = inquiry.answer_language
        conversion = Conversion(inquiry, case.disputed, self.weighting)
        analogies = self._recall(inquiry, language)
        task = messages.decider(inquiry, language, analogies)
        decision, settled = self._ask("decider", inquiry, task, Deciding, conversion.decision)
        if decision.stop_reason is not None:
            return decision
        decision = decision.model_copy(update={"conflicts": conflicts})
        if settled or spent_reason(inquiry.budget) or not inquiry.tools:
            return decision.model_copy(update={"stop_reason": "nothing_to_ask"})
        refused: tuple[Refusal, ...] = ()
        asks: tuple[Ask, ...] = ()
        if self._when != "always" and not inquiry.asked:  # the rules' asks cost no tokens
            asks = self._rules.decide(inquiry).asks
        if not asks:
            asks, refused = self._plan(inquiry, decision, conversion, analogies)
        stop = None if asks else "nothing_to_ask"
        return decision.model_copy(update={"asks": asks, "refused": refused, "stop_reason": stop})

    def _plan(
        self,
        inquiry: Inquiry,
        decision: Decision,
        conversion: Conversion,
        analogies: Sequence[str],
    ) -> tuple[tuple[Ask, ...], tuple[Refusal, ...]]:
        """Return the planner's asks; a plan of refused asks alone is requested once more."""
        language = inquiry.answer_language
        refused: tuple[Refusal, ...] = ()
        for _ in range(2):
            updated = inquiry.model_copy(update={"refused": (*inquiry.refused, *refused)})
            task = messages.planner(updated, decision.hypotheses, language, analogies)
            planned = self._ask("planner", inquiry, task, Planning, conversion.asks)
            asks, new = validate_asks(planned[: messages.MOST_ASKS], inquiry)
            refused += new
            if asks or not new:
                return asks, refused
        return (), refused

    def _ask(
        self,
        role: Role,
        inquiry: Inquiry,
        task: HumanMessage,
        schema: type[R],
        convert: Callable[[R], T],
        labels: Sequence[str] = (),
    ) -> T:
        """The model's converted answer; `GaveUp`, which is reported, if it has none."""
        language = inquiry.answer_language
        names = {
            "clues": ClueList(inquiry.clues).names,
            "tools": [tool.name for tool in inquiry.tools],
            "labels": labels,
        }
        try:
            return self._connected(inquiry).ask(
                Task(role, digest(f"llm/{language}/{role}"), language, inquiry.budget),
                Request([*messages.begin(inquiry, language), task], schema, names),
                convert,
            )
        except GaveUp as error:
            self._listener(Fallback(role=role, why=str(error)))
            raise

    def _connected(self, inquiry: Inquiry) -> ChatClient:
        """The client, connected at the first request; `GaveUp` if time is up before."""
        if self._client is None:
            given, seconds = self._model, inquiry.budget.seconds
            try:  # the weights of a model in this process take long to load
                model = (
                    call_with_limit(lambda: connect(given, self._max_tokens), seconds)
                    if isinstance(given, str)
                    else given
                )
            except TimeLimitExceeded as error:
                raise GaveUp("no seconds left") from error
            self._client = ChatClient(
                model,
                given if isinstance(given, str) else model._llm_type,
                lambda report: self._listener(report),  # noqa: PLW0108  (it may change)
                self._prices,
                forms=() if self._tools else ("text",),
            )
        return self._client

    def _recall(self, inquiry: Inquiry, language: Language) -> tuple[str, ...]:
        """Return the notes of the nearest analogies and report which they are.

        A memory that fails is reported; the run goes on without analogies.
        """
        memory = self._memory
        if memory is None:
            return ()
        try:
            matches = call_with_limit(  # an embedder may be a server's
                lambda: memory.recall(inquiry.clues), inquiry.budget.seconds
            )
        except Cancelled:
            raise
        except EmerError as error:
            self._listener(Recollection(embedder=memory.embedder.name, trouble=str(error)))
            return ()
        analogies = tuple(
            Analogy(key=m.item.key, kind=m.item.kind, score=m.score, source=m.item.source)
            for m in matches
        )
        trouble = "; ".join(memory.notes)
        self._listener(
            Recollection(embedder=memory.embedder.name, analogies=analogies, trouble=trouble)
        )
        return tuple(match.item.zh if language == "zh" else match.item.en for match in matches)

    def _is_wanted(self, case: Case) -> bool:
        return self._when == "always" or not is_sure(case.standings)
