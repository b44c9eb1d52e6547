"""`emer ask`: from the words on the command line to an answer on stdout."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emer.app.render.answer import answer_page, answer_record
from emer.app.render.format import to_json
from emer.app.render.progress import Progress, following, print_result
from emer.graphs.loading import Thinking, let_import_from_here, with_thinking
from emer.graphs.settings import DEFAULT, load_settings
from emer.tools.errors import ClipError, ConfigError
from emer.tools.media.subtitles import SUFFIXES
from emer.tools.runtime.device import CPU, choose_device
from emer.tools.runtime.native import hush

if TYPE_CHECKING:
    from emer.graphs.ask import Answer


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, as it stands on the command line."""

    clip: str
    question: str | None = None
    subtitle: str | None = None
    tools: tuple[str, ...] = ()
    profile: str | None = None
    device: str | None = None
    thread: str | None = None
    settings: Path | None = None
    thinking: Thinking | None = None
    review: bool = False
    """Whether a person looks at the clues before the reasoner does."""


def run_ask(request: Request, json: bool) -> None:
    """Explain the clip and print the answer."""
    answer, heard = carry_out(request)
    if answer.paused:
        from emer.app.commands.review import Review, ask_or_show
        from emer.graphs.resume import find_waiting

        waiting = find_waiting(str(answer.trace_path), request.settings)
        review = Review(answer.run_id, clip=request.clip, settings=request.settings)
        ask_or_show(review, waiting, json=json)
    elif json:
        print(to_json(answer_record(answer, heard)))
    else:
        print_result(answer_page(answer, heard.header, heard.question))


def carry_out(request: Request) -> tuple[Answer, Progress]:
    """Return the answer and what was heard of the run; progress shows on a terminal."""
    if request.question is not None and not request.question.strip():
        raise ConfigError("the question is empty; leave it out to ask what emotion is displayed")
    tools = read_swaps(request.tools)
    settings = load_settings(
        request.settings, profile=request.profile, device=request.device, tools=tools
    )
    if request.device not in (None, "auto", CPU):
        choose_device(request.device)  # also where no tool has a model
    settings = with_thinking(settings, request.thinking or Thinking())
    check_readable(request.clip)
    subtitle = _words(request.subtitle)
    embedder = settings.memory.embedder
    let_import_from_here(choice.use for choice in (*settings.tools.values(), embedder))
    with hush(settings.home / "logs" / "native.log") as stderr, following(stderr) as progress:
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


def read_swaps(given: Sequence[str]) -> dict[str, str]:
    """Return slot to tool from "face=mesh" texts; `ConfigError` shows how they look."""
    swaps: dict[str, str] = {}
    for text in given:
        slot, equals, use = text.partition("=")
        if not (slot and equals and use):
            raise ConfigError(
                f"--tool {text!r} is not SLOT=TOOL; write it like --tool face=mesh, "
                "--tool face=none or --tool face=package.module:Class"
            )
        swaps[slot.strip()] = use.strip()
    return swaps


def check_readable(clip: str) -> None:
    """Raise `ClipError` at once, before anything heavy is loaded, for what is no file."""
    if os.path.isdir(clip):
        raise ClipError(f"{clip} is a folder; name a video or sound file in it")
    if not os.path.exists(clip):  # pathlib's raises for a name that is too long
        raise ClipError(f"there is no file {clip}")


def _words(subtitle: str | None) -> str | None:
    """Return the subtitle as the clip takes it: words, or the path of an .srt or .vtt file."""
    if subtitle is None or not os.path.exists(subtitle):
        return subtitle
    path = Path(subtitle)
    if path.suffix.lower() in SUFFIXES:
        return subtitle
    if path.is_dir() or path.suffix.lower() != ".txt":
        raise ConfigError(f"--subtitle {subtitle} is no subtitle: give words, .srt, .vtt or .txt")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
