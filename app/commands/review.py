"""Emer review.

From words on the command line, or a file, to what a person changes in the clues.

Going through the clues of a paused run at a terminal, one short command at a time.

`emer review`, and what `emer ask --review` does once its run has paused.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console, Group
from rich.text import Text

from emer.agents.clue_edits import Addition, Edits, Rewrite, check_edits
from emer.app.commands.ask import answer_record, let_import_from_here
from emer.app.render.answer import answer_page
from emer.app.render.format import one_line, span, to_json
from emer.app.render.progress import Progress, following, hush, print_result
from emer.app.render.review import review_table, waiting_page, waiting_record
from emer.graphs.ask import Answer
from emer.graphs.cli_errors import INTERRUPTED
from emer.graphs.resume import Waiting, find_waiting, keep, resume
from emer.tools.errors import ConfigError
from emer.tools.types import MODALITIES, Clue, Modality, Span

T = TypeVar("T")

_SPAN = r"(?P<start>\d+(?:\.\d+)?)\s*(?:-|\u2013|to)\s*(?P<end>\d+(?:\.\d+)?)\s*s?\s*$"
_TIMED = re.compile(rf"^(?P<text>.*?)\s*@\s*{_SPAN}", re.DOTALL)
_TIME = re.compile(rf"^\s*@?\s*{_SPAN}")


def read_edits(
    reject: Sequence[str], edit: Sequence[str], add: Sequence[str], file: Path | None
) -> Edits:
    """Return all edits as one; `ConfigError` shows how the one that is wrong should look."""
    given = Edits(
        reject=tuple(dict.fromkeys(reject)),
        edit=tuple(map(read_rewrite, edit)),
        add=tuple(map(read_addition, add)),
    )
    return given if file is None else read_file(file).and_then(given)


def read_rewrite(text: str) -> Rewrite:
    """Return the edit that "ID=TEXT", "ID=TEXT @1.2-2.0" or "ID=@1.2-2.0" stands for."""
    clue, equals, rest = text.partition("=")
    said, span = split_time(rest)
    if not (equals and clue.strip() and (said or span)):
        raise ConfigError(
            f'--edit {text!r} is not ID=TEXT; write it like "f1a2b3c4d=She smiles. @1.2-2.0"'
        )
    return told(f"--edit {clue}", lambda: Rewrite(clue=clue.strip(), text=said or None, span=span))


def read_addition(text: str) -> Addition:
    """Return the clue that "MODALITY: TEXT" or "MODALITY: TEXT @1.2-2.0" stands for."""
    kind, colon, rest = text.partition(":")
    said, span = split_time(rest)
    if not (colon and said):
        raise ConfigError(
            f'--add {text!r} is not MODALITY: TEXT; write it like "face: She smiles. @1.2-2.0"'
        )
    modality = read_modality(kind)
    return told(f"--add {kind}", lambda: Addition(modality=modality, text=said, span=span))


def read_modality(text: str) -> Modality:
    """Return the modality that is meant; `ConfigError` lists those there are."""
    plain = text.strip().casefold()
    named = next((known for known in MODALITIES if known == plain), None)
    if named is None:
        raise ConfigError(f"{plain!r} is no modality; known: {', '.join(MODALITIES)}")
    return named


def split_time(text: str) -> tuple[str, Span | None]:
    """Return the text and the span that stands behind it as "@1.2-2.0", if one does."""
    found = _TIMED.match(text)
    return (found["text"].strip(), _span(found)) if found else (text.strip(), None)


def read_time(text: str) -> Span | None:
    """Return the span that "1.2-2.0" stands for, None for an empty text."""
    found = _TIME.match(text)
    if found is None and text.strip():
        raise ConfigError(f"{text.strip()!r} is no time; write it like 1.2-2.0")
    return _span(found) if found else None


def read_file(path: Path) -> Edits:
    """Return the edits of a JSON file: {"reject": [ID], "edit": [...], "add": [...]}."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    return told(f"{path} holds no edits", lambda: Edits.model_validate_json(text))


def told(what: str, make: Callable[[], T]) -> T:
    """Return the record that is made; `ConfigError` says on one line what is wrong with it."""
    try:
        return make()
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise ConfigError(": ".join(filter(None, (what, where, problem["msg"])))) from error


def _span(found: re.Match[str]) -> Span:
    start, end = float(found["start"]), float(found["end"])
    if end < start:
        raise ConfigError(f"{start:g}-{end:g} s ends before it starts")
    return Span(start=start, end=end)


Listen = Callable[[str], str]
"""Shows a prompt and returns a line; raises `EOFError` or `KeyboardInterrupt`."""

HELP = (
    "go           explain from the clues as they stand",
    "reject 2 5   strike clues out",
    "edit 3       put a clue differently: its sentence, its time",
    "add          write down what no tool reported",
    "keep 2       take back what you did to a clue",
    "list         show the clues again",
    "quit         leave the run paused; your edits are kept (so does Ctrl-D)",
)


class Session:
    """A review in the making: the edits so far, and the commands that change them."""

    def __init__(self, waiting: Waiting, listen: Listen, console: Console) -> None:
        """Take the paused run with what was changed in it before."""
        self.edits = waiting.edits
        self._clues = waiting.clues
        self._duration = waiting.trace.header.clip.duration
        self._listen, self._console = listen, console
        self._commands: dict[str, Callable[[list[str]], None]] = {
            "reject": self._reject,
            "edit": self._edit,
            "add": self._add,
            "keep": self._keep,
            "list": lambda _: self._show(),
            "help": lambda _: self._help(),
        }

    def hold(self) -> bool:
        """Take commands until the person says "go" (True) or "quit" (False)."""
        self._show()
        self._help()
        while True:
            words = self._listen("review> ").split() or ["list"]
            if words[0] in ("go", "quit"):
                return words[0] == "go"
            try:
                self._command(words[0])(words[1:])
            except ConfigError as error:
                self._console.print(Text(one_line(str(error)), style="red"))

    def _command(self, word: str) -> Callable[[list[str]], None]:
        full = "help" if word == "?" else word
        found = [name for name in self._commands if name.startswith(full)]
        if len(found) != 1:
            raise ConfigError(f"{word!r} is no command; help shows those there are")
        return self._commands[found[0]]

    def _reject(self, words: list[str]) -> None:
        self._take(Edits(reject=tuple(clue.id for clue in self._named(words))))
        self._show()

    def _edit(self, words: list[str]) -> None:
        for clue in self._named(words):
            self._console.print(Text(f"  {one_line(clue.text)} ({span(clue.span)})", style="dim"))
            said, when = split_time(self._listen("  sentence (empty: as it is): "))
            when = when or read_time(self._listen("  from-to in seconds (empty: as it is): "))
            if said or when:
                made = told("edit", lambda: Rewrite(clue=clue.id, text=said or None, span=when))  # noqa: B023
                self._take(Edits(edit=(made,)))
        self._show()

    def _add(self, words: list[str]) -> None:
        modality = read_modality(" ".join(words) or self._listen("  face, scene, audio or text: "))
        said, when = split_time(self._listen("  sentence: "))
        when = when or read_time(self._listen("  from-to in seconds (empty: throughout): "))
        made = told("add", lambda: Addition(modality=modality, text=said, span=when))
        self._take(Edits(add=(made,)))
        self._show()

    def _keep(self, words: list[str]) -> None:
        numbers = [self._number(word) for word in self._some(words)]
        back = {self._clues[n - 1].id for n in numbers if n <= len(self._clues)}
        gone = {n - len(self._clues) - 1 for n in numbers}
        self.edits = Edits(
            reject=tuple(id for id in self.edits.reject if id not in back),
            edit=tuple(made for made in self.edits.edit if made.clue not in back),
            add=tuple(made for n, made in enumerate(self.edits.add) if n not in gone),
        )
        self._show()

    def _take(self, more: Edits) -> None:
        taken = self.edits.and_then(more)
        check_edits(taken, self._clues, self._duration)
        self.edits = taken

    def _named(self, words: list[str]) -> list[Clue]:
        numbers = [self._number(word) for word in self._some(words)]
        own = [n for n in numbers if n > len(self._clues)]
        if own:
            raise ConfigError(f"clue {own[0]} is your own; take it back with: keep {own[0]}")
        return [self._clues[n - 1] for n in numbers]

    def _some(self, words: list[str]) -> list[str]:
        if not words:
            raise ConfigError("say which clue, by its number")
        return words

    def _number(self, word: str) -> int:
        ids = [clue.id for clue in self._clues]
        most = len(ids) + len(self.edits.add)
        number = ids.index(word) + 1 if word in ids else int(word) if word.isdecimal() else 0
        if not 1 <= number <= most:
            raise ConfigError(f"there is no clue {word!r}; they are numbered from 1 to {most}")
        return number

    def _help(self) -> None:
        self._console.print(Group(*(Text(f"  {line}", style="dim") for line in HELP), Text()))

    def _show(self) -> None:
        self._console.print(review_table(self._clues, self.edits))


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
