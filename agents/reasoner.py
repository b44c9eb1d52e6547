"""The contract every reasoner keeps, whatever thinks inside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from emer.agents.types import (
    Decision,
    Explanation,
    Fallback,
    Inquiry,
    ModelCall,
    Recollection,
)
from emer.agents.verification.verifier import Opinion

if TYPE_CHECKING:
    from emer.agents.memory.memory import Memory

Report = ModelCall | Fallback | Recollection
ReportListener = Callable[[Report], None]
"""Takes each request to a model, each step that fell back to the rules, and what was
remembered, as it happens."""


class Reasoner(Protocol):
    """Weighs clues, asks for more where that could decide something, and explains.

    Clues of a stranger's tool are read by their sentences. The order of the clues
    carries no meaning.
    """

    name: str

    def decide(self, inquiry: Inquiry) -> Decision:
        """Weigh the clues; ask for more, or stop and say why."""
        ...

    def explain(self, inquiry: Inquiry, decision: Decision) -> Explanation:
        """Write the explanation, without what the verifier struck out before."""
        ...


@runtime_checkable
class Critical(Protocol):
    """A reasoner that can also criticise a draft."""

    def criticise(self, inquiry: Inquiry, draft: Explanation) -> Sequence[Opinion]:
        """Return an opinion of each sentence, or none."""
        ...


@runtime_checkable
class Reporting(Protocol):
    """A reasoner that calls language models and reports each call."""

    def prepare(self) -> None:
        """Raise `ConfigError` if no model can ever be asked, before anything is done."""
        ...

    def report_to(self, hear: ReportListener) -> None:
        """Tell `hear` of every call from now on."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A reasoner that looks up what is like a clip."""

    def remember_with(self, memory: Memory) -> None:
        """Look in `memory` from now on; what is found there is never evidence."""
        ...
