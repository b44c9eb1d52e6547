"""Whether a GPU is kept busy: many looks at clips by all tools with a model, several at a time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from emer.evals.specialists.captioner_weights import write_captioner
from emer.evals.specialists.hearing import SHORT, openai_checkpoint
from emer.evals.speed.measure import Measure, NoGpu, at_least, busy, mean, seconds
from emer.evals.speed.models import Setup
from emer.tools.caption.captioner import Captioner
from emer.tools.caption.description import VisualPrompt
from emer.tools.runtime import device
from emer.tools.runtime.model_pool import SHELF
from emer.tools.speech.openai_whisper import Whisper
from emer.tools.speech.transcript import Window

CLIPS, AT_ONCE, FRAMES = 96, 16, 8
BUSY = 85.0


def measure_corpus(setup: Setup) -> list[Measure]:
    """Return the share of time that a GPU is at work while clips are heard and described."""
    if not setup.on_gpu:
        raise NoGpu(f"{setup.device} is no CUDA GPU")
    look = _look(setup)
    look(0)  # loads
    with busy(setup.device) as found, ThreadPoolExecutor(AT_ONCE) as pool:
        took = seconds(lambda: [*pool.map(look, range(CLIPS))])
    SHELF.unload()
    return [
        at_least(
            "GPU busy in a corpus run", mean(found), "%", BUSY,
            f"{CLIPS} clips of {SHORT:g} s, {AT_ONCE} at once, heard by whisper "
            f"{setup.whisper.name} and described in {FRAMES} frames by {setup.captioner.name}, "
            f"{took / CLIPS:.3g} s a clip; mean of {len(found)} looks of nvidia-smi; decoding "
            f"the files is not in it",
        )
    ]  # fmt: skip


def _look(setup: Setup) -> Callable[[int], None]:
    """Return what perceives a clip by its number."""
    dtype = device.precision(setup.device)
    name = f"random-{setup.captioner.name}-{dtype}"
    folder = setup.kept(name, lambda path: write_captioner(path, setup.captioner, dtype))
    hears = Whisper(str(openai_checkpoint(setup)), device=setup.device).shared()
    describes = Captioner(str(folder), device=setup.device)
    sounds = setup.sounds(SHORT, CLIPS)
    shown = [VisualPrompt((picture,)) for picture in setup.pictures(FRAMES, setup.captioner.pixels)]

    def look(number: int) -> None:
        hears([Window(sounds[number], str(number))])
        describes.write(shown)

    return look
