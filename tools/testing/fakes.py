"""Tools that observe what they are told to: for tests, demos and plugin authors.

FakeTool("smiles", "face", [("The person smiles.", 1.0, 2.0)])
FakeTool("breaks", "audio", fail=RuntimeError("no luck"))
FakeTool("hangs", "scene", gate=threading.Event())
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from emer.tools.media.clip import Clip
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span

SLACK = 0.05
"""Seconds a line may reach over the clip's end."""

Line = tuple[str, float, float]
"""A sentence and its span's start and end in seconds."""


class FakeTool:
    """A tool whose clues, failures and waiting are given at construction."""

    def __init__(
        self,
        name: str = "fake",
        modality: Modality = "face",
        lines: Sequence[Line] = (),
        *,
        closer: Sequence[Line] = (),
        fail: BaseException | None = None,
        gate: threading.Event | None = None,
        version: str = "1",
        params: Mapping[str, Param] | None = None,
    ) -> None:
        """Take what to observe.

        `lines` are observed in a full pass, `closer` in a pass over a span that holds
        them; `fail` is raised instead; `observe` waits until `gate` is set. What would lie
        behind the clip's end is not said.
        """
        self.modality = modality
        self.description = f"Says what it was told to say about the {modality}."
        self.calls: list[Span | None] = []
        self._name, self._version, self._params = name, version, dict(params or {})
        self._lines, self._closer, self._fail, self._gate = lines, closer, fail, gate

    @property
    def source(self) -> Source:
        """Name, version and parameters as given."""
        return Source(tool=self._name, version=self._version, params=self._params)

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        """Wait for the gate, raise what was asked for, or return the clues."""
        self.calls.append(span)
        if self._gate is not None:
            self._gate.wait()
        if self._fail is not None:
            raise self._fail
        lines = self._lines if span is None else [*self._lines, *self._closer]
        heard = [line for line in lines if line[2] <= clip.duration + SLACK]
        return [self._clue(*line) for line in heard if _inside(line, span)]

    def _clue(self, text: str, start: float, end: float) -> Clue:
        return Clue(
            modality=self.modality,
            span=Span(start=start, end=end),
            person=None,
            text=text,
            quality=Quality(score=1.0, factors={"told": 1.0}),
            source=self.source,
        )


def _inside(line: Line, span: Span | None) -> bool:
    return span is None or (line[1] >= span.start and line[2] <= span.end)
