"""Checks of a sentence or label against its clues: nothing unread is carried."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from emer.agents.lexicon.lexicon import WORD_CUES, lexicon
from emer.agents.questions.answerability import names_health
from emer.agents.rules.phrases import wordings
from emer.agents.types import Sentence
from emer.agents.verification.carriers import Carrier, carrier_of
from emer.agents.verification.claims import (
    OBSERVED,
    Claim,
    Problem,
    bind_denials,
    claims_of,
)
from emer.agents.verification.comparisons import Scene
from emer.agents.verification.conclusions import (
    Ground,
    are_several,
    check_emotions,
    check_unclear,
    on_family,
)
from emer.agents.verification.frames import english_people, is_hypothetical, unframed
from emer.agents.verification.normalization import fold, strange_words
from emer.agents.verification.observations import check_observation
from emer.agents.verification.quantities import quantities_in
from emer.agents.verification.reader import (
    CONCLUDING,
    HELD,
    Item,
    Readout,
    Wording,
    parts_of,
    read_sentence,
    references_in,
)
from emer.agents.verification.subjects import mixed_people, subject_problems, unknown_people
from emer.agents.verification.vocabulary import families_of
from emer.prompts.prompt import load, names
from emer.tools.types import Clue

IN_CLIP = 0.05
"""Seconds by which a time may pass the clip's end: one frame and rounding."""
REGIONS: Mapping[str, tuple[str, ...]] = {
    "brows": ("brow", "inner_brow", "outer_brow", "forehead", "grimace"),
    "eyes": ("eyes", "blink", "tears", "gaze", "glare", "smile_eyes", "smile_social", "camera"),
    "mouth": ("smile", "grimace", "laugh", "teeth", "corners", "lip", "mouth", "jaw", "no_speech"),
    "chin": ("chin", "jaw", "head_up"),
    "nose": ("nose", "upper_lip"),
    "head": ("nod", "head", "turned"),
    "body": ("hand", "points", "gestures", "fist", "arms", "embrace", "leans", "shoulders", "body",
             "applause", "mouth_covered", "no_hand"),
}  # fmt: skip
"""Beginnings of the keys of the cues that a part of the face or body can display."""

HEARD = (
    "voice_speech",
    "rate_moderate",
    "varied_moderate",
    "utterance_end",
    "pitch_deep",
    "pitch_high",
)
"""Observations of a voice that are no cues of the lexicon."""
MOST_READ = 1_500
"""Characters of a sentence that are read: a quotation of 600, and what is said of it (by us)."""
_WORDS = re.compile(r"[\u4e00-\u9fff]|[^\W_\u4e00-\u9fff]+")
_HEDGED = re.compile(
    r"\b(?:may|might|could|would|seems?|appears?|sounds? like|hints?|suggests?|points?|consistent"
    r"|fits?|looks? (?:most |more |rather )?like|resembles?|leans?|tends?)\b"
    r"|可能|似乎|好像|像是|大概"
)
_ONE_OF_TWO = re.compile(
    r"\b(?:one|either|a single|just one) (?:of (?:the|her|his|their) )?(?:eye|brow|shoulder|corner"
    r"|cheek|lid)|(?<!第)(?:一|单|其中一)[只条侧边道个]?(?:眼睛|眉|肩|嘴角)"
)
_ONE_SIDE = re.compile(r"\b(?:one|left|right|alone|single)\b|[一单左右]")
_EXACT = {
    "only": {"count", "degree", "quantity", "time", "people", "extent", "some", "gloss"},
    "least": {"people", "count", "quantity"},
}
"""Kinds of items of which "only" and "at least" may be said."""
HEALTH = "a state of health is never claimed"
_DENYING = frozenset("not no never none nor without t 不 没 無 无 未 别".split())  # noqa: SIM905
"""Words before a quotation without which it would say the opposite; "t" ends "don't"."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A sentence with the clues it cites, in a clip of `duration` seconds.

    Args:
        sentence: The sentence.
        clues: The clues it cites.
        duration: Length of the clip.
        previous: The clues of the sentence before it in its block, or of all before a conclusion.
    """

    sentence: Sentence
    clues: tuple[Clue, ...]
    duration: float
    previous: tuple[Clue, ...] = ()


def check_times(cited: Cited) -> Iterator[Problem]:
    """Times outside the clip."""
    text = _unquoted(fold(cited.sentence.text))
    for quantity in quantities_in(text):
        if quantity.unit == "s" and max(quantity.values) > cited.duration + IN_CLIP:
            words = text[quantity.start : quantity.end].strip()
            yield Problem("contradicted", f"{words} is beyond the clip's {cited.duration:g} s")


def _unquoted(text: str) -> str:
    return re.sub(r'"[^"]*"', " ", text)


def check_sentence(cited: Cited, ground: Ground) -> Iterator[Problem]:
    """Why the cited clues do not carry a sentence; nothing if they carry all of it."""
    inside = [cited.sentence.text]
    if cited.sentence.block == "answer":
        inside, problems = unframed(cited.sentence.text, cited.clues, ground)
        yield from problems
        if is_hypothetical(cited.sentence.text):
            ground = Ground(ground.weighting, ground.clues)
    for text in inside:
        part = cited.sentence.model_copy(update={"text": english_people(text)})
        yield from _check_unframed(replace(cited, sentence=part), ground)


def _check_unframed(cited: Cited, ground: Ground) -> Iterator[Problem]:
    block, text = cited.sentence.block, fold(cited.sentence.text)
    if len(text) > MOST_READ:
        yield Problem("unsupported", f"it is longer than {MOST_READ} characters")
        return
    strange = strange_words(cited.sentence.text, (clue.text for clue in cited.clues))
    if strange:
        yield Problem("unsupported", f"its letters cannot be read: {', '.join(strange)}")
    if names_health(_unquoted(text)):
        yield Problem("unsupported", HEALTH)
    everyone = [carrier_of(clue) for clue in cited.clues]
    carriers = everyone
    if block not in CONCLUDING:
        carriers = [c for c in everyone if c.channel == HELD[block][0]]
        if not carriers:
            yield Problem("unsupported", f"it cites no clue of the {block}")
            return
    worded = tuple(Wording(fold(words), c.clue.id) for c in carriers for words in wordings(c.clue))
    if block in CONCLUDING:
        worded += _fixed()
    readout = read_sentence(text, block, worded)
    if readout.unread:
        unread = ", ".join(f'"{word}"' for word in dict.fromkeys(readout.unread))
        yield Problem("unsupported", f"it cannot be read: {unread}")
    yield from check_times(cited)
    yield from _check_read(readout, cited, carriers, ground)


def _check_read(
    readout: Readout, cited: Cited, carriers: Sequence[Carrier], ground: Ground
) -> Iterator[Problem]:
    """Problems of what could be read of a sentence."""
    parts = parts_of(readout.items)
    claims = claims_of(parts, readout.text)
    hedged = any(_is_hedge(item) for item in readout.items)
    if any(item.kind == "certain" for item in readout.items):
        yield Problem("unsupported", "it is more certain than a reading can be")
    if not any(claim.heads or claim.of("state") or _is_open(claim) for claim in claims):
        yield Problem("unsupported", "it describes nothing that can be held against its clues")
    yield from _loose(readout, carriers)
    for claim in claims:
        if claim.of("people") and claim.of("hit", "cue"):
            yield Problem("unsupported", "it tells of several people at once")
    yield from subject_problems(parts, readout.text)
    previous = [carrier_of(clue) for clue in cited.previous]
    aside = [c for c in map(carrier_of, cited.clues) if c not in carriers]
    everyone = [carrier_of(clue) for clue in ground.clues]
    scene = Scene(cited.duration, everyone, aside, references_in(readout.text))
    if aside and not any(_is_told(head, scene, carriers) for c in claims for head in c.heads):
        yield Problem("unsupported", "it tells only when")
    for claim in claims:
        yield from bind_denials(claim)
        yield from unknown_people(claim, carriers)
        yield from _regions(claim)
        if claim.of("count", "degree", "order", "time", "quantity", "extent") and not claim.heads:
            yield Problem("unsupported", "it says when or how much, but not what")
        yield from check_observation(claim, carriers, previous, scene)
        if cited.sentence.block in CONCLUDING:
            yield from check_emotions(claim, carriers, ground, hedged=hedged)
            yield from check_unclear(claim, carriers, ground)
        else:
            yield from _named_emotions(claim, carriers)
        previous = claim.carriers or previous
    yield from mixed_people(claims)
    yield from _quotations(readout, cited, carriers, hedged)
    yield from _causes(claims)


def _is_told(head: Item, scene: Scene, carriers: Sequence[Carrier]) -> bool:
    """True for what a block tells itself, not of the other channel."""
    return not scene.is_aside(head, carriers)


def _is_hedge(item: Item) -> bool:
    worded = item.kind in ("speech", "for") and _HEDGED.search(item.text) is not None
    return item.kind == "hedge" or item.value in ("low", "state") or worded


def _is_open(claim: Claim) -> bool:
    return any(item.value in ("state", "unclear") for item in claim.of("open"))


def _loose(readout: Readout, carriers: Sequence[Carrier]) -> Iterator[Problem]:
    """Words that need another one behind them ("says", "only"); one of two parts."""
    if _ONE_OF_TWO.search(readout.text) and not any(_ONE_SIDE.search(c.text) for c in carriers):
        yield Problem("unsupported", "its clues do not tell of one side alone")
    items = [item for item in readout.items if item.kind not in ("paren", "break")]
    has_quote = any(item.kind == "quote" for item in items)
    reports = has_quote or any(
        item.kind in ("cue", "hit")
        and lexicon().cues.get(item.value)
        and lexicon().cues[item.value].channel == "text"
        for item in items
    )
    for place, item in enumerate(items):
        after = next((other.kind for other in items[place + 1 :] if other.kind != "plain"), "")
        if item.kind == "near" and after not in ("quantity", "count", "time", "extent"):
            yield Problem("unsupported", f'it cannot be read: "{item.text}"')
        nearby = {other.kind for other in items[place + 1 :] if other.kind != "plain"}
        needed = _EXACT.get(item.value) if item.kind == "only" else None
        if item.kind == "unread" or (needed and not nearby & needed):
            yield Problem("unsupported", f'it cannot be read: "{item.text}"')
        if item.kind == "speech" and not reports:
            yield Problem("unsupported", "it reports speech without quoting it")
        names = {item.text, "english"} if item.value == "english" else {item.text}
        stated = any(name in carrier.text for name in names for carrier in carriers)
        if item.kind == "language" and not (has_quote and stated):
            yield Problem("unsupported", f'it cannot be read: "{item.text}"')


def _named_emotions(claim: Claim, carriers: Sequence[Carrier]) -> Iterator[Problem]:
    """Emotion words of an observation that no clue of its own names."""
    for emotion in claim.of("emotion"):
        keys = [p + family for p in WORD_CUES for family in families_of(emotion.value)]
        denied = emotion in claim.denied
        if not any(denied in c.cues.get(key, ()) for c in carriers for key in keys):
            yield Problem("unsupported", f"no cited clue names {emotion.value}")


def _regions(claim: Claim) -> Iterator[Problem]:
    """Parts of the face, body or voice of which the claim states nothing."""
    for region in claim.of("region"):
        heads = [head for head in claim.heads if head.kind in OBSERVED]
        if region.value == "voice":
            fits = any(h.kind == "verbatim" or _is_heard(h) for h in heads)
        else:
            fits = any(
                h.kind == "verbatim" or h.value.startswith(REGIONS[region.value]) for h in heads
            )
        if not fits:
            yield Problem("unsupported", f'it states nothing of "{region.text}"')


def _is_heard(head: Item) -> bool:
    cue = lexicon().cues.get(head.value)
    return head.value in HEARD or (cue is not None and cue.channel == "audio")


def _quotations(
    readout: Readout, cited: Cited, carriers: Sequence[Carrier], hedged: bool
) -> Iterator[Problem]:
    quotes = [item for item in readout.items if item.kind == "quote"]
    spoken = {carrier.clue.id for carrier in carriers if carrier.words}
    if quotes and not any(
        item.kind == "speech" or (item.kind == "verbatim" and item.value in spoken)
        for item in readout.items
    ):
        yield Problem("unsupported", "it does not say where its quotation is from")
    for quote in quotes:
        words = _normal(quote.value)
        quoting = [c for c in carriers if c.words and _has_words(_normal(c.words), words)]
        if not words or not quoting:
            yield Problem("unsupported", f'the words "{quote.value}" are in no cited clue')
        elif not hedged and all(carrier.is_doubtful for carrier in quoting):
            yield Problem("unsupported", f'the words "{quote.value}" are doubtful')


def _has_words(text: str, words: str) -> bool:
    """True if words stand in a text, and not right behind one that denies them."""
    at = f" {text} ".find(f" {words} ")
    while at >= 0:
        before = text[:at].split()[-2:]
        if not _DENYING & {*before}:
            return True
        at = f" {text} ".find(f" {words} ", at + 1)
    return False


def _normal(text: str) -> str:
    """Words in lower case, without punctuation; Chinese by character."""
    return " ".join(_WORDS.findall(text.casefold()))


def _causes(claims: Sequence[Claim]) -> Iterator[Problem]:
    """Causes that do not lead from what is observed to a reading."""
    causes = [claim for claim in claims if claim.of("because")]
    read_as = [c for c in claims if c.of("emotion", "gloss") or _is_open(c)]
    for cause in causes:
        leads = [claim for claim in read_as if claim is not cause]
        if not leads or (cause.of("emotion") and not cause.of("for")):
            yield Problem("unsupported", "it gives a cause that cannot be observed")


@lru_cache(maxsize=1)
def _fixed() -> tuple[Wording, ...]:
    """The rules' sentences without a value: they say what the clues do not carry."""
    prompts = (load(name) for name in names() if name.startswith("rules/"))
    return tuple(
        Wording(fold(prompt.text).rstrip("."), "") for prompt in prompts if not prompt.placeholders
    )


def check_label(name: str, clues: Sequence[Clue], ground: Ground) -> Iterator[Problem]:
    """Why the clues do not carry a label: one person's, and a word they speak for."""
    strange = strange_words(name)
    if strange:
        yield Problem("unsupported", f"its letters cannot be read: {', '.join(strange)}")
    if not clues:
        yield Problem("unsupported", "it cites no clue")
        return
    if are_several(clues):
        yield Problem("unsupported", "it rests on clues of different people")
    word = fold(name)
    if names_health(word):
        yield Problem("unsupported", HEALTH)
    families = families_of(word)
    if not families:
        if not _is_cue_word(word, clues):
            yield Problem("unsupported", f"no cited clue carries the word {word}")
        return
    standings = ground.standings(clues)
    problems = [next(on_family(standings[f], "for", word, ground), None) for f in families]
    if all(problem is not None for problem in problems) and problems[0] is not None:
        yield problems[0]


def _is_cue_word(word: str, clues: Sequence[Clue]) -> bool:
    """True for the name of a cue that a clue states, "smiling" for a smile."""
    for carrier in map(carrier_of, clues):
        readout = read_sentence(word, "answer")
        hits = [item for item in readout.items if item.kind in ("hit", "cue")]
        rest = [item for item in readout.items if item.kind not in ("hit", "cue")]
        is_name = hits and not rest and not readout.unread
        if is_name and any(carrier.states(item, denied=False) for item in hits):
            return True
    return False
