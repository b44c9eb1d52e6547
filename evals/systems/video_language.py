"""A local Hugging Face video-language model as a baseline.

Small models seldom keep to JSON: a reply that does not fit is taken as the explanation, and
the labels are the emotion words in it.
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
    """An image-text-to-text checkpoint on some pictures and the subtitle.

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
        start = time.perf_counter()
        clip = Clip.open(sample.media)
        images = pictures(clip, self.frames)
        if not images:
            raise ClipError(f"{sample.clip} has no picture, and {self.card.name} hears nothing")
        with self._lock:
            prompt = question(len(images), False, sample.subtitle)
            reply, tokens = self._generate(images, prompt)
        labels, text = read_answer(reply)
        cost = Cost(seconds=time.perf_counter() - start, tokens=tokens)
        return Prediction(
            name=sample.name, labels=labels, text=text, duration=clip.duration, cost=cost
        )

    def _generate(self, images: list[Rgb], prompt: str) -> tuple[str, int]:
        processor, model = self._load()
        import torch
        from PIL import Image

        blocks = [{"type": "image", "image": Image.fromarray(image)} for image in images]
        content = [*blocks, {"type": "text", "text": prompt}]
        inputs = processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        ).to(model.device)
        with torch.inference_mode():
            output = model.generate(**inputs, max_new_tokens=self.new_tokens, do_sample=False)
        new = output[0, inputs["input_ids"].shape[1] :]
        return str(processor.decode(new, skip_special_tokens=True)), int(output.shape[1])

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
                cause = " ".join(str(error).split())
                raise ConfigError(
                    f"hf:{self.path} is no image-text-to-text checkpoint: {cause}"
                ) from error
            device = "cuda" if torch.cuda.is_available() else "cpu"
            self._loaded = processor, model.to(device).eval()
        return self._loaded


def read_answer(reply: str) -> tuple[tuple[str, ...], str]:
    """Labels and explanation of a reply, whether or not it is the requested JSON."""
    try:
        answer = read_record(reply, ClipAnswer)
    except Unusable:
        return labels_in(reply), reply.strip()
    return answer.labels, answer.explanation
