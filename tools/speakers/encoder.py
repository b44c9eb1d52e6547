"""Voice encoder: an embedding of a stretch of speech that tells speakers apart.

The network of Wan et al. 2018, "Generalized end-to-end loss for speaker verification": mel
energies in 40 bands through three LSTM layers and a linear one, normalised to length 1. The
numbers of its input (25 ms windows every 10 ms at 16 kHz, stretches of 1.6 s) are those of
Resemblyzer 0.1.4, whose weights it takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, partial
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emer.tools.errors import ToolMissing
from emer.tools.runtime.device import CPU, machine
from emer.tools.runtime.model_pool import Key, PooledModel
from emer.tools.runtime.native import importing
from emer.tools.weights.catalogue import of_tool
from emer.tools.weights.locate import AUTO, Need, find, fingerprint, loading

TOOL: Final = "speakers"
FILE: Final = "speakers/resemblyzer.pt"
"""Place of the weights under the weights folder where the catalogue does not name them."""
BATCH: Final = 32
RATE: Final = 16_000
WINDOW, HOP, BANDS = 400, 160, 40
LENGTH: Final = 160
"""Frames of a stretch that the network was trained on: 1.6 s."""
SIZE, LAYERS = 256, 3
USUAL_DB: Final = -30.0
"""Level in dB of full scale to which fainter speech is raised, as in training."""

Floats = NDArray[np.float32]


def find_weights() -> Need:
    """The encoder's weights; `ToolMissing` without them or without torch."""
    if find_spec("torch") is None:
        raise ToolMissing(TOOL, "torch", "pip install torch")
    if of_tool(TOOL):
        return find(TOOL, AUTO)
    path = machine().weights / FILE
    if not path.is_file():
        raise ToolMissing(TOOL, f"the weights of a voice encoder ({path})", "see docs/tools.md")
    size = path.stat().st_size / 1e9
    return Need(model="voice-encoder", path=path, fingerprint=fingerprint(path), gigabytes=size)


def encoder(need: Need) -> PooledModel[Floats, Floats]:
    """The pooled network: embeddings of windows of mel frames, each (LENGTH, 40)."""
    return PooledModel(
        Key(TOOL, str(need.path), CPU, (("is", need.fingerprint),)),
        partial(VoiceEncoder, need),
        lambda network, windows: [*network.embed(windows)],
        batch=BATCH,
        gigabytes=need.gigabytes,
    )


class VoiceEncoder:
    """The network with its weights; use it from one thread at a time."""

    def __init__(self, need: Need) -> None:
        """Load the weights, of which only tensors are read; `WeightsBroken` if damaged."""
        with importing():
            import torch
        with loading(TOOL, need):
            saved = torch.load(need.path, map_location="cpu", weights_only=True)
            weights: Mapping[str, Any] = saved["model_state"]
            self._lstm = torch.nn.LSTM(BANDS, SIZE, LAYERS, batch_first=True)
            self._linear = torch.nn.Linear(SIZE, SIZE)
            self._lstm.load_state_dict(_part(weights, "lstm."))
            self._linear.load_state_dict(_part(weights, "linear."))
        self._torch = torch

    def embed(self, stretches: Sequence[Floats]) -> Floats:
        """Embeddings, shape (n, 256), of stretches of mel frames, each (LENGTH, 40)."""
        torch = self._torch
        if not stretches:
            return np.zeros((0, SIZE), np.float32)
        with torch.inference_mode():
            _, (hidden, _) = self._lstm(torch.from_numpy(np.stack(stretches)))
            found = torch.relu(self._linear(hidden[-1]))
            return np.asarray(torch.nn.functional.normalize(found, dim=1).numpy())


def _part(weights: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}


def mel_frames(samples: Floats) -> Floats:
    """Mel energies every 10 ms of mono 16 kHz sound, shape (1 + n // 160, 40).

    Frame k is centred on sample 160 k. Fainter sound is raised to the usual level.
    """
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    if 0 < power < 10 ** (USUAL_DB / 10):
        samples = samples * np.float32(np.sqrt(10 ** (USUAL_DB / 10) / power))
    padded = np.pad(samples, WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    # The periodic window, as for spectra that overlap.
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    blocks = [
        np.abs(np.fft.rfft(frames[k : k + 6000] * window)) ** 2 @ _filters().T
        for k in range(0, len(frames), 6000)
    ]
    mel: Floats = np.concatenate(blocks).astype(np.float32)
    return mel


@cache
def _filters() -> NDArray[np.float64]:
    """Triangles of equal area between frequencies that are evenly spaced in mel.

    The scale of Slaney 1998, "Auditory Toolbox": 15 mel per kHz up to 1 kHz, then 27 per
    factor 6.4.
    """
    top = 15 + 27 * np.log(8000 / 1000) / np.log(6.4)
    mel = np.linspace(0, top, BANDS + 2)
    hertz = np.where(mel < 15, mel * 200 / 3, 1000 * 6.4 ** ((mel - 15) / 27))
    lines = np.fft.rfftfreq(WINDOW, 1 / RATE)
    low, middle, high = (hertz[k : k + BANDS, None] for k in range(3))
    rise, fall = (lines - low) / (middle - low), (high - lines) / (high - middle)
    return np.asarray(np.maximum(0, np.minimum(rise, fall)) * 2 / (high - low))
