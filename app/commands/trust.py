"""`emer trust`: show what a settings file would do, and record it as trusted."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group
from rich.text import Text

from emer.app.render.format import unwrapped
from emer.app.render.progress import print_output
from emer.graphs.settings import FILE, exact_settings
from emer.graphs.trust import distrust, harmless, read_file, trust, trusted_files
from emer.tools.errors import ConfigError
from emer.tools.text import one_line


def run_trust(place: Path, *, json: bool) -> None:
    """Print what needs trust, a line each, then record the file with its hash."""
    path = _settings_file(place)
    file = read_file(path)
    if file is None:
        raise ConfigError(f"there is no settings file {path}")
    exact_settings(file.data)  # what cannot be read as settings is not trusted either
    _, demands = harmless(file.data)
    trust(file)
    lines = [unwrapped(f"  {each.key} = {each.value}: {each.why}") for each in demands]
    what = "allowed until the file changes" if demands else "nothing in it needs trust"
    title = unwrapped(f"Trusted {one_line(str(file.path))}: {what}")
    record = {"file": str(file.path), "sha256": file.sha256, "allows": demands}
    print_output(Group(title, *lines), record, json=json)


def run_list(*, json: bool) -> None:
    files, damage = trusted_files()
    if damage:
        raise ConfigError(damage)
    lines = [unwrapped(f"{_state(path, sha)}  {one_line(path)}") for path, sha in files.items()]
    record = [{"file": path, "state": _state(path, sha)} for path, sha in files.items()]
    print_output(Group(*lines) if lines else Text("No file is trusted."), record, json=json)


def run_remove(place: Path, *, json: bool) -> None:
    path = _settings_file(place).resolve()
    distrust(path)
    text = unwrapped(f"No longer trusted: {one_line(str(path))}")
    print_output(text, {"removed": str(path)}, json=json)


def _settings_file(place: Path) -> Path:
    """The settings file of a folder, or the file itself; it may be absent."""
    return place if place.is_file() or place.suffix == ".toml" else place / FILE


def _state(path: str, sha: str) -> str:
    try:
        file = read_file(Path(path))
    except ConfigError:
        return "damaged"
    if file is None:
        return "absent "
    return "trusted" if file.sha256 == sha else "changed"
