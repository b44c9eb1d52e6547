"""Two ways of doing the same, in turns: how many times faster one is, and how that was seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from emer.evals.measure import Neighbours, in_turn, seconds

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Compared:
    """Seconds of each side in each round."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    neighbours: float
    """What other processes took of the machine meanwhile (0-1)."""

    @property
    def ratio(self) -> float:
        """Their least seconds per ours: what else the machine does can only make both longer."""
        return min(self.theirs) / min(self.ours)

    def told(self, count: int, what: str) -> str:
        """Return how the ratio came about, of `count` items on each side."""
        usual = median(self.theirs) / median(self.ours)
        return (
            f"{min(self.theirs) / count:.3g} : {min(self.ours) / count:.3g} s a {what}, "
            f"least of {len(self.ours)} (medians {usual:.2f} x); "
            f"others took {self.neighbours:.0%} of the machine"
        )


def compare(ours: Work, theirs: Work, rounds: int) -> Compared:
    """Return how long both take; each should have been done once before."""
    neighbours = Neighbours()
    found = in_turn({"theirs": lambda: seconds(theirs), "ours": lambda: seconds(ours)}, rounds)
    return Compared(tuple(found["ours"]), tuple(found["theirs"]), neighbours.share)
