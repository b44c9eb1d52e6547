"""Loading the words: one Markdown file per message, `$name` where a value goes."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from string import Template

FOLDER = Path(__file__).parent


class Prompt:
    """A message with placeholders; filling it checks that the names fit exactly."""

    def __init__(self, name: str, text: str) -> None:
        """Take the message's name and its text with `$name` placeholders."""
        self.name, self.text = name, text
        self._template = Template(text)

    @property
    def placeholders(self) -> frozenset[str]:
        """Names of the values that the message needs."""
        return frozenset(self._template.get_identifiers())

    def substitute(self, **values: str) -> str:
        """Return the message with its values; `KeyError` names what is missing or unknown.

        Values are put in as they are: a `$` inside one is never looked at again.
        """
        missing = sorted(self.placeholders - values.keys())
        unknown = sorted(values.keys() - self.placeholders)
        if missing or unknown:
            raise KeyError(
                f"prompt {self.name!r}: missing {missing or 'nothing'}, "
                f"unknown {unknown or 'nothing'}"
            )
        return self._template.substitute(values)


@lru_cache
def load(name: str) -> Prompt:
    """Return the message called `name` ("rules/therefore"); `KeyError` lists those there are."""
    if name not in names():
        raise KeyError(f"no prompt is called {name!r}; known: {', '.join(names())}")
    return Prompt(name, _path(name).read_text(encoding="utf-8").strip())


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Return the names of all messages, sorted."""
    found = (path.relative_to(FOLDER).with_suffix("") for path in FOLDER.rglob("*.md"))
    return tuple(sorted(path.as_posix() for path in found))


def digest(name: str) -> str:
    """Return the sha256 (hex) of a message's text, for the trace."""
    return hashlib.sha256(load(name).text.encode()).hexdigest()


def _path(name: str) -> Path:
    return FOLDER / f"{name}.md"
