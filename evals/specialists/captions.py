"""A captioner on frames: our batches against `generate` frame by frame, and against the floor.

The floor of writing is reading: each step takes every weight of the writing part from memory, so
that no step can be shorter than that takes. It is measured in the same run, by multiplying a large
matrix with a vector on the same device at the same precision.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from statistics import median
from typing import Any

from emer.evals.specialists.captioner_weights import write_captioner
from emer.evals.speed.measure import Measure, at_least, at_most, compare, seconds
from emer.evals.speed.models import Setup, Unequal
from emer.tools.caption.caption_filter import MOST_TOKENS, Shown, Written
from emer.tools.caption.captioner import Captioner
from emer.tools.caption.vlm import Loaded
from emer.tools.runtime import device as devices
from emer.tools.runtime.model_pool import SHELF
from emer.tools.weights.pretrained import quiet, require

FRAMES = 8
READ = 0.5
"""Gigabytes of the matrix that is multiplied: many times what a processor keeps at hand."""


def measure_captioner(setup: Setup) -> list[Measure]:
    """Return how much faster eight frames are than one by one, and a step over its floor.

    On a GPU also with compiled steps, which the goal there is for; a CPU gains nothing by them.
    """
    compiled = (False, True) if setup.on_gpu else (False,)
    return [measure for how in compiled for measure in measure_steps(setup, compiled=how)]


def measure_steps(setup: Setup, *, compiled: bool) -> list[Measure]:
    """Return the two measures with steps as they are, or compiled."""
    require("captioner")
    dtype = devices.precision(setup.device)
    name = f"random-{setup.captioner.name}-{dtype}"
    folder = setup.kept(name, lambda path: write_captioner(path, setup.captioner, dtype))
    tool = Captioner(str(folder), device=setup.device, compiled=compiled)
    shown = [Shown((picture,)) for picture in setup.pictures(FRAMES, setup.captioner.pixels)]
    tool.load()
    processor = tool.writer().preparer.processor
    with _model(tool) as loaded, _steps(loaded.model) as steps:
        for _ in range(1 + compiled):  # what is compiled is recorded at its second call
            ours = tool.write(shown)
        _require_length(ours, _loop(setup, loaded, processor, shown))
        found = compare(
            lambda: steps.mark(lambda: tool.write(shown)),
            lambda: _loop(setup, loaded, processor, shown),
            setup.rounds,
        )
        if loaded.compiler is not None and loaded.compiler.failed:
            raise Unequal(f"the steps could not be compiled: {loaded.compiler.failed}")
        bytes_read = _read_each_step(loaded.model)
        floor = bytes_read / bandwidth(setup.device, dtype)
    SHELF.unload()
    batch, run = int(str(tool.hardware["batch"])), tool.hardware
    name = setup.captioner.name + ", compiled" * compiled
    step = median(steps.own)
    return [
        at_least(
            f"captioner {name}, on {FRAMES} frames : generate frame by frame",
            found.ratio, "x", None,
            f"{found.told(FRAMES, 'frame')}; batches of {batch}, {run['dtype']} both; both wrote "
            f"{MOST_TOKENS} tokens of each frame",
        ),
        at_most(
            f"captioner {name}, a step of writing : reading its weights once",
            step / floor, "x", setup.goal(gpu=1.5, cpu=None) if compiled else None,
            f"{1000 * step:.3g} : {1000 * floor:.3g} ms for a token of each of {batch} frames, "
            f"median of {len(steps.own)} steps; {bytes_read / 1e9:.3g} GB at "
            f"{bytes_read / floor / 1e9:.3g} GB/s, as a matrix times a vector reads here",
        ),
    ]  # fmt: skip


class _Steps:
    """When a token was chosen while our side was at work."""

    def __init__(self) -> None:
        self.own: list[float] = []
        """Seconds from one token of a batch to the next."""
        self._times: list[float] | None = None

    def chosen(self, tokens: Any, scores: Any, **_: Any) -> Any:
        """Note a token of each frame; for `generate`, as what never stops it."""
        import torch

        if self._times is not None:
            self._times.append(time.perf_counter())
        return torch.zeros(tokens.shape[0], dtype=torch.bool, device=tokens.device)

    def mark(self, work: Callable[[], object]) -> None:
        """Do the work of one batch, noting its steps."""
        self._times = []
        work()
        self.own += [after - before for before, after in pairwise(self._times)]
        self._times = None

    def clear(self) -> None:
        """Forget what was noted."""
        self.own.clear()


@contextmanager
def _steps(model: Any) -> Iterator[_Steps]:
    """Yield what notes each token that the model chooses.

    `generate` asks after each token, on the CPU, whether all have ended, so that the time from one
    to the next is what a GPU took as well.
    """
    steps, generate = _Steps(), model.generate

    def noting(*given: Any, stopping_criteria: Sequence[Any] = (), **named: Any) -> Any:
        return generate(*given, stopping_criteria=[*stopping_criteria, steps.chosen], **named)

    model.generate = noting
    try:
        yield steps
    finally:
        del model.generate


@contextmanager
def _model(tool: Captioner) -> Iterator[Loaded]:
    """Yield the model that the tool has loaded; the device is not held."""
    key = tool.writer().key

    def gone() -> Loaded:
        raise Unequal("the captioner left memory while it was measured")

    with SHELF.borrow(key, gone) as loaded:
        found = loaded
    yield found


def _loop(setup: Setup, loaded: Loaded, processor: Any, shown: Sequence[Shown]) -> list[int]:
    """Write about frame after frame as the models' own pages do; return the tokens of each."""
    import torch

    counts = []
    for each in shown:
        content = [{"type": "image"}, {"type": "text", "text": each.words}]
        turns = [{"role": "user", "content": content}]
        text = processor.apply_chat_template(turns, add_generation_prompt=True)
        inputs = processor(text=[text], images=[[each.pictures[0]]], return_tensors="pt")
        inputs = inputs.to(setup.device, dtype=loaded.model.dtype)
        with torch.no_grad(), quiet():
            out = loaded.model.generate(**inputs, max_new_tokens=MOST_TOKENS, do_sample=False)
        new = out[:, inputs["input_ids"].shape[1] :]
        processor.batch_decode(new, skip_special_tokens=True)
        counts.append(int(new.shape[1]))
    return counts


def _require_length(ours: Sequence[Written], theirs: Sequence[int]) -> None:
    """Raise `Unequal` unless both sides wrote all they may of each frame."""
    if not all(each.unfinished for each in ours) or set(theirs) != {MOST_TOKENS}:
        raise Unequal(f"not every caption has {MOST_TOKENS} tokens on both sides")


def _read_each_step(model: Any) -> int:
    """Return the bytes of the weights that write: all but those that see or are looked up."""
    seeing = ("vision", "visual", "connector")
    looked_up = model.get_input_embeddings().weight
    tied = model.get_output_embeddings().weight is looked_up
    return sum(
        weight.numel() * weight.element_size()
        for name, weight in model.named_parameters()
        if not any(word in name for word in seeing) and (tied or weight is not looked_up)
    )


def bandwidth(device: str, dtype: str) -> float:
    """Return the bytes per second at which a large matrix times a vector is read."""
    import torch

    kind = getattr(torch, dtype)
    width = 8192
    height = int(READ * 1e9 / (width * kind.itemsize))
    matrix = torch.rand(height, width, device=device).to(kind)
    vector = torch.rand(width, device=device).to(kind)

    def once() -> None:
        torch.mv(matrix, vector)
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)

    once()
    size = int(matrix.numel() * matrix.element_size())
    return size / min(seconds(once) for _ in range(9))
