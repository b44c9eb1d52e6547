"""A reasoner that can be seen through: every smile is joy, every frown anger."""

from __future__ import annotations

from collections.abc import Sequence

from emer.agents.types import Decision, Explanation, Hypothesis, Inquiry, Label, Sentence
from emer.tools.types import Clue, Modality, Quality, Source, Span

SIGNS = {"joy": "smile", "anger": "frown"}


class Plain:
    """Counts sentences: a label has a third of probability for each clue with its sign."""

    name = "plain"

    def decide(self, inquiry: Inquiry) -> Decision:
        """Hold likely what is shown."""
        found = {label: _with(inquiry.clues, sign) for label, sign in SIGNS.items()}
        hypotheses = tuple(
            Hypothesis(label=label, probability=min(0.99, len(ids) / 3), supports=ids)
            for label, ids in sorted(found.items(), key=lambda pair: -len(pair[1])) if ids
        )  # fmt: skip
        sure = bool(hypotheses) and (hypotheses[0].probability or 0) > 0.9
        return Decision(hypotheses=hypotheses, stop_reason="sure" if sure else "nothing_to_ask")

    def explain(self, inquiry: Inquiry, decision: Decision) -> Explanation:
        """Say each clue that supports, and the labels."""
        texts = {clue.id: clue.text for clue in inquiry.clues}
        cited = [i for h in decision.hypotheses for i in h.supports]
        return Explanation(
            sentences=tuple(
                Sentence(block="video", text=texts[i], clue_ids=(i,)) for i in cited
            ),
            labels=tuple(
                Label(name=h.label, band="low", clue_ids=h.supports) for h in decision.hypotheses
            ),
        )  # fmt: skip


def clue(text: str, modality: Modality = "face", span: tuple[float, float] | None = None) -> Clue:
    """Return a clue with this sentence."""
    return Clue(
        modality=modality,
        span=Span(start=span[0], end=span[1]) if span else None,
        text=text,
        quality=Quality(score=1.0),
        source=Source(tool="kit", version="1"),
    )


def _with(clues: Sequence[Clue], sign: str) -> tuple[str, ...]:
    return tuple(c.id for c in clues if sign in c.text.lower())
