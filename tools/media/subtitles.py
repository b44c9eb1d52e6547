"""Subtitles of a clip: given words, or an .srt/.vtt file (pysubs2)."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from emer.tools.errors import ConfigError
from emer.tools.types import Record, Span

SUFFIXES = (".srt", ".vtt")
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


def find_subtitle(
    clip: Path, transcript: str | tuple[SubtitleCue, ...] | None
) -> tuple[tuple[SubtitleCue, ...], tuple[str, ...]]:
    """Given transcript, else that of a file beside the clip; and notes.

    A file beside the clip has its name with .srt or .vtt in place of (or after) the suffix;
    one that cannot be read is left out, and a note says so. `ConfigError` names a given file
    that cannot be read.
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
    return (), tuple(notes)


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
    text = " ".join(words.split())
    if not text:
        raise ConfigError(
            "the subtitle is empty; leave --subtitle out to have the speech recognised"
        )
    return (SubtitleCue(span=None, text=text),)


def _read_cues(path: Path) -> tuple[SubtitleCue, ...]:
    import pysubs2

    text = _read_text(path)
    try:
        file = pysubs2.SSAFile.from_string(text, format_=path.suffix.lower()[1:])
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"{path} is not a {path.suffix} subtitle file: {reason}") from error
    if len(file.events) > MOST_CUES:
        raise ConfigError(
            f"{path} has {len(file.events):,} subtitles, at most {MOST_CUES:,} are read; cut it"
        )
    cues = [_cue(event.start, event.end, event.plaintext) for event in file.events]
    cues = sorted((cue for cue in cues if cue.text), key=_start_and_end)
    if not cues:
        raise ConfigError(f"{path} holds no subtitle; is it a {path.suffix} file?")
    return tuple(cues)


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


def _cue(start_ms: int, end_ms: int, text: str) -> SubtitleCue:
    start = max(0.0, start_ms / 1000)
    span = Span(start=start, end=max(start, end_ms / 1000))
    return SubtitleCue(span=span, text=" ".join(text.split()))


def _start_and_end(cue: SubtitleCue) -> tuple[float, float]:
    return (cue.span.start, cue.span.end) if cue.span else (0.0, 0.0)
