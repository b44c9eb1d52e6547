"""`emer-eval words`: a speech tool's words against those that were said."""

from __future__ import annotations

import statistics
import time
import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, cast

import numpy as np

from emer.evals.commands.options import print_json, progress
from emer.evals.data.tables import read_table
from emer.evals.metrics.forced_alignment import aligned_words
from emer.evals.metrics.word_errors import WordErrors, matches, units, word_errors
from emer.evals.report.tables import Group, Table, show
from emer.tools.errors import Unobservable
from emer.tools.media.clip import Clip
from emer.tools.registry import load_tool
from emer.tools.runtime.cancellation import Call, in_call
from emer.tools.speech.vad import RATE, Samples, to_pcm
from emer.tools.tool import Tool
from emer.tools.types import Clue, Param

COLUMNS = ("language", "clips", "said", "errors %", "stated, wrong %", "hedged", "no words",
           "language right", "start, s", "CPU : length")  # fmt: skip
LEAD = (
    "Errors of all words (characters of Chinese); of those stated without a hedge, the share that "
    "was not said; clips with words that are all hedged; clips without words; median distance of "
    "word starts from a forced alignment."
)


TimedEntry = tuple[str, float, float, float]
"""A word of a clue's `words`: text, start, end, probability."""


class Said(NamedTuple):
    """A row of the table: a file, its language, the words said; empty for no speech."""

    file: Path
    language: str
    words: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What a tool made of one clip."""

    said: Said
    text: str
    errors: WordErrors
    told: WordErrors
    """Of the words that are stated without a hedge."""
    language: str | None
    starts: tuple[float, ...]
    """Seconds by which each word starts late against the alignment."""
    cpu: float
    length: float


class WordsRequest(NamedTuple):
    """What is measured: a table of clips, a tool with its arguments, added noise."""

    table: Path
    tool: str
    arguments: Mapping[str, Param]
    noise: float | None = None
    starts: bool = False
    limit: int | None = None


def run_words(request: WordsRequest, listed: bool, json: bool) -> None:
    """Print the errors by language, or every clip with `listed`."""
    rows = read_said(request.table)[: request.limit]
    tool = load_tool(request.tool, request.arguments)
    heard = []
    with TemporaryDirectory() as folder, progress("hearing", len(rows)) as step:
        for number, said in enumerate(rows):
            heard.append(hear(tool, said, request, Path(folder), number))
            step(said.file.name)
    found = {code: [h for h in heard if h.said.language == code] for code in _codes(heard)}
    if json:
        print_json({"languages": {code: figures(each) for code, each in found.items()},
                    "clips": [{"file": str(h.said.file), "text": h.text, "wrong": h.errors.wrong,
                               "said": h.errors.said} for h in heard]})  # fmt: skip
        return
    lines = [[code, *_cells(figures(each))] for code, each in found.items()]
    show(Table("Words", LEAD, list(COLUMNS), [Group("", lines)]))
    for each in heard if listed else ():
        rate = f"{each.errors.wrong}/{each.errors.said}"
        print(f"{each.said.file.name}  {rate}  {each.text or '(no words)'}")


def read_said(table: Path) -> list[Said]:
    """Rows of a CSV file: file (from its folder), language, words."""
    columns = {name: (name,) for name in ("file", "language", "words")}
    rows = read_table(table, columns, key=None).rows
    return [Said(table.parent / row["file"], row["language"], row["words"]) for row in rows]


def hear(tool: Tool, said: Said, request: WordsRequest, folder: Path, seed: int) -> Heard:
    """Have the tool transcribe one clip, with white noise if some is asked for."""
    clip = Clip.open(said.file)
    if request.noise is not None:
        samples = with_noise(clip.samples(), request.noise, seed)
        clip = Clip.open(write_sound(folder / f"{seed}.wav", samples))
    began = time.process_time()
    clues = _observe(tool, clip)
    cpu = time.process_time() - began
    wanted = units(said.words, said.language)
    text, told = _text(clues), _text(c for c in clues if c.certainty == "stated")
    return Heard(
        said,
        text,
        word_errors(wanted, units(text, said.language)),
        word_errors(wanted, units(told, said.language)),
        next((str(c.data["language"]) for c in clues if "language" in c.data), None),
        tuple(_late(clip, clues, said)) if request.starts else (),
        cpu,
        clip.duration,
    )


def with_noise(samples: Samples, decibels: float, seed: int) -> Samples:
    """The sound with white noise so many dB below its mean power."""
    power = float(np.mean(np.square(samples))) / 10 ** (decibels / 10)
    made = np.random.default_rng(seed).normal(0, power**0.5, len(samples))
    return np.clip(samples + made, -1, 1).astype(np.float32)


def write_sound(path: Path, samples: Samples) -> Path:
    """Write mono sound at 16 kHz as a 16 bit WAV file; returns its path."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(to_pcm(samples))
    return path


def figures(heard: Sequence[Heard]) -> dict[str, float | int | None]:
    """Sums and rates over clips of one language."""
    said = sum(h.errors.said for h in heard)
    told = sum(h.told.heard for h in heard)
    starts = [abs(late) for h in heard for late in h.starts]
    words = [h for h in heard if h.text]
    return {
        "clips": len(heard),
        "said": said,
        "errors": 100 * sum(h.errors.wrong for h in heard) / said if said else None,
        "told_wrong": 100 * (1 - sum(h.told.right for h in heard) / told) if told else None,
        "hedged": sum(not h.told.heard for h in words),
        "no_words": len(heard) - len(words),
        "language_right": sum(h.language in (None, h.said.language) for h in words),
        "start": statistics.median(starts) if starts else None,
        "cpu": sum(h.cpu for h in heard) / max(0.01, sum(h.length for h in heard)),
    }


def _codes(heard: Sequence[Heard]) -> list[str]:
    return list(dict.fromkeys(h.said.language for h in heard))


def _cells(found: Mapping[str, float | int | None]) -> list[str]:
    return [
        "" if value is None else str(value) if isinstance(value, int) else f"{value:.2f}"
        for value in found.values()
    ]


def _observe(tool: Tool, clip: Clip) -> list[Clue]:
    """Clues of the original words in time order; none where nothing is observed."""
    with in_call(Call()):
        try:
            found = tool.observe(clip)
        except Unobservable:
            return []
    return [clue for clue in found if "translated_from" not in clue.data]


def _text(clues: Sequence[Clue] | Iterator[Clue]) -> str:
    return " ".join(str(clue.data["transcript"]) for clue in clues)


def _late(clip: Clip, clues: Sequence[Clue], said: Said) -> Iterator[float]:
    if said.language != "en":
        return
    known = aligned_words(clip.samples(), said.words)
    timed = [word for clue in clues for word in cast("list[TimedEntry]", clue.data["words"])]
    spelled = ["".join(units(word[0], "en")) for word in timed]
    for place, other in matches(["".join(units(w.text, "en")) for w in known], spelled):
        yield timed[other][1] - known[place].start
