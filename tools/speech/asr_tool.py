"""Base of the ASR tools: settings, weights, the shared model.

Speech is located first, so that silence, music and noise are not decoded at all; its stretches
are packed into windows; what the model doubts is reported as doubtful, or not at all
(`transcriber`).
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ClassVar, NamedTuple

from emer.tools.errors import ConfigError, ToolMissing
from emer.tools.media.clip import Clip
from emer.tools.runtime.device import CPU, RunOptions, choose_device, choose_precision, cpu_threads
from emer.tools.runtime.memo import Memo
from emer.tools.runtime.model_pool import Key, PooledModel
from emer.tools.speech.languages import AUTO, code_of, converts, require_language
from emer.tools.speech.transcriber import BLOCK, Transcriber
from emer.tools.speech.transcript import AsrOptions, Transcript, Window
from emer.tools.speech.vad import best_detector
from emer.tools.types import Clue, Modality, Param, Source, Span
from emer.tools.weights.locate import Need, find

BATCH = {"cpu": 4, "mps": 8, "cuda": 16}
"""Windows decoded at once by kind of device (chosen by us)."""
WHOLE, FIT = "whole", "fit"
"""Windows of 30 s, as in training, or of the sound and a little silence."""


class Backend(NamedTuple):
    """What a tool needs of its library."""

    load: Callable[[Need, AsrOptions], Any]
    transcribe: Callable[[AsrOptions, Any, Sequence[Window]], list[Transcript]]
    languages: Callable[[Any], Collection[str] | None]
    """Codes of the languages that a model knows; None where it does not say."""
    one_by_one: Callable[[Any], bool] = lambda _: False
    """Whether a model takes no two windows at once."""
    memory: Mapping[str, float] = {}
    """Memory by precision as a share of the files' size; 1 where it is not given."""


def library_version(tool: str, package: str) -> str:
    """Version of a tool's library; `ToolMissing` where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError as error:
        raise ToolMissing(tool, "its package", f"pip install {package}") from error


@dataclass(eq=False)
class AsrTool(ABC):
    """A speech recogniser with a model; a subclass wraps one library.

    The fields are the arguments in `emer.toml`; a subclass lets `batch`, `dtype` and `window` be
    given where its library has a choice. Nothing is loaded before the first `observe`.
    `ConfigError` for an argument that is not possible.

    Args:
        model: A name of the catalogue, a path, or "auto" for the best model that is installed.
        language: A code or name of a language, or "auto" to detect it.
        beam: Width of the beam search; 1 is greedy.
        translate: Add an English translation where the language is another and the model can.
        device: cpu, cuda, cuda:N, mps or "auto".
        batch: Windows decoded at once; 0 for the default of the device.
        dtype: Precision: float32, float16, bfloat16 or "auto".
        window: "whole" or "fit".
    """

    model: str = AUTO
    language: str = AUTO
    beam: int = 1
    translate: bool = True
    device: str = AUTO
    batch: int = field(default=0, init=False)
    dtype: str = field(default=AUTO, init=False)
    window: str = field(default=WHOLE, init=False)
    modality: Modality = field(default="text", init=False)
    name: ClassVar[str]
    """Of the tool, and of its weights in the catalogue."""
    package: ClassVar[str]
    """Distribution of the library."""
    backend: ClassVar[Backend]

    def __post_init__(self) -> None:
        if self.beam < 1 or self.batch < 0:
            raise ConfigError(f"{self.name}: beam must be at least 1, batch at least 0")
        self._code = code_of(self.language, f"{self.name}.language")
        self.precision(CPU)  # an unknown precision is reported at once
        self._vad = best_detector()
        self._transcribers: Memo[Transcriber] = Memo(1)

    def version(self) -> str:
        """Version of the library; `ToolMissing` where it is not installed."""
        return library_version(self.name, self.package)

    def precision(self, device: str) -> str:
        """The precision on a device, by `dtype` and the process's choice."""
        return choose_precision(device, self.dtype)

    def place(self) -> str:
        """The device to run on."""
        return choose_device(self.device)

    def times_words(self, need: Need) -> bool:
        """Whether the model gives the time of each word."""
        return True

    @property
    def fits(self) -> bool:
        """Whether windows fit the sound; a wider search writes a sentence twice in them."""
        return self.window == FIT and self.beam == 1

    @property
    def source(self) -> Source:
        """Name, version, weights and what changes the result."""
        library = self.version()  # a package that is missing is reported before weights
        need = find(self.name, self.model)
        params: dict[str, Param] = {
            "language": self._code,
            "beam": self.beam,
            "translate": self.translate,
            "precision": self.dtype,
            "vad": self._vad,
            "weights": need.fingerprint,
            **({"window": FIT} if self.fits else {}),
            **({"script": "simplified"} if converts() else {}),
        }
        return Source(tool=self.name, version=library, model=need.model, params=params)

    @property
    def hardware(self) -> Mapping[str, Param]:
        options = self.options()
        return RunOptions(options.device, options.precision, options.batch).hardware

    def load(self) -> None:
        self.recogniser(*self._current()).load()

    def unload(self) -> None:
        self.recogniser(*self._current()).unload()

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """A clue per utterance; `Unobservable` where no words can be relied on."""
        need, options = self._current()

        def make() -> Transcriber:
            decode, packs = self.recogniser(need, options), self.times_words(need)
            block = max(BLOCK, options.batch)
            return Transcriber(decode, self._vad, self._code, packs, block)

        # Made anew when weights or device have changed.
        return self._transcribers.get((need, options), make).clues(clip, span, self.source)

    def options(self) -> AsrOptions:
        """How the model is run on the device."""
        device = self.place()
        return AsrOptions(
            device=device,
            precision=self.precision(device),
            batch=self.batch or BATCH[device.partition(":")[0]],
            beam=self.beam,
            translate=self.translate,
            threads=cpu_threads(),
            fit=self.fits,
            language=self._code,
        )

    def recogniser(self, need: Need, options: AsrOptions) -> PooledModel[Window, Transcript]:
        """The shared model that decodes windows with these weights; nothing is loaded."""
        backend, name = self.backend, self.name
        key: dict[str, Param] = {
            "precision": options.precision,
            "threads": options.threads,
            "is": need.fingerprint,
        }
        return PooledModel(
            Key(name, str(need.path), options.device, tuple(key.items())),
            partial(backend.load, need, options),
            partial(backend.transcribe, options),
            batch=options.batch,
            gigabytes=need.gigabytes * backend.memory.get(options.precision, 1.0),
            differs=options.differs,
            check=lambda model: require_language(
                name, need.model, options.language, backend.languages(model)
            ),
            one_by_one=backend.one_by_one,
        )

    def _current(self) -> tuple[Need, AsrOptions]:
        self.version()
        return find(self.name, self.model), self.options()
