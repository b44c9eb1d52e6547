"""Frame description: the captioner's prompt, and the JSON reply to it.

Models without a chat template take no instruction and write a plain caption. One that chats is
asked for `FrameDescription`; a reply that is none is read as a plain caption.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, Field, ValidationError
from pydantic_core import from_json

from emer.prompts.prompt import load
from emer.tools.media.decoder import Rgb

PLAIN_TOKENS, JSON_TOKENS = 40, 128
"""Most new tokens of a caption or answer, and of a JSON description (7 phrases)."""


@dataclass(frozen=True, slots=True)
class VisualPrompt:
    """Pictures to be described, or asked about."""

    pictures: tuple[Rgb, ...]
    question: str = ""
    """Empty: describe."""

    @property
    def text(self) -> str:
        """The instruction for a model that chats."""
        if self.question:
            return load("caption/answer").substitute(question=self.question)
        return load("caption/describe").substitute(fields=json.dumps(PHRASES))

    def most_tokens(self, chats: bool) -> int:
        """How many new tokens a model may write about it."""
        return JSON_TOKENS if chats and not self.question else PLAIN_TOKENS


@dataclass(frozen=True, slots=True)
class Caption:
    """What a model wrote."""

    text: str
    logprob: float | None
    """Mean log-probability of its tokens; None where the model gives none."""
    truncated: bool = False
    """Whether it was cut off at the most tokens."""


def _phrase(value: object) -> object:
    """A list as one phrase, null as none, a number as text; pydantic checks the rest."""
    if isinstance(value, list):
        return ", ".join(part for part in value if isinstance(part, str))
    return "" if value is None else str(value) if isinstance(value, int | float) else value


Phrase = Annotated[str, BeforeValidator(_phrase)]


class FrameDescription(BaseModel):
    """What can be seen in one frame, a short phrase a field; other keys are ignored.

    There is no field for names, causes or feelings.
    """

    people: Phrase = Field("", description="who is in it: how many, and their clothes")
    posture: Phrase = Field("", description="how they sit, stand, lean or move")
    gaze: Phrase = Field("", description="where they look")
    face: Phrase = Field("", description="what brows, eyes and mouth do")
    hands: Phrase = Field("", description="what the hands do")
    objects: Phrase = Field("", description="things that they hold or use")
    setting: Phrase = Field("", description="the place and the light")


PHRASES: Final = {name: f.description or "" for name, f in FrameDescription.model_fields.items()}
"""What each field is for, as the prompt says it."""
LABELS: Final = {
    "gaze": "gaze ", "face": "face: ", "hands": "hands ", "objects": "objects: ",
    "setting": "setting: ",
}  # fmt: skip
"""Written before a field's phrase; the parser reads "gaze down", "hands clasped"."""
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {name: {"type": "string", "description": what} for name, what in PHRASES.items()},
    "required": list(PHRASES),
    "additionalProperties": False,
}
"""JSON schema for a server that can hold its model to one."""


def parse_description(text: str) -> dict[str, str] | None:
    """The filled fields of a reply's JSON object; None where it holds no description.

    An object that was cut off is read up to its last whole value, and one that repeats the
    prompt's own words has not described anything.
    """
    start, end = text.find("{"), text.rfind("}") + 1
    if start < 0:
        return None
    try:
        values = from_json(text[start : end if end > start else None], allow_partial=True)
        if not isinstance(values, dict) or not PHRASES.keys() & values.keys():
            return None
        phrases = FrameDescription.model_validate(values).model_dump()
    except (ValidationError, ValueError):
        return None
    return {n: part for n, part in phrases.items() if part.strip() and part != PHRASES[n]}
