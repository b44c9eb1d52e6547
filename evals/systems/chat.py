"""A multimodal chat model end to end: pictures, sound and words in, an explanation out."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emer.evals.chat.model import load_chat_model
from emer.evals.chat.reply import ask
from emer.evals.chat.told import PROMPT, Told, question
from emer.evals.data.records import Sample
from emer.evals.systems.footage import PICTURES, SIDE, jpeg, pictures, wav
from emer.evals.systems.system import Card, Cost, Prediction
from emer.prompts.prompt import digest
from emer.tools.clip import Clip
from emer.tools.errors import ClipError

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True)
class ChatSystem:
    """Any LangChain chat model that takes images, and audio where `hears`."""

    model: BaseChatModel
    spec: str
    frames: int = PICTURES
    hears: bool = True

    @property
    def card(self) -> Card:
        """Name, input, and what its answers depend on."""
        return Card(
            name=self.spec,
            input="clip",
            what=f"{self.frames} pictures{', sound' * self.hears} and the subtitle, one question",
            provenance={"model": self.spec, "frames": self.frames, "side": SIDE,
                        "hears": self.hears, "prompt": digest(PROMPT)[:16]},
        )  # fmt: skip

    def answer(self, sample: Sample) -> Prediction:
        """Ask once; `ReplyInvalid` if the reply does not fit even when told why."""
        from langchain_core.messages import HumanMessage

        if sample.clip is None:
            raise ClipError(f"{sample.name}: no media file; name their folder with --clips")
        begun = time.perf_counter()
        clip = Clip.open(sample.clip)
        seen = [jpeg(picture) for picture in pictures(clip, self.frames)]
        heard = wav(clip) if self.hears else None
        content: list[str | dict[Any, Any]] = [
            {"type": "text", "text": question(len(seen), heard is not None, sample.subtitle)},
            *(_block("image", "image/jpeg", data) for data in seen),
            *([_block("audio", "audio/wav", heard)] if heard is not None else []),
        ]
        reply = ask(self.model, [HumanMessage(content=content)], Told)
        return Prediction(
            name=sample.name,
            labels=reply.record.labels,
            text=reply.record.explanation,
            duration=clip.duration,
            cost=Cost(seconds=time.perf_counter() - begun, tokens=reply.tokens),
        )


def chat_system(spec: str) -> ChatSystem:
    """Return the chat model of a name; a trailing "?mute" gives it no sound."""
    plain, mute, _ = spec.partition("?mute")
    return ChatSystem(load_chat_model(plain), spec, hears=not mute)


def _block(kind: str, mime: str, data: bytes) -> dict[Any, Any]:
    """Return a content block in LangChain's standard form."""
    return {"type": kind, "base64": base64.b64encode(data).decode(), "mime_type": mime}
