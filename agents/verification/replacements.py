"""What replaces a sentence that its clues do not carry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from emer.agents.lexicon.lexicon import DEFAULT_WEIGHTING, channel_of, lexicon
from emer.agents.rules.fusion import Standing
from emer.agents.rules.labels import band
from emer.agents.rules.phrases import cue_name, label_name, listing, sentence_of
from emer.agents.types import Block, Explanation, Sentence
from emer.agents.verification.carriers import Carrier, carrier_of
from emer.agents.verification.checks import Cited, check_sentence
from emer.agents.verification.conclusions import Ground, are_several
from emer.agents.verification.normalization import fold, strange_words
from emer.agents.verification.reader import CONCLUDING, Readout, read_sentence
from emer.agents.verification.vocabulary import families_of
from emer.prompts.prompt import Language, load, term
from emer.tools.types import Clue

BLOCKS: dict[str, Block] = {"visual": "video", "audio": "audio", "text": "text"}
"""The block of a clue's own words, by its channel."""
REJECTED = "the critic rejects it"
"""Begins the reason of what a critic rejects: that may not come back in other words."""
_CAUTIOUS = re.compile(
    r"\b(?:may|might|could|would|perhaps|possibly|probably|likely)\b|可能|也许|或许|多半|未必"
)
"""Words of a conclusion that claims little: its clues are cited, if no more."""
_MOST_CUES = 3
"""Cues that a conclusion of ours names (chosen by us)."""


def replacements(
    explanation: Explanation, reasons: Sequence[str | None], clues: Sequence[Clue]
) -> list[tuple[Sentence, ...]]:
    """The sentences in place of each sentence; each clue is used once.

    An observation is replaced by its clues' own words. A conclusion in words that cannot be
    read, or with a hedge, is replaced by one of ours if its clues carry the emotion it names,
    else by the words of the clues whose cues it names.

    Args:
        explanation: What was verified.
        reasons: For each sentence why it is not carried; None where it is.
        clues: All clues of the clip.
    """
    known = {clue.id: clue for clue in clues}
    pairs = list(zip(explanation.sentences, reasons, strict=True))
    used = {
        clue_id
        for sentence, why in pairs
        if why is None and sentence.block not in CONCLUDING
        for clue_id in sentence.clue_ids
    }
    concluded = {fold(sentence.text) for sentence, why in pairs if why is None}
    instead: list[tuple[Sentence, ...]] = []
    for sentence, why in pairs:
        words: tuple[Sentence, ...] = ()
        if why is not None:
            cited = [known[i] for i in dict.fromkeys(sentence.clue_ids) if i in known]
            if sentence.block in CONCLUDING:
                named = _named(sentence, cited, why)
                words = tuple(_conclusion(sentence, named, clues, explanation.language))
                words = tuple(w for w in words if fold(w.text) not in concluded)
                cited = [] if words or named is None else named[1]
            new = [clue for clue in cited if clue.id not in used]
            words += tuple(_own_words(clue, explanation.language) for clue in new)
            used |= {clue.id for clue in new}
            concluded |= {fold(word.text) for word in words}
        instead.append(words)
    return instead


def _own_words(clue: Clue, language: Language) -> Sentence:
    block = BLOCKS[channel_of(clue.modality)]
    return Sentence(block=block, text=sentence_of(clue, language), clue_ids=(clue.id,))


def _named(
    sentence: Sentence, cited: Sequence[Clue], why: str
) -> tuple[Readout, list[Clue]] | None:
    """What a conclusion says, and the clues whose cues it names; None if only wrong."""
    text = fold(sentence.text)
    readout = read_sentence(text, sentence.block)
    kinds = {item.kind for item in readout.items}
    meant = bool(readout.unread) or _CAUTIOUS.search(text) is not None
    if not meant or kinds & {"certain", "because"} or why.startswith(REJECTED):
        return None
    if strange_words(sentence.text, (clue.text for clue in cited)):
        return None
    named = [c.clue for c in map(carrier_of, cited) if _is_named(c, readout)]
    return readout, named


def _is_named(carrier: Carrier, readout: Readout) -> bool:
    """True if a text names a cue or the words of a clue."""
    quotes = [fold(item.value) for item in readout.items if item.kind == "quote"]
    return any(quote and quote in carrier.words for quote in quotes) or any(
        carrier.states(item, denied=False)
        for item in readout.items
        if item.kind in ("hit", "cue", "seen")
        and (item.hit is None or item.hit.channel == carrier.channel)
    )


def _conclusion(
    sentence: Sentence,
    named: tuple[Readout, list[Clue]] | None,
    clues: Sequence[Clue],
    language: Language,
) -> Iterator[Sentence]:
    """A conclusion of ours on the emotion that a sentence names, if it is carried.

    Args:
        sentence: The sentence that is not carried.
        named: What it says.
        clues: All clues of the clip.
        language: Of the explanation.
    """
    if named is None or any(item.kind in ("deny", "against") for item in named[0].items):
        return
    cited = [clue for clue in clues if clue.id in sentence.clue_ids]
    families = {
        family
        for item in named[0].items
        if item.kind == "emotion"
        for family in families_of(item.value)
    }
    if not families or not cited or are_several(cited):
        return
    ground = Ground(DEFAULT_WEIGHTING, tuple(clues))
    standing = max(
        (standing for family, standing in ground.standings(cited).items() if family in families),
        key=lambda standing: standing.log_odds,
    )
    cues = [c.evidence.cue for c in standing.contributions if c.value > 0]
    names = [cue_name(cue, language) for cue in dict.fromkeys(cues)][:_MOST_CUES]
    if not standing.supports or not names:
        return
    text = _therefore(standing, names, language)
    written = Sentence(block="therefore", text=text, clue_ids=standing.supports)
    chosen = tuple(clue for clue in cited if clue.id in standing.supports)
    if not any(check_sentence(Cited(written, chosen, 0.0), ground)):
        yield written


def _therefore(standing: Standing, names: Sequence[str], language: Language) -> str:
    """The rules' conclusion on one family, based on the cues of these names."""
    return load(f"rules/{language}/therefore").substitute(
        basis=listing(names, language),
        who="the person" if language == "en" else "此人",
        labels=label_name(lexicon().label_of(standing.family), language),
        band=term(band(standing), language),
    )
