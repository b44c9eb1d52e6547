"""What a subtitle file or track says: words, speakers and sounds, each once.

Tags and entities go. Captions that roll are given once. A part in brackets is a sound or a remark
about it, no word. Names in front of words become "speaker 1", "speaker 2", ..., in the order of
the file: they say who speaks, not who is in the picture.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

TOUCHING: Final = 0.15
"""Seconds between two captions of which the second repeats the first, at most (chosen by us)."""
LONGEST_SOUND: Final = 60
"""Characters in brackets that are a sound (chosen by us)."""
MOST_LETTERS: Final = 2_000
"""Characters of one caption; lines of subtitles have about 40 (chosen by us)."""
ONE, ANOTHER = "one speaker", "another speaker"

_VOICE = re.compile(r"<v(?:\.[\w.\-]+)?[ \t]+([^<>\n]{1,60})>")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>|<\d[\d:.]*>|\{\\[^{}]*\}")
_TIMES = re.compile(r"^\s*(\S+)\s*-->\s*(\S+)")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?$")
_OPEN, _CLOSE = "(\uff08", ")\uff09"
_SOUND = re.compile(
    r"\[([^\[\]]+)\]|【([^【】]+)】"
    rf"|^\s*[{_OPEN}]([^{_OPEN}{_CLOSE}]+)[{_CLOSE}]|[{_OPEN}]([^{_OPEN}{_CLOSE}]+)[{_CLOSE}]\s*$"
)
"""A part in square brackets, or in round ones at the beginning or the end of a line."""
_MUSIC = re.compile(r"^[♪♫#\s]+$")
_CAPITALS = re.compile(r"^([A-Z][A-Z0-9 .'\-]{0,24}[A-Z0-9.])\s*[:：]\s*(?=\S)")  # noqa: RUF001
_NAME = re.compile(r"^([A-Z][\w'\-]+(?: [A-Z][\w'\-]+)?|[\u3400-\u9fff]{2,4})\s*[:：]\s*(?=\S)")  # noqa: RUF001
_DASH = re.compile(r"(?:^|(?<=\s))[-–—]\s*(?=\S)")  # noqa: RUF001
_WORD = re.compile(r"\w")
_BLANK = re.compile(r"\r?\n(?:[ \t]*\r?\n)+")


class Caption(NamedTuple):
    """A piece of a file as it is shown: seconds, and its lines."""

    start: float
    end: float
    lines: tuple[str, ...]


class Passage(NamedTuple):
    """Words of one speaker, or a sound, in seconds."""

    start: float
    end: float
    text: str
    speaker: str | None = None
    is_sound: bool = False


def bad_time(text: str, suffix: str) -> str | None:
    """The first time that is not possible, with its line; None where all are."""
    for number, line in enumerate(text.splitlines(), 1):
        if suffix in (".ass", ".ssa"):
            fields = line.partition(":")[2].split(",")
            pair = fields[1:3] if line.startswith("Dialogue:") and len(fields) > 3 else []
        else:
            match = _TIMES.match(line)
            pair = list(match.groups()) if match else []
        if not pair:
            continue
        start, end = map(_seconds, pair)
        if start is None or end is None:
            wrong = next(time for time in pair if _seconds(time) is None)
            what = "is before the clip" if wrong.strip().startswith("-") else "is no time"
            return f"line {number}: {wrong.strip()[:20]} {what}"
        if end < start:
            return f"line {number}: the subtitle ends ({pair[1].strip()}) before it starts"
    return None


def _seconds(clock: str) -> float | None:
    match = _CLOCK.match(clock.strip())
    if match is None:
        return None
    hours, minutes, seconds, rest = match.groups()
    return 3600 * int(hours or 0) + 60 * int(minutes) + int(seconds) + float(f"0.{rest or 0}")


def captions(text: str, suffix: str) -> list[Caption]:
    """The pieces of a file's text in order of time; raises what pysubs2 raises.

    `ValueError` for a caption of over 2,000 characters, before any pattern is tried on it.
    """
    import pysubs2

    text = _BLANK.sub("\n\n", text)
    blocks = text.splitlines() if suffix in (".ass", ".ssa") else text.split("\n\n")
    if any(len(block) > MOST_LETTERS for block in blocks):
        raise ValueError(f"a caption has over {MOST_LETTERS:,} characters")
    named = _VOICE.sub(lambda match: f"{match[1].upper()}: ", text)
    file = pysubs2.SSAFile.from_string(named, format_="ass" if suffix == ".ssa" else suffix[1:])
    events = [each for each in file.events if not each.is_comment and not each.is_drawing]
    pieces = [
        Caption(max(0, each.start) / 1000, max(0, each.start, each.end) / 1000, lines_of(each.text))
        for each in events
    ]
    return sorted(piece for piece in pieces if piece.lines)


def lines_of(text: str) -> tuple[str, ...]:
    """The lines of a caption without tags and entities; no empty ones."""
    plain = _TAG.sub("", re.sub(r"\\[Nn]", "\n", text).replace(r"\h", " "))
    lines = (" ".join(html.unescape(line).split()) for line in plain.splitlines())
    return tuple(line for line in lines if line)


def passages(pieces: Sequence[Caption]) -> list[Passage]:
    """What the captions say, each once, with speakers and sounds apart."""
    once = list(told_once(dict.fromkeys(pieces)))
    first_lines = [line for piece in once for line in piece.lines]
    names = Counter(match[1] for line in first_lines if (match := _NAME.match(line)))
    speakers: dict[str, str] = {}
    return [each for piece in once for each in _parts(piece, names, speakers)]


def told_once(pieces: Iterable[Caption]) -> Iterator[Caption]:
    """The captions without lines that only stay from the one before."""
    last: Caption | None = None
    shown: tuple[str, ...] = ()
    for piece in pieces:
        touches = last is not None and piece.start - last.end <= TOUCHING
        if last is None or not touches:
            if last is not None:
                yield last
            last, shown = piece, piece.lines
            continue
        kept = _kept(shown, piece.lines)
        fresh, shown = piece.lines[kept:], piece.lines
        if not fresh:
            last = last._replace(end=max(last.end, piece.end))
        elif not kept and len(fresh) == len(last.lines) == 1 and _grows(last.lines[0], fresh[0]):
            last = Caption(last.start, piece.end, fresh)
        else:
            yield last
            last = Caption(piece.start, piece.end, fresh)
    if last is not None:
        yield last


def _kept(before: Sequence[str], lines: Sequence[str]) -> int:
    """Number of the first lines that are the last ones of the caption before."""
    most = min(len(before), len(lines))
    return next((n for n in range(most, 0, -1) if tuple(before[-n:]) == tuple(lines[:n])), 0)


def _grows(short: str, whole: str) -> bool:
    """Whether a line only goes on from a shorter one, at the end of a word."""
    rest = whole[len(short) :]
    return whole.startswith(short) and bool(rest) and (rest[0] == " " or not short[-1].isascii())


def _parts(piece: Caption, names: Counter[str], speakers: dict[str, str]) -> Iterator[Passage]:
    """The words of each speaker and the sounds in a caption."""
    words: list[tuple[str, str | None]] = []
    for line in piece.lines:
        text, sounds = _without_sounds(line)
        for sound in sounds:
            yield Passage(piece.start, piece.end, sound, None, True)
        if _MUSIC.match(text):
            yield Passage(piece.start, piece.end, "music", None, True)
        elif _WORD.search(text):
            words += _turns(text, names, speakers, words)
    for speaker, group in _grouped(words):
        yield Passage(piece.start, piece.end, group, speaker)


def _without_sounds(line: str) -> tuple[str, list[str]]:
    """The line without what stands in brackets, and that."""
    sounds: list[str] = []

    def take(match: re.Match[str]) -> str:
        inner = " ".join(next(filter(None, match.groups())).split())
        if len(inner) > LONGEST_SOUND or not _WORD.search(inner):
            return match[0]
        sounds.append(inner)
        return " "

    return " ".join(_SOUND.sub(take, line).split()), sounds


def _turns(
    text: str,
    names: Counter[str],
    speakers: dict[str, str],
    before: Sequence[tuple[str, str | None]],
) -> list[tuple[str, str | None]]:
    """The words of a line by speaker: each dash has one, a name a numbered one.

    Args:
        text: A line.
        names: How often each name begins a line of the file.
        speakers: Numbered speakers by name; a new one is added.
        before: The words of the caption's lines before: a line without a dash goes on.
    """
    dashes = [match.start() for match in _DASH.finditer(text)]
    if dashes and dashes[0] == 0 and (len(dashes) == 2 or before or len(text) > 2):
        turns = [part.strip() for part in _DASH.split(text) if part.strip()]
        first = sum(speaker in (ONE, ANOTHER) for _, speaker in before)
        return [(turn, (ONE, ANOTHER)[(first + n) % 2]) for n, turn in enumerate(turns)]
    capital, name = _CAPITALS.match(text), _NAME.match(text)
    match = capital or (name if name and names[name[1]] >= 2 else None)
    if match is not None:
        speaker = speakers.setdefault(match[1].casefold(), f"speaker {len(speakers) + 1}")
        return [(text[match.end() :], speaker)]
    return [(text, before[-1][1] if before else None)]


def _grouped(words: Sequence[tuple[str, str | None]]) -> Iterator[tuple[str | None, str]]:
    """The words of each speaker together; a lone dash is no second speaker."""
    if {speaker for _, speaker in words} == {ONE}:
        words = [(text, None) for text, _ in words]
    group: list[str] = []
    for number, (text, speaker) in enumerate(words):
        group.append(text)
        if number + 1 == len(words) or words[number + 1][1] != speaker:
            yield speaker, " ".join(group)
            group = []
