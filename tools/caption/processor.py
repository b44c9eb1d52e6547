"""What prepares pictures and words for a model of a folder, without torchvision.

Processors of transformers that also take videos want torchvision for them (and SmolVLM's a package
that spells numbers). Pictures alone need neither, and prepared with PIL they are the same on every
machine.
"""

from __future__ import annotations

from typing import Any

from emer.tools.imports import importing
from emer.tools.weights.locate import Need, loading
from emer.tools.weights.pretrained import quiet

ALIKE = {"smolvlm": "idefics3"}
"""Kinds whose pictures and words are prepared as another's."""
VIDEO = "video_processor"


def load_processor(tool: str, need: Need, model_type: str, words: int) -> Any:
    """Return the processor of a folder for this type of model, which knows so many tokens.

    `WeightsBroken` if there is none, or its tokenizer is not the model's.
    """
    with importing():
        import transformers
        from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES
    with loading(tool, need), quiet():
        name = PROCESSOR_MAPPING_NAMES.get(ALIKE.get(model_type, model_type))
        if name is None:
            raise ValueError(f"{model_type} has no processor of pictures and words")
        made = without_video(getattr(transformers, name)).from_pretrained(
            need.path, local_files_only=True, trust_remote_code=False, backend="pil"
        )
        _require_words(made.tokenizer, words)
    made.tokenizer.padding_side = "left"
    if getattr(made.image_processor, "do_image_splitting", False):
        made.image_processor.do_image_splitting = False  # one view of a frame, not up to 17 parts
    return made


def _require_words(tokenizer: Any, words: int) -> None:
    """Raise `ValueError` for a tokenizer that the library made up because its files are missing."""
    if len(tokenizer) < words / 2:
        raise ValueError(f"its tokenizer knows {len(tokenizer)} tokens, the model {words}")


def without_video(kind: Any) -> Any:
    """Return the processor class without its part for videos."""
    if VIDEO not in kind.get_attributes():
        return kind

    class Still(kind):  # type: ignore[misc]
        @classmethod
        def get_attributes(cls) -> list[str]:
            return [part for part in kind.get_attributes() if part != VIDEO]

    return Still
