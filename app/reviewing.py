"""`emer review`, and what `emer ask --review` does once its run has paused."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import typer
from rich.console import Console

from emer.agents.revision import Edits
from emer.app.asking import answer_record, let_import_from_here
from emer.app.edits import read_edits
from emer.app.exits import INTERRUPTED
from emer.app.plain import to_json
from emer.app.progress import Progress, following
from emer.app.session import Session
from emer.app.show import answer_page
from emer.app.terminal import hush, print_result
from emer.app.waiting import waiting_page, waiting_record
from emer.graphs.answer import Answer
from emer.graphs.resume import Waiting, find_waiting, keep, resume


@dataclass(frozen=True, slots=True)
class Review:
    """What is to become of a paused run, as it stands on the command line."""

    run: str
    accept: bool = False
    reject: tuple[str, ...] = ()
    edit: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    file: Path | None = None
    clip: str | None = None
    settings: Path | None = None

    @property
    def says_something(self) -> bool:
        """Whether it is said what becomes of the clues."""
        return bool(self.accept or self.reject or self.edit or self.add or self.file)


def run_review(review: Review, *, json: bool) -> None:
    """Take a paused run up: with the edits given, else by asking, else show how."""
    waiting = find_waiting(review.run, review.settings)
    if review.says_something:
        edits = read_edits(review.reject, review.edit, review.add, review.file)
        _go_on(review, waiting, waiting.edits.and_then(edits), json=json)
    else:
        ask_or_show(review, waiting, json=json)


def ask_or_show(review: Review, waiting: Waiting, *, json: bool) -> None:
    """Ask the person at the terminal; where there is none, say how the run goes on."""
    if json:
        print(to_json(waiting_record(waiting)))
    elif sys.stdin.isatty() and sys.stdout.isatty():
        _ask(review, waiting)
    else:
        print_result(waiting_page(waiting))


def _ask(review: Review, waiting: Waiting) -> None:
    console = Console(highlight=False, markup=False, emoji=False)
    session = Session(waiting, console.input, console)
    try:
        agreed = session.hold()
    except EOFError:
        agreed = False
    except KeyboardInterrupt:
        _leave(review, waiting, session.edits, code=INTERRUPTED)
    if not agreed:
        _leave(review, waiting, session.edits)
    _go_on(review, waiting, session.edits, json=False)


def _leave(review: Review, waiting: Waiting, edits: Edits, code: int = 0) -> NoReturn:
    """Leave the run paused, with the edits made so far kept in its trace."""
    if edits != waiting.edits:
        keep(waiting.path, edits, review.settings)
    print(f"\npaused; go on with: emer review {waiting.trace.header.run_id}")
    raise typer.Exit(code)


def _go_on(review: Review, waiting: Waiting, edits: Edits, *, json: bool) -> None:
    let_import_from_here(choice.use for choice in waiting.settings.tools.values())
    answer, heard = _carry_out(review, waiting, edits)
    if json:
        print(to_json(answer_record(answer, heard)))
    else:
        print_result(answer_page(answer, heard.header, heard.question))


def _carry_out(review: Review, waiting: Waiting, edits: Edits) -> tuple[Answer, Progress]:
    log = waiting.settings.home / "logs" / "native.log"
    with hush(log) as stderr, following(stderr) as progress:
        progress.header = waiting.trace.header
        progress.question = waiting.trace.started.question if waiting.trace.started else ""
        answer = resume(
            waiting.path, edits, clip=review.clip, settings=review.settings, listener=progress
        )
    return answer, progress
