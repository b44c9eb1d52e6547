"""What is said of a voice is true of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from emer.tools.errors import ConfigError, Unobservable
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
    return "\n".join(clue.text for clue in EGeMAPS("webrtc").observe(clip_of(folder, sound), span))


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


def test_silence_and_no_sound_are_unobservable(
    tmp_path: Path, shared_clip: Callable[[str], Path]
) -> None:
    with pytest.raises(Unobservable, match="silent"):
        heard(tmp_path, np.zeros(32_000, dtype=np.float32))
    with pytest.raises(Unobservable, match="no audio track"):
        EGeMAPS("webrtc").observe(Clip.open(shared_clip("hard/noaudio.mp4")))


def test_noise_lowers_the_quality(tmp_path: Path) -> None:
    speech = join(quiet(0.5), voice(180, 3, gain=0.3), quiet(0.5))

    def quality(sound: Sound) -> float:
        return max(
            clue.quality.score for clue in EGeMAPS("webrtc").observe(clip_of(tmp_path, sound))
        )

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
    clues = EGeMAPS("webrtc").observe(clip, look)
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
        return list(EGeMAPS("webrtc").observe(clip))

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(observe, range(8)))
    assert all(result == results[0] for result in results)


def test_the_contract_is_kept(tmp_path: Path) -> None:
    sound = join(quiet(0.5), voice(melody(3), 4), quiet(0.8), voice(melody(3), 2), quiet(0.5))
    findings = check_tool(EGeMAPS("webrtc"), clip_of(tmp_path, sound))
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
        texts = [
            [clue.text for clue in EGeMAPS("webrtc").observe(Clip.open(file))] for file in files
        ]
        return sum(any(words in text for text in clip) for clip in texts) / len(files)

    assert share(label) >= share(other) + 0.25


def test_sounds_without_a_voice_are_told_and_no_speaker_is(
    tmp_path: Path, shared_clip: Callable[[str], Path]
) -> None:
    assert heard(tmp_path, hiss(3, 0.1)) == "A sound that is no speech is heard at 0.0-3.0 s."
    music = EGeMAPS("webrtc").observe(Clip.open(shared_clip("hard/no_face.mp4")))
    assert [clue.text.partition(" (")[0] for clue in music] == ["Music is heard at 0.1-4.0 s"]
    assert [mention.cue for clue in music for mention in clue.cues] == ["music"]


SPEECH = join(quiet(0.5), voice(melody(3.0), 4), quiet(0.5))


def test_a_quiet_recording_is_measured_as_a_loud_one_and_told(tmp_path: Path) -> None:
    loud = heard(tmp_path, SPEECH).splitlines()
    quietly = heard(tmp_path, SPEECH * np.float32(0.05) + hiss(5, 0.00001)).splitlines()
    assert quietly[-1].startswith("The recording has a low level (peak -5")
    assert "low level" not in loud[-1]
    pitch = [line for line in loud if "intonation" in line]
    assert pitch and pitch == [line for line in quietly if "intonation" in line]


def test_of_a_clipped_voice_only_the_pitch_is_told(tmp_path: Path) -> None:
    speech = join(quiet(0.5), voice(melody(3.0), 4), quiet(1.0), voice(melody(3.0), 2), quiet(0.5))
    clues = EGeMAPS("webrtc").observe(clip_of(tmp_path, speech * np.float32(60)))
    assert clues[-1].text.startswith("The sound is clipped (peaks cut off in ")
    cues = {mention.cue for clue in clues for mention in clue.cues}
    assert {"clipped_recording", "voice_heard"} < cues
    assert not cues & {"loud", "soft", "tense_sharp", "dull", "breathy", "rate_moderate"}
    assert max(c.quality.score for c in clues if "pitch_median_hz" in c.data) <= 0.5


def test_two_voices_on_two_channels_are_each_measured_against_themselves(tmp_path: Path) -> None:
    low, high = (
        voice(lambda t, f=f: f * 2 ** (np.sin(2 * np.pi * 1.1 * t) / 12), 3) for f in (110.0, 240.0)
    )
    left = join(quiet(0.5), low, quiet(4.5))
    right = join(quiet(4.5), high, quiet(0.5))
    path = tmp_path / "two.wav"
    write(path, np.stack([left, right], axis=1))
    clues = EGeMAPS("webrtc").observe(Clip.open(path))
    turns = {c.person: c.data["turns"] for c in clues if "turns" in c.data}
    assert sorted(map(str, turns)) == ["voice 1", "voice 2"]
    assert turns["voice 1"] == [[pytest.approx(0.5, abs=0.1), pytest.approx(3.5, abs=0.1)]]
    pitch = {c.person: c.data["pitch_median_hz"] for c in clues if "pitch_median_hz" in c.data}
    assert pitch == {
        "voice 1": pytest.approx(110, rel=0.02),
        "voice 2": pytest.approx(240, rel=0.02),
    }
    # As one voice it would rise by an octave.
    assert "rises" not in " ".join(clue.text for clue in clues)
    assert all(clue.person for clue in clues)
    assert not any("pause" in clue.text for clue in clues)


def test_an_unknown_detector_is_refused() -> None:
    with pytest.raises(ConfigError, match="known: auto, silero, webrtc"):
        EGeMAPS("loud")
