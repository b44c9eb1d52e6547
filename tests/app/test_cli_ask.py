"""`emer ask`: what is printed where, in both forms, and that nothing seen can harm."""

from __future__ import annotations

import json
import re

import pytest
from cli_tools import EVIL

from emer.tools.errors import ConfigError
from tests.fixtures.command_line import FAKES, environment, swaps

SMILE = "The person smiles clearly at 0.2-0.8 s."


def test_the_answer_comes_first_and_the_run_last(ask):
    done = ask()
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert re.match(r"The person appears happy \((low|medium|high) confidence\), from ", lines[0])
    assert re.search(r"^Labels: happy \((low|medium|high)\) \[f1", done.stdout, re.MULTILINE)
    assert not re.search(r"\b[fa][0-9a-f]{8}\b", done.stdout)  # no ids of clues
    assert re.fullmatch(r"run (\S+); more: emer trace show \1", lines[-1])


def test_brief_is_the_first_line_alone(ask):
    brief = ask("--brief").stdout
    first = " ".join(ask().stdout.split("\n\n")[0].split())
    assert first.startswith(" ".join(brief.split())) and " [f1" not in brief and "run" not in brief


def test_clues_have_marker_and_id(ask):
    shown = ask("--clues").stdout
    rows = re.findall(r"^ (f1|a1)? +([fa][0-9a-f]{8}) ", shown, re.MULTILINE)
    assert len(rows) == 2 and "f1" in dict(rows) and "smiles clearly" in shown
    assert "trace /" not in shown


def test_details_hold_clues_verdicts_calls_and_where_the_trace_is(ask):
    shown = ask("--details", "Is she happy?").stdout
    assert re.search(r"^ f1 +f[0-9a-f]{8} ", shown, re.MULTILINE)
    assert "sentences and labels follow from their clues" in shown
    assert "smile, whole clip  1 clue" in shown
    for fact in (
        r"clip +silence.wav, 1.0 s",
        r"question +Is she happy",
        r"trace +/",
        r"stopped +after",
    ):
        assert re.search(fact, shown)


def test_the_language_of_the_answer_is_chosen(ask):
    assert "标签: 高兴" in ask("--lang", "zh").stdout.replace("：", ": ")  # noqa: RUF001
    assert "Labels: happy" in ask("--lang", "en", "她高兴吗？").stdout  # noqa: RUF001


def test_stderr_is_empty_when_nobody_watches(spawn, clip):
    done = spawn("ask", clip, *swaps(*FAKES), "--json")
    assert done.returncode == 0
    assert done.stderr == ""
    assert json.loads(done.stdout)["stop_reason"]


def test_json_holds_everything_the_explanation_cites(ask):
    record = json.loads(ask("--json", "What is shown?").stdout)
    known = {clue["id"] for clue in record["clues"]}
    written = record["explanation"]
    cited = {i for part in ("sentences", "labels") for x in written[part] for i in x["clue_ids"]}
    assert cited and cited <= known
    assert record["question"] == "What is shown?" and record["clip"]["name"] == "silence.wav"
    assert SMILE in {clue["text"] for clue in record["clues"]}


def test_hostile_text_reaches_neither_the_terminal_nor_the_json(ask):
    for more in ((), ("--json",)):
        out = ask(*more, tools=("face=Smile", "speech=Evil", "scene=none", "prosody=none")).stdout
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", out)
        assert "[bold red]hi[/bold red]" in out
    texts = [clue["text"] for clue in json.loads(out)["clues"]]
    assert f'The person says: "{EVIL}"' in texts  # the record itself is unharmed


def test_a_broken_tool_is_told_as_missing_and_the_run_is_done(ask):
    done = ask(tools=("face=Smile", "scene=Crash", "prosody=none", "speech=none"))
    assert done.exit_code == 0
    assert "Missing: the scene, because crash failed: RuntimeError: the lens fell" in done.stdout


def test_a_tool_that_is_not_installed_is_told_with_the_line_that_brings_it(ask):
    done = ask(tools=("face=Smile", "scene=Absent", "prosody=none", "speech=none"))
    assert done.exit_code == 0
    assert "pip install moonlight" in " ".join(done.stdout.split())


@pytest.mark.parametrize("suffix", ["", ".txt", ".srt"])
def test_subtitle_is_words_or_a_file(ask, tmp_path, suffix):
    words = "I am so glad you came. " * 20 + "I am."  # longer than a file name may be
    subtitle: object = words
    if suffix:
        subtitle = tmp_path / f"words{suffix}"
        timed = f"1\n00:00:00,100 --> 00:00:00,900\n{words}\n"
        subtitle.write_text(timed if suffix == ".srt" else words, encoding="utf-8")
    done = ask("--subtitle", subtitle, "--json", tools=("face=Smile", "scene=none", "prosody=none"))
    assert any(words in clue["text"] for clue in json.loads(done.stdout)["clues"])


def test_runs_of_a_thread_remember_each_other(ask, emer):
    ask("--thread", "anna", "What is shown?")
    ask("--thread", "anna", "And why?")
    events = json.loads(emer("trace", "show", "last", "--json").stdout)["events"]
    history = next(e["history"] for e in events if e["event"] == "run_started")
    assert [turn["question"] for turn in history] == ["What is shown?"]


def test_progress_shows_on_a_terminal_and_leaves_stdout_alone(spawn, clip):
    import pty

    ours, theirs = pty.openpty()
    environ = environment(TERM="xterm", COLUMNS="100")
    done = spawn(
        "ask", clip, *swaps(*FAKES), "--json", capture_output=False, stdout=-1, stderr=theirs,
        env=environ,
    )  # fmt: skip
    import os

    os.close(theirs)
    seen = os.read(ours, 100_000).decode()
    os.close(ours)
    assert "smile, whole clip" in seen
    assert json.loads(done.stdout)["clues"]


def test_five_lines_of_python(clip, monkeypatch):
    from emer.graphs.ask import ask as call

    tools = {"face": "cli_tools:Smile", "prosody": "none", "scene": "none", "speech": "none"}
    answer = call(clip, tools=tools)
    assert "smiles" in answer.text and "[f1]" in answer.text
    assert answer.record.markers == {answer.clues[0].id: "f1"}


def test_a_question_that_is_a_file_is_refused(clip):
    from emer.graphs.ask import ask as call

    with pytest.raises(ConfigError, match=r"silence.wav' is a file; ask each clip on its own"):
        call(clip, str(clip))


@pytest.mark.slow
def test_a_device_that_is_not_there_is_refused_although_no_tool_has_a_model(ask):
    done = ask("--device", "cuda:7")
    assert done.exit_code == 2 and done.stdout == ""
    assert "device cuda:7 is not there; this machine has" in done.stderr


@pytest.mark.parametrize("question", ["", "   "])
def test_an_empty_question_is_refused(ask, question):
    done = ask(question)
    assert done.exit_code == 2 and done.stdout == ""
    assert "the question is empty; leave it out" in done.stderr
