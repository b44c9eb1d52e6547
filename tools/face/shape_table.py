"""Which blendshapes carry which action unit, and how well: `blendshapes.csv`.

`quality` is the share that is left of a measurement's quality when blendshapes alone show the
unit. Its sources: "pls", how well a linear map of MediaPipe's blendshapes predicts action units
(py-feat 2: cross-validated R2 of about .5 for AU6, 12 and 43, below .1 for 11, 15 and 28); "weak",
shapes that MediaPipe is known to leave near 0; "practice", the names' meaning in FACS. All sizes,
and the thresholds `trace` and `full`, are chosen by us: no trained model was at hand.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Literal, cast

from emer.tools.face.landmarks import LEFT, RIGHT
from emer.tools.types import Record

FILE = Path(__file__).parent / "blendshapes.csv"

How = Literal["all", "least", "mean", "right", "left"]


class Row(Record):
    """One unit as blendshapes carry it."""

    unit: str
    action_units: tuple[int, ...]
    shapes: tuple[str, ...]
    """Names without Left and Right: those of both sides are meant."""
    how: How
    """The mean of all, the least of several, or how far one side is ahead of the other."""
    trace: float
    """Rise of the score over rest from which the unit is seen at all."""
    full: float
    """The same at intensity E."""
    lids: float
    """What shutting the eyes can feign."""
    shortest: float
    """Shortest event in seconds."""
    quality: float
    told: Literal["shapes", "geometry", "nothing"]
    """What the unit is told by: these scores, the landmarks' geometry, or not at all."""
    source: str

    @property
    def side(self) -> str | None:
        """The subject's side that moves, where the unit has one."""
        if self.how in (RIGHT.name, LEFT.name):
            return self.how
        return {"jawRight": RIGHT.name, "jawLeft": LEFT.name}.get(self.shapes[0])


@cache
def table() -> tuple[Row, ...]:
    """Return all rows."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return tuple(_row(cells) for cells in csv.DictReader(file))


def _row(cells: dict[str, str]) -> Row:
    numbers = {
        name: float(cells[name]) for name in ("trace", "full", "lids", "shortest", "quality")
    }
    return Row(
        unit=cells["unit"],
        action_units=tuple(int(unit) for unit in cells["action_units"].split()),
        shapes=tuple(cells["shapes"].split()),
        how=cast(How, cells["how"]),
        told=cast(Literal["shapes", "geometry", "nothing"], cells["told"]),
        source=cells["source"],
        **numbers,
    )
