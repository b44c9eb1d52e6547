"""Subtitles of a clip: given words, or an .srt/.vtt file (pysubs2)."""

from __future__ import annotations

from pathlib import Path

from emer.tools.errors import ConfigError
from emer.tools.types import Record, Span

SUFFIXES = (".srt", ".vtt")


class SubtitleCue(Record):
    """A piece of given transcript; `span` is None when its time is unknown."""

    span: Span | None
    text: str


def find_subtitle(
    clip: Path, given: str | tuple[SubtitleCue, ...] | None
) -> tuple[SubtitleCue, ...]:
    """Given transcript (a file, words or cues), else that of a file beside the clip.

    A file beside the clip has its name with .srt or .vtt in place of (or after) the
    suffix. `ConfigError` names a file that cannot be read.
    """
    if given is not None:
        return given if isinstance(given, tuple) else _parse_given(given)
    beside = (path for end in SUFFIXES for path in (clip.with_suffix(end), Path(f"{clip}{end}")))
    path = next((path for path in beside if path.is_file()), None)
    return _read_cues(path) if path else ()


def _parse_given(given: str) -> tuple[SubtitleCue, ...]:
    if Path(given).suffix.lower() in SUFFIXES and "\n" not in given:
        return _read_cues(Path(given))
    text = " ".join(given.split())
    if not text:
        raise ConfigError(
            "the subtitle is empty; leave --subtitle out to have the speech recognised"
        )
    return (SubtitleCue(span=None, text=text),)


def _read_cues(path: Path) -> tuple[SubtitleCue, ...]:
    import pysubs2

    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    try:
        file = pysubs2.SSAFile.from_string(text, format_=path.suffix.lower()[1:])
    except Exception as error:
        raise ConfigError(f"{path} is not a {path.suffix} subtitle file: {error}") from error
    cues = [_cue(event.start, event.end, event.plaintext) for event in file.events]
    cues = sorted((cue for cue in cues if cue.text), key=_start_and_end)
    if not cues:
        raise ConfigError(f"{path} holds no subtitle; is it a {path.suffix} file?")
    return tuple(cues)


def _cue(start_ms: int, end_ms: int, text: str) -> SubtitleCue:
    start = max(0.0, start_ms / 1000)
    span = Span(start=start, end=max(start, end_ms / 1000))
    return SubtitleCue(span=span, text=" ".join(text.split()))


def _start_and_end(cue: SubtitleCue) -> tuple[float, float]:
    return (cue.span.start, cue.span.end) if cue.span else (0.0, 0.0)
