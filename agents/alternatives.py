"""Other readings that the clues leave open, and what would change our mind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from emer.agents.case import Case
from emer.agents.cues import Reading
from emer.agents.fusion import Standing
from emer.agents.labels import words_of
from emer.agents.phrases import listed
from emer.agents.types import Alternative
from emer.agents.vocabulary import lexicon
from emer.prompts.prompt import load

POSSIBLE = 0.32
"""A family below this is not offered as another reading (chosen by us)."""
MOST = 2
RATED = "rated_"
"""Groups of cues that only a trained model's rating states: no sign that one could look for."""


def alternatives(case: Case) -> tuple[Alternative, ...]:
    """Return up to two readings that were not chosen but have clues of their own."""
    return tuple(
        Alternative(
            label=words_of(standing)[0].name,
            would_change=load("rules/would_change").substitute(
                cues=telling(case.readings, standing.family)
            ),
            clue_ids=standing.supports,
        )
        for standing in list(_open(case))[:MOST]
    )


def _open(case: Case) -> Iterator[Standing]:
    """Yield readings of a dispute first, then those next in probability."""
    chosen = {s.family for s in case.families}
    argued = [pull.standing for pair in case.disputes for pull in pair]
    likely = [s for s in case.standings if s.probability >= POSSIBLE]
    for standing in {s.family: s for s in (*argued, *likely)}.values():
        if standing.family not in chosen and standing.supports:
            yield standing


def telling(readings: Sequence[Reading], family: str) -> str:
    """Return the two strongest cues of a family that no clue states yet."""
    lexical = lexicon()
    seen = {lexical.cues[m.cue].group for r in readings for m in r.mentions}
    weighed = sorted(
        (-weights.get(family, 0.0), key)
        for key, weights in lexical.weights.items()
        if key in lexical.cues
        and not key.startswith(("named_", "heard_", "said_"))
        and lexical.cues[key].channel != "text"
        and lexical.cues[key].group not in seen
        and not lexical.cues[key].group.startswith(RATED)
    )
    groups: dict[str, str] = {}
    for _, key in weighed:
        groups.setdefault(lexical.cues[key].group, lexical.cues[key].say)
    return listed(list(groups.values())[:2]).replace(" and ", " or ")
