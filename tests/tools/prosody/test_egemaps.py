"""What is said of a voice is true of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.prosody.egemaps import EGeMAPS
from emer.tools.testing.conformance import check_tool
from emer.tools.text import times_in
from emer.tools.types import Clue, Span
from tests.fixtures.sounds import Sound, hiss, join, quiet, up, voice, write

pytestmark = pytest.mark.slow


def melody(amount: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda t: 180 * 2 ** (amount * np.sin(2 * np.pi * 0.7 * t) / 12)


def clip_of(folder: Path, sound: Sound) -> Clip:
    return Clip.open(write(folder / "voice.wav", sound))


def heard(folder: Path, sound: Sound, span: Span | None = None) -> str:
    return "\n".join(clue.text for clue in EGeMAPS().observe(clip_of(folder, sound), span))


@pytest.mark.parametrize(
    ("amount", "word"),
    [(0.5, "flat"), (2.5, "moderately varied"), (4.7, "varied"), (7.5, "highly varied")],
)
def test_intonation_is_named_by_its_range(tmp_path: Path, amount: float, word: str) -> None:
    text = heard(tmp_path, join(quiet(0.5), voice(melody(amount), 6), quiet(0.5)))
    assert f"The intonation is {word} (pitch range" in text


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (2.5, "speaks slowly (2.5"),
        (4.5, "speaks at a moderate rate (4.5"),
        (7.5, "speaks fast (7."),
    ],
)
def test_the_rate_of_speech_is_told(tmp_path: Path, rate: float, words: str) -> None:
    assert words in heard(tmp_path, join(quiet(0.5), voice(180, 6, rate=rate), quiet(0.5)))


def test_pauses_are_told_with_their_times(tmp_path: Path) -> None:
    text = heard(tmp_path, join(quiet(0.5), voice(180, 3), quiet(1.0), voice(180, 3), quiet(0.5)))
    assert "pauses once (1.0 s in all)" in text
    assert "a long pause of 1.0 s at 3.5-4.5 s" in text


def test_a_long_stretch_without_pauses_is_told_and_a_short_one_is_not(tmp_path: Path) -> None:
    assert "with no pauses" in heard(tmp_path, join(quiet(0.5), voice(180, 5), quiet(0.5)))
    assert "pauses" not in heard(tmp_path, join(quiet(0.5), voice(180, 2), quiet(0.5)))


def test_a_raised_and_louder_end_is_told_against_the_rest(tmp_path: Path) -> None:
    later = voice(up(5), 2, gain=0.1 * 10 ** (7 / 20))
    text = heard(tmp_path, join(quiet(0.5), voice(200, 8), quiet(0.5), later, quiet(0.5)))
    assert "The pitch rises sharply at 9.0-11.0 s (+5.0 semitones against" in text
    assert "The voice is much louder at 9.0-11.0 s (+7." in text


def test_a_level_voice_changes_nothing(tmp_path: Path) -> None:
    text = heard(tmp_path, join(quiet(0.5), voice(200, 8), quiet(0.5), voice(200, 2), quiet(0.5)))
    assert "rises" not in text and "raised" not in text and "louder" not in text


def test_ordinary_declination_is_no_fall(tmp_path: Path) -> None:
    sinking = voice(lambda t: 200 * 2 ** (-1.5 * t / 12), 3)
    assert "falls" not in heard(tmp_path, join(quiet(0.5), sinking, quiet(0.5)))


def test_an_unusually_high_voice_is_told_against_typical_values(tmp_path: Path) -> None:
    high = heard(tmp_path, join(quiet(0.5), voice(400, 3), quiet(0.5)))
    assert "high for a speaking voice (median 40" in high and "typical values" in high
    assert "for a speaking voice" not in heard(tmp_path, join(quiet(0.5), voice(200, 3), quiet(1)))


def test_silence_noise_and_no_sound_are_unobservable(
    tmp_path: Path, shared_clip: Callable[[str], Path]
) -> None:
    with pytest.raises(Unobservable, match="silent"):
        heard(tmp_path, np.zeros(32_000, dtype=np.float32))
    with pytest.raises(Unobservable, match="no voice"):
        heard(tmp_path, hiss(3, 0.1))
    with pytest.raises(Unobservable, match="no audio track"):
        EGeMAPS().observe(Clip.open(shared_clip("hard/noaudio.mp4")))
    with pytest.raises(Unobservable, match="music or noise"):
        EGeMAPS().observe(Clip.open(shared_clip("hard/no_face.mp4")))


def test_noise_lowers_the_quality(tmp_path: Path) -> None:
    speech = join(quiet(0.5), voice(180, 3, gain=0.3), quiet(0.5))

    def quality(sound: Sound) -> float:
        return max(clue.quality.score for clue in EGeMAPS().observe(clip_of(tmp_path, sound)))

    assert quality(speech) > 2 * quality(speech + hiss(4, 0.02))


def test_a_closer_look_compares_the_span_with_the_rest(tmp_path: Path) -> None:
    sound = join(quiet(0.5), voice(200, 4), voice(up(5), 2), voice(200, 4), quiet(0.5))
    text = heard(tmp_path, sound, Span(start=4.5, end=6.5))
    assert "The pitch rises sharply at 4.5-6.5 s (+5.0 semitones" in text
    with pytest.raises(Unobservable):
        heard(tmp_path, sound, Span(start=0.0, end=0.4))


def test_a_closer_look_says_nothing_of_what_lies_outside_it(tmp_path: Path) -> None:
    """Soft speech that dies away after the look is masked there, and looks like a sigh."""
    fading = voice(180, 0.8, gain=0.05)
    fading = fading * np.linspace(1.0, 0.1, len(fading), dtype=np.float32)
    sound = join(quiet(0.5), voice(180, 3), quiet(1.5), fading, quiet(1.5))
    clip, look = clip_of(tmp_path, sound), Span(start=0.0, end=4.0)
    clues = EGeMAPS().observe(clip, look)
    assert clues and all(clue.look == look for clue in clues)
    for clue in clues:
        assert clue.span is not None
        moments = [*times_in(clue.text), clue.span.start, clue.span.end]
        assert all(moment <= look.end + 0.1 for moment in moments), clue.text
        assert all(clue.span.start - 0.1 <= t <= clue.span.end + 0.1 for t in times_in(clue.text))


def test_threads_hear_the_same(tmp_path: Path) -> None:
    sound = join(quiet(0.5), voice(melody(3), 4), quiet(0.5))
    clip = clip_of(tmp_path, sound)

    def observe(_: int) -> list[Clue]:
        return list(EGeMAPS().observe(clip))

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(observe, range(8)))
    assert all(result == results[0] for result in results)


def test_the_contract_is_kept(tmp_path: Path) -> None:
    sound = join(quiet(0.5), voice(melody(3), 4), quiet(0.8), voice(melody(3), 2), quiet(0.5))
    findings = check_tool(EGeMAPS(), clip_of(tmp_path, sound))
    assert [finding for finding in findings if not finding.ok] == []


@pytest.mark.parametrize(
    ("label", "words", "other"),
    [("W", "tense and sharp", "T"), ("T", "soft and dull", "W"), ("T", "is flat", "W")],
)
def test_labelled_speech_differs_as_the_literature_says(
    shared_clip: Callable[[str], Path], label: str, words: str, other: str
) -> None:
    """W is anger and T sadness in EmoDB (Burkhardt et al. 2005)."""
    folder = shared_clip("speech/emodb")

    def share(letter: str) -> float:
        files = sorted(folder.glob(f"?????{letter}?.flac"))[::3]
        texts = [[clue.text for clue in EGeMAPS().observe(Clip.open(file))] for file in files]
        return sum(any(words in text for text in clip) for clip in texts) / len(files)

    assert share(label) >= share(other) + 0.25
