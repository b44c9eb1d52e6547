"""`emer ask`: explain a clip and print the answer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from emer.app.options import Detail
from emer.app.render.answer import answer_page, answer_record
from emer.app.render.format import to_json
from emer.app.render.progress import Progress, live_progress, print_output
from emer.graphs.components import ModelOptions, allow_local_imports, with_model_options
from emer.graphs.settings import DEFAULT, load_settings
from emer.tools.errors import ClipError, ConfigError
from emer.tools.media.subtitles import SUFFIXES
from emer.tools.runtime.device import CPU, choose_device
from emer.tools.runtime.native import hush

if TYPE_CHECKING:
    from emer.graphs.answer import Answer

CLIP_SUFFIXES = (
    ".3gp", ".aac", ".aif", ".aiff", ".amr", ".avi", ".flac", ".flv", ".m2ts", ".m4a", ".m4v",
    ".mka", ".mkv", ".mov", ".mp3", ".mp4", ".mpeg", ".mpg", ".mts", ".oga", ".ogg", ".ogv",
    ".opus", ".ts", ".wav", ".webm", ".wma", ".wmv",
)  # fmt: skip
"""Endings of sound and video files; the system's own list differs from machine to machine."""


@dataclass(frozen=True, slots=True)
class AskRequest:
    """Options of `emer ask`, as on the command line."""

    clip: str
    question: str | None = None
    subtitle: str | None = None
    tools: tuple[str, ...] = ()
    profile: str | None = None
    device: str | None = None
    thread: str | None = None
    settings: Path | None = None
    model: ModelOptions | None = None
    review: bool = False
    detail: Detail = "plain"


def run_ask(request: AskRequest, words: Sequence[str], out: Path | None, *, json: bool) -> None:
    """Ask one clip and print its answer, or several and print a table.

    Args:
        request: All options; its clip and question are those of the words.
        words: Clips and folders, then the question if the last word is none.
        out: File of a table to write, too.
        json: Print JSON only.
    """
    paths, question = split_question(words)
    request = replace(request, question=question)
    if len(paths) > 1 or os.path.isdir(paths[0]) or out is not None:
        from emer.app.commands.ask_several import run_ask_several

        run_ask_several(request, paths, out, json=json)
    else:
        _run_one(replace(request, clip=paths[0]), json=json)


def split_question(words: Sequence[str]) -> tuple[list[str], str | None]:
    """Clips and the question of a command line: the last word, unless it is a file.

    `ClipError` for a last word that is named like a file that does not exist.
    """
    *before, last = words
    if not before or os.path.exists(last):
        return list(words), None
    if has_clip_suffix(last) and not any(map(str.isspace, last)):
        raise ClipError(f"there is no file {last}")
    return before, last


def has_clip_suffix(name: str) -> bool:
    """Whether the name ends like that of a sound or video file."""
    return name.lower().endswith(CLIP_SUFFIXES)


def _run_one(request: AskRequest, *, json: bool) -> None:
    answer, progress = explain_clip(request)
    if answer.paused:
        from emer.app.commands.review import ReviewRequest, prompt_or_print
        from emer.graphs.resume import find_paused

        paused = find_paused(str(answer.trace_path), request.settings)
        review = ReviewRequest(answer.run_id, clip=request.clip, settings=request.settings)
        prompt_or_print(review, paused, json=json)
    else:
        page = answer_page(answer, progress, request.detail)
        print_output(page, answer_record(answer, progress), json=json)


def print_schema() -> None:
    """Print the JSON Schema of `emer ask --json`."""
    from emer.graphs.answer import answer_schema

    print(to_json(answer_schema()))


def explain_clip(request: AskRequest) -> tuple[Answer, Progress]:
    """The answer and the listener of the run; progress is drawn on a terminal."""
    if request.question is not None and not request.question.strip():
        raise ConfigError("the question is empty; leave it out to ask what emotion is displayed")
    tools = _parse_tools(request.tools)
    settings = load_settings(
        request.settings, profile=request.profile, device=request.device, tools=tools
    )
    if request.device not in (None, "auto", CPU):
        choose_device(request.device)  # an absent device is an error even where no tool uses it
    settings = with_model_options(settings, request.model or ModelOptions())
    check_readable(request.clip)
    subtitle = _subtitle(request.subtitle)
    allow_local_imports(settings)
    with hush(settings.home / "logs" / "native.log") as stderr, live_progress(stderr) as progress:
        from emer.graphs.ask import ask

        answer = ask(
            request.clip,
            request.question or DEFAULT,
            subtitle=subtitle,
            tools=tools,
            thread=request.thread,
            review=request.review,
            settings=settings,
            listener=progress,
        )
    return answer, progress


def _parse_tools(options: Sequence[str]) -> dict[str, str]:
    """Tools by slot from "face=mesh" texts."""
    tools: dict[str, str] = {}
    for text in options:
        slot, equals, use = text.partition("=")
        if not (slot and equals and use):
            raise ConfigError(
                f"--tool {text!r} is not SLOT=TOOL; write it like --tool face=mesh, "
                "--tool face=none or --tool face=package.module:Class"
            )
        tools[slot.strip()] = use.strip()
    return tools


def check_readable(clip: str) -> None:
    """Raise `ClipError` for what is no file, before anything heavy is loaded."""
    if os.path.isdir(clip):
        raise ClipError(f"{clip} is a folder; name a video or sound file in it")
    if not os.path.exists(clip):  # pathlib raises for a name that is too long
        raise ClipError(f"there is no file {clip}")


def _subtitle(subtitle: str | None) -> str | None:
    """The words, or the path of a subtitle file; a .txt file is read."""
    if subtitle is None or not os.path.exists(subtitle):
        return subtitle
    path = Path(subtitle)
    if path.suffix.lower() in SUFFIXES:
        return subtitle
    if path.is_dir() or path.suffix.lower() != ".txt":
        raise ConfigError(
            f"--subtitle {subtitle} is no subtitle: give words, .srt, .vtt, .ass or .txt"
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
