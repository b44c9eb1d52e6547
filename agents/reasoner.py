"""The reasoner contract: `Reasoner`, and three optional abilities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from emer.agents.types import Decision, Explanation, Fallback, Inquiry, ModelCall, Recollection
from emer.agents.verification.verifier import Opinion

if TYPE_CHECKING:
    from emer.agents.memory.memory import Memory

Report = ModelCall | Fallback | Recollection
ReportListener = Callable[[Report], None]
"""Receives each model request, fallback and memory lookup as it happens."""


class Reasoner(Protocol):
    """Weighs clues, asks for more where that could decide something, and explains.

    Clues of a third-party tool are read by their sentences. The order of the clues
    carries no meaning.
    """

    name: str

    def decide(self, inquiry: Inquiry) -> Decision:
        """Weigh the clues; ask for more, or stop and give the reason."""

    def explain(self, inquiry: Inquiry, decision: Decision) -> Explanation:
        """Write the explanation, without the sentences in `inquiry.rejected`."""


@runtime_checkable
class Critical(Protocol):
    """A reasoner that can also criticise a draft."""

    def criticise(self, inquiry: Inquiry, draft: Explanation) -> Sequence[Opinion]:
        """An opinion on each sentence, or none at all."""


@runtime_checkable
class Reporting(Protocol):
    """A reasoner that calls language models and reports each call."""

    def prepare(self) -> None:
        """Raise `ConfigError` before a run if its models can never be called."""

    def report_to(self, listener: ReportListener) -> None:
        """Send all later reports to `listener`."""


@runtime_checkable
class Remembering(Protocol):
    """A reasoner that looks up what resembles a clip."""

    def remember_with(self, memory: Memory) -> None:
        """Use `memory` from now on; what it returns is never evidence."""
