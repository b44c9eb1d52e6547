"""Fake tool with given clues, failures and delays, for tests.

FakeTool("smiles", "face", [("The person smiles.", 1.0, 2.0)])
FakeTool("breaks", "audio", fail=RuntimeError("no luck"))
FakeTool("hangs", "scene", gate=threading.Event())
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from math import inf

from emer.tools.media.clip import Clip
from emer.tools.types import Clue, Modality, Param, Quality, Source, Span

SLACK = 0.05
"""Seconds by which a line may exceed the end of the clip."""

Line = tuple[str, float, float]
"""A sentence and its span's start and end in seconds."""


class FakeTool:
    """Tool whose clues, failures and delays are given at construction."""

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
        """Set what the tool observes.

        Args:
            name: Name in the source.
            modality: Modality of all clues.
            lines: Clues; those after the end of the clip are left out.
            closer: Further clues of a call with a span that holds them.
            fail: Raised by `observe` instead.
            gate: `observe` waits until it is set.
            version: Version in the source.
            params: Parameters in the source.
        """
        self.modality = modality
        self.description = f"Says what it was told to say about the {modality}."
        self.calls: list[Span | None] = []
        self.lines = lines
        self.params = dict(params or {})
        self._name, self._version = name, version
        self._closer, self._fail, self._gate = closer, fail, gate

    @property
    def source(self) -> Source:
        """Name, version and parameters as given."""
        return Source(tool=self._name, version=self._version, params=self.params)

    def observe(self, clip: Clip, span: Span | None = None) -> list[Clue]:
        """Wait for the gate, then raise the given failure or return the clues."""
        self.calls.append(span)
        if self._gate is not None:
            self._gate.wait()
        if self._fail is not None:
            raise self._fail
        lines, start, end = [*self.lines], -inf, clip.duration + SLACK
        if span is not None:
            lines += self._closer
            start, end = span.start, min(end, span.end)
        return [self.clue(*line) for line in lines if start <= line[1] and line[2] <= end]

    def clue(self, text: str, start: float, end: float) -> Clue:
        """Clue with this sentence and span, of full quality."""
        return Clue(
            modality=self.modality,
            span=Span(start=start, end=end),
            person=None,
            text=text,
            quality=Quality(score=1.0, factors={"told": 1.0}),
            source=self.source,
        )
