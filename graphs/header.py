"""What a run depends on, gathered for the first line of its trace."""

from __future__ import annotations

import hashlib
import platform
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from pydantic import JsonValue

from emer.graphs.events import ClipFacts, Header
from emer.graphs.running import Cast
from emer.graphs.settings import MASK
from emer.tools.clip import Clip
from emer.tools.tool import Heavy

_PACKAGES = ("emer", "langgraph", "mediapipe", "numpy", "opensmile", "pocketsphinx", "av")
_SECRET = ("key", "token", "secret", "password")


def header(run_id: str, thread: str, cast: Cast, clip: Clip) -> Header:
    """Return the header of a trace."""
    settings, tools = cast.settings, cast.tools
    return Header(
        run_id=run_id,
        thread=thread,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=dict(_versions()),
        git=_git(Path(__file__).resolve().parents[1]),
        settings=masked(settings.model_dump(mode="json")),
        tools={slot: tool.source for slot, tool in tools.items()},
        hardware={slot: dict(t.hardware) for slot, t in tools.items() if isinstance(t, Heavy)},
        chosen=cast.why,
        reasoner=settings.reasoner.use,
        prompts=dict(_prompts()),
        clip=facts(clip),
    )


def facts(clip: Clip) -> ClipFacts:
    """Return what the trace says of the clip."""
    return ClipFacts(
        path=str(clip.path.resolve()),
        name=clip.path.name,
        sha256=clip.sha256,
        duration=clip.duration,
        video=clip.video.model_dump(mode="json") if clip.video else None,
        audio=clip.audio.model_dump(mode="json") if clip.audio else None,
        subtitle=clip.subtitle_digest if clip.subtitle else None,
        notes=clip.notes,
    )


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    found = [("python", platform.python_version()), ("platform", platform.platform())]
    for name in _PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return tuple(found)


@cache
def _prompts() -> tuple[tuple[str, str], ...]:
    root = files("emer.prompts")
    found = sorted(Path(str(root)).rglob("*.md"))
    return tuple(
        (path.relative_to(str(root)).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in found
    )


def _git(root: Path) -> str | None:
    """Return the commit of the checkout this runs from, None outside one."""
    try:
        head = (root / ".git" / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        loose = root / ".git" / name
        if loose.is_file():
            return loose.read_text().strip()
        packed = (root / ".git" / "packed-refs").read_text().splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)
    except OSError:
        return None


def masked(value: JsonValue, name: str = "") -> JsonValue:
    """Return the settings without what must not be in a file that is passed on."""
    if isinstance(value, dict):
        return {key: masked(inner, key) for key, inner in value.items()}
    secret = any(name.lower() == word or name.lower().endswith(f"_{word}") for word in _SECRET)
    return MASK if secret and isinstance(value, str) else value
