"""Load transformers models from a local folder: complete, safe, cancellable.

Nothing is downloaded and no code of the folder is run. A weight that the folder lacks is an
error, since the library would initialise it at random, and the output would look like a result.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from emer.tools.errors import ToolMissing
from emer.tools.runtime.cancellation import raise_if_cancelled
from emer.tools.runtime.native import importing
from emer.tools.weights.locate import Need, loading

UNUSED = ("masked_spec_embed",)
"""Weights that only training needs; some folders leave them out."""


def require(tool: str) -> None:
    """Raise `ToolMissing` unless transformers and torch are installed."""
    if any(find_spec(name) is None for name in ("torch", "transformers")):
        raise ToolMissing(tool, "transformers and torch", "pip install 'emer[models]'")


def load_model(tool: str, need: Need, kind: str | type, device: str, dtype: str) -> Any:
    """Load a model for inference; `WeightsBroken` for damaged or missing weights.

    safetensors where there are any, else a .bin, of which only tensors are read. Each forward
    call checks whether the call of the tool was cancelled.

    Args:
        tool: Name of the tool, for errors.
        need: The weights.
        kind: A class, or the name of one of transformers.
        device: Torch device.
        dtype: Name of a torch dtype.
    """
    with importing():
        import torch
        import transformers
    made: Any = getattr(transformers, kind) if isinstance(kind, str) else kind
    with loading(tool, need), quiet():
        model, facts = made.from_pretrained(
            need.path,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=any(need.path.glob("*.safetensors")),
            dtype=getattr(torch, dtype),
            output_loading_info=True,
        )
        _require_whole(facts)
    model.to(device).eval()
    model.register_forward_pre_hook(lambda *_: raise_if_cancelled())  # once a token
    return model


def _require_whole(facts: Mapping[str, Any]) -> None:
    """Raise `ValueError` that names missing weights and those of another shape."""
    missing = sorted(n for n in facts["missing_keys"] if not n.endswith(UNUSED))
    wrong = sorted(str(key[0]) for key in facts.get("mismatched_keys") or ())
    for problem, names in (("it lacks", missing), ("another shape has", wrong)):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise ValueError(f"{problem} {', '.join(names[:3])}{more}")


def load_other(tool: str, need: Need, kind: str) -> Any:
    """Load a configuration, processor, tokenizer or feature extractor of a folder."""
    with importing():
        import transformers
    with loading(tool, need), quiet():
        return getattr(transformers, kind).from_pretrained(
            need.path, local_files_only=True, trust_remote_code=False
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress the library's progress bars, advice and warnings on the terminal."""
    from transformers.utils import logging as untyped

    logging: Any = untyped
    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
