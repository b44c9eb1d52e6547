"""The language of each window: what was given, else one for all windows of a clip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from emer.tools.speech.heard import Window


class Guess(NamedTuple):
    """A language by its code, and its probability where it was found out."""

    language: str
    probability: float | None


def guess(
    windows: Sequence[Window], ask: Callable[[list[int]], Sequence[Mapping[str, float]]]
) -> list[Guess]:
    """Return each window's language.

    `ask` gives, for windows by their place, the probability of each language. The windows of
    one clip are one language: that with the largest mean.
    """
    unknown = [place for place, window in enumerate(windows) if window.language is None]
    found = ask(unknown) if unknown else []
    clips: dict[str, list[Mapping[str, float]]] = defaultdict(list)
    for place, probabilities in zip(unknown, found, strict=True):
        clips[windows[place].clip].append(probabilities)
    means = {clip: _mean(given) for clip, given in clips.items()}
    return [
        means[window.clip] if window.language is None else Guess(window.language, None)
        for window in windows
    ]


def by_language(guesses: Sequence[Guess]) -> dict[str, list[int]]:
    """Return the places of the windows of each language."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place, found in enumerate(guesses):
        groups[found.language].append(place)
    return dict(groups)


def _mean(given: Sequence[Mapping[str, float]]) -> Guess:
    mean = {code: sum(g[code] for g in given) / len(given) for code in given[0]}
    best = max(mean, key=lambda code: mean[code])
    return Guess(best, mean[best])
