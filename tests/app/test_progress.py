"""Progress inside a tool call: drawn behind the tool's name, no line of the trace."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.console import Group
from rich.live import Live
from rich.spinner import Spinner

from emer.app.render.progress import Progress
from emer.graphs.cli_errors import Terminal
from emer.graphs.trace.events import Event, ToolAdvanced, ToolStarted
from emer.graphs.trace.jsonl import TraceWriter
from emer.tools.runtime.cancellation import Call, in_call, report_progress

CALL = {"slot": "speech", "tool": "faster-whisper", "modality": "text"}


def test_a_call_reports_to_its_listener_and_nobody_without_one():
    shares: list[float] = []
    report_progress(0.1)
    with in_call(Call(shares.append)):
        report_progress(0.25)
    with in_call(Call()):
        report_progress(0.5)
    assert shares == [0.25]


def test_what_passes_reaches_the_listener_and_no_file(tmp_path: Path):
    heard: list[Event] = []
    writer = TraceWriter(tmp_path / "a.jsonl", heard.append)
    writer.write(ToolStarted(**CALL))
    writer.announce(ToolAdvanced(**CALL, share=0.45))
    writer.close()
    assert [event.event for event in heard] == ["tool_started", "tool_advanced"]
    assert "tool_advanced" not in (tmp_path / "a.jsonl").read_text()


def test_the_share_stands_behind_the_name_of_the_tool():
    progress = Progress()
    progress.live = Live(console=Terminal(file=StringIO()))
    progress(ToolStarted(**CALL))
    progress(ToolAdvanced(**CALL, share=0.45))
    drawn = progress.live.get_renderable()
    assert isinstance(drawn, Group)
    (line, _) = drawn.renderables
    assert isinstance(line, Spinner) and str(line.text).endswith("45%")
    assert "faster-whisper" in str(line.text)
