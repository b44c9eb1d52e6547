"""Whatever goes wrong is one line on stderr and an exit code; stdout stays empty."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.command_line import environment, swaps
from tests.fixtures.paths import MODULES

WAIT = ("scene=Waits", "face=none", "prosody=none", "speech=none")


def one_line(done) -> str:
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("emer: ")
    return done.stderr


@pytest.fixture
def files(tmp_path, clip):
    (tmp_path / "notes.txt").write_text("this is no clip")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "broken.toml").write_text("profile = \n")
    (tmp_path / "odd.toml").write_text("colour = 1\n")
    (tmp_path / "binary.srt").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "locked").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("ask {0}/nowhere.mp4", "nowhere.mp4"),
        ("ask {0}/locked", "holds no sound or video file"),
        ("ask {0}/" + 300 * "x", "there is no file"),
        ("ask {0}/notes.txt", "notes.txt"),
        ("ask {0}/empty.mp4", "empty.mp4"),
        ("ask {0}/silence.wav --tool face", "SLOT=TOOL"),
        ("ask {0}/silence.wav --tool face=", "SLOT=TOOL"),
        ("ask {0}/silence.wav --tool face=moonlight", "moonlight"),
        ("ask {0}/silence.wav --tool face=no.such:Thing", "no.such"),
        ("ask {0}/silence.wav --tool face=cli_tools:Nobody", "Nobody"),
        ("ask {0}/silence.wav --tool face=cli_tools:Unrelated", "not a tool"),
        ("ask {0}/silence.wav --profile moon", "embedded"),
        ("ask {0}/silence.wav --subtitle {0}/gone.srt", "gone.srt"),
        ("ask {0}/silence.wav --subtitle {0}/binary.srt", "UTF-8"),
        ("ask {0}/silence.wav --subtitle {0}/empty.mp4", "subtitle"),
        ("ask {0}/silence.wav --settings {0}/gone.toml", "gone.toml"),
        ("ask {0}/silence.wav --settings {0}/broken.toml", "broken.toml"),
        ("ask {0}/silence.wav --settings {0}/odd.toml", "colour"),
        ("ask {0}/silence.wav --colour", "--help"),
        ("ask", "--help"),
        ("dance", "--help"),
        ("trace show nothing", "no runs"),
        ("trace show {0}/silence.wav", "no runs"),
        ("trace diff last last", "no runs"),
        ("tools check moonlight --clip {0}/silence.wav", "moonlight"),
        ("tools check cli_tools:Smile --clip {0}/nowhere.mp4", "nowhere.mp4"),
        ("demo --keep {0}/clip.txt", ".mp4"),
        ("demo --keep {0}/notes.txt/clip.mp4", "clip.mp4"),
        ("doctor --profile moon", "embedded"),
    ],
)
def test_bad_input_is_one_line_that_names_the_thing_and_exit_code_2(emer, files, words, named):
    done = emer(*words.format(files).split())
    assert named in one_line(done)
    assert done.exit_code == 2
    assert not list((Path(os.environ["EMER_HOME"])).glob("traces/*"))


def test_a_process_of_its_own_ends_alike(spawn, files):
    done = spawn("ask", files / "notes.txt")
    assert "notes.txt" in one_line(done)
    assert done.returncode == 2


def test_an_internal_failure_is_one_line_that_says_where_the_details_are(emer, monkeypatch):
    monkeypatch.setattr("emer.app.commands.trace.list_runs", lambda folder: folder + 1)
    done = emer("trace", "list")
    line = one_line(done)
    assert done.exit_code == 1 and "TypeError" in line
    details = Path(line.rsplit("details: ", 1)[1].strip().rstrip(")"))
    assert "Traceback" in details.read_text()


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_the_trace_says_interrupted(clip, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    line = [sys.executable, "-m", "emer.app", "ask", str(clip), *swaps(*WAIT)]
    process = subprocess.Popen(
        line, cwd=MODULES, env=environment(WAITS_PIPE=str(pipe)), stdout=-1, stderr=-1, text=True
    )
    assert pipe.read_text() == "at work"  # waits until the tool is
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout, stderr) == (130, "", "emer: interrupted\n")
    trace = next(Path(os.environ["EMER_HOME"]).glob("traces/*.jsonl"))
    assert '"event":"interrupted"' in trace.read_text().splitlines()[-1]


@pytest.mark.slow
def test_who_leaves_while_threads_are_at_work_does_not_wait_for_them():
    code = (
        "import threading\n"
        "from emer.tools.runtime.native import leave\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
        "print('bye')\n"
        "leave(130)\n"
    )
    line = [sys.executable, "-c", code]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (130, "bye\n")
