"""Long hostile texts: time grows with their length alone, and limits are named."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from pydantic import BaseModel

from emer.agents.lexicon.cue_parser import mentions_in, read
from emer.agents.llm.schemas import LONGEST, Deciding, Unusable, read_record
from emer.agents.questions.answerability import decline_reason
from emer.agents.questions.question import topic_of
from emer.agents.types import LONGEST_QUESTION, LONGEST_SENTENCE, Explanation, Sentence
from emer.agents.verification.verifier import verify
from emer.graphs.ask import ask
from emer.tools.caption.caption_filter import filter_caption
from emer.tools.caption.description import Caption
from emer.tools.caption.vision_api import LONGEST_CAPTION
from emer.tools.errors import ConfigError
from emer.tools.types import LONGEST_CLUE
from tests.fixtures import clues as kit

UNITS = [
    "smile ", "smil", "smile eyes ", "pull back ", "a ", " ", "1", "1 ", "(", "(1", "“", "「", '"',
    "' ", "not ", "where ", "the ", "person ", "Dr. ", "嘴角",
    "抱歉", "<think>", "{", '{"a":', "1-", "a'", "\u25cba", "have ",
]  # fmt: skip
RATIO = 8.0
"""Largest growth of time when the length grows fourfold: 4 is linear, 16 quadratic."""


class Anything(BaseModel, extra="allow"):
    """A record of any fields."""


def growth(work: Callable[[str], object], unit: str, most: int) -> float:
    """Time for a text of half the largest length over that for an eighth, the best of three."""

    def seconds(length: int, *turns: int) -> float:
        tries = []
        for turn in turns:  # each text differs: results are remembered
            text = (f"{turn} " + unit * length)[:length]
            began = time.thread_time()
            work(text)
            tries.append(time.thread_time() - began)
        return min(tries)

    if seconds(most // 2, 0) < 0.1:  # fast enough whatever the growth
        return 1.0
    return seconds(most // 2, 1, 2, 3) / seconds(most // 8, 1, 2, 3)


def judged(text: str) -> None:
    clue = kit.INSULT
    sentences = (Sentence(block="text", text=text.strip() or "-", clue_ids=(clue.id,)),)
    verify(Explanation(sentences=sentences), (clue,), 5.0)


def recorded(text: str) -> None:
    with pytest.raises(Unusable):
        read_record(text, Deciding)


def followed(text: str) -> None:
    topic_of(text, (text[::-1],), 5.0, lambda _: True)
    decline_reason(text)


WORK: dict[str, tuple[Callable[[str], object], int]] = {
    "visual": (lambda text: mentions_in(text, "visual"), LONGEST_CLUE),
    "audio": (lambda text: mentions_in(text, "audio"), LONGEST_CLUE),
    "text": (lambda text: mentions_in(text, "text"), LONGEST_CLUE),
    "transcript": (lambda text: read([kit.clue("text", text or "-")]), LONGEST_CLUE),
    "question": (followed, LONGEST_QUESTION),
    "sentence": (judged, LONGEST_SENTENCE),
    "reply": (recorded, LONGEST),
    "caption": (lambda text: filter_caption(Caption(text, None, False), 1.0), LONGEST_CAPTION),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WORK)
def test_time_grows_in_proportion_to_the_text(name: str) -> None:
    work, most = WORK[name]
    slow = {unit: round(g, 1) for unit in UNITS if (g := growth(work, unit, most)) > RATIO}
    assert slow == {}


def test_a_reply_of_braces_does_not_hide_the_record_after_a_few() -> None:
    record = '{"hypotheses": [], "asks": [], "stop": true}'
    reasons = "{so} " * 50
    assert read_record(reasons + record, Anything) == Anything.model_validate_json(record)
    with pytest.raises(Unusable):
        read_record("{so} " * 500 + record, Anything)


def test_a_long_question_is_one_line(tmp_path) -> None:
    question = "why? " * 200_000
    with pytest.raises(ConfigError, match=r"^the question has 1,000,000 .* shorten it$"):
        ask(tmp_path / "clip.mp4", question)


def test_a_clue_has_a_length() -> None:
    with pytest.raises(ValueError, match=f"{LONGEST_CLUE}"):
        kit.clue("text", "a" * (LONGEST_CLUE + 1))
