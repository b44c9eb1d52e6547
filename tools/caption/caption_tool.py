"""Base of the captioners: keyframes, subtitle mask, model, filter, clues."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import ClassVar

from pydantic import JsonValue

from emer.prompts.prompt import digest
from emer.tools.caption.caption_filter import (
    FilteredCaption,
    Rejection,
    filter_caption,
    is_not_seen,
    plain,
)
from emer.tools.caption.description import Caption, VisualPrompt
from emer.tools.caption.keyframes import Keyframe, candidates_of, choose
from emer.tools.caption.subtitle_mask import Band, blanked, find_subtitles, lower_quarter
from emer.tools.errors import ConfigError, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.media.decoder import Rgb
from emer.tools.runtime.cancellation import locked, note
from emer.tools.scene.detectors import Faces
from emer.tools.text import listed
from emer.tools.types import Clue, Modality, Param, Source, Span

APART, CLOSE_APART = 2.0, 0.5
"""Seconds of a shot for each caption, of a clip and of a span (chosen by us)."""
MASKS: Mapping[str, Callable[[Sequence[Rgb]], Band | None]] = {
    "found": find_subtitles,
    "lower": lambda pictures: lower_quarter(pictures[0]),
    "off": lambda _: None,
}
LONGEST_ORIGINAL = 400
"""Characters of the model's own words in a clue's data."""


@dataclass(eq=False)
class CaptionTool(ABC):
    """Describes a few frames of a clip or span; may answer questions about a span.

    Args:
        most: Frames described in a clip at most, 1-32.
        most_close: Frames described, or asked about, of a span at most, 1-16.
        mask_subtitles: "found" (text burnt into the lower part is blanked out), "lower" (the
            lowest quarter always is) or "off".
        max_side: Pixels of the longer side of a frame, 64-2048.
    """

    most: int = 8
    most_close: int = 4
    mask_subtitles: str = "found"
    max_side: int = 768
    modality: Modality = field(default="scene", init=False)
    name: ClassVar[str]

    def __post_init__(self) -> None:
        """Check the settings; `ConfigError` says which is not possible."""
        sizes = 1 <= self.most <= 32 and 1 <= self.most_close <= 16 and 64 <= self.max_side <= 2048
        if not sizes:
            raise ConfigError(
                f"{self.name}: most must be 1-32, most_close 1-16, max_side 64-2048 pixels"
            )
        if self.mask_subtitles not in MASKS:
            raise ConfigError(f"{self.name}.mask_subtitles: write {', '.join(MASKS)}")
        self._lock = threading.Lock()
        self._faces: Faces | None = None

    @property
    @abstractmethod
    def source(self) -> Source:
        """Name, version, model and what changes the result."""

    @property
    @abstractmethod
    def answers(self) -> bool:
        """Whether the model can be asked something in words."""

    @abstractmethod
    def write(self, prompts: Sequence[VisualPrompt]) -> Sequence[Caption]:
        """What the model writes about each."""

    @property
    def params(self) -> dict[str, Param]:
        """What changes the result, whatever the model."""
        return {
            "most": self.most,
            "most_close": self.most_close,
            "mask_subtitles": self.mask_subtitles,
            "max_side": self.max_side,
            "prompts": "-".join(digest(f"caption/{name}")[:8] for name in ("describe", "answer")),
        }

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """A model's descriptions of a few frames; `Unobservable` if none is usable."""
        frames, band = self.keyframes(clip, span)
        captions = self.write([VisualPrompt((frame.picture,)) for frame in frames])
        usable: list[tuple[FilteredCaption, float]] = []
        rejections: list[str] = []
        for caption, frame in zip(captions, frames, strict=True):
            result = filter_caption(caption, frame.sharpness)
            if isinstance(result, Rejection):
                rejections.append(result.reason)
            else:
                usable.append((result, frame.time))
        if not usable:
            raise Unobservable(f"the model's captions cannot be used: {rejections[0]}")
        if rejections:
            note(f"{len(rejections)} of {len(captions)} captions were dropped: {rejections[0]}")
        runs = groupby(usable, key=lambda pair: (pair[0].text, pair[0].certain))
        return [self._frames_clue(list(run), band, span) for _, run in runs]

    def answer(self, clip: Clip, span: Span, question: str) -> Sequence[Clue]:
        """What a model answers about a span; `Unobservable` where it does not know."""
        if not self.answers:
            raise Unobservable(f"the model of {self.name} describes and answers no questions")
        frames, band = self.keyframes(clip, span)
        (caption,) = self.write([VisualPrompt(tuple(f.picture for f in frames), question)])
        result = filter_caption(caption, sum(f.sharpness for f in frames) / len(frames))
        if isinstance(result, Rejection):
            raise Unobservable(f"the model's answer cannot be used: {result.reason}")
        if is_not_seen(result.text):
            raise Unobservable(f'asked "{question}", the model says that it cannot be seen')
        within = Span(start=min(span.start, clip.duration), end=min(span.end, clip.duration))
        asked = plain(question).translate({ord(mark): "'" for mark in '"“”„«»'})
        when = f"{within.start:.1f}-{within.end:.1f} s{_doubt(result)}"
        text = f'Asked "{asked}", a model answers for {when}: {result.text}.'
        times: JsonValue = [round(frame.time, 2) for frame in frames]
        data: dict[str, JsonValue] = {"question": question, "frames": times}
        return [self._clue(text, within, result, band, span, data)]

    def keyframes(self, clip: Clip, span: Span | None) -> tuple[list[Keyframe], Band | None]:
        """The frames to caption, masked, and the mask; `Unobservable` without any."""
        seconds = clip.duration if span is None else span.length
        with locked(self._lock):
            faces = self._faces = self._faces or Faces(self.name)
            candidates, cuts = candidates_of(
                clip.frames(span=span), seconds, self.max_side, faces.largest
            )
        if not candidates:
            where = f" at {span.start:.1f}-{span.end:.1f} s" if span else ""
            raise Unobservable(f"no picture that shows anything is seen{where}")
        most, apart = (self.most, APART) if span is None else (self.most_close, CLOSE_APART)
        band = MASKS[self.mask_subtitles]([each.picture for each in candidates])
        frames = choose(candidates, cuts, most, apart)
        if band is not None:
            frames = [replace(each, picture=blanked(each.picture, band)) for each in frames]
        return frames, band

    def _frames_clue(
        self, run: Sequence[tuple[FilteredCaption, float]], band: Band | None, closer: Span | None
    ) -> Clue:
        """The clue of frames in a row with the same caption, of the lowest quality.

        That of a span names it: where it only repeats, it counts no second time.
        """
        times = [time for _, time in run]
        worst = min((caption for caption, _ in run), key=lambda each: each.quality.score)
        when = listed([f"{time:.1f} s" for time in times])
        frames = "frame" if len(times) == 1 else "frames"
        text = f"A model describes the {frames} at {when}{_doubt(worst)}: {worst.text}."
        data: dict[str, JsonValue] = {"frames": [round(time, 2) for time in times]}
        return self._clue(text, Span(start=times[0], end=times[-1]), worst, band, closer, data)

    def _clue(
        self, text: str, span: Span, caption: FilteredCaption, band: Band | None,
        look: Span | None, data: dict[str, JsonValue],
    ) -> Clue:  # fmt: skip
        """What the model wrote as a clue.

        Args:
            text: The sentence.
            span: From the first to the last frame, or the span asked about.
            caption: The model's words.
            band: What was blanked out.
            look: Span of a closer look.
            data: Frames, and question.
        """
        data["caption"] = caption.original[:LONGEST_ORIGINAL]
        if caption.feelings:
            data["inferred"] = list(caption.feelings)
        if band is not None:
            data["blanked"] = {"top": band.top, "bottom": band.bottom}
        return Clue(
            modality=self.modality,
            span=span,
            text=text,
            quality=caption.quality,
            source=self.source,
            data=data,
            kind="described",
            certainty="stated" if caption.certain else "doubtful",
            look=look,
        )


def _doubt(caption: FilteredCaption) -> str:
    return "" if caption.certain else ", unsurely"
