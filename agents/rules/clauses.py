"""Clauses of the rules' sentences: who appears how, from which cues."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from emer.agents.lexicon.lexicon import Channel, channel_of, lexicon
from emer.agents.questions.person_focus import people_in, person_of
from emer.agents.rules.case import Case
from emer.agents.rules.fusion import WORTH_CITING, Contribution, Evidence, Standing
from emer.agents.rules.phrases import (
    cue_name,
    join,
    label_name,
    listing,
    person_name,
    times,
)
from emer.agents.types import Sentence
from emer.prompts.prompt import Language, load, term
from emer.tools.types import MODALITIES, Clue, Span

GROUNDS = 3
"""Most cues that a sentence gives for a reading: two or three are remembered (by us)."""
WHOLE = 0.9
"""Share of the clip from which a cue's time is left out (chosen by us)."""
MAX_CLUES = 2
"""Clues in one sentence."""
RATED = "voice_"
"""Prefix of the cues that tell a dimension of emotion: arousal, valence."""
PER_CHANNEL = 2
_PLACES: dict[Channel, str] = {
    "visual": "in the video",
    "audio": "in the audio",
    "text": "in the text",
}


class Clause(NamedTuple):
    """Words inside a sentence, and the clues that they rest on."""

    words: str
    clue_ids: tuple[str, ...]


def answer(case: Case, template: str, *cited: Clause | None, **words: str) -> Sentence | None:
    """A sentence of the answer; None if it would cite no clue."""
    ids = tuple(dict.fromkeys(i for clause in cited if clause for i in clause.clue_ids))
    if not ids:
        return None
    text = filled(case.language, template, **words)
    return Sentence(block="answer", text=text, clue_ids=ids)


def filled(language: Language, template: str, **words: str) -> str:
    """A template of `prompts/rules` with its words, beginning with a capital."""
    prompt = load(f"rules/{language}/{template}")
    given = {**words, **{name.capitalize(): capital(value) for name, value in words.items()}}
    return capital(prompt.substitute(**{n: given[n] for n in prompt.placeholders}))


def capital(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def label_clause(case: Case, standing: Standing) -> str:
    """The plain or fitting word of a family, as the case names it."""
    named = (c.name for c in case.chosen if c.standing.family == standing.family)
    return label_name(next(named, lexicon().label_of(standing.family)), case.language)


def reading(
    case: Case, standing: Standing, label: str = "", *, brief: bool = False
) -> Clause | None:
    """Who appears how: "the person appears happy (medium confidence), from a smile"."""
    cited = grounds(case, standing.contributions)
    if cited is None:
        return None
    prompt = load(f"rules/{case.language}/{'appears_short' if brief else 'appears'}")
    values = {
        "who": subject(case, cited.clue_ids),
        "label": label or label_clause(case, standing),
        "band": term(case.band(standing), case.language),
        "basis": cited.words,
    }
    words = prompt.substitute(**{name: values[name] for name in prompt.placeholders})
    return Clause(words, cited.clue_ids)


def state(case: Case, *, brief: bool = False) -> Clause | None:
    """What is displayed: the leading reading (`brief`: without its cues), or clues."""
    lead = reading(case, case.chosen[0].standing, brief=brief) if case.chosen else None
    return lead or told(case, _clearest(case))


def _clearest(case: Case) -> list[Clue]:
    """Clues where no reading is carried: a stated dimension of emotion first."""
    stating = [r for r in case.readings if r.mentions]
    rated = [r.clue for r in stating if any(m.cue.startswith(RATED) for m in r.mentions)]
    chosen = best(case, rated, 1)
    others = [r.clue for r in stating if r.clue not in chosen] if stating else case.clues
    picked = [*chosen, *best(case, others, MAX_CLUES - len(chosen))]
    return [clue for clue in case.clues if clue in picked]


def told(case: Case, clues: Sequence[Clue]) -> Clause | None:
    """Clues in their own words."""
    if not clues:
        return None
    return Clause(join(clues, case.language), tuple(clue.id for clue in clues))


def best(case: Case, clues: Sequence[Clue], most: int = MAX_CLUES) -> list[Clue]:
    """The most relevant clues, in time order, no two of the same words."""
    moved = case.relevance
    ranked = sorted(clues, key=lambda c: (-moved.get(c.id, 0.0), -c.quality.score, c.id))
    return [clue for clue in clues if clue in ranked[:most]]


def grounds(
    case: Case, contributions: Iterable[Contribution], against: bool = False
) -> Clause | None:
    """The strongest cues for or against a family, of each channel, with their times."""
    ordered = sorted(contributions, key=lambda c: -abs(c.value))
    stated = [
        c.evidence
        for c in ordered
        if c.counts
        and not c.evidence.negated
        and (c.value <= -WORTH_CITING if against else c.value >= WORTH_CITING)
    ]
    stated = _without_members(stated)
    channels = {e.modality: e for e in reversed(stated)}
    first = [e for e in stated if channels[e.modality] is e]
    chosen = [*first, *(e for e in stated if e not in first)][:GROUNDS]
    chosen.sort(key=lambda e: MODALITIES.index(e.modality))
    phrases = merged(chosen, case.language)
    if not phrases:
        return None
    words = [
        _timed(phrase, next(e for e in chosen if {*e.clue_ids} <= {*ids}), case)
        for phrase, ids in phrases.items()
    ]
    ids = tuple(dict.fromkeys(i for cited in phrases.values() for i in cited))
    return Clause(listing(words, case.language), ids)


def _without_members(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The evidence without cues that a combination among it contains."""
    combos = {combo.key: combo.members for combo in lexicon().combos}
    inside = {member for e in evidence for member in combos.get(e.cue, ())}
    return [e for e in evidence if e.cue not in inside]


def basis(case: Case, contributions: Iterable[Contribution]) -> Clause | None:
    """The strongest stated cues of each channel; None if there is none."""
    stated = [c.evidence for c in contributions if c.counts and not c.evidence.negated]
    parts: list[str] = []
    ids: list[str] = []
    for channel, place in _PLACES.items():
        by_group: dict[str, Evidence] = {}
        for evidence in stated:
            if channel_of(evidence.modality) == channel:
                by_group.setdefault(evidence.group, evidence)
        phrases = merged(list(by_group.values())[:PER_CHANNEL], case.language)
        if phrases:
            named = listing([_definite(p, case.language) for p in phrases], case.language)
            where = term(place, case.language)
            parts.append(f"{named} {where}" if case.language == "en" else f"{named}{where}")
            ids += [i for cited in phrases.values() for i in cited]
    return Clause(listing(parts, case.language), tuple(dict.fromkeys(ids))) if parts else None


def _definite(phrase: str, language: Language) -> str:
    return f"the {bare(phrase)}" if language == "en" else phrase


def merged(evidence: Sequence[Evidence], language: Language) -> dict[str, tuple[str, ...]]:
    """Names of cues with their clues; one that another contains is merged into it.

    "furrowed brows" goes into "furrowed brows with narrowed eyes".
    """
    phrases = {
        cue_name(e.cue, language) + (term("described", language) if e.described else ""): e.clue_ids
        for e in evidence
    }
    joined: dict[str, tuple[str, ...]] = {}
    for phrase, ids in phrases.items():
        longer = (o for o in phrases if o != phrase and f" {bare(phrase)} " in f" {o} ")
        whole = next(longer, phrase)
        joined[whole] = tuple(dict.fromkeys((*joined.get(whole, ()), *ids)))
    return joined


def bare(phrase: str) -> str:
    """The phrase without its article."""
    return re.sub(r"^(?:an?|the) ", "", phrase)


def subject(case: Case, cited: Sequence[str]) -> str:
    """The person of a sentence, by name and place.

    Only where there are several and each cited clue is about this one: a voice, or a hand
    of no particular person, may be another's.
    """
    clues = [c for c in case.everyone if c.id in cited]
    several = len({p.name for p in people_in(case.everyone)}) > 1
    people = people_in(clues)
    same = people and all(one.may_be(other) for one in people for other in people)
    if len({person_of(c) for c in clues}) != 1 or not several or not same:
        return term("the person", case.language)
    one = min(people, key=lambda person: person.place is None)
    return person_name(one.name, one.place, case.language)


def _timed(phrase: str, evidence: Evidence, case: Case) -> str:
    spans = evidence.spans
    if not spans or len(spans) < len(evidence.clue_ids):
        return phrase
    start, end = max(s.start for s in spans), min(s.end for s in spans)
    if start > end:
        return phrase  # one cue begins soon after the other has ended
    span = Span(start=start, end=end)
    if span.length >= WHOLE * case.duration:
        return phrase
    return times(phrase, span, case.language)
