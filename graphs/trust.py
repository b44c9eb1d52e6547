"""Trust: harmless values of settings, trusted files, signatures of traces.

A settings file of a working folder and the settings in the header of a trace are data. Taken
from them is what can neither run, open, send nor unlock anything: `harmless` lists what it
allows and leaves out all else. The rest needs `emer trust`, which records the hash of the file
in the user's home, or the key in that home which signed the header of the trace.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import math
import os
import re
import shlex
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from emer.agents.types import Budget
from emer.tools.errors import ConfigError, EmerError
from emer.tools.media.probe import ClipLimits
from emer.tools.registry import tool_class
from emer.tools.runtime.device import home
from emer.tools.text import one_line
from emer.tools.tool import Remote
from emer.tools.types import Record

NOTICES: Final = logging.getLogger("emer.trust")
"""One line for each file or trace of which something was not taken."""
MASK: Final = "***"
"""Replaces a secret in a trace."""
MOST_BYTES: Final = 1_000_000
"""Largest settings file that is read (chosen by us)."""
_MOST_NAMED = 6
_HARMLESS = {"profile", "device", "dtype", "model_memory", "parallel", "language"}
TOOL_SECONDS: Final = 300.0
"""Default time limit of a tool call (chosen by us)."""
_LOWERED: Final[Mapping[str, Record]] = {"clip": ClipLimits(), "budget": Budget()}
"""Tables of limits of which only values up to the default are harmless."""
_SENDS: Final = {("reasoner",): "llm"}
"""The choice that may send the evidence to a model of the user's, which another setting names."""
_KEY_BYTES = 32
_NAME = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_.-]{0,99})?|cuda:\d{1,2}")
_SENSITIVE = re.compile(
    r"key|token|secret|password|credential|url|host|server|address|endpoint|proxy|header"
    r"|path|file|folder|dir|weights|script|command",
    re.IGNORECASE,
)
_LIST: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])


class Demand(Record):
    """A value of settings that is taken from a trusted source alone."""

    key: str
    value: str
    why: str


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A settings file as it was read: what is hashed is what is used."""

    path: Path
    """Absolute, links followed."""
    data: dict[str, Any]
    sha256: str

    @property
    def uses(self) -> tuple[str, ...]:
        """Names of tools, reasoner and embedder in the file."""
        tables = (part for path, part in _units(self.data) if _is_choice(path))
        return tuple(str(t["use"]) for t in tables if isinstance(t, Mapping) and "use" in t)

    @property
    def is_trusted(self) -> bool:
        """Whether the user's home holds it, or the hash of this content."""
        own = self.path.parent == home().resolve()  # not of downloads in folders of the home
        return own or trusted_files()[0].get(str(self.path)) == self.sha256


def read_file(path: Path) -> SettingsFile | None:
    """Read a settings file; None if it is absent, `ConfigError` if it is damaged."""
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ConfigError(f"{path} is larger than {MOST_BYTES} bytes: no file of settings")
        data = tomllib.loads(content.decode())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:  # tomllib recurses, and int() limits its digits
        raise ConfigError(f"{path}: {error}") from error
    return SettingsFile(path.resolve(), data, hashlib.sha256(content).hexdigest())


def harmless(
    given: Mapping[str, Any], current: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], tuple[Demand, ...]]:
    """The part of settings that can do no harm, and the rest with the reasons.

    A value that the `current` settings have too is taken. A tool or reasoner is taken with all
    its arguments or not at all.
    """
    taken: dict[str, Any] = {}
    demands: list[Demand] = []
    for path, value in _units(given):
        today: Any = current or {}
        for name in path:
            today = today.get(name) if isinstance(today, Mapping) else None
        found = [] if value is None or _same(value, today) else list(_demands(path, value))
        demands += found
        if not found:
            table = taken if len(path) == 1 else taken.setdefault(path[0], {})
            table[path[-1]] = value
    return taken, tuple(demands)


def notice(source: str, demands: tuple[Demand, ...], way: str) -> str:
    """One line: what was not taken from a source, and how to allow it."""
    keys = ", ".join(demand.key for demand in demands[:_MOST_NAMED])
    more = f" and {len(demands) - _MOST_NAMED} more" if len(demands) > _MOST_NAMED else ""
    damage = trusted_files()[1]
    line = f"{source} is not trusted; not taken from it: {keys}{more}; to allow it: {way}"
    return one_line(f"{line} ({damage})" if damage else line)


def file_notice(file: SettingsFile, shown: Path, demands: tuple[Demand, ...]) -> str:
    """The notice of a settings file; `shown` is its path as the user knows it."""
    place = file.path.parent if file.path.name == "emer.toml" else file.path
    way = f"emer trust {shlex.quote(str(place))}; or name it on the command line (--tool, --llm)"
    return notice(str(shown), demands, way)


def trusted_files() -> tuple[dict[str, str], str]:
    """Sha256 by path of the trusted files, and what is wrong with the list or ""."""
    path = _list_path()
    try:
        return _LIST.validate_json(path.read_bytes()), ""
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValidationError):
        return {}, f"{path} is damaged, so nothing is trusted; remove it and trust anew"


def trust(file: SettingsFile) -> None:
    """Record the content of a file as trusted; `ConfigError` if the list is damaged."""
    _write_list({**_whole_list(), str(file.path): file.sha256})


def distrust(path: Path) -> None:
    """Remove a file from the trusted ones; `ConfigError` if it is not among them."""
    files = _whole_list()
    if files.pop(str(path), None) is None:
        raise ConfigError(f"{path} is not among the trusted files; see: emer trust --list")
    _write_list(files)


def signature(record: Mapping[str, Any]) -> str | None:
    """Signature of a record by this user's key, which is made where there is none.

    None where the home cannot be written.
    """
    with suppress(OSError):
        if key := _key() or _new_key():
            return _signed(record, key)
    return None


def is_signed(record: Mapping[str, Any], by: str | None) -> bool:
    """Whether this user's key made the signature of the record."""
    with suppress(OSError):
        key = _key()
        return bool(key and by) and hmac.compare_digest(_signed(record, key), str(by))
    return False


def _units(given: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values that are taken or left as a whole, each with its path."""
    for key, value in given.items():
        if key in ("tools", "memory", *_LOWERED) and isinstance(value, Mapping):
            yield from (((key, name), part) for name, part in value.items())
        else:
            yield (key,), value


def _is_choice(path: tuple[str, ...]) -> bool:
    return path in (("reasoner",), ("memory", "embedder")) or path[0] == "tools"


def _demands(path: tuple[str, ...], value: Any) -> Iterator[Demand]:
    match path:
        case _ if _is_choice(path):
            table = value if isinstance(value, Mapping) else {}
            sends = path in _SENDS and table.get("use", _SENDS[path]) == _SENDS[path]
            for name, part in table.items():
                why = _harm_of_use(part) if name == "use" else _harm_of_argument(name, part)
                if why or sends:
                    yield _demand((*path, name), part, why or "a model that gets the evidence")
        case ("memory", "on" | "nearest"):
            return
        case ("clip" | "budget" as table, name):
            if not _is_lower(value, getattr(_LOWERED[table], name, "")):
                yield _demand(path, value, "a limit above the default")
        case ("tool_seconds",) if _is_lower(value, TOOL_SECONDS):
            return
        case (name,) if name in _HARMLESS or (name == "offline" and value is True):
            return
        case _:
            yield _demand(path, value, "a folder, or another choice of the user's alone")


def _demand(path: tuple[str, ...], value: Any, why: str) -> Demand:
    return Demand(key=one_line(".".join(path))[:100], value=one_line(repr(value))[:200], why=why)


def _harm_of_use(use: Any) -> str:
    if isinstance(use, str) and ":" not in use:
        # Built in, registered or installed: `resolve` knows no other such name.
        return "a tool that sends what it observes to an address" if _is_remote(use) else ""
    return "a model in this folder" if str(use).startswith("hf:") else "code that is run"


def _is_remote(use: str) -> bool:
    with suppress(EmerError):
        return issubclass(tool_class(use), Remote)
    return False


def _harm_of_argument(name: str, value: Any) -> str:
    if isinstance(value, bool | int | float | None):
        return ""
    if "://" in str(value):
        return "an address, to which the evidence and a key are sent"
    if _SENSITIVE.search(name):
        return "a key, an address or a path"
    if isinstance(value, str) and _NAME.fullmatch(value) and not (value and os.path.lexists(value)):
        return ""
    return "a path, or a model to which the evidence is sent"


def _is_lower(value: Any, default: Any) -> bool:
    most = math.inf if default is None else default
    return isinstance(value, int | float) and isinstance(most, int | float) and value <= most


def _same(value: Any, today: Any) -> bool:
    """Whether two values are equal; a masked secret equals any text."""
    if isinstance(value, Mapping) and isinstance(today, Mapping):
        return value.keys() == today.keys() and all(_same(v, today[n]) for n, v in value.items())
    return value == today or (value == MASK and isinstance(today, str))


def _list_path() -> Path:
    # Never a home that a settings file names: it would bring its own list.
    return home() / "trust.json"


def _whole_list() -> dict[str, str]:
    files, damage = trusted_files()
    if damage:
        raise ConfigError(damage)
    return files


def _write_list(files: Mapping[str, str]) -> None:
    try:
        _write(_list_path(), json.dumps(files, indent=1, sort_keys=True).encode())
    except OSError as error:
        raise ConfigError(f"{_list_path()} cannot be written: {error.strerror}") from error


def _write(path: Path, content: bytes, *, new: bool = False) -> None:
    """Write a private file as a whole; `new`: another process's file stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".trust-")  # for the user alone
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        with suppress(FileExistsError):
            os.link(name, path) if new else os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def _key_path() -> Path:
    return home() / "trace.key"


def _key() -> bytes:
    """The key of this user's traces; empty where there is none."""
    with suppress(FileNotFoundError):
        key = _key_path().read_bytes()
        return key if len(key) == _KEY_BYTES else b""
    return b""


def _new_key() -> bytes:
    _write(_key_path(), token_bytes(_KEY_BYTES), new=not _key_path().exists())
    return _key()


def _signed(record: Mapping[str, Any], key: bytes) -> str:
    text = json.dumps(record, sort_keys=True, ensure_ascii=True)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
