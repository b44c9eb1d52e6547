"""Outputs of commands without what differs between two runs of the same code."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

DURATIONS = frozenset({"seconds", "at", "read_seconds"})
"""Keys of JSON whose numbers are measured durations."""
HIDDEN = frozenset({"started", "versions", "git", "hardware", "checkpoint", "code", "signature"})
"""Keys of JSON that depend on the machine, the moment or the source code."""

CLUE = re.compile(r"\b[fsat][0-9a-f]{8}\b")
RUN = re.compile(r"\b\d{8}-\d{6}-\d{6}-[0-9a-f]{4}\b")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z)?")
VERSION = re.compile(r"^(emer\s+)\d+\.\d+\.\d+.*$")
DURATION = r"(?:\d+ min \d+ s|\d+(?:\.\d+)? s)"
TOOK = re.compile(rf"((?:stopped|finished|paused|interrupted|failed) after ){DURATION}")
STATE_TOOK = re.compile(rf"((?:finished|paused|interrupted|failed|unfinished)\s+){DURATION}$")
CALL = re.compile(r"^\s*[✓·✗] ")
"""The line of `emer trace show` on a call of a tool or a model."""
CALL_ENDS = re.compile(rf"(?:{DURATION}|from the store)$")
CALL_TOOK = re.compile(rf"{DURATION}$")
RULE = re.compile(r"─{4,}")


def unwrapped(lines: Sequence[str]) -> list[str]:
    """Return lines in which each call is on one; where it breaks depends on its duration."""
    found: list[str] = []
    for line in lines:
        if found and CALL.match(found[-1]) and not CALL_ENDS.search(found[-1]):
            found[-1] += f" {line.strip()}"
        else:
            found.append(line)
    return found


def normalised(outputs: list[Any], places: Mapping[str, str] | None = None) -> list[Any]:
    """Return outputs without what differs between two runs of the same code.

    Ids of clues become clue-1, clue-2, ... and those of runs run-1, run-2, ..., alike in all
    outputs. `places` maps folders to the names that stand for them.
    """
    outputs = [ordered(output) for output in outputs]
    names = {**clue_names(outputs), **run_names(outputs)}
    return [replaced(output, names, places or {}) for output in outputs]


def clue_records(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every clue (an object with id, modality, span and text) that a value holds."""
    if isinstance(value, dict):
        if {"id", "modality", "span", "text"} <= set(value):
            yield value
        for inner in value.values():
            yield from clue_records(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from clue_records(inner)


def clue_order(clue: Mapping[str, Any]) -> tuple[float, float, str, str]:
    """Return the place of a clue among others: start, end, modality, sentence."""
    span = clue["span"] or {"start": -1.0, "end": -1.0}
    return span["start"], span["end"], clue["modality"], clue["text"]


def clue_names(outputs: Sequence[Any]) -> dict[str, str]:
    """Return clue-1, clue-2, ... by id: clues with a record first, in their order."""
    ids: dict[str, None] = {}
    for output in outputs:
        ids.update(dict.fromkeys(c["id"] for c in sorted(clue_records(output), key=clue_order)))
    for output in outputs:
        ids.update(dict.fromkeys(CLUE.findall(json.dumps(output, sort_keys=True))))
    return {id: f"clue-{number}" for number, id in enumerate(ids, 1)}


def run_names(outputs: Sequence[Any]) -> dict[str, str]:
    """Return run-1, run-2, ... by id, in the order of their beginning, which the id tells."""
    return {id: f"run-{n}" for n, id in enumerate(sorted(set(RUN.findall(json.dumps(outputs)))), 1)}


def ordered(value: Any) -> Any:
    """Return a value whose tool events, which end in any order, stand in a fixed one."""
    if isinstance(value, dict):
        return {key: ordered(inner) for key, inner in value.items()}
    if not isinstance(value, list):
        return value
    items = [ordered(item) for item in value]
    if any(isinstance(item, str) and CALL.match(item) for item in items):
        return sorted_stretches(items, lambda item: bool(CALL.match(item)), str)
    if any(is_tool_event(item) for item in items):
        return sorted_stretches(items, is_tool_event, event_order)
    return items


def sorted_stretches(items: list[Any], belongs: Any, key: Any) -> list[Any]:
    """Return the items with each unbroken stretch of those that belong sorted by the key."""
    found: list[Any] = []
    stretch: list[Any] = []
    for item in items:
        if belongs(item):
            stretch.append(item)
            continue
        found += [*sorted(stretch, key=key), item]
        stretch = []
    return [*found, *sorted(stretch, key=key)]


def is_tool_event(item: Any) -> bool:
    """Tell whether an item is a trace's event of a tool's call."""
    return isinstance(item, dict) and "slot" in item and "event" in item


def event_order(event: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the place of a tool's event among those of the same stretch of a trace."""
    span = event.get("span") or {"start": -1.0, "end": -1.0}
    begins = event["event"] != "tool_started"
    return begins, event.get("round", 0), event["slot"], span["start"], span["end"]


def replaced(value: Any, names: Mapping[str, str], places: Mapping[str, str], key: str = "") -> Any:
    """Return a value with ids, folders, moments and durations replaced by their names."""
    if key in HIDDEN:
        return f"<{key}>"
    if key in DURATIONS and isinstance(value, int | float | dict) and not isinstance(value, bool):
        return "<seconds>"  # of one run, or of many with their interval
    if key == "budget":
        return value
    if isinstance(value, dict):
        if key == "prompts":
            return digest_of(sorted(value.values()))
        return {k: replaced(v, names, places, k) for k, v in value.items() if k != "trace"}
    if isinstance(value, list):
        value = [replaced(item, names, places) for item in value]
    return plain_text(value, names, places) if isinstance(value, str) else value


def plain_text(text: str, names: Mapping[str, str], places: Mapping[str, str]) -> str:
    """Return a line with ids, folders, moments and durations replaced by their names."""
    for place in sorted(places, key=len, reverse=True):
        text = text.replace(place, places[place])
    for pattern in (CLUE, RUN):
        text = pattern.sub(lambda found: names.get(found[0], found[0]), text)
    text = VERSION.sub(r"\1<version>", MOMENT.sub("<moment>", text))
    text = STATE_TOOK.sub(r"\1<seconds>", TOOK.sub(r"\1<seconds>", text))
    if CALL.match(text):
        text = CALL_TOOK.sub("<seconds>", text)
    return RULE.sub("────", re.sub(r"(?<=\S)[ ]{2,}", "  ", text))


def digest_of(values: Sequence[str]) -> str:
    """Return a short hash of several texts."""
    return hashlib.sha256("\n".join(values).encode()).hexdigest()[:16]
