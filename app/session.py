"""Going through the clues of a paused run at a terminal, one short command at a time."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console, Group
from rich.text import Text

from emer.agents.revision import Addition, Edits, Rewrite, check_edits
from emer.app.edits import read_modality, read_time, split_time, told
from emer.app.plain import one_line, span
from emer.app.waiting import review_table
from emer.graphs.resume import Waiting
from emer.tools.errors import ConfigError
from emer.tools.types import Clue

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
