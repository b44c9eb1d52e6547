"""Words of others on the terminal: no escape sequence and no invisible character."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from cli_tools import EVIL
from rich.table import Table
from rich.text import Text

from emer.graphs.cli_errors import Terminal
from tests.app.conftest import Emer


def test_colours_are_the_page_s_own() -> None:
    screen = Terminal(file=StringIO(), force_terminal=True, color_system="standard", width=40)
    table = Table()
    table.add_column(EVIL)
    table.add_row(Text(EVIL, "green"))
    screen.print(EVIL, table, f"a\n{EVIL}", markup=False)
    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[32m" in shown and "abc31m" not in shown
    assert not [mark for mark in ("\x1b]", "\x1b[2J", "\u202e", "\x9b", "\x07") if mark in shown]
    assert shown.count("\n") > 5


@pytest.mark.parametrize("command", ["show", "diff", "whatif", "list"])
def test_a_received_trace_cannot_steer_the_terminal(
    ask: Emer, emer: Emer, tmp_path: Path, command: str
) -> None:
    own = Path(json.loads(ask("--json").stdout)["trace"])
    header, *rest = own.read_text().splitlines()
    told = json.loads(header)
    for name in ("run_id", "thread", "started", "reasoner"):
        told[name] += EVIL
    told["clip"]["name"] += EVIL
    received = (own.parent if command == "list" else tmp_path) / "received.jsonl"
    received.write_text("\n".join([json.dumps(told), *rest, ""]))
    more = {"diff": [received, own], "whatif": [received, "--without", "face"], "list": []}
    done = emer("trace", command, *more.get(command, [received]))
    assert done.exit_code == 0 and "hi" in done.stdout
    assert all(char.isprintable() or char == "\n" for char in done.stdout + done.stderr)
