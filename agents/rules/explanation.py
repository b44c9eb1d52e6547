"""The explanation in EMER's form: video, audio, text, answer, therefore."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from emer.agents.lexicon.cue_parser import Reading, is_doubtful
from emer.agents.lexicon.lexicon import Channel, channel_of, lexicon
from emer.agents.rules.answers import answers
from emer.agents.rules.case import Case
from emer.agents.rules.clauses import basis, filled, subject
from emer.agents.rules.counterfactuals import missing_cues
from emer.agents.rules.fusion import WORTH_CITING, Standing, dispute_ids, dispute_text
from emer.agents.rules.labels import words_of
from emer.agents.rules.phrases import (
    alternatives_of,
    cue_name,
    has_hedge,
    is_translation,
    join,
    label_name,
    listing,
    phrase,
    quote,
    quote_pair,
)
from emer.agents.types import Alternative, Block, Explanation, Label, Missing, Sentence
from emer.prompts.prompt import Language, load, term
from emer.tools.types import Clue, Span

MAX_SEEN, MAX_HEARD = 6, 4
"""Clues per channel: 3-4 sentences seen, 1-2 heard (EMER's habit)."""
PER_SENTENCE = 2
MOST_ORIGINALS = 3
"""Utterances that are quoted beside one translation of all of them (chosen by us)."""
MOMENT = 0.5
"""Seconds from which a clue counts as later than the one before (chosen by us)."""
NOTABLE = 0.3
"""Log-odds from which a clue against a label is worth a sentence (chosen by us)."""
POSSIBLE = 0.32
"""Probability from which a family is offered as another reading (chosen by us)."""
MAX_ALTERNATIVES = 2

_TIMES = re.compile(r"\d[\d.]*")


def write_explanation(
    case: Case, missing: tuple[Missing, ...], rejected: frozenset[str]
) -> Explanation:
    """The explanation of a case; without clues it has no sentences.

    A question about less than the clip as a whole, or in a thread, is answered in short:
    the answer and the labels. `rejected` holds the text of sentences that were struck from
    an earlier draft.
    """
    whole = () if case.is_short else (*_described(case), *_concluded(case))
    answered, unanswered = answers(case)
    sentences = (*answered, *whole)
    labels = tuple(
        Label(
            name=label_name(c.name, case.language),
            band=case.band(c.standing),
            clue_ids=c.standing.supports,
        )
        for c in case.chosen
    )
    return Explanation(
        sentences=tuple(s for whole in sentences for s in _without(whole, rejected, case)),
        labels=labels,
        alternatives=() if case.is_short else _alternatives(case),
        missing=(*missing, *unanswered),
        language=case.language,
    )


def would_change(readings: Sequence[Reading], family: str, language: Language = "en") -> str:
    """A clause with the two strongest cues of a family that no clue states yet."""
    names = [cue_name(cue, language) for cue in missing_cues(readings, family)]
    cues = alternatives_of(names, language)
    return load(f"rules/{language}/would_change").substitute(cues=cues)


def _alternatives(case: Case) -> tuple[Alternative, ...]:
    """Other readings with clues: disputed and probable ones, the most probable first."""
    chosen = {s.family for s in case.families}
    disputed = [lead.standing for pair in case.disputes for lead in pair]
    likely = [s for s in case.standings if s.probability >= POSSIBLE]
    distinct = {s.family: s for s in (*disputed, *likely)}.values()
    open_readings = [s for s in distinct if s.family not in chosen and s.supports]
    ranked = sorted(open_readings[:MAX_ALTERNATIVES], key=lambda s: -s.probability)
    return tuple(
        Alternative(
            label=label_name(words_of(standing)[0].name, case.language),
            would_change=would_change(case.readings, standing.family, case.language),
            clue_ids=standing.supports,
        )
        for standing in ranked
    )


def _described(case: Case) -> Iterator[Sentence]:
    yield from _block(case, _ranked(case, "visual", MAX_SEEN), "video")
    yield from _block(case, _ranked(case, "audio", MAX_HEARD), "audio")
    yield from _quoted(case)


def _quoted(case: Case) -> Iterator[Sentence]:
    """The words, the reliable ones first; an original with its translation beside it."""
    texts = [c for c in case.clues if c.modality == "text"]
    moved = case.relevance
    ranked = sorted(
        texts,
        key=lambda c: (is_doubtful(c), -round(moved.get(c.id, 0.0), 6), -c.quality.score, c.id),
    )
    for clue in ranked[:1]:
        pair = clue if is_translation(clue) else next(_pairs(clue, texts), None)
        originals = [] if pair is None else sorted(_pairs(pair, texts), key=_start)[:MOST_ORIGINALS]
        if pair is None or not originals:
            text = quote(clue, case.language)
            yield Sentence(block="text", text=text, clue_ids=(clue.id,))
        else:
            text = quote_pair(originals, pair, case.language)
            ids = tuple(each.id for each in (*originals, pair))
            yield Sentence(block="text", text=text, clue_ids=ids)


def _start(clue: Clue) -> float:
    return -1.0 if clue.span is None else clue.span.start


def _pairs(clue: Clue, texts: Sequence[Clue]) -> Iterator[Clue]:
    """The translations of a clue's words, or the words that it translates."""
    return (other for other in texts if _are_pair(clue, other))


def _are_pair(one: Clue, other: Clue) -> bool:
    """True for words and their translation, heard at the same time."""
    same_time = one.span is None or other.span is None or one.span.overlaps(other.span)
    return is_translation(one) != is_translation(other) and same_time


def _ranked(case: Case, channel: Channel, most: int) -> list[Clue]:
    """The channel's most relevant clues in time order, no wording twice.

    A clue without a cue (the light, the size of the shot) is no evidence.
    """
    moved = case.relevance
    of_channel = [r for r in case.readings if channel_of(r.clue.modality) == channel]
    clues = [r.clue for r in of_channel if r.mentions or r.clue.modality != "scene"]
    best = sorted(clues, key=lambda c: (-round(moved.get(c.id, 0.0), 6), -c.quality.score, c.id))
    stating = {r.clue.id for r in of_channel if r.mentions}
    by_wording: dict[str, Clue] = {}
    for clue in [c for c in best if c.id in moved] or [c for c in best if c.id in stating][:2]:
        by_wording.setdefault(_TIMES.sub("", phrase(clue)), clue)
    chosen = {c.id for c in list(by_wording.values())[:most]}
    return [c for c in clues if c.id in chosen]


def _block(case: Case, clues: Sequence[Clue], block: Block) -> Iterator[Sentence]:
    hedged, before = False, None
    for start in range(0, len(clues), PER_SENTENCE):
        part = clues[start : start + PER_SENTENCE]
        shape = f"{block}_{_position(part[0], before, start)}"
        text = filled(case.language, shape, clues=join(part, case.language, hedged))
        hedged, before = hedged or any(map(has_hedge, part)), part[-1]
        yield Sentence(block=block, text=text, clue_ids=tuple(c.id for c in part))


def _position(clue: Clue, before: Clue | None, start: int) -> str:
    """How a sentence joins the one before it: first, as more of it, or next in time."""
    if before is None:
        return "first"
    if clue.span is None or before.span is None or clue.span.start < before.span.start + MOMENT:
        return "more"
    return "next" if start == PER_SENTENCE else "last"


def _concluded(case: Case) -> Iterator[Sentence]:
    if not case.chosen:
        ids = tuple(dict.fromkeys(i for s in _described(case) for i in s.clue_ids))
        if ids:
            text = load(f"rules/{case.language}/abstain").text
            yield Sentence(block="therefore", text=text, clue_ids=ids)
    for standing in case.families:
        yield from _appears(case, standing)
        against = basis(case, (c for c in reversed(standing.contributions) if c.value < -NOTABLE))
        if standing is case.families[0] and against:
            name = label_name(lexicon().label_of(standing.family), case.language)
            text = filled(case.language, "however", basis=against.words, label=name)
            yield Sentence(block="therefore", text=text, clue_ids=against.clue_ids)
    for one, two in case.disputes[:1]:
        text = dispute_text("open", one, two, case.language)
        yield Sentence(block="therefore", text=text, clue_ids=dispute_ids(one, two))


def _appears(case: Case, standing: Standing) -> Iterator[Sentence]:
    cited = basis(case, (c for c in standing.contributions if c.value >= WORTH_CITING))
    if cited:
        names = [c.name for c in case.chosen if c.standing is standing]
        text = filled(
            case.language,
            _shape(case, standing, cited.clue_ids),
            basis=cited.words,
            labels=listing([label_name(name, case.language) for name in names], case.language),
            band=term(case.band(standing), case.language),
            who=subject(case, cited.clue_ids),
        )
        yield Sentence(block="therefore", text=text, clue_ids=cited.clue_ids)


def _shape(case: Case, standing: Standing, cited: Sequence[str]) -> str:
    """The template of a family's sentence, as it follows on the leading family's.

    "Earlier" or "later" only if all that the one sentence cites precedes the other's.
    """
    lead = case.families[0]
    if standing is lead:
        return "therefore"
    leading = basis(case, (c for c in lead.contributions if c.value >= WORTH_CITING))
    spans, other = _spans(case, cited), _spans(case, leading.clue_ids if leading else ())
    if spans and other and max(s.end for s in spans) <= min(s.start for s in other):
        return "earlier"
    if spans and other and min(s.start for s in spans) >= max(s.end for s in other):
        return "later"
    return "also"


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
            words = join([by_id[clue_id]], case.language)
            text = filled(case.language, f"{whole.block}_first", clues=words)
            if text not in rejected:
                yield Sentence(block=whole.block, text=text, clue_ids=(clue_id,))
