"""What the tables show: each score's name for people, and how it is written."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from emer.evals.metrics.bootstrap import Estimate

Unit = Literal["percent", "number", "seconds"]


@dataclass(frozen=True, slots=True)
class Column:
    """A score: its key in a scorecard, its title, and its unit."""

    key: str
    title: str
    unit: Unit = "percent"
    digits: int = 1
    interval: bool = True
    """Whether its interval is shown too."""

    def number(self, value: float) -> str:
        """Return a value as it is shown, an en dash where there is none."""
        if not math.isfinite(value):
            return "–"  # noqa: RUF001  (an en dash is how tables say "none")
        return f"{100 * value if self.unit == 'percent' else value:.{self.digits}f}"

    def cell(self, estimate: Estimate | None, signed: bool = False) -> str:
        """Return a score with its interval: "56.1 (50.2 to 61.7)"."""
        if estimate is None or not math.isfinite(estimate.value):
            return "–"  # noqa: RUF001
        shown = self.number(estimate.value)
        shown = f"+{shown}" if signed and estimate.value > 0 else shown
        if not (self.interval and math.isfinite(estimate.low)):
            return shown
        return f"{shown} ({self.number(estimate.low)} to {self.number(estimate.high)})"


EXACT = Column("exact", "exact F")
M1 = Column("m1", "M1 F")
LEVEL1 = Column("level1", "level 1 F")
LEVEL2 = Column("level2", "level 2 F")
HEADLINE = (EXACT, M1, LEVEL1, LEVEL2)

LENGTH = (Column("labels", "labels per clip", "number", 2), Column("dropped", "dropped labels"))
SHORT = (*HEADLINE, *(replace(column, interval=False) for column in LENGTH))
"""What fits a terminal."""

LABELS = (
    *HEADLINE,
    Column("level1_p", "level 1 P"),
    Column("level1_r", "level 1 R"),
    *LENGTH,
    Column("level1_first3", "level 1 F, first 3"),
    Column("m2", "M2 F"),
    Column("m_avg", "M-avg"),
    Column("set", "set-level F"),
    Column("set_p", "set-level accuracy"),
    Column("set_r", "set-level recall"),
)
CLOSED = (
    Column("hit", "hit rate"),
    Column("sharpness", "hits per class named"),
    Column("class_f1", "weighted F1"),
    Column("sentiment_f1", "sentiment weighted F1"),
)
EXPLANATIONS = (
    Column("clue_overlap", "clue overlap", "number", 2),
    Column("label_overlap", "label overlap", "number", 2),
    Column("cues", "cues F"),
    Column("cues_p", "cues P (rest invented)"),
    Column("cues_r", "cues R (rest missed)"),
    Column("completeness", "modalities present"),
    Column("consistency", "labels said in the text"),
    Column("citations", "citations that exist"),
    Column("contradicted", "contradicted"),
    Column("struck", "struck by the verifier"),
)
CONFIDENCE = (
    Column("top1", "first label right"),
    Column("ece", "ECE", "number", 3),
    Column("brier", "Brier", "number", 3),
    Column("deletion", "claim falls without its clues"),
    Column("deletion_fall", "fall", "number", 3),
    Column("others_fall", "fall without as many others", "number", 3),
    Column("drop", "falls without its main modality"),
    Column("flip", "falls when its clues are turned round"),
    Column("shift", "holds when a clue is moved"),
)
COSTS = (
    Column("seconds", "s per clip", "seconds", 3),
    Column("tool_calls", "tool calls", "number", 2),
    Column("rounds", "rounds", "number", 2),
    Column("requests", "requests", "number", 2),
    Column("tokens", "tokens", "number", 0),
    Column("money", "money", "number", 5),
)
