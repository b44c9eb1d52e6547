"""What tools that write about pictures have in common: choose, mask, ask, guard, word."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import ClassVar

from pydantic import JsonValue

from emer.tools.caption.caption_filter import (
    Chosen,
    Shown,
    Told,
    Verdict,
    Written,
    answers,
    clean,
    clue_of,
    describes,
    factors,
    instead,
    is_not_seen,
    judge,
    score,
    without_thoughts,
)
from emer.tools.caption.doubted import displayed
from emer.tools.caption.english import is_english
from emer.tools.caption.keyframes import Seen, choose, clearness, look_through
from emer.tools.caption.naming import unnamed
from emer.tools.caption.seeming import as_seen
from emer.tools.caption.subtitle_mask import Band, blank, find_words, lower_part
from emer.tools.caption.unseen import visible
from emer.tools.errors import ConfigError, Unobservable
from emer.tools.media.clip import Clip
from emer.tools.media.decoder import Rgb
from emer.tools.runtime.cancellation import holding, note
from emer.tools.scene.detectors import Faces
from emer.tools.types import CLOSER, Clue, Modality, Param, Quality, Source, Span

APART, CLOSE_APART = 2.0, 0.5
"""Seconds of a shot for each caption, at first and in a closer look (chosen by us)."""
MASKS = ("found", "lower", "off")


NAMED = "it gives somebody a name, and nobody is identified here"
UNSEEN = "it tells nothing that can be seen"


class CaptionTool(ABC):
    """Describes at most `most` frames of a clip, or `most_close` of a span.

    `mask_subtitles` is "found" (words burnt into the lower part are blanked out), "lower" (the
    lowest quarter always is) or "off".
    """

    modality: Modality = "scene"
    name: ClassVar[str]

    def __init__(self, most: int, most_close: int, mask_subtitles: str, max_side: int) -> None:
        """Keep the settings; `ConfigError` for what cannot be."""
        if not 1 <= most <= 32 or not 1 <= most_close <= 16 or not 64 <= max_side <= 2048:
            raise ConfigError(
                f"{self.name}: most must be 1-32, most_close 1-16, max_side 64-2048 pixels"
            )
        if mask_subtitles not in MASKS:
            raise ConfigError(f"{self.name}.mask_subtitles: write {', '.join(MASKS)}")
        self._most, self._most_close = most, most_close
        self._mask, self._max_side = mask_subtitles, max_side
        self._lock = threading.Lock()
        self._faces: Faces | None = None

    @property
    @abstractmethod
    def source(self) -> Source:
        """Name, version, model and what changes the result."""

    @property
    @abstractmethod
    def answers(self) -> bool:
        """Whether it can be asked something in words."""

    @abstractmethod
    def write(self, shown: Sequence[Shown]) -> Sequence[Written]:
        """Return what the model writes about each."""

    @property
    def params(self) -> dict[str, Param]:
        """What changes the result, whatever the model."""
        return {
            "most": self._most,
            "most_close": self._most_close,
            "mask_subtitles": self._mask,
            "max_side": self._max_side,
        }

    def observe(self, clip: Clip, span: Span | None = None) -> Sequence[Clue]:
        """Return what a model says of a few frames; `Unobservable` where it says nothing usable."""
        chosen, band = self._choose(clip, span)
        written = self.write([Shown((one.picture,)) for one in chosen])
        told = [
            self._told(each, one.time, one.clear) for each, one in zip(written, chosen, strict=True)
        ]
        good = [one for one in told if isinstance(one, Told)]
        bad = [one for one in told if isinstance(one, str)]
        if not good:
            raise Unobservable(f"the model's captions cannot be used: {bad[0]}")
        if bad:
            note(f"{len(bad)} of {len(told)} captions were dropped: {bad[0]}")
        same = (list(each) for _, each in groupby(good, key=lambda t: t.what))
        return [self._clue(each, band, span) for each in same]

    def answer(self, clip: Clip, span: Span, question: str) -> Sequence[Clue]:
        """Return what a model answers about a span; `Unobservable` where it does not know."""
        if not self.answers:
            raise Unobservable(f"the model of {self.name} describes and answers no questions")
        chosen, band = self._choose(clip, span)
        (written,) = self.write([Shown(tuple(one.picture for one in chosen), question)])
        clear = sum(one.clear for one in chosen) / len(chosen)
        told = self._told(written, chosen[0].time, clear)
        if isinstance(told, str):
            raise Unobservable(f"the model's answer cannot be used: {told}")
        if is_not_seen(told.text):
            raise Unobservable(f'asked "{question}", the model says that it cannot be seen')
        within = Span(start=min(span.start, clip.duration), end=min(span.end, clip.duration))
        text = answers(question, told.text, within.start, within.end, told.sure)
        more: dict[str, JsonValue] = {
            "question": question,
            "frames": [round(one.time, 2) for one in chosen],
        }
        return [clue_of(self.source, text, within, told, band, more)]

    def _choose(self, clip: Clip, span: Span | None) -> tuple[list[Chosen], Band | None]:
        """Return the chosen pictures, masked, and the mask; `Unobservable` if there are none."""
        seen = self._look(clip, span)
        if not seen.moments:
            where = f" at {span.start:.1f}-{span.end:.1f} s" if span else ""
            raise Unobservable(f"no picture that shows anything is seen{where}")
        most, apart = (self._most, APART) if span is None else (self._most_close, CLOSE_APART)
        band = self._band(seen)
        chosen = []
        for place in choose(seen.moments, seen.cuts, most, apart):
            picture, moment = seen.pictures[place], seen.moments[place]
            masked = picture if band is None else blank(picture, band)
            chosen.append(Chosen(masked, moment.time, clearness(moment.sharpness)))
        return chosen, band

    def _look(self, clip: Clip, span: Span | None) -> Seen:
        seconds = clip.duration if span is None else span.length
        with holding(self._lock):
            if self._faces is None:
                self._faces = Faces(self.name)
            return look_through(clip.frames(span=span), seconds, self._max_side, self._face_height)

    def _face_height(self, picture: Rgb) -> float:
        assert self._faces is not None
        return max((face.height for face in self._faces(picture)), default=0.0)

    def _band(self, seen: Seen) -> Band | None:
        if self._mask == "off":
            return None
        return lower_part(seen.pictures[0]) if self._mask == "lower" else find_words(seen.pictures)

    def _told(self, written: Written, time: float, clear: float) -> Told | str:
        """Return what may be told, or why nothing may."""
        said = without_thoughts(written.text)
        verdict, why = judge(replace(written, text=said))
        english, other = is_english(said), instead(said)
        shown = displayed(said) if english else said
        nameless = unnamed(shown) if english else said
        text = clean(nameless, written.unfinished)
        if said and not nameless:
            other = other or (NAMED if shown else UNSEEN)
        if verdict is Verdict.DROPPED or other or not text:
            return why or other or "nothing is left of it but markup"
        seen, felt = as_seen(visible(text)) if english else (text, ())
        if not seen:
            return UNSEEN
        quality = Quality(score=score(written, clear, verdict), factors=factors(written, clear))
        return Told(seen, verdict is Verdict.TOLD, time, quality, nameless, felt)

    def _clue(self, same: Sequence[Told], band: Band | None, closer: Span | None) -> Clue:
        """Return the clue of frames in a row that were given the same words.

        One of a closer look says so: where it only tells again, it counts no second time.
        """
        times = [told.time for told in same]
        text = describes(same[0].text, times, same[0].sure)
        worst = min(same, key=lambda told: told.quality.score)
        span = Span(start=times[0], end=times[-1])
        more: dict[str, JsonValue] = {"frames": [round(time, 2) for time in times]}
        if closer is not None:
            more[CLOSER] = [closer.start, closer.end]
        return clue_of(self.source, text, span, worst, band, more)
