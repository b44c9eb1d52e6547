"""English is recognised with its times; what is not English is not made into English."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.runtime.cancellation import Call, Cancelled, in_call
from emer.tools.speech.confidence import LatticeWord
from emer.tools.speech.pocketsphinx import PocketSphinx, recognise, transcript_clues
from emer.tools.speech.segmentation import Segment
from emer.tools.testing.conformance import check_tool
from emer.tools.types import Clue, Span
from tests.fixtures.sounds import NO_SPEECH, Sound, hiss, join, quiet, write

pytestmark = pytest.mark.slow

SPEECH = Path(__file__).parents[3] / "tests/fixtures/demo/speech.flac"


def clip_of(folder: Path, sound: Sound) -> Clip:
    return Clip.open(write(folder / "sound.wav", sound))


def test_a_known_speech_is_recognised(shared_clip: Callable[[str], Path]) -> None:
    tool = PocketSphinx()
    clip = Clip.open(shared_clip("audio/jfk.flac"))
    clues = tool.observe(clip)
    text = " ".join(str(clue.data["transcript"]) for clue in clues)
    assert "my fellow american" in text
    assert "what your country can do for you" in text
    for clue in clues:
        assert f'"{clue.data["transcript"]}"' in clue.text
        assert clue.span is not None and clue.span.end <= clip.duration
    assert all(a.span.end <= b.span.start for a, b in pairwise(clues))  # type: ignore[union-attr]
    late = tool.observe(clip, Span(start=5, end=8))
    assert str(late[0].data["transcript"]).startswith("what your country")


def test_a_known_sentence_is_said_and_timed(shared_clip: Callable[[str], Path]) -> None:
    clip = Clip.open(shared_clip("speech/ravdess/03-01-04-02-01-01-01.flac"))
    (clue,) = PocketSphinx().observe(clip)
    assert clue.text == 'The person says: "kids are talking by the door".'
    assert clue.confidence is None
    times = [word[1:3] for word in clue.data["words"]]  # type: ignore[index, union-attr]
    assert all(start < end for start, end in times)
    assert times == sorted(times)


def test_added_silence_moves_the_times_and_nothing_else(
    tmp_path: Path, shared_clip: Callable[[str], Path]
) -> None:
    samples = Clip.open(shared_clip("speech/ravdess/03-01-04-02-01-01-01.flac")).samples()
    later = join(quiet(2.0) * 0.1, samples)
    (clue,) = PocketSphinx().observe(
        Clip.open(shared_clip("speech/ravdess/03-01-04-02-01-01-01.flac"))
    )
    (moved,) = PocketSphinx().observe(clip_of(tmp_path, later))
    assert moved.data["transcript"] == clue.data["transcript"]
    assert moved.span is not None and clue.span is not None
    assert moved.span.start == pytest.approx(clue.span.start + 2.0, abs=0.11)
    assert moved.span.end == pytest.approx(clue.span.end + 2.0, abs=0.11)


@pytest.mark.parametrize(
    "name",
    ["03a05Tc", "08a02Ab", "10a07La", "13a04Ta", "14b10Wc", "15a07Eb"],
)
def test_german_is_never_confident_english(shared_clip: Callable[[str], Path], name: str) -> None:
    clip = Clip.open(shared_clip(f"speech/emodb/{name}.flac"))
    try:
        clues = PocketSphinx().observe(clip)
    except Unobservable as error:
        assert "could not be recognised" in str(error) and "--subtitle" in str(error)
    else:
        assert all("(low recognition confidence)" in clue.text for clue in clues)


@pytest.mark.parametrize("name", ["hard/no_face.mp4", "hard/short_hamilton_clip.mp4"])
def test_music_is_not_made_into_words(shared_clip: Callable[[str], Path], name: str) -> None:
    with pytest.raises(Unobservable):
        PocketSphinx().observe(Clip.open(shared_clip(name)))


@pytest.mark.parametrize("name", NO_SPEECH)
def test_sounds_that_are_no_speech_are_never_told_as_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unobservable):
        PocketSphinx().observe(clip_of(tmp_path, NO_SPEECH[name]()))


def test_an_utterance_is_told_only_where_it_is_reliable_by_itself() -> None:
    """A single word that fits well, in a clip whose other words do, is no sure word."""
    kids = heard("kids are talking by the door", 0.0, 0.9, 1.2)
    alone = heard("infidelity", 4.0, 0.9, 1.2)
    told, hedged = clues_of([*kids, *alone])
    assert told.text == 'The person says: "kids are talking by the door".'
    assert hedged.text == 'The person may be saying: "infidelity" (low recognition confidence).'
    assert (told.certainty, hedged.certainty) == ("stated", "doubtful")
    assert hedged.quality.score <= 0.2 < told.quality.score
    doubtful = heard("nobody knows what happened", 4.0, 0.55, 1.3)
    assert [clue.certainty for clue in clues_of([*kids, *doubtful])] == ["stated", "doubtful"]
    assert not clues_of(alone)


def heard(text: str, start: float, posterior: float, misfit: float) -> list[LatticeWord]:
    """Return words of 0.3 s each."""
    return [
        LatticeWord(word, start + 0.3 * n, start + 0.3 * n + 0.3, posterior, misfit)
        for n, word in enumerate(text.split())
    ]


def clues_of(words: list[LatticeWord]) -> list[Clue]:
    """Return the clues of words in six seconds of sound."""
    span = Span(start=0, end=6)
    return transcript_clues(PocketSphinx().source, words, (span,), span)


def test_silence_and_noise_are_unobservable(tmp_path: Path) -> None:
    with pytest.raises(Unobservable, match="the audio track is silent"):
        PocketSphinx().observe(clip_of(tmp_path, np.zeros(32_000, dtype=np.float32)))
    with pytest.raises(Unobservable, match="no speech is heard"):
        PocketSphinx().observe(clip_of(tmp_path, hiss(2, 0.05)))


def test_the_recogniser_runs_apart_and_finds_words_in_the_demo_s_recording() -> None:
    """Needs nothing but the package: a synthesiser's voice, so the words are not checked."""
    samples = Clip.open(SPEECH).samples()
    found = recognise(samples, [Segment(((0, len(samples)),))], {"maxhmmpf": 3000}, 120)
    assert len(found) >= 3
    assert all(0 <= word.start < word.end <= 3.8 for word in found)
    assert all(0 <= word.probability <= 1 and word.misfit > 0 for word in found)


def test_sound_reaches_a_recogniser_that_starts_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emer.tools.runtime.worker_process.POLL_SECONDS", 0.001)
    samples = Clip.open(SPEECH).samples()  # 117 kB: more than a pipe holds
    assert recognise(samples, [Segment(((0, len(samples)),))], {"maxhmmpf": 3000}, 120)


def test_a_time_limit_ends_the_recogniser(tmp_path: Path) -> None:
    samples = Clip.open(SPEECH).samples()
    with pytest.raises(TimeoutError, match="took longer"):
        recognise(samples, [Segment(((0, len(samples)),))] * 50, {}, 0.5)


def test_a_cancelled_call_ends_the_recogniser() -> None:
    """Minutes of work: without the cancellation the time limit would raise another error."""
    samples = Clip.open(SPEECH).samples()
    call = Call()
    timer = threading.Timer(0.5, call.cancel)
    with in_call(call), pytest.raises(Cancelled):
        timer.start()
        recognise(samples, [Segment(((0, len(samples)),))] * 100, {}, 300)
    children = [child.cmdline() for child in psutil.Process().children()]
    assert not any("emer.tools.speech.pocketsphinx_worker" in words for words in children)


def test_a_broken_recogniser_is_an_error_and_no_silence() -> None:
    with pytest.raises(RuntimeError, match="recogniser ended"):
        recognise(hiss(1, 0.1), [Segment(((0, 16_000),))], {"no_such_setting": 1}, 60)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_the_recogniser_dies_with_its_parent() -> None:
    """A parent that is killed leaves no worker decoding four minutes of speech behind."""
    code = (
        "import json, os, subprocess, sys\n"
        "from emer.tools.media.clip import Clip\n"
        "from emer.tools.speech.vad import to_pcm\n"
        "sound = to_pcm(Clip.open(sys.argv[1]).samples()) * 60\n"
        "head = {'sizes': [len(sound)], 'settings': {}, 'seconds': 600}\n"
        "head['parent'] = os.getpid()\n"
        "from emer.tools.speech.pocketsphinx import WORKER\n"
        "w = subprocess.Popen(WORKER, stdin=subprocess.PIPE)\n"
        "w.stdin.write(json.dumps(head).encode() + b'\\n' + sound)\n"
        "w.stdin.close()\n"
        "print(w.pid, flush=True)\n"
        "w.wait()\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code, str(SPEECH)], text=True, **pipes) as parent:  # type: ignore[call-overload]
        worker = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        parent.wait(timeout=30)
    assert _is_gone(worker)


def _is_gone(process: int) -> bool:
    """Wait until the process has ended; False when it still runs after 20 s."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    import select

    ended, _, _ = select.select([handle], [], [], 20)
    os.close(handle)
    return bool(ended)


def test_the_contract_is_kept(shared_clip: Callable[[str], Path]) -> None:
    clip = Clip.open(shared_clip("speech/ravdess/03-01-04-02-01-01-01.flac"))
    assert [finding for finding in check_tool(PocketSphinx(), clip) if not finding.ok] == []
