"""`emer review`: edits from options, a file or a terminal; the run resumes."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer
from pydantic import ValidationError
from rich.console import Console, Group, RenderableType
from rich.text import Text

from emer.agents.clue_edits import (
    REVISES,
    Addition,
    Edits,
    Rewrite,
    check_edits,
    reviewer_clues,
    unread_notes,
)
from emer.app.render.answer import answer_page, answer_record, clue_cells, empty_clue_table, title
from emer.app.render.format import span, unwrapped
from emer.app.render.progress import live_progress, print_output
from emer.graphs.answer import PausedRecord
from emer.graphs.cli_errors import INTERRUPTED, Terminal
from emer.graphs.components import allow_local_imports
from emer.graphs.resume import PausedRun, find_paused, resume, save_draft
from emer.tools.errors import ConfigError
from emer.tools.runtime.native import hush
from emer.tools.text import one_line
from emer.tools.types import MODALITIES, Clue, Modality, Span

_SPAN = r"(?P<start>\d+(?:\.\d+)?)\s*(?:-|\u2013|to)\s*(?P<end>\d+(?:\.\d+)?)\s*s?\s*$"
_TIMED = re.compile(rf"^(?P<text>.*?)\s*@\s*{_SPAN}", re.DOTALL)
_TIME = re.compile(rf"^\s*@?\s*{_SPAN}")

HELP = (
    "go           explain from the clues as they are now",
    "reject 2 5   reject clues",
    "edit 3       rewrite a clue: its sentence, its time",
    "add          add a clue that no tool reported",
    "keep 2       undo your edit of a clue",
    "list         show the clues again",
    "quit         leave the run paused; your edits are saved (so does Ctrl-D)",
)


@dataclass(frozen=True, slots=True)
class ReviewRequest:
    """Options of `emer review`, as on the command line."""

    run: str
    accept: bool = False
    reject: tuple[str, ...] = ()
    edit: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    file: Path | None = None
    clip: str | None = None
    settings: Path | None = None
    trust: bool = False


def _read_rewrite(option: str) -> Rewrite:
    """Rewrite of "ID=TEXT", "ID=TEXT @1.2-2.0" or "ID=@1.2-2.0"."""
    clue, equals, rest = option.partition("=")
    text, span = _split_time(rest)
    if not (equals and clue.strip() and (text or span)):
        raise ConfigError(
            f'--edit {option!r} is not ID=TEXT; write it like "f1a2b3c4d=She smiles. @1.2-2.0"'
        )
    with _problems_of(f"--edit {clue}"):
        return Rewrite(clue=clue.strip(), text=text or None, span=span)


def _read_addition(option: str) -> Addition:
    """Addition of "MODALITY: TEXT" or "MODALITY: TEXT @1.2-2.0"."""
    kind, colon, rest = option.partition(":")
    text, span = _split_time(rest)
    if not (colon and text):
        raise ConfigError(
            f'--add {option!r} is not MODALITY: TEXT; write it like "face: She smiles. @1.2-2.0"'
        )
    modality = _read_modality(kind)
    with _problems_of(f"--add {kind}"):
        return Addition(modality=modality, text=text, span=span)


def _read_modality(text: str) -> Modality:
    plain = text.strip().casefold()
    for modality in MODALITIES:
        if modality == plain:
            return modality
    raise ConfigError(f"{plain!r} is no modality; known: {', '.join(MODALITIES)}")


def _split_time(text: str) -> tuple[str, Span | None]:
    """A text, and the span after it as "@1.2-2.0" if there is one."""
    match = _TIMED.match(text)
    return (match["text"].strip(), _span(match)) if match else (text.strip(), None)


def _read_time(text: str) -> Span | None:
    """Span of "1.2-2.0", None for an empty text."""
    match = _TIME.match(text)
    if match is None and text.strip():
        raise ConfigError(f"{text.strip()!r} is no time; write it like 1.2-2.0")
    return _span(match) if match else None


def _read_file(path: Path) -> Edits:
    """Edits of a JSON file: {"reject": [ID], "edit": [...], "add": [...]}."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    with _problems_of(f"{path} holds no edits"):
        return Edits.model_validate_json(text)


@contextmanager
def _problems_of(source: str) -> Generator[None]:
    """Name the first problem of a record by a `ConfigError`."""
    try:
        yield
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise ConfigError(": ".join(filter(None, (source, place, problem["msg"])))) from error


def _span(match: re.Match[str]) -> Span:
    start, end = float(match["start"]), float(match["end"])
    if end < start:
        raise ConfigError(f"{start:g}-{end:g} s ends before it starts")
    return Span(start=start, end=end)


class ReviewSession:
    """Review at a terminal: the edits so far, and the commands that change them."""

    def __init__(self, paused: PausedRun, console: Console) -> None:
        self.edits = paused.trace.edits
        self._clues = paused.clues
        self._duration = paused.trace.header.clip.duration
        self._console = console
        self._commands: dict[str, Callable[[list[str]], None]] = {
            "reject": self._reject,
            "edit": self._edit,
            "add": self._add,
            "keep": self._keep,
            "list": lambda _: None,
            "help": lambda _: None,
        }

    def run(self) -> bool:
        """Read commands until "go" (True) or "quit" (False)."""
        self._show()
        self._help()
        while True:
            words = self._console.input("review> ").split() or ["list"]
            if words[0] in ("go", "quit"):
                return words[0] == "go"
            try:
                name = self._full_name("help" if words[0] == "?" else words[0])
                self._commands[name](words[1:])
            except ConfigError as error:
                self._console.print(Text(one_line(str(error)), style="red"))
            else:
                self._help() if name == "help" else self._show()

    def _full_name(self, word: str) -> str:
        names = [name for name in self._commands if name.startswith(word)]
        if len(names) != 1:
            raise ConfigError(f"{word!r} is no command; help shows those there are")
        return names[0]

    def _reject(self, words: list[str]) -> None:
        self._take(Edits(reject=tuple(clue.id for clue in self._named(words))))

    def _edit(self, words: list[str]) -> None:
        for clue in self._named(words):
            self._console.print(Text(f"  {one_line(clue.text)} ({span(clue.span)})", style="dim"))
            text, time = self._sentence("  sentence (empty: as it is): ", "as it is")
            if text or time:
                with _problems_of("edit"):
                    rewrite = Rewrite(clue=clue.id, text=text or None, span=time)
                self._take(Edits(edit=(rewrite,)))

    def _add(self, words: list[str]) -> None:
        kind = " ".join(words) or self._console.input("  face, scene, audio or text: ")
        modality = _read_modality(kind)
        text, time = self._sentence("  sentence: ", "throughout")
        with _problems_of("add"):
            addition = Addition(modality=modality, text=text, span=time)
        self._take(Edits(add=(addition,)))

    def _sentence(self, prompt: str, empty: str) -> tuple[str, Span | None]:
        text, time = _split_time(self._console.input(prompt))
        question = f"  from-to in seconds (empty: {empty}): "
        return text, time or _read_time(self._console.input(question))

    def _keep(self, words: list[str]) -> None:
        numbers, count = self._numbers(words), len(self._clues)
        restored = {self._clues[n - 1].id for n in numbers if n <= count}
        added = enumerate(self.edits.add, start=count + 1)
        self.edits = Edits(
            reject=tuple(id for id in self.edits.reject if id not in restored),
            edit=tuple(edit for edit in self.edits.edit if edit.clue not in restored),
            add=tuple(edit for n, edit in added if n not in numbers),
        )

    def _take(self, more: Edits) -> None:
        edits = self.edits.and_then(more)
        check_edits(edits, self._clues, self._duration)
        self.edits = edits
        for note in unread_notes(reviewer_clues(self._clues, more)):
            self._console.print(Text(f"note: {one_line(note)}", style="yellow"))

    def _named(self, words: list[str]) -> list[Clue]:
        numbers = self._numbers(words)
        added = [n for n in numbers if n > len(self._clues)]
        if added:
            raise ConfigError(f"clue {added[0]} is your own; take it back with: keep {added[0]}")
        return [self._clues[n - 1] for n in numbers]

    def _numbers(self, words: list[str]) -> list[int]:
        if not words:
            raise ConfigError("say which clue, by its number")
        numbers, ids = [], [clue.id for clue in self._clues]
        most = len(ids) + len(self.edits.add)
        for word in words:
            number = ids.index(word) + 1 if word in ids else int(word) if word.isdecimal() else 0
            if not 1 <= number <= most:
                raise ConfigError(f"there is no clue {word!r}; they are numbered from 1 to {most}")
            numbers.append(number)
        return numbers

    def _help(self) -> None:
        self._console.print(Group(*(Text(f"  {line}", style="dim") for line in HELP), Text()))

    def _show(self) -> None:
        self._console.print(review_table(self._clues, self.edits))


def run_review(request: ReviewRequest, *, json: bool) -> None:
    paused = find_paused(request.run, request.settings, trust=request.trust)
    if any((request.accept, request.reject, request.edit, request.add, request.file)):
        edits = Edits(
            reject=tuple(dict.fromkeys(request.reject)),
            edit=tuple(map(_read_rewrite, request.edit)),
            add=tuple(map(_read_addition, request.add)),
        )
        if request.file is not None:
            edits = _read_file(request.file).and_then(edits)
        _resume(request, paused, paused.trace.edits.and_then(edits), json=json)
    else:
        prompt_or_print(request, paused, json=json)


def prompt_or_print(request: ReviewRequest, paused: PausedRun, *, json: bool) -> None:
    """Start a review at the terminal; without one, print how to resume the run."""
    if not json and sys.stdin.isatty() and sys.stdout.isatty():
        _review_at_terminal(request, paused)
    else:
        print_output(paused_page(paused), paused_record(paused), json=json)


def _review_at_terminal(request: ReviewRequest, paused: PausedRun) -> None:
    """Review and resume the run; if the reviewer leaves, save the edits and exit."""
    session = ReviewSession(paused, Terminal(highlight=False, markup=False, emoji=False))
    code = 0
    try:
        finished = session.run()
    except EOFError:
        finished = False
    except KeyboardInterrupt:
        finished, code = False, INTERRUPTED
    if finished:
        _resume(request, paused, session.edits, json=False)
        return
    if session.edits != paused.trace.edits:
        save_draft(paused.path, session.edits, request.settings)
    print()  # after the prompt
    print(one_line(f"paused; go on with: emer review {paused.trace.header.run_id}"))
    raise typer.Exit(code)


def _resume(request: ReviewRequest, paused: PausedRun, edits: Edits, *, json: bool) -> None:
    allow_local_imports(paused.settings)
    log = paused.settings.home / "logs" / "native.log"
    with hush(log) as stderr, live_progress(stderr) as progress:
        progress.header = paused.trace.header
        answer = resume(
            paused.path,
            edits,
            clip=request.clip,
            settings=request.settings,
            listener=progress,
            trust=request.trust,
        )
    print_output(answer_page(answer, progress), answer_record(answer, progress), json=json)


def paused_page(paused: PausedRun) -> RenderableType:
    """Page of a paused run: question, clues, and the commands that resume it."""
    trace = paused.trace
    hint = Text(f"run {trace.header.run_id} waits for a review of its clues; go on with")
    commands = (unwrapped(f"  {line}") for line in _commands(paused))
    table = review_table(paused.clues, paused.trace.edits)
    return Group(title(trace.header, trace.question), table, hint, *commands)


def paused_record(paused: PausedRun) -> PausedRecord:
    trace = paused.trace
    return PausedRecord(
        run_id=trace.header.run_id,
        thread=trace.header.thread,
        trace=str(paused.path),
        clip=trace.header.clip,
        question=trace.question,
        clues=paused.clues,
        edits=trace.edits,
        seconds=paused.pause.seconds,
        next=tuple(_commands(paused)),
    )


def _commands(paused: PausedRun) -> list[str]:
    run = f"emer review {paused.trace.header.run_id}"
    id = paused.clues[0].id if paused.clues else "ID"
    return [
        f"{run} --accept",
        f'{run} --reject {id} --edit "ID=She smiles. @1.2-2.0" --add "audio: She laughs. @3.0-4.1"',
        f"{run} --file EDITS.json",
        f"{run}  (asks you, on a terminal)",
    ]


def review_table(clues: Sequence[Clue], edits: Edits) -> RenderableType:
    """Numbered table of the clues, each with its edit below it."""
    table = empty_clue_table(first="")
    written = reviewer_clues(clues, edits)
    rewrites = {str(clue.data[REVISES]): clue for clue in written if REVISES in clue.data}
    for number, clue in enumerate(clues, start=1):
        struck = clue.id in edits.struck
        table.add_row(Text(str(number), "bold"), *clue_cells(clue, "strike dim" if struck else ""))
        if clue.id in rewrites:
            table.add_row("", *clue_cells(rewrites[clue.id], "green"))
        elif struck:
            table.add_row("", "", "", Text("rejected", style="red"), "", "")
    added = [clue for clue in written if REVISES not in clue.data]
    for number, clue in enumerate(added, start=len(clues) + 1):
        table.add_row(Text(str(number), "bold"), *clue_cells(clue, "green"))
    return table if clues or added else Text("No clues.\n", style="dim")
