"""Which asks are valid: known tools, inside the clip, never twice."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from emer.agents.rules.planner import validate_asks
from emer.agents.types import Ask
from emer.tools.tool import ToolCard
from emer.tools.types import Span
from tests.fixtures import clues as kit


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
    kept, refused = validate_asks(asks, kit.inquiry(asked=(ask("mesh", 0, 1),)))
    assert [(a.span.start, a.span.end) for a in kept] == [(3, 4)]
    assert [r.why.split(" (")[0] for r in refused] == [
        "mesh has already looked at 0-1 s",
        "there is no tool 'nosuch' to ask; known: mesh, egemaps, camera, pocketsphinx",
        "9-10 s is not inside the clip, which lasts 4 s",
        "mesh has already looked at 3-4 s",
    ]


def test_a_question_goes_to_a_tool_that_answers_and_is_put_once() -> None:
    captioner = ToolCard(name="captioner", modality="scene", description="describes", answers=True)
    asked = Ask(tool="captioner", span=Span(start=0, end=1), why="closer", question="a letter?")
    other = asked.model_copy(update={"question": "a phone?"})
    plain = asked.model_copy(update={"question": None})
    deaf = asked.model_copy(update={"tool": "mesh"})
    inquiry = kit.inquiry(tools=(*kit.TOOLS, captioner), asked=(asked,))
    kept, refused = validate_asks([asked, other, plain, deaf, other], inquiry)
    assert kept == (other, plain)
    assert [r.why for r in refused] == [
        "captioner has already been asked that about 0-1 s",
        "mesh answers no questions; ask it without one",
        "captioner has already been asked that about 0-1 s",
    ]


@pytest.mark.parametrize(
    "question", ["", "  ", "x" * 121, "what\nnow", "a\x00b", "a\x1b[2Jb", "a\u2028b"]
)
def test_a_question_is_one_short_line(question: str) -> None:
    with pytest.raises(ValidationError):
        Ask(tool="t", span=Span(start=0, end=1), why="closer", question=question)
