"""A Hugging Face video-language model as a baseline: a local checkpoint, nothing downloaded.

Small models seldom keep to JSON: where the reply does not fit, it is kept as the
explanation, and the labels are the emotion words in it.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emer.agents.llm.schemas import Unusable, read_record
from emer.evals.data.types import Sample
from emer.evals.metrics.emotion_words import labels_in
from emer.evals.systems.chat_model import (
    PICTURES,
    PROMPT,
    SIDE,
    ClipAnswer,
    Rgb,
    pictures,
    question,
)
from emer.evals.systems.system import Card, Cost, Prediction
from emer.prompts.prompt import digest
from emer.tools.errors import ClipError, ConfigError, ToolMissing
from emer.tools.media.clip import Clip

NEW_TOKENS = 512
INSTALL = "pip install 'emer[models]'"


@dataclass
class VideoLanguage:
    """An image-text-to-text checkpoint of transformers, shown some pictures and the subtitle.

    Weights load at the first answer, from a folder in safetensors form; decoding is greedy.
    """

    path: str
    frames: int = PICTURES
    new_tokens: int = NEW_TOKENS
    _loaded: tuple[Any, Any] | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def card(self) -> Card:
        return Card(
            name=f"hf: {Path(self.path).name}",
            input="clip",
            what=f"{self.frames} pictures and the subtitle, one question",
            provenance={"checkpoint": self.path, "frames": self.frames, "side": SIDE,
                        "new_tokens": self.new_tokens, "prompt": digest(PROMPT)[:16]},
        )  # fmt: skip

    def answer(self, sample: Sample) -> Prediction:
        if sample.clip is None:
            raise ClipError(f"{sample.name}: no media file; name their folder with --clips")
        begun = time.perf_counter()
        clip = Clip.open(sample.clip)
        seen = pictures(clip, self.frames)
        if not seen:
            raise ClipError(f"{sample.clip} has no picture, and {self.card.name} hears nothing")
        with self._lock:
            said, tokens = self._generate(seen, question(len(seen), False, sample.subtitle))
        labels, text = read_answer(said)
        cost = Cost(seconds=time.perf_counter() - begun, tokens=tokens)
        return Prediction(
            name=sample.name, labels=labels, text=text, duration=clip.duration, cost=cost
        )

    def _generate(self, seen: list[Rgb], asked: str) -> tuple[str, int]:
        processor, model = self._load()
        import torch
        from PIL import Image

        images = [{"type": "image", "image": Image.fromarray(picture)} for picture in seen]
        content = [*images, {"type": "text", "text": asked}]
        inputs = processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        ).to(model.device)
        with torch.inference_mode():
            made = model.generate(**inputs, max_new_tokens=self.new_tokens, do_sample=False)
        new = made[0, inputs["input_ids"].shape[1] :]
        return str(processor.decode(new, skip_special_tokens=True)), int(made.shape[1])

    def _load(self) -> tuple[Any, Any]:
        """Processor and model, read from disk once."""
        if self._loaded is None:
            if not Path(self.path).is_dir():
                raise ConfigError(f"hf:{self.path} is no folder with a checkpoint")
            try:
                import torch
                from transformers import AutoModelForImageTextToText, AutoProcessor
            except ModuleNotFoundError as error:
                raise ToolMissing(
                    f"hf:{self.path}", f"the package {error.name}", INSTALL
                ) from error
            try:
                processor = AutoProcessor.from_pretrained(self.path, local_files_only=True)
                model = AutoModelForImageTextToText.from_pretrained(
                    self.path, local_files_only=True, use_safetensors=True, dtype="auto"
                )
            except (OSError, ValueError, KeyError) as error:
                said = " ".join(str(error).split())
                raise ConfigError(
                    f"hf:{self.path} is no image-text-to-text checkpoint: {said}"
                ) from error
            device = "cuda" if torch.cuda.is_available() else "cpu"
            self._loaded = processor, model.to(device).eval()
        return self._loaded


def read_answer(said: str) -> tuple[tuple[str, ...], str]:
    """Labels and the explanation of a reply, whether or not it is the JSON asked for."""
    try:
        answer = read_record(said, ClipAnswer)
    except Unusable:
        return labels_in(said), said.strip()
    return answer.labels, answer.explanation
