"""Recording of a clip: its voices, its other sounds, and sentences about both."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from emer.tools.cues import stated
from emer.tools.media.clip import Clip
from emer.tools.media.sound import Sound
from emer.tools.prosody.contours import Contours, Heard, measure_sound
from emer.tools.prosody.sentences import Sentence
from emer.tools.prosody.sounds import OtherSound, other_sounds
from emer.tools.prosody.vocal_bursts import Burst, laughter
from emer.tools.speakers.encoder import encoder
from emer.tools.speakers.voices import Voice, Voices, voices_by_channel, voices_by_embedding
from emer.tools.speech.vad import audible_samples
from emer.tools.text import listed, when
from emer.tools.types import CueMention, Span
from emer.tools.weights.locate import Need

MOST_TURNS = 3
"""Turns of a voice that its sentence names, the longest."""
MOST_SOUNDS = 3
"""Other sounds of a kind that are described, the longest."""
_SUBJECT = re.compile(r"^The (person|speaker|voice|pitch|intonation)\b")


@dataclass(frozen=True, slots=True)
class OneVoice:
    """A voice with its curves: the clip's only one has no number."""

    contours: Contours
    turns: tuple[Span, ...]
    name: str | None = None

    def named(self, text: str) -> str:
        """A sentence about this voice, by number where there are several."""
        name = self.name
        if name is None:
            return text
        own = {"pitch": "The pitch of", "intonation": "The intonation of"}
        return _SUBJECT.sub(
            lambda m: f"{own[m[1]]} {name}" if m[1] in own else name.capitalize(), text
        )


@dataclass(frozen=True, slots=True)
class Recording:
    """What is measured of a clip's sound.

    Args:
        sound: The sound as recorded.
        voices: The voices, at least one; its curves may be empty.
        certain: Whether several voices are surely several.
        similarity: Of two voices, None where it was not measured.
        others: Sounds that are no speech.
        laughs: Laughter-like bursts.
    """

    sound: Sound
    voices: tuple[OneVoice, ...]
    certain: bool
    similarity: float | None
    others: tuple[OtherSound, ...]
    laughs: tuple[Burst, ...]


def record(clip: Clip, detector: str, need: Need | None) -> Recording:
    """The recording of a clip; `Unobservable` where it is silent.

    Args:
        clip: The clip.
        detector: Name of the voice activity detector.
        need: Weights of the voice encoder, None to tell voices apart by channel alone.
    """
    heard, sound = measure_sound(audible_samples(clip), detector), clip.sound()
    found = _voices(heard, sound, need)
    laughs = laughter(heard.every)
    others = other_sounds(heard.clean, heard.every.level, heard.voice.speech)
    return Recording(
        sound=sound,
        voices=_measured(heard, sound, found.voices, detector),
        certain=found.certain,
        similarity=found.similarity if found.voices else None,
        others=tuple(o for o in others if not any(o.span.overlaps(b.span) for b in laughs)),
        laughs=laughs,
    )


def _voices(heard: Heard, sound: Sound, need: Need | None) -> Voices:
    found = voices_by_channel(sound.channels, heard.voice.speech)
    if found.voices or need is None:
        return found
    return voices_by_embedding(heard.clean, heard.voice.speech, encoder(need))


def _measured(
    heard: Heard, sound: Sound, voices: Sequence[Voice], detector: str
) -> tuple[OneVoice, ...]:
    """Each voice with its own curves: on its own channel, or in its own turns."""
    if not voices:
        one = Voice(1, heard.voice.speech)
        return (OneVoice(heard.voice, one.turns),)
    made = []
    for voice in voices:
        others = heard.voice.speech & ~voice.frames
        contours = heard.voice
        if voice.channel is not None:
            contours = measure_sound(sound.channels[:, voice.channel], detector).voice
        own = contours.masked(voice.frames, others)
        made.append(OneVoice(own, voice.turns, f"voice {voice.number}"))
    return tuple(made)


def recording_sentences(recording: Recording, length: float) -> list[Sentence]:
    """Sentences on the recording itself: a low level, clipping."""
    sound, whole = recording.sound, Span(start=0, end=length)
    found = []
    if sound.is_quiet:
        text = f"The recording has a low level (peak {sound.loudest:.0f} dB)."
        data: dict[str, float | str] = {"loudest_db": sound.loudest}
        found.append(Sentence(text, whole, 0.9, data, stated(["quiet_recording"])))
    if sound.is_clipped:
        text = f"The sound is clipped (peaks cut off in {sound.clipped:.0%} of it)."
        data = {"clipped_share": sound.clipped}
        found.append(Sentence(text, whole, 0.9, data, stated(["clipped_recording"])))
    return found


def voice_sentence(voice: OneVoice) -> Sentence:
    """When a voice is heard."""
    longest = sorted(voice.turns, key=lambda turn: -turn.length)[:MOST_TURNS]
    parts = [when(t.start, t.end).removesuffix(" s") for t in sorted(longest, key=_start)]
    subject = "A voice" if voice.name is None else voice.name.capitalize()
    text = f"{subject} is heard at {listed([f'{part} s' for part in parts])}."
    span = Span(start=voice.turns[0].start, end=voice.turns[-1].end)
    return Sentence(text, span, 0.8, {}, stated(["voice_heard"]))


def sound_sentences(others: Sequence[OtherSound]) -> list[Sentence]:
    """Sentences on the sounds that are no speech, the longest of each kind."""
    found = []
    for kind in ("music", "knocks", "other"):
        alike = sorted((o for o in others if o.kind == kind), key=lambda o: -o.span.length)
        found += [_of(sound) for sound in sorted(alike[:MOST_SOUNDS], key=lambda o: o.span.start)]
    return found


def _of(sound: OtherSound) -> Sentence:
    at = when(sound.span.start, sound.span.end)
    cues: tuple[CueMention, ...]
    data: dict[str, float | str]
    if sound.kind == "music":
        text = f"Music is heard at {at} ({sound.value:.0%} of it in steady tones)."
        data, cues = {"steady_share": sound.value}, stated(["music"])
    elif sound.kind == "knocks":
        text = f"Knock-like sounds are heard at {at} ({sound.value:.0f} knocks)."
        data, cues = {"knocks": sound.value}, stated(["knocks"])
    else:
        text = f"A sound that is no speech is heard at {at}."
        data, cues = {"level_db": sound.value}, stated(["other_sound"])
    return Sentence(text, sound.span, 0.7, data, cues)


def _start(span: Span) -> float:
    return span.start
