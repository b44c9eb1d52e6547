"""Bounds of a review: a person's change moves each emotion in its direction only.

Rejecting a smile never makes "happy" more probable, adding one never less, whatever the rest of
the evidence does without it: the strongest support decides which clues speak against it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from emer.agents.lexicon.cue_parser import Reading
from emer.agents.lexicon.lexicon import Weighting
from emer.agents.rules.fusion import Standing, weigh


def weigh_reviewed(
    readings: Sequence[Reading], rejected: Sequence[Reading], weighting: Weighting
) -> tuple[Standing, ...]:
    """The standings of `weigh`, held against those without the review.

    Args:
        readings: The clues as they are after the review.
        rejected: The clues that the reviewer rejected or rewrote.
        weighting: The log-odds of cues.
    """
    standings = weigh(readings, weighting)
    written = {r.clue.id for r in readings if r.clue.kind == "reviewed"}
    if not (rejected or written):
        return standings
    unreviewed = (*(r for r in readings if r.clue.id not in written), *rejected)
    before = {s.family: s for s in weigh(unreviewed, weighting)}
    struck = {r.clue.id for r in rejected}
    held = [_held(now, before[now.family], written, struck) for now in standings]
    return tuple(sorted(held, key=lambda s: (-s.log_odds, s.family)))


def _held(
    now: Standing, before: Standing, written: Collection[str], struck: Collection[str]
) -> Standing:
    """The standing, or the earlier log-odds where it moved against every change."""
    rises = _any(written, now.supports) or _any(struck, before.contradicts)
    falls = _any(written, now.contradicts) or _any(struck, before.supports)
    is_against = now.log_odds < before.log_odds if rises else now.log_odds > before.log_odds
    if rises == falls or not is_against:
        return now
    return replace(now, log_odds=before.log_odds, probability=before.probability)


def _any(ids: Collection[str], among: Sequence[str]) -> bool:
    return any(clue_id in ids for clue_id in among)
