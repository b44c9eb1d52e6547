"""The contract every reasoner keeps, whatever thinks inside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from emer.agents.types import Ask, Budget, Decision, Explanation, Missing
from emer.tools.tool import ToolCard
from emer.tools.types import Clue


class Reasoner(Protocol):
    """Weighs clues, asks for more where that could decide something, and explains.

    Both methods are pure functions of their arguments: the same clues in any order
    give the same result. Clues of a stranger's tool are read by their sentences.
    """

    name: str

    def decide(
        self,
        question: str,
        clues: Sequence[Clue],
        missing: Sequence[Missing],
        asked: Sequence[Ask],
        tools: Sequence[ToolCard],
        budget: Budget,
        duration: float,
    ) -> Decision:
        """Weigh the clues; ask for more, or stop and say why.

        `asked` are the asks already carried out in this run, `tools` what may be asked,
        `duration` the clip's length in seconds.
        """
        ...

    def explain(
        self,
        question: str,
        clues: Sequence[Clue],
        missing: Sequence[Missing],
        decision: Decision,
        duration: float,
        rejected: Sequence[str] = (),
    ) -> Explanation:
        """Write the explanation; `rejected` are sentences the verifier struck out."""
        ...
