"""The explanation by modality.

Other readings that the clues leave open, and what would change our mind.

The explanation in the form people use for EMER: video, audio, text, therefore.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from emer.agents.lexicon.cue_parser import Reading
from emer.agents.lexicon.lexicon import Channel, lexicon
from emer.agents.questions.person_focus import people_in, person_of
from emer.agents.rules.answers import answers
from emer.agents.rules.case import Case, basis
from emer.agents.rules.fusion import CHANNEL_WORDS, WORTH_CITING, ChannelLead, Standing, disputed_families
from emer.agents.rules.labels import band, words_of
from emer.agents.rules.phrases import has_hedge, join, listed, phrase, quote
from emer.agents.types import Alternative, Block, Explanation, Label, Missing, Sentence
from emer.prompts.prompt import Prompt, load
from emer.tools.types import Clue, Span

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
                cues=distinguishing_cues(case.readings, standing.family)
            ),
            clue_ids=standing.supports,
        )
        for standing in list(_open_standings(case))[:MOST]
    )


def _open_standings(case: Case) -> Iterator[Standing]:
    """Yield readings of a dispute first, then those next in probability."""
    chosen = {s.family for s in case.families}
    argued = [pull.standing for pair in case.disputes for pull in pair]
    likely = [s for s in case.standings if s.probability >= POSSIBLE]
    for standing in {s.family: s for s in (*argued, *likely)}.values():
        if standing.family not in chosen and standing.supports:
            yield standing


def distinguishing_cues(readings: Sequence[Reading], family: str) -> str:
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


MOST_SEEN, MOST_HEARD, MOST_QUOTED = 6, 4, 1
"""Clues told per channel: 3-4 sentences seen, 1-2 heard, one quoted (EMER's habit)."""
PER_SENTENCE = 2
MOMENT = 0.5
"""Seconds from which a clue counts as later than the one before (chosen by us)."""
_TIMES = re.compile(r"\d[\d.]*")
NOTABLE = 0.3
"""Log-odds from which a clue against a label is worth a sentence (chosen by us)."""


def write_explanation(case: Case, missing: tuple[Missing, ...], rejected: frozenset[str]) -> Explanation:
    """Return the explanation; without clues there are no sentences at all."""
    sentences = [*_described(case), *answers(case), *_concluded(case)]
    kept = [s for whole in sentences for s in _without(whole, rejected, case)]
    argued = disputed_families(case.disputes)
    labels = tuple(
        Label(
            name=choice.name,
            band=band(choice.standing, choice.standing.family in argued),
            clue_ids=choice.standing.supports,
        )
        for choice in case.chosen
    )
    return Explanation(
        sentences=tuple(kept),
        labels=labels,
        alternatives=alternatives(case),
        missing=missing,
    )


def _described(case: Case) -> Iterator[Sentence]:
    yield from _told(_seen(case), "video")
    yield from _told(_ranked(case, "audio", MOST_HEARD), "audio")
    for clue in _ranked(case, "text", MOST_QUOTED):
        yield Sentence(block="text", text=quote(clue), clue_ids=(clue.id,))


def _seen(case: Case) -> list[Clue]:
    """Return what is told of the video: a setting that states no cue, then the cues."""
    told = _ranked(case, "visual", MOST_SEEN)
    stating = {r.clue.id for r in case.readings if r.mentions}
    ids = {clue.id for clue in told}
    setting = [
        clue
        for clue in case.clues("visual")
        if clue.modality == "scene" and clue.id not in stating and clue.id not in ids
    ]
    return setting[:1] + told


def _ranked(case: Case, channel: Channel, most: int) -> list[Clue]:
    """Return the channel's most relevant clues in time order, no wording twice."""
    moved = case.relevance()
    clues = case.clues(channel)
    best = sorted(clues, key=lambda c: (-round(moved.get(c.id, 0.0), 6), -c.quality.score, c.id))
    told: dict[str, Clue] = {}
    for clue in [c for c in best if c.id in moved] or best[:2]:
        told.setdefault(_TIMES.sub("", phrase(clue)), clue)
    chosen = {c.id for c in list(told.values())[:most]}
    return [c for c in clues if c.id in chosen]


def _told(clues: Sequence[Clue], block: Block) -> Iterator[Sentence]:
    hedged, before = False, None
    for start in range(0, len(clues), PER_SENTENCE):
        part = clues[start : start + PER_SENTENCE]
        shape = load(f"rules/{block}_{_place(part[0], before, start)}")
        text = shape.substitute(clues=join(part, hedged))
        hedged, before = hedged or any(map(has_hedge, part)), part[-1]
        yield Sentence(block=block, text=text, clue_ids=tuple(c.id for c in part))


def _place(clue: Clue, before: Clue | None, start: int) -> str:
    """Return how a sentence joins the one before it: first, also, or next in time."""
    if before is None:
        return "first"
    if clue.span is None or before.span is None or clue.span.start < before.span.start + MOMENT:
        return "also"
    return "next" if start == PER_SENTENCE else "last"


def _concluded(case: Case) -> Iterator[Sentence]:
    if not case.chosen:
        yield from _abstention(case)
    for number, standing in enumerate(case.families):
        yield from _appears(case, number)
        against = basis(c for c in reversed(standing.contributions) if c.value < -NOTABLE)
        if number == 0 and against:
            name = lexicon().head(standing.family)
            text = load("rules/however").substitute(basis=against.words, label=name)
            yield Sentence(block="therefore", text=text, clue_ids=against.clue_ids)
    if case.disputes:
        yield _open(*case.disputes[0])


def _appears(case: Case, number: int) -> Iterator[Sentence]:
    standing = case.families[number]
    found = basis(c for c in standing.contributions if c.value >= WORTH_CITING)
    if found:
        names = listed(c.name for c in case.chosen if c.standing is standing)
        level = band(standing, standing.family in disputed_families(case.disputes))
        shape = _shape(case, standing, found.clue_ids)
        who = _called(case, found.clue_ids)
        text = shape.substitute(basis=found.words, labels=names, band=level, who=who)
        text = text[0].upper() + text[1:]
        yield Sentence(block="therefore", text=text, clue_ids=found.clue_ids)


def _called(case: Case, cited: Sequence[str]) -> str:
    """Return how the person of a sentence is called.

    By name and place where there are several and each cited clue is about this one: a voice, or a
    hand of nobody in particular, may be another's.
    """
    clues = [r.clue for r in case.readings]
    own = [c for c in clues if c.id in cited]
    if len({person_of(c) for c in own}) != 1 or len({p.name for p in people_in(clues)}) < 2:
        return "the person"
    meant = people_in(own)
    if not meant or not all(one.may_be(other) for one in meant for other in meant):
        return "the person"
    one = min(meant, key=lambda person: person.place is None)
    return f"{one.name} ({one.place})" if one.place and one.place not in one.name else one.name


def _shape(case: Case, standing: Standing, cited: Sequence[str]) -> Prompt:
    """Return how a family's sentence follows on that of the leading one.

    Only where all that either sentence cites lies apart is it told as earlier or later.
    """
    lead = case.families[0]
    if standing is lead:
        return load("rules/therefore")
    theirs = basis(c for c in lead.contributions if c.value >= WORTH_CITING)
    own, other = _spans(case, cited), _spans(case, theirs.clue_ids if theirs else ())
    if own and other and max(s.end for s in own) <= min(s.start for s in other):
        return load("rules/earlier")
    if own and other and min(s.start for s in own) >= max(s.end for s in other):
        return load("rules/later")
    return load("rules/also")


def _spans(case: Case, ids: Sequence[str]) -> list[Span]:
    """Return when the clues of these ids are, nothing where one is not placed in time."""
    spans = [r.clue.span for r in case.readings if r.clue.id in ids]
    return [] if None in spans else [span for span in spans if span is not None]


def _open(one: ChannelLead, two: ChannelLead) -> Sentence:
    text = load("rules/open").substitute(
        left=CHANNEL_WORDS[one.channel],
        left_label=lexicon().head(one.standing.family),
        right=CHANNEL_WORDS[two.channel],
        right_label=lexicon().head(two.standing.family),
    )
    ids = tuple(dict.fromkeys((*one.clue_ids, *two.clue_ids)))
    return Sentence(block="therefore", text=text, clue_ids=ids)


def _abstention(case: Case) -> Iterator[Sentence]:
    ids = tuple(dict.fromkeys(i for s in _described(case) for i in s.clue_ids))
    if ids:
        yield Sentence(block="therefore", text=load("rules/abstain").text, clue_ids=ids)


def _without(whole: Sentence, rejected: frozenset[str], case: Case) -> Iterator[Sentence]:
    """Yield the sentence; one that was struck out is told clue by clue instead."""
    if whole.text not in rejected:
        yield whole
    elif whole.block in ("video", "audio") and len(whole.clue_ids) > 1:
        by_id = {r.clue.id: r.clue for r in case.readings}
        for clue_id in whole.clue_ids:
            text = load(f"rules/{whole.block}_first").substitute(clues=join([by_id[clue_id]]))
            if text not in rejected:
                yield Sentence(block=whole.block, text=text, clue_ids=(clue_id,))
