"""Decider, planner, writer, critic.

What a model is reminded of: notes and other clips that are like this one, never evidence.

The `llm` reasoner: a language model over the same clues, contract and trace as the rules.

The rules always look first. They are asked instead of the model where they are sure, they
take each step that the model cannot, and they measure the confidence that it may not claim.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import HumanMessage

from emer.agents.lexicon.lexicon import reasoner_name
from emer.agents.llm import messages as told
from emer.agents.llm.client import GaveUp, Prices, R, Speaker, Task, check, connect
from emer.agents.llm.conversion import Conversion, opinions
from emer.agents.llm.messages import Language
from emer.agents.llm.schemas import Criticising, Deciding, Planning, Writing
from emer.agents.memory.memory import Match, Memory
from emer.agents.reasoner import Report, ReportListener
from emer.agents.rules.case import Case, case_of
from emer.agents.rules.fusion import disputed_families
from emer.agents.rules.planner import channels_agree, is_sure, spent_reason, validate_asks
from emer.agents.rules.reasoner import Rules
from emer.agents.types import (
    Analogy,
    Ask,
    Decision,
    Explanation,
    Fallback,
    Inquiry,
    Recollection,
    Refusal,
    Role,
)
from emer.agents.verification.verifier import Opinion
from emer.prompts.prompt import digest
from emer.tools.errors import EmerError


def recall(
    memory: Memory, inquiry: Inquiry, language: Language, hear: ReportListener
) -> tuple[str, ...]:
    """Return what the nearest analogies tell, and report which they are.

    A memory that does not work is reported and costs nothing but the analogies.
    """
    try:
        found = memory.recall(inquiry.clues)
    except EmerError as error:
        hear(Recollection(embedder=memory.embedder.name, trouble=str(error)))
        return ()
    hear(_recollection(memory, found))
    return tuple(match.item.zh if language == "zh" else match.item.en for match in found)


def _recollection(memory: Memory, found: tuple[Match, ...]) -> Recollection:
    return Recollection(
        embedder=memory.embedder.name,
        analogies=tuple(
            Analogy(key=m.item.key, kind=m.item.kind, score=m.score, source=m.item.source)
            for m in found
        ),
        trouble="; ".join(memory.notes),
    )


When = Literal["unsure", "always"]
T = TypeVar("T")


class Llm:
    """A reasoner that thinks with a chat model; see `emer.agents.reasoner.Reasoner`."""

    def __init__(  # noqa: PLR0913  (the keys of [reasoner] in emer.toml)
        self,
        model: str | BaseChatModel = "",
        when: When = "unsure",
        critic: bool = False,
        language: str = "auto",
        tools: bool = True,
        *,
        price_in: float = 0.0,
        price_out: float = 0.0,
        max_tokens: int = 2_000,
        weights: str = "",
    ) -> None:
        """Name the model ("openai:gpt-4.1-mini"; see `connecting.connect`), or give one.

        `when` the model is asked: only where the rules are unsure, or always. `language`
        is "en", "zh" or "auto" (that of the question). `tools` off sends plain JSON tasks.
        Prices are per million tokens; 0 means that none is known. `weights` is a folder
        that `emer-eval fit` wrote: confidence is then measured by it.
        """
        self._rules = Rules(weights)
        self.weighting = self._rules.weighting
        self.name = reasoner_name("llm", self.weighting)
        self._model, self._when, self.criticises = model, when, critic
        self._language, self._tools, self._max_tokens = language, tools, max_tokens
        self._prices = Prices(price_in, price_out) if price_in or price_out else None
        self._hear: ReportListener = lambda _: None
        self._speaker: Speaker | None = None
        self._memory: Memory | None = None
        self._debated: tuple[frozenset[str], Decision] | None = None
        """The clues last debated, and what came of it."""

    def report_to(self, hear: ReportListener) -> None:
        """Tell `hear` of every request and of every step that falls back to the rules."""
        self._hear = hear

    def remember_with(self, memory: Memory) -> None:
        """Remind the model of what `memory` holds like a clip, while it decides and plans.

        Whoever writes and whoever criticises is not told: no analogy becomes a sentence.
        """
        self._memory = memory

    def prepare(self) -> None:
        """Raise `ConfigError` at once if the model can never be asked."""
        if isinstance(self._model, str):
            check(self._model, self._max_tokens)

    def decide(self, inquiry: Inquiry) -> Decision:
        """Weigh the clues; ask for more, or stop and say why."""
        by_rules, scene = self._rules.decide(inquiry), self._scene(inquiry)
        if not self._is_wanted(scene):
            return by_rules
        if channels_agree(scene.standings):
            return by_rules.model_copy(update={"asks": (), "stop_reason": "agreed"})
        known = frozenset(clue.id for clue in inquiry.clues)
        if self._debated is not None and self._debated[0] == known and inquiry.asked:
            return _without_news(self._debated[1])
        try:
            decision = self._debate(inquiry, scene)
        except _Fell:
            return by_rules
        self._debated = (known, decision)
        return decision

    def explain(self, inquiry: Inquiry, decision: Decision) -> Explanation:
        """Write the explanation, without what was struck out before."""
        scene = self._scene(inquiry)
        if not self._is_wanted(scene):
            return self._rules.explain(inquiry, decision)
        language = self._language_for(inquiry)
        conversion = Conversion(inquiry, disputed_families(scene.disputes), self.weighting)
        task = told.writer(inquiry, decision.hypotheses, language)
        try:
            return self._ask("writer", inquiry, task, Writing, conversion.explanation)
        except _Fell:
            return self._rules.explain(inquiry, decision)

    def criticise(self, inquiry: Inquiry, draft: Explanation) -> tuple[Opinion, ...]:
        """Return the critic's opinion of each sentence; none where the critic is off."""
        if not (self.criticises and draft.sentences and self._is_wanted(self._scene(inquiry))):
            return ()
        task = told.critic(inquiry, draft, self._language_for(inquiry))
        try:
            return self._ask(
                "critic", inquiry, task, Criticising, lambda r: opinions(r, draft.sentences)
            )
        except _Fell:
            return ()

    def _scene(self, inquiry: Inquiry) -> Case:
        return case_of(inquiry, self.weighting)

    def _debate(self, inquiry: Inquiry, scene: Case) -> Decision:
        """Let the model weigh the candidates and, if they stay open, plan closer looks."""
        language = self._language_for(inquiry)
        conversion = Conversion(inquiry, disputed_families(scene.disputes), self.weighting)
        analogies = self._recall(inquiry, language)
        task = told.decider(inquiry, language, analogies)
        decision, settled = self._ask(
            "decider", inquiry, task, Deciding, lambda r: _decision(r, conversion)
        )
        if decision.stop_reason is not None:
            return decision
        if settled or spent_reason(inquiry.budget) or not inquiry.tools:
            return decision.model_copy(update={"stop_reason": "nothing_to_ask"})
        refused: tuple[Refusal, ...] = ()
        asks = self._first_asks(inquiry)
        if not asks:
            asks, refused = self._plan(inquiry, decision, conversion, analogies)
        stop = None if asks else "nothing_to_ask"
        return decision.model_copy(update={"asks": asks, "refused": refused, "stop_reason": stop})

    def _first_asks(self, inquiry: Inquiry) -> tuple[Ask, ...]:
        """Return the rules' own asks for the first closer look of a cascade: they cost nothing."""
        if self._when == "always" or inquiry.asked:
            return ()
        return self._rules.decide(inquiry).asks

    def _plan(
        self,
        inquiry: Inquiry,
        decision: Decision,
        conversion: Conversion,
        analogies: Sequence[str],
    ) -> tuple[tuple[Ask, ...], tuple[Refusal, ...]]:
        """Return the planner's asks; when none can be carried out it hears why, and tries again."""
        language = self._language_for(inquiry)
        refused: tuple[Refusal, ...] = ()
        for _ in range(2):
            heard = inquiry.model_copy(update={"refused": (*inquiry.refused, *refused)})
            task = told.planner(heard, decision.hypotheses, language, analogies)
            given = self._ask("planner", inquiry, task, Planning, conversion.asks)
            asks, new = validate_asks(given[: told.MOST_ASKS], inquiry)
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
    ) -> T:
        """Return the model's converted answer; `_Fell` once it is reported that it has none."""
        language = self._language_for(inquiry)
        prompt = digest(told.prompt_of(role, language))
        budget = inquiry.budget
        try:
            return self._talk().ask(
                Task(role, prompt, language, budget),
                [*told.begin(inquiry, language), task],
                schema,
                convert,
            )
        except GaveUp as error:
            self._hear(Fallback(role=role, why=str(error)))
            raise _Fell from error

    def _recall(self, inquiry: Inquiry, language: Language) -> tuple[str, ...]:
        if self._memory is None:
            return ()
        return recall(self._memory, inquiry, language, self._hear)

    def _talk(self) -> Speaker:
        if self._speaker is None:
            given = self._model
            model = connect(given, self._max_tokens) if isinstance(given, str) else given
            name = given if isinstance(given, str) else model._llm_type
            self._speaker = Speaker(
                model, name, self._report, self._prices, calls_tools=self._tools
            )
        return self._speaker

    def _report(self, report: Report) -> None:
        self._hear(report)

    def _is_wanted(self, scene: Case) -> bool:
        return self._when == "always" or not is_sure(scene.standings)

    def _language_for(self, inquiry: Inquiry) -> Language:
        if self._language in ("en", "zh"):
            return "zh" if self._language == "zh" else "en"
        return told.language_of(inquiry.question)


def _without_news(decision: Decision) -> Decision:
    """Return a decision taken on the same clues before the last look, which brought nothing."""
    stop = decision.stop_reason or "no_new_clues"
    return decision.model_copy(update={"asks": (), "refused": (), "stop_reason": stop})


class _Fell(Exception):
    """The rules have to take this step."""


def _decision(reply: Deciding, conversion: Conversion) -> tuple[Decision, bool]:
    """Return the decision before any asks, and whether the model holds it for settled."""
    decision = Decision(
        hypotheses=conversion.hypotheses(reply),
        conflicts=conversion.conflicts(reply),
        stop_reason="declined" if reply.declined else None,
        declined=reply.declined,
    )
    return decision, reply.settled
