"""Records of a clip: the sample for a system, the gold for the scorer.

They are different records, so that a human label cannot reach a system or a prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from emer.evals.metrics.emotion_words import Language
from emer.tools.errors import ClipError
from emer.tools.types import Record

Part = Literal["visual", "acoustic", "subtitle"]
PARTS: tuple[Part, ...] = ("visual", "acoustic", "subtitle")


class Described(Record):
    """Human description of a clip, per modality, without the emotion inferred from it."""

    language: Language
    masked: bool
    """Whether the emotion words were taken out (the subtitle stays as it is)."""
    visual: str = ""
    acoustic: str = ""
    subtitle: str = ""


class Sample(Record):
    """A clip as a system sees it."""

    name: str
    clip: Path | None = None
    """The video or sound file, None where there is only text."""
    subtitle: str = ""
    described: tuple[Described, ...] = ()

    @property
    def media(self) -> Path:
        """Its video or sound file; `ClipError` where there is only text."""
        if self.clip is None:
            raise ClipError(f"{self.name}: no media file; name their folder with --clips")
        return self.clip

    def description(self, language: Language, masked: bool) -> Described | None:
        fitting = (d for d in self.described if (d.language, d.masked) == (language, masked))
        return next(fitting, None)


class Gold(Record):
    """Human labels and explanations of a clip."""

    labels: tuple[str, ...] = ()
    """Open-vocabulary emotion labels."""
    basic: str | None = None
    """One label of a closed set ("neutral", "angry", ...)."""
    valence: float | None = None
    """Sentiment; below zero is negative."""
    explanations: Mapping[Language, str] = Field(default_factory=dict)


class Dataset(Record):
    """Clips with their gold, the files they come from, and notes on those."""

    name: str
    samples: tuple[Sample, ...]
    golds: Mapping[str, Gold]
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    def gold(self, sample: Sample) -> Gold:
        return self.golds[sample.name]

    @property
    def labelled(self) -> tuple[Sample, ...]:
        """The clips that have open-vocabulary labels."""
        return tuple(sample for sample in self.samples if self.golds[sample.name].labels)
