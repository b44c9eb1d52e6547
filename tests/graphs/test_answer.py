"""How an answer shows itself: one line, a notebook view and a data frame."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from emer.agents.types import Explanation, Label
from emer.graphs.answer import ToolUse
from emer.graphs.ask import ask
from emer.tools.types import Clue, Quality, Source, Span
from emer.tools.weights.advice import Advice
from tests.fixtures.graph_runs import fakes

HOSTILE = "<script>alert('x')</script> & \x1b[31mred"


def clue(text: str = "She smiles.", span: Span | None = None) -> Clue:
    source = Source(tool="mesh", version="1")
    return Clue(
        modality="face", span=span, text=text, quality=Quality(score=0.5), source=source, person="a"
    )


@pytest.fixture
def answer(run):
    return run(face="Smile", question="What is shown?")


def labelled(answer, *names):
    ids = (answer.clues[0].id,)
    labels = tuple(Label(name=name, band="low", clue_ids=ids) for name in names)
    return replace(answer, explanation=Explanation(labels=labels))


def test_the_line_names_labels_bands_clip_and_run(answer):
    line = repr(labelled(answer, "happy", "calm"))
    assert line == f"<Answer: happy (low), calm (low); silence.wav; run {answer.run_id}>"


def test_the_line_says_when_there_is_no_label_and_when_it_is_paused(answer, clip_path):
    assert repr(replace(answer, explanation=Explanation())).startswith("<Answer: no label; ")
    paused = ask(clip_path, settings=fakes(face="Smile"), review=True)
    assert repr(paused).startswith("<Answer: paused; silence.wav; run ")


def test_an_answer_knows_its_clip_and_question(answer, clip_path):
    assert (answer.clip, answer.question) == (str(clip_path), "What is shown?")


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def test_the_notebook_shows_question_labels_explanation_and_clues(answer):
    page = Page(answer._repr_html_())
    assert page.tags.count("tr") == len(answer.clues) + 1
    shown = ["What is shown?", "Labels", answer.run_id, "silence.wav"]
    shown += [sentence.text for sentence in answer.explanation.sentences]
    shown += [f"{label.name} ({label.band})" for label in answer.explanation.labels]
    shown += [part for each in answer.clues for part in (each.id, each.text, each.source.tool)]
    assert [part for part in shown if part not in page.text] == []


def test_the_notebook_escapes_every_text(answer):
    hostile = replace(
        labelled(answer, HOSTILE), clues=(clue(HOSTILE),), question=HOSTILE, clip=HOSTILE
    )
    html = hostile._repr_html_()
    page = Page(html)
    assert "script" not in page.tags and "\x1b" not in html
    assert page.text.count("<script>alert('x')") == 4


def test_the_frame_has_a_row_for_each_clue(answer):
    clues = (clue(span=Span(start=1, end=2.5)), clue("The room is dark."))
    frame = replace(answer, clues=clues).to_frame()
    assert list(frame.columns) == [
        "id", "modality", "tool", "model", "start", "end", "person", "text", "confidence",
        "quality",
    ]  # fmt: skip
    assert list(frame["id"]) == [each.id for each in clues]
    first, second = frame.iloc[0], frame.iloc[1]
    assert (first["start"], first["end"], first["tool"]) == (1.0, 2.5, "mesh")
    assert (first["text"], first["quality"], first["person"]) == ("She smiles.", 0.5, "a")
    assert frame["start"].isna().tolist() == [False, True] and frame["start"].dtype == "float64"
    assert second["modality"] == "face"


def test_the_frame_of_no_clues_has_the_same_columns(answer):
    empty = replace(answer, clues=()).to_frame()
    assert len(empty) == 0 and list(empty.columns) == list(answer.to_frame().columns)


def used(*tools: tuple[str, str, str | None]) -> tuple[ToolUse, ...]:
    return tuple(ToolUse(slot=slot, tool=tool, model=model) for slot, tool, model in tools)


WEAK = used(
    ("face", "mesh", "mediapipe"), ("scene", "camera", None), ("speech", "pocketsphinx", "en-us")
)
GOOD = used(("face", "blendshapes", "face_landmarker"), ("speech", "faster-whisper", "base"))
ADVICE = Advice(command="emer models pull recommended", gain="hears 99 languages")


@pytest.mark.parametrize(
    ("tools", "advice", "line"),
    [
        (WEAK, ADVICE, "Words by pocketsphinx (English only, weak), faces by mesh: "
         "`emer models pull recommended` hears 99 languages."),
        (WEAK, None, "Words by pocketsphinx (English only, weak), faces by mesh."),
        (GOOD, None, "Words by faster-whisper (base), faces by blendshapes."),
        (GOOD[:1], None, "Faces by blendshapes."),
        (WEAK[1:2], None, ""),
        ((), None, ""),
        ((), ADVICE, "`emer models pull recommended` hears 99 languages."),
    ],
)  # fmt: skip
def test_one_line_names_the_tools_and_what_one_command_would_improve(answer, tools, advice, line):
    told = replace(answer, tools=tools, advice=advice)
    assert told.tools_line == line
    assert (told.record.tools, told.record.advice) == (tools, advice)


def test_a_tool_that_failed_or_found_nothing_is_not_named(run):
    assert run(face="Smile", prosody="Deaf").tools == ()


def test_tools_for_what_the_clip_lacks_are_not_named(run):
    answer = run(face="Smile", prosody="Loud")
    assert [(use.slot, use.tool) for use in answer.tools] == [("prosody", "loud")]
    assert answer.advice is None, "the tools were named, none was left to auto"
