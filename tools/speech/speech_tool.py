"""What the tools share that recognise speech with a model: arguments, source, loading, looking."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from emer.tools import devices
from emer.tools.clip import Clip
from emer.tools.errors import ConfigError
from emer.tools.shared import Shared
from emer.tools.speech import silero
from emer.tools.speech.heard import Heard, Run, Window
from emer.tools.speech.languages import code_of
from emer.tools.speech.listening import Listener
from emer.tools.types import Clue, Modality, Param, Source, Span
from emer.tools.weights.locate import Need, find

BATCH = {"cpu": 4, "mps": 8, "cuda": 16}
"""Windows decoded at once, unless told (chosen by us)."""

WHOLE = "whole"
WINDOWS = (WHOLE, "fit")
"""How much a Whisper hears at once: the 30 s it was trained on, or what `fitting` leaves of it."""


class SpeechTool(ABC):
    """A tool of one library; its kinds say which, and how it is run."""

    modality: Modality = "text"
    name: ClassVar[str]
    """Of the tool, and of its weights in the catalogue."""
    batches: ClassVar[Mapping[str, int]] = BATCH
    """Windows decoded at once by kind of device, unless told."""

    def __init__(
        self,
        model: str,
        language: str,
        beam: int,
        translate: bool,
        device: str,
        batch: int,
        window: str = WHOLE,
    ) -> None:
        """Keep the settings; nothing is loaded. `ConfigError` for what cannot be."""
        if window not in WINDOWS:
            raise ConfigError(f"{self.name}.window: {window!r}; write {' or '.join(WINDOWS)}")
        if beam < 1 or batch < 0:
            raise ConfigError(f"{self.name}: beam must be at least 1, batch at least 0")
        self._language = code_of(language, f"{self.name}.language")
        self._model, self._beam, self._translate = model, beam, translate
        self._device, self._batch, self._window = device, batch, window
        self._vad = silero.NAME if silero.is_here() else silero.PLAIN
        self._made: tuple[Need, Run, Shared[Window, Heard], Listener] | None = None

    @abstractmethod
    def version(self) -> str:
        """Return the library's version; `ToolMissing` where it is not installed."""

    @abstractmethod
    def precision(self, device: str) -> tuple[str, Param]:
        """Return the precision on a device, and what of it the source says."""

    @abstractmethod
    def recogniser(self, need: Need, run: Run) -> Shared[Window, Heard]:
        """Return what hears windows with these weights; nothing is loaded."""

    def times_words(self, need: Need) -> bool:
        """Tell whether the model says when each word is heard."""
        return True

    @property
    def source(self) -> Source:
        """Name, version, weights and what changes the result."""
        version = self.version()  # a package that is missing is said first
        need = find(self.name, self._model)
        params: dict[str, Param] = {
            "language": self._language,
            "beam": self._beam,
            "translate": self._translate,
            "precision": self.precision(devices.CPU)[1],
            "vad": self._vad,
            "weights": need.fingerprint,
            **({} if self._window == WHOLE else {"window": self._window}),
        }
        return Source(tool=self.name, version=version, model=need.model, params=params)

    @property
    def hardware(self) -> Mapping[str, Param]:
        """Device, precision, batch and, on a CPU, threads."""
        run = self.run()
        threads = {"threads": run.threads} if run.device == devices.CPU else {}
        return {"device": run.device, "dtype": run.precision, "batch": run.batch, **threads}

    def shared(self) -> Shared[Window, Heard]:
        """Return what hears windows for this tool and all like it."""
        return self._parts()[0]

    def load(self) -> None:
        """Load the model now."""
        self.shared().load()

    def unload(self) -> None:
        """Let go of the model."""
        self.shared().unload()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Return a clue per utterance; `Unobservable` where no words can be relied on."""
        return self._parts()[1].clues(clip, span, self.source)

    def place(self) -> str:
        """Return the device to run on."""
        return devices.pick(self._device)

    def run(self) -> Run:
        """Return how it is run."""
        device = self.place()
        return Run(
            device=device,
            precision=self.precision(device)[0],
            batch=self._batch or self.batches[device.partition(":")[0]],
            beam=self._beam,
            translate=self._translate,
            threads=devices.threads(),
            fit=self._window != WHOLE,
            language=self._language,
        )

    def _parts(self) -> tuple[Shared[Window, Heard], Listener]:
        """Return recogniser and listener, made anew when weights or device are others."""
        self.version()
        need, run = find(self.name, self._model), self.run()
        made = self._made
        if made is None or made[:2] != (need, run):
            recogniser = self.recogniser(need, run)
            packs = self.times_words(need)
            listener = Listener(recogniser, self._vad, self._language, packs)
            made = self._made = (need, run, recogniser, listener)
        return made[2:]
