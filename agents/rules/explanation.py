"""The explanation in EMER's form: video, audio, text, answer, therefore."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from emer.agents.lexicon.cue_parser import Reading
from emer.agents.lexicon.lexicon import WORD_CUES, Channel, channel_of, lexicon
from emer.agents.questions.person_focus import people_in, person_of
from emer.agents.rules.answers import answers
from emer.agents.rules.case import Case, basis
from emer.agents.rules.fusion import WORTH_CITING, Standing, dispute_ids, dispute_text
from emer.agents.rules.labels import words_of
from emer.agents.rules.phrases import has_hedge, join, phrase, quote
from emer.agents.types import Alternative, Block, Explanation, Label, Missing, Sentence
from emer.prompts.prompt import Prompt, load
from emer.tools.text import listed
from emer.tools.types import Clue, Span

MAX_SEEN, MAX_HEARD, MAX_QUOTED = 6, 4, 1
"""Clues per channel: 3-4 sentences seen, 1-2 heard, one quoted (EMER's habit)."""
PER_SENTENCE = 2
MOMENT = 0.5
"""Seconds from which a clue counts as later than the one before (chosen by us)."""
NOTABLE = 0.3
"""Log-odds from which a clue against a label is worth a sentence (chosen by us)."""
POSSIBLE = 0.32
"""Probability from which a family is offered as another reading (chosen by us)."""
MAX_ALTERNATIVES = 2
RATED = "rated_"
"""Groups of cues that only a trained model rates: no sign that one could look for."""

_TIMES = re.compile(r"\d[\d.]*")


def write_explanation(
    case: Case, missing: tuple[Missing, ...], rejected: frozenset[str]
) -> Explanation:
    """The explanation of a case; without clues it has no sentences.

    `rejected` holds the text of sentences that were struck from an earlier draft.
    """
    sentences = [*_described(case), *answers(case), *_concluded(case)]
    labels = tuple(
        Label(name=c.name, band=case.band(c.standing), clue_ids=c.standing.supports)
        for c in case.chosen
    )
    return Explanation(
        sentences=tuple(s for whole in sentences for s in _without(whole, rejected, case)),
        labels=labels,
        alternatives=_alternatives(case),
        missing=missing,
    )


def would_change(readings: Sequence[Reading], family: str) -> str:
    """A sentence with the two strongest cues of a family that no clue states yet."""
    lexical = lexicon()
    stated = {lexical.cues[m.cue].group for r in readings for m in r.mentions}
    weighed = sorted((-weights.get(family, 0.0), key) for key, weights in lexical.weights.items())
    phrases: dict[str, str] = {}
    for _, key in weighed:
        cue = lexical.cues.get(key)
        if cue is None or cue.channel == "text" or key.startswith(WORD_CUES):
            continue
        if cue.group not in stated and not cue.group.startswith(RATED):
            phrases.setdefault(cue.group, cue.phrase)
    cues = listed(list(phrases.values())[:2]).replace(" and ", " or ")
    return load("rules/would_change").substitute(cues=cues)


def _alternatives(case: Case) -> tuple[Alternative, ...]:
    """Other readings with clues: disputed ones first, then probable ones."""
    chosen = {s.family for s in case.families}
    disputed = [lead.standing for pair in case.disputes for lead in pair]
    likely = [s for s in case.standings if s.probability >= POSSIBLE]
    distinct = {s.family: s for s in (*disputed, *likely)}.values()
    open_readings = [s for s in distinct if s.family not in chosen and s.supports]
    return tuple(
        Alternative(
            label=words_of(standing)[0].name,
            would_change=would_change(case.readings, standing.family),
            clue_ids=standing.supports,
        )
        for standing in open_readings[:MAX_ALTERNATIVES]
    )


def _described(case: Case) -> Iterator[Sentence]:
    seen = _ranked(case, "visual", MAX_SEEN)
    excluded = {r.clue.id for r in case.readings if r.mentions} | {clue.id for clue in seen}
    # before the cues a setting that states none
    setting = [c for c in case.clues if c.modality == "scene" and c.id not in excluded]
    yield from _block(setting[:1] + seen, "video")
    yield from _block(_ranked(case, "audio", MAX_HEARD), "audio")
    for clue in _ranked(case, "text", MAX_QUOTED):
        yield Sentence(block="text", text=quote(clue), clue_ids=(clue.id,))


def _ranked(case: Case, channel: Channel, most: int) -> list[Clue]:
    """The channel's most relevant clues in time order, no wording twice."""
    moved = case.relevance
    clues = [clue for clue in case.clues if channel_of(clue.modality) == channel]
    best = sorted(clues, key=lambda c: (-round(moved.get(c.id, 0.0), 6), -c.quality.score, c.id))
    by_wording: dict[str, Clue] = {}
    for clue in [c for c in best if c.id in moved] or best[:2]:
        by_wording.setdefault(_TIMES.sub("", phrase(clue)), clue)
    chosen = {c.id for c in list(by_wording.values())[:most]}
    return [c for c in clues if c.id in chosen]


def _block(clues: Sequence[Clue], block: Block) -> Iterator[Sentence]:
    hedged, before = False, None
    for start in range(0, len(clues), PER_SENTENCE):
        part = clues[start : start + PER_SENTENCE]
        shape = load(f"rules/{block}_{_position(part[0], before, start)}")
        text = shape.substitute(clues=join(part, hedged))
        hedged, before = hedged or any(map(has_hedge, part)), part[-1]
        yield Sentence(block=block, text=text, clue_ids=tuple(c.id for c in part))


def _position(clue: Clue, before: Clue | None, start: int) -> str:
    """How a sentence joins the one before it: first, also, or next in time."""
    if before is None:
        return "first"
    if clue.span is None or before.span is None or clue.span.start < before.span.start + MOMENT:
        return "also"
    return "next" if start == PER_SENTENCE else "last"


def _concluded(case: Case) -> Iterator[Sentence]:
    if not case.chosen:
        ids = tuple(dict.fromkeys(i for s in _described(case) for i in s.clue_ids))
        if ids:
            yield Sentence(block="therefore", text=load("rules/abstain").text, clue_ids=ids)
    for standing in case.families:
        yield from _appears(case, standing)
        against = basis(c for c in reversed(standing.contributions) if c.value < -NOTABLE)
        if standing is case.families[0] and against:
            name = lexicon().label_of(standing.family)
            text = load("rules/however").substitute(basis=against.words, label=name)
            yield Sentence(block="therefore", text=text, clue_ids=against.clue_ids)
    for one, two in case.disputes[:1]:
        text = dispute_text("rules/open", one, two)
        yield Sentence(block="therefore", text=text, clue_ids=dispute_ids(one, two))


def _appears(case: Case, standing: Standing) -> Iterator[Sentence]:
    cited = basis(c for c in standing.contributions if c.value >= WORTH_CITING)
    if cited:
        text = _shape(case, standing, cited.clue_ids).substitute(
            basis=cited.words,
            labels=listed([c.name for c in case.chosen if c.standing is standing]),
            band=case.band(standing),
            who=_subject(case, cited.clue_ids),
        )
        text = text[0].upper() + text[1:]
        yield Sentence(block="therefore", text=text, clue_ids=cited.clue_ids)


def _subject(case: Case, cited: Sequence[str]) -> str:
    """The person of a sentence, by name and place.

    Only where there are several and each cited clue is about this one: a voice, or a hand
    of no particular person, may be another's.
    """
    clues = [c for c in case.clues if c.id in cited]
    if len({person_of(c) for c in clues}) != 1 or len({p.name for p in people_in(case.clues)}) < 2:
        return "the person"
    people = people_in(clues)
    if not people or not all(one.may_be(other) for one in people for other in people):
        return "the person"
    one = min(people, key=lambda person: person.place is None)
    return f"{one.name} ({one.place})" if one.place and one.place not in one.name else one.name


def _shape(case: Case, standing: Standing, cited: Sequence[str]) -> Prompt:
    """The prompt of a family's sentence, as it follows on the leading family's.

    "Earlier" or "later" only if all that the one sentence cites precedes the other's.
    """
    lead = case.families[0]
    if standing is lead:
        return load("rules/therefore")
    leading = basis(c for c in lead.contributions if c.value >= WORTH_CITING)
    spans, other = _spans(case, cited), _spans(case, leading.clue_ids if leading else ())
    if spans and other and max(s.end for s in spans) <= min(s.start for s in other):
        return load("rules/earlier")
    if spans and other and min(s.start for s in spans) >= max(s.end for s in other):
        return load("rules/later")
    return load("rules/also")


def _spans(case: Case, ids: Sequence[str]) -> list[Span]:
    """Spans of the clues; empty if one of them has none."""
    spans = [clue.span for clue in case.clues if clue.id in ids]
    return [] if None in spans else [span for span in spans if span is not None]


def _without(whole: Sentence, rejected: frozenset[str], case: Case) -> Iterator[Sentence]:
    """The sentence; a rejected description is split into one sentence per clue."""
    if whole.text not in rejected:
        yield whole
    elif whole.block in ("video", "audio") and len(whole.clue_ids) > 1:
        by_id = {clue.id: clue for clue in case.clues}
        for clue_id in whole.clue_ids:
            text = load(f"rules/{whole.block}_first").substitute(clues=join([by_id[clue_id]]))
            if text not in rejected:
                yield Sentence(block=whole.block, text=text, clue_ids=(clue_id,))
