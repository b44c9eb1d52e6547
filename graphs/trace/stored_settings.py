"""Settings in the header of a trace: signed, or of a stranger and sifted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import JsonValue

from emer.graphs.settings import Settings, exact_settings
from emer.graphs.trace.events import Header
from emer.graphs.trust import MASK, harmless, is_signed, notice, signature
from emer.tools.errors import ConfigError


def signed(header: Header) -> Header:
    """The header with a signature by this user's key, so that it is trusted."""
    return header.model_copy(update={"signature": signature(_content(header))})


def is_own(header: Header) -> bool:
    """Whether this user's runs wrote the header, as it is."""
    return is_signed(_content(header), header.signature)


def restore(
    header: Header, current: Settings, *, home: Path, trust: bool = False, parts: Any = None
) -> Settings:
    """Settings of a run, with this home.

    Of a trace that is neither this user's nor trusted, what can do harm is taken only where it
    is as in the current settings; a note says what was left out. Masked secrets are taken from
    the current settings; neither a file nor the environment changes anything else.

    Args:
        header: Header of the trace.
        current: Settings of today.
        home: Folder of the runs.
        trust: Whether the user trusts the trace.
        parts: Settings to restore instead of all that the header holds.

    Raises:
        ConfigError: A wrong value, or a secret that is missing.

    """
    stored = header.settings if parts is None else parts
    if not isinstance(stored, dict):
        raise ConfigError("the trace holds no settings")
    today, line = current.model_dump(mode="json"), ""
    taken = {name: value for name, value in stored.items() if name not in ("home", "serve_root")}
    own = is_own(header)
    if not (own or trust):
        taken, demands = harmless(taken, today)
        taken = {name: today[name] for name in ("offline", "weights")} | taken
        way = "--trust; or name the reasoner on the command line (--llm, --rules)"
        line = notice(f"the trace of run {header.run_id}", demands, way) if demands else ""
    values = {n: _unmasked(v, today.get(n), n) for n, v in taken.items()}
    try:
        settings = exact_settings(values | {"home": home})
    except ConfigError as error:
        raise ConfigError(f"the trace's {error}") from error
    return settings.with_origin(header.places if own else {}, line)


def _content(header: Header) -> dict[str, Any]:
    # Defaults are left out, so that a field of a later version changes no earlier signature.
    return header.model_dump(mode="json", exclude={"at", "signature"}, exclude_defaults=True)


def _unmasked(value: JsonValue, today: JsonValue, key: str) -> JsonValue:
    if isinstance(value, dict):
        known = today if isinstance(today, dict) else {}
        return {n: _unmasked(v, known.get(n), f"{key}.{n}") for n, v in value.items()}
    if value != MASK:
        return value
    if today is None:
        raise ConfigError(f"settings: {key} is a secret that no trace keeps; set it again")
    return today
