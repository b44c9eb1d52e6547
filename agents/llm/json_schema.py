"""The schema of a reply as a server is given it, and as a form in words for the others.

Only what strict modes know: objects whose fields are all required, lists with limits, enums.
The ids of a run's clues and the names of its tools are enums, so that none can be invented.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

Names = Mapping[str, Sequence[str]]
"""What may stand for an id: "clues", "tools", "labels"; where there is none, any text may."""

_PLACEHOLDERS = {
    "string": "<text>",
    "number": "<seconds>",
    "integer": "<number>",
    "boolean": "<true or false>",
    "null": "null",
}
_SHARED = "#/$defs/"


def strict_schema(record: type[BaseModel], names: Names) -> dict[str, Any]:
    """The JSON schema of a reply in which this run's names are enums, each stated once."""
    whole = record.model_json_schema()
    strict = _strict(whole, whole.get("$defs", {}), {k: n for k, n in names.items() if n})
    text = json.dumps(strict)
    enums = {
        kind: {"type": "string", "enum": list(known)}
        for kind, known in names.items()
        if f'"{_SHARED}{kind}"' in text
    }
    return strict | ({"$defs": enums} if enums else {})


def form_of(schema: Mapping[str, Any]) -> str:
    """A strict schema as a form in one line; copied as it stands, it is no JSON."""
    if "$ref" in schema:
        return f"<id of {schema['$ref'].removeprefix(_SHARED)}>"
    if "anyOf" in schema:
        return " or ".join(form_of(one) for one in schema["anyOf"])
    if "enum" in schema:
        return f"<{' or '.join(map(str, schema['enum']))}>"
    if schema["type"] == "object":
        fields = (f'"{name}": {form_of(s)}' for name, s in schema["properties"].items())
        return f"{{{', '.join(fields)}}}"
    if schema["type"] == "array":
        return f"[{form_of(schema['items'])}, ...]"
    return _PLACEHOLDERS[schema["type"]]


def _strict(part: Mapping[str, Any], shared: Mapping[str, Any], known: Names) -> dict[str, Any]:
    if "$ref" in part:
        return _strict(shared[part["$ref"].removeprefix(_SHARED)], shared, known)
    if part.get("one_of") in known:
        return {"$ref": f"{_SHARED}{part['one_of']}"}
    if "anyOf" in part:
        return {"anyOf": [_strict(one, shared, known) for one in part["anyOf"]]}
    if part.get("type") == "object":
        fields = {name: _strict(field, shared, known) for name, field in part["properties"].items()}
        closed = {"required": list(fields), "additionalProperties": False}
        return {"type": "object", "properties": fields, **closed}
    if part.get("type") == "array":
        items, most = _strict(part["items"], shared, known), part.get("asked", part["maxItems"])
        return {
            "type": "array",
            "items": items,
            "minItems": part.get("minItems", 0),
            "maxItems": most,
        }
    return {key: part[key] for key in ("type", "enum") if key in part}
