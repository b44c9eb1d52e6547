"""Subtitles of a clip: given words, a subtitle file, or a track in the clip."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from emer.tools.errors import ConfigError
from emer.tools.media.subtitle_text import Caption, bad_time, captions, lines_of, passages
from emer.tools.types import Record, Span

SUFFIXES = (".srt", ".vtt", ".ass", ".ssa")
MOST_BYTES: Final = 1_000_000
"""Size of a subtitle file; a film of three hours has about 200 kB."""
MOST_CUES: Final = 5_000
"""Subtitles in a file; a film of three hours has about 3,000."""
MOST_WORDS: Final = 20_000
"""Characters of a subtitle that is given as words."""


class SubtitleCue(Record):
    """A piece of given transcript; `span` is None when its time is unknown."""

    span: Span | None
    text: str
    speaker: str | None = None
    """"speaker 1", where the subtitle says that speakers differ: no name."""
    is_sound: bool = False
    """Whether it tells of a sound, "sobs", and has no words."""


class SubtitleTrack(Record):
    """A track of text in the file: its number, language and pieces."""

    index: int
    language: str | None = None
    pieces: tuple[tuple[float, float, str], ...]
    """Start and end in seconds, and text, perhaps with tags."""

    @property
    def name(self) -> str:
        """As "subtitle track 2 (eng)"."""
        return f"subtitle track {self.index}{f' ({self.language})' if self.language else ''}"


def find_subtitle(
    clip: Path,
    transcript: str | tuple[SubtitleCue, ...] | None,
    track: SubtitleTrack | None = None,
) -> tuple[tuple[SubtitleCue, ...], tuple[str, ...]]:
    """Given transcript, else that of a file or track of the clip; and notes.

    A file beside the clip has its name with .srt, .vtt, .ass or .ssa in place of (or after) the
    suffix; one that cannot be read is left out, and a note says so. `ConfigError` names a given
    file that cannot be read.
    """
    if transcript is not None:
        given = transcript if isinstance(transcript, tuple) else _parse_given(transcript)
        return _bounded(given), ()
    beside = (path for end in SUFFIXES for path in (clip.with_suffix(end), Path(f"{clip}{end}")))
    notes: list[str] = []
    for path in filter(os.path.lexists, dict.fromkeys(beside)):
        try:
            return _read_cues(path), tuple(notes)
        except ConfigError as error:
            notes.append(f"a subtitle beside the clip is left out: {error}")
    if track is not None and (cues := _cues_of(track)):
        return cues, (*notes, f"{track.name} in the file has the words")
    return (), tuple(notes)


def late_note(cues: tuple[SubtitleCue, ...], duration: float) -> tuple[str, ...]:
    """A note where subtitles lie behind the end of the clip."""
    late = sum(cue.span is not None and cue.span.start >= duration for cue in cues)
    if not late:
        return ()
    whole = "all" if late == len(cues) else f"{late} of"
    return (
        f"{whole} {len(cues)} subtitles lie after the clip's end at {duration:.1f} s and are "
        "left out; are they of another clip?",
    )


def _cues_of(track: SubtitleTrack) -> tuple[SubtitleCue, ...]:
    pieces = [Caption(start, end, lines_of(text)) for start, end, text in track.pieces]
    return _told(sorted(piece for piece in pieces if piece.lines))


def _bounded(cues: tuple[SubtitleCue, ...]) -> tuple[SubtitleCue, ...]:
    """The cues, perhaps of a stranger's trace; `ConfigError` for too many."""
    size = sum(len(cue.text) for cue in cues)
    if len(cues) > MOST_CUES or size > MOST_BYTES:
        raise ConfigError(
            f"the subtitle has {len(cues):,} pieces and {size:,} characters, at most "
            f"{MOST_CUES:,} and {MOST_BYTES:,} are read"
        )
    return cues


def _parse_given(words: str) -> tuple[SubtitleCue, ...]:
    if len(words) < 4096 and "\n" not in words and Path(words).suffix.lower() in SUFFIXES:
        return _read_cues(Path(words))
    if len(words) > MOST_WORDS:
        raise ConfigError(
            f"the subtitle has {len(words):,} characters, at most {MOST_WORDS:,} are read; "
            "give the words of this clip alone, or an .srt file"
        )
    text = " ".join(lines_of(words))
    if not text:
        raise ConfigError(
            "the subtitle is empty; leave --subtitle out to have the speech recognised"
        )
    return (SubtitleCue(span=None, text=text),)


def _read_cues(path: Path) -> tuple[SubtitleCue, ...]:
    text, suffix = _read_text(path), path.suffix.lower()
    if problem := bad_time(text, suffix):
        raise ConfigError(f"{path}, {problem}; correct it, or take the subtitle out")
    try:
        pieces = captions(text, suffix)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"{path} is not a {path.suffix} subtitle file: {reason}") from error
    if len(pieces) > MOST_CUES:
        raise ConfigError(
            f"{path} has {len(pieces):,} subtitles, at most {MOST_CUES:,} are read; cut it"
        )
    cues = _told(pieces)
    if not cues:
        raise ConfigError(f"{path} holds no subtitle; is it a {path.suffix} file?")
    return cues


def _told(pieces: Sequence[Caption]) -> tuple[SubtitleCue, ...]:
    return tuple(
        SubtitleCue(
            span=Span(start=each.start, end=each.end),
            text=each.text,
            speaker=each.speaker,
            is_sound=each.is_sound,
        )
        for each in passages(pieces)
    )


def _read_text(path: Path) -> str:
    """Text of a regular file of bounded size; a named pipe is not waited for."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConfigError(f"{path} is not a file")
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise ConfigError(
            f"{path} is larger than a subtitle file may be ({MOST_BYTES / 1e6:g} MB); cut it"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from error


def _open_at_once(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NONBLOCK | os.O_CLOEXEC)
