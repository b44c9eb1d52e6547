"""Which asks can be carried out: known tools, inside the clip, never twice."""

from __future__ import annotations

import clue_kit as kit

from emer.agents.sifting import sift
from emer.agents.types import Ask
from emer.tools.types import Span


def ask(tool: str, start: float, end: float) -> Ask:
    return Ask(tool=tool, span=Span(start=start, end=end), why="closer")


def test_only_asks_that_can_be_carried_out_are_and_the_others_hear_why() -> None:
    asks = [
        ask("mesh", 0, 1),
        ask("nosuch", 1, 2),
        ask("mesh", 9, 10),
        ask("mesh", 3, 9),
        ask("mesh", 3, 4),
    ]
    kept, refused = sift(asks, kit.inquiry(asked=(ask("mesh", 0, 1),)))
    assert [(a.span.start, a.span.end) for a in kept] == [(3, 4)]
    assert [r.why.split(" (")[0] for r in refused] == [
        "mesh has already looked at 0-1 s",
        "there is no tool 'nosuch' to ask; known: mesh, egemaps, camera, pocketsphinx",
        "9-10 s is not inside the clip, which lasts 4 s",
        "mesh has already looked at 3-4 s",
    ]
